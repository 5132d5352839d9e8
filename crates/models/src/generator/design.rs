//! The parts of a generator that can be chosen.

use serde::{Deserialize, Serialize};

/// How the generator is told the colours it is to paint with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Conditioning {
    /// The reference's pixel counts, each looked up in a table and encoded, join the features at
    /// the bottleneck: the official network.
    #[default]
    Counts,
    /// Quantiles of reference and content, encoded, join the features at the
    /// bottleneck and scale and shift the channels of every doubling.
    Modulation,
}

/// What makes an image of the last features, which have half its size.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LastLayer {
    /// A 4×4 transposed convolution of stride 2: the official network. It is prone to
    /// checkerboards (Odena et al., "Deconvolution and checkerboard artifacts", 2016).
    #[default]
    Transposed,
    /// A 3×3 convolution at half size, bilinear doubling, and to it is added a 3×3 convolution of
    /// what the generator was given at full size.
    Resize,
}

/// What the last layer's values mean.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Prediction {
    /// The image itself, through tanh: the official network.
    #[default]
    Image,
    /// What is to be added to the content image; before training, nearly nothing.
    Change,
    /// A change, and masks for five colours that are made of both distributions. The change
    /// and the masked colours are added to the content image. Needs
    /// [`Conditioning::Modulation`], which encodes the distributions.
    Palette,
    /// A [palette](Self::Palette) painted on a blend of the content and the [matched
    /// content](crate::Matching), with a mask for each channel that tells how far a pixel goes to
    /// the matched one; before training, nearly all of the way (0.98). Needs
    /// [`matched_content`](crate::GeneratorOptions::matched_content) too.
    Blend,
    /// A change to affine colour maps in a grid of places and levels of luma, which were fitted to
    /// content and reference ([`FittedMaps`](crate::FittedMaps)); the image is what the changed maps make of the
    /// content. Before training it is what the fitted ones make of it. What varies slowly in the grid cannot tear
    /// a surface apart, and the same maps give an image of any size. There is no last layer, and no
    /// level above the size of the grid. Needs images of three channels.
    LocalMaps,
}

impl Prediction {
    /// Whether what is predicted is added to the content image.
    pub(super) fn adds_to_content(self) -> bool {
        matches!(self, Self::Change | Self::Palette | Self::Blend)
    }

    /// Whether fitted maps are changed.
    pub(super) fn changes_maps(self) -> bool {
        self == Self::LocalMaps
    }

    /// Whether colours are made of both distributions.
    pub(super) fn has_palette(self) -> bool {
        matches!(self, Self::Palette | Self::Blend)
    }

    /// Whether the content moves towards the matched content.
    pub(super) fn blends(self) -> bool {
        self == Self::Blend
    }
}
