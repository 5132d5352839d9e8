//! What a layer is made of: a description, which [`blocks`](crate::blocks) and LibTorch compute.

use burn::nn::conv::{Conv2d, ConvTranspose2d};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use crate::modulation::Modulation;
use crate::normalization::Norm;

/// What LeakyReLU lets through of a negative value (Keras' default; pix2pix has 0.2).
pub(crate) const LEAKY_SLOPE: f64 = 0.3;

/// What ends a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Activation {
    None,
    LeakyRelu,
    Relu,
    Tanh,
}

/// The convolution of a layer.
#[derive(Clone, Copy)]
pub(crate) enum Convolution<'a, B: Backend> {
    /// An ordinary one.
    Plain(&'a Conv2d<B>),
    /// An ordinary one without padding, of an image that has its border already.
    Framed(&'a Conv2d<B>),
    /// An ordinary one without padding, of the image doubled (bilinear) and framed by one pixel
    /// of reflected border.
    OfDoubled(&'a Conv2d<B>),
    /// An ordinary one, whose result is doubled (bilinear).
    ThenDoubled(&'a Conv2d<B>),
    /// A transposed one.
    Transposed(&'a ConvTranspose2d<B>),
}

/// One layer, all that happens between two images: convolution, normalisation, modulation,
/// dropout, activation. Both networks are made of these.
pub(crate) struct Layer<'a, B: Backend> {
    pub(crate) convolution: Convolution<'a, B>,
    pub(crate) norm: Option<Norm<'a, B>>,
    pub(crate) modulation: Option<Modulation<B>>,
    /// The factors of dropout, of the output's shape.
    pub(crate) mask: Option<Tensor<B, 4>>,
    pub(crate) activation: Activation,
}

impl<'a, B: Backend> Layer<'a, B> {
    /// A convolution and nothing else.
    pub(crate) fn of(convolution: Convolution<'a, B>) -> Self {
        Self {
            convolution,
            norm: None,
            modulation: None,
            mask: None,
            activation: Activation::None,
        }
    }

    pub(crate) fn activated(mut self, activation: Activation) -> Self {
        self.activation = activation;
        self
    }
}
