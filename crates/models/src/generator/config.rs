//! Checked parameters of the generator.

use serde::{Deserialize, Serialize};

use super::design::{Conditioning, LastLayer, Prediction};
use super::maps;
use super::palette::{self, COLOURS};
use super::resize::{self, ResizeChannels};
use crate::distribution_encoder;
use crate::error::{MAX_CHANNELS, MAX_SIDE, ModelError, check_count};
use crate::histogram_encoder::features;
use crate::local_maps::MAPS_GRID;
use crate::matching::QUANTILES;
use crate::normalization::{NormKind, Normalization};

/// The largest depth: 2^14 is the largest side.
const MAX_DEPTH: usize = 14;

/// Parameters of a generator before they are checked; the default is the official network.
///
/// ```
/// use huenet_models::{GeneratorConfig, GeneratorOptions};
///
/// let official = GeneratorConfig::new(GeneratorOptions::default())?;
/// assert_eq!(official.parameter_count(), 42_124_486);
///
/// let small = GeneratorOptions { base_width: 16, depth: 7, height: 128, width: 128, ..Default::default() };
/// GeneratorConfig::new(small)?;
///
/// let odd = GeneratorOptions { height: 250, ..Default::default() };
/// let message = GeneratorConfig::new(odd).unwrap_err().to_string();
/// assert!(message.contains("take 256"), "{message}");
/// # Ok::<(), huenet_models::ModelError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GeneratorOptions {
    /// Channels of the first block; the following have 2, 4 and then 8 times as many. At least 1.
    pub base_width: usize,
    /// How many times the image is halved, 2 to 14. The official network halves 256×256 pixels
    /// down to one.
    pub depth: usize,
    /// Channels of the content image.
    pub input_channels: usize,
    /// Channels of the output image, and of the colour reference whose histograms steer it.
    pub output_channels: usize,
    /// Bins of each channel's histogram.
    pub bins: usize,
    /// Height in pixels, a multiple of 2^depth.
    pub height: usize,
    /// Width in pixels, a multiple of 2^depth.
    pub width: usize,
    /// How it is told the colours.
    pub conditioning: Conditioning,
    /// What normalises the features.
    pub normalization: Normalization,
    /// What makes the image of the last features; local maps have no such layer.
    pub last_layer: LastLayer,
    /// What the last layer's values mean. All but an image need output channels like the input's;
    /// a palette and a blend need [`Conditioning::Modulation`], a blend
    /// [`matched_content`](Self::matched_content) too, local maps three channels.
    pub prediction: Prediction,
    /// Whether the content image, its channels matched to the reference's histograms, is given to
    /// the generator beside the content itself. Needs output channels like the input's, and
    /// histograms over [−1, 1].
    pub matched_content: bool,
    /// Whether the first three doublings have dropout in training.
    pub dropout: bool,
}

impl Default for GeneratorOptions {
    fn default() -> Self {
        Self {
            base_width: 64,
            depth: 8,
            input_channels: 3,
            output_channels: 3,
            bins: 256,
            height: 256,
            width: 256,
            conditioning: Conditioning::Counts,
            normalization: Normalization::Batch,
            last_layer: LastLayer::Transposed,
            prediction: Prediction::Image,
            matched_content: false,
            dropout: true,
        }
    }
}

/// Checked parameters of a [`Generator`](crate::Generator): one that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "GeneratorOptions", into = "GeneratorOptions")]
pub struct GeneratorConfig {
    options: GeneratorOptions,
}

impl GeneratorConfig {
    /// Checks `options`.
    ///
    /// # Errors
    /// [`ModelError::OutOfRange`] for a count that is zero or beyond reason,
    /// [`ModelError::Side`] for a side that is not a multiple of 2^depth,
    /// [`ModelError::OtherChannels`] if output and input must have as many and have not,
    /// [`ModelError::PaletteOfCounts`] for a palette or a blend without
    /// [`Conditioning::Modulation`], [`ModelError::BlendWithoutMatch`] for a blend without matched
    /// content, [`ModelError::MapsOfChannels`] for local maps of other than three channels.
    pub fn new(options: GeneratorOptions) -> Result<Self, ModelError> {
        let GeneratorOptions {
            base_width,
            depth,
            input_channels,
            output_channels,
            bins,
            ..
        } = options;
        check_count("base_width", base_width, 1, MAX_CHANNELS)?;
        check_count("depth", depth, 2, MAX_DEPTH)?;
        check_count("input_channels", input_channels, 1, MAX_CHANNELS)?;
        check_count("output_channels", output_channels, 1, MAX_CHANNELS)?;
        check_count("bins", bins, 1, MAX_CHANNELS)?;
        let alike = options.prediction != Prediction::Image
            || options.matched_content
            || options.conditioning == Conditioning::Modulation;
        if alike && input_channels != output_channels {
            return Err(ModelError::OtherChannels {
                input_channels,
                output_channels,
            });
        }
        let prediction = options.prediction;
        if prediction.has_palette() && options.conditioning != Conditioning::Modulation {
            return Err(ModelError::PaletteOfCounts);
        }
        if prediction.blends() && !options.matched_content {
            return Err(ModelError::BlendWithoutMatch);
        }
        if prediction.changes_maps() && input_channels != 3 {
            return Err(ModelError::MapsOfChannels {
                channels: input_channels,
            });
        }
        check_side("height", options.height, depth)?;
        check_side("width", options.width, depth)?;
        Ok(Self { options })
    }

    /// The parameters.
    pub fn options(&self) -> &GeneratorOptions {
        &self.options
    }

    /// Channels after each halving: base·min(2^i, 8).
    pub(super) fn widths(&self) -> Vec<usize> {
        (0..self.options.depth)
            .map(|i| self.options.base_width << i.min(3))
            .collect()
    }

    /// Channels at the bottleneck, with what the generator is told there.
    fn bottleneck(&self) -> usize {
        let widths = self.widths();
        let told = match self.options.conditioning {
            Conditioning::Counts => features(self.options.bins),
            Conditioning::Modulation => distribution_encoder::FEATURES,
        };
        widths[widths.len() - 1] + told
    }

    /// Channels of the last features, with their skip: what the last layer sees.
    pub fn last_features(&self) -> usize {
        let last = self.ups().last().map(|[_, output]| 2 * output);
        last.unwrap_or_else(|| self.bottleneck())
    }

    /// How many doublings there are: up to half the image's size, or, if maps are changed, to that of
    /// their grid ([`MAPS_GRID`]).
    pub fn doublings(&self) -> usize {
        let GeneratorOptions {
            depth,
            height,
            width,
            ..
        } = self.options;
        let all = depth - 1;
        if !self.options.prediction.changes_maps() {
            return all;
        }
        let [_, rows, columns] = MAPS_GRID;
        let reaches = |doublings: &usize| {
            let halvings = depth - doublings;
            height >> halvings >= rows && width >> halvings >= columns
        };
        (0..all).find(reaches).unwrap_or(all)
    }

    /// Channels into and out of each doubling.
    pub(super) fn ups(&self) -> Vec<[usize; 2]> {
        let widths = self.widths();
        let mut input = self.bottleneck();
        let skips = widths.iter().rev().skip(1).take(self.doublings());
        skips
            .map(|&skip| [std::mem::replace(&mut input, 2 * skip), skip])
            .collect()
    }

    /// Channels of what the first halving sees.
    pub(super) fn given_channels(&self) -> usize {
        let matched = match self.options.matched_content {
            true => self.options.output_channels,
            false => 0,
        };
        let mapped = match self.options.prediction.changes_maps() {
            true => self.options.output_channels,
            false => 0,
        };
        self.options.input_channels + matched + mapped
    }

    /// Channels that the last layer puts out.
    pub(super) fn predicted_channels(&self) -> usize {
        let channels = self.options.output_channels;
        match self.options.prediction {
            Prediction::Image | Prediction::Change => channels,
            Prediction::Palette => channels + COLOURS,
            Prediction::Blend => channels + COLOURS + channels,
            Prediction::LocalMaps => 0,
        }
    }

    /// Channels around the last layer, if it resizes.
    pub(super) fn resize_channels(&self) -> ResizeChannels {
        ResizeChannels {
            features: 2 * self.options.base_width,
            given: self.given_channels(),
            output: self.predicted_channels(),
        }
    }

    /// How many numbers tell the distributions of both images.
    pub(super) fn distribution_size(&self) -> usize {
        2 * self.options.output_channels * QUANTILES
    }

    /// How many numbers the generator holds: weights, and the running mean and variance of
    /// every batch normalisation.
    pub fn parameter_count(&self) -> usize {
        let options = &self.options;
        let widths = self.widths();
        let norm = NormKind::from(options.normalization).parameter_count();
        let downs: usize = std::iter::once(&self.given_channels())
            .chain(&widths)
            .zip(&widths)
            .enumerate()
            .map(|(i, (input, output))| {
                16 * input * output + if i == 0 { 0 } else { norm * output }
            })
            .sum();
        let ups: usize = self
            .ups()
            .iter()
            .map(|[input, output]| 9 * input * output + (1 + norm) * output)
            .sum();
        let encoder = match options.conditioning {
            Conditioning::Counts => {
                let tables = options.output_channels * (options.height * options.width + 1);
                let inputs = options.output_channels * options.bins;
                tables + (inputs + 1) * features(options.bins)
            }
            Conditioning::Modulation => distribution_encoder::parameter_count(
                self.distribution_size(),
                self.ups().into_iter().map(|[_, output]| output),
            ),
        };
        let last = match options.last_layer {
            _ if options.prediction.changes_maps() => maps::parameter_count(self.last_features()),
            LastLayer::Transposed => (16 * 2 * options.base_width + 1) * self.predicted_channels(),
            LastLayer::Resize => resize::parameter_count(self.resize_channels()),
        };
        let palette = match options.prediction.has_palette() {
            true => palette::parameter_count(options.output_channels),
            false => 0,
        };
        downs + ups + encoder + last + palette
    }
}

impl TryFrom<GeneratorOptions> for GeneratorConfig {
    type Error = ModelError;

    fn try_from(options: GeneratorOptions) -> Result<Self, ModelError> {
        Self::new(options)
    }
}

impl From<GeneratorConfig> for GeneratorOptions {
    fn from(config: GeneratorConfig) -> Self {
        config.options
    }
}

fn check_side(side: &'static str, value: usize, depth: usize) -> Result<(), ModelError> {
    let multiple = 1 << depth;
    if value.is_multiple_of(multiple) && (multiple..=MAX_SIDE).contains(&value) {
        return Ok(());
    }
    let nearest = (value.min(MAX_SIDE) + multiple / 2) / multiple * multiple;
    let suggestion = nearest.clamp(multiple, MAX_SIDE);
    Err(ModelError::Side {
        side,
        value,
        depth,
        multiple,
        max: MAX_SIDE,
        suggestion,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde::de::value::MapDeserializer;

    #[rstest]
    #[case(GeneratorOptions { base_width: 0, ..Default::default() }, "base_width is 0")]
    #[case(GeneratorOptions { depth: 1, ..Default::default() }, "depth is 1; it must be between 2")]
    #[case(GeneratorOptions { depth: 99, ..Default::default() }, "depth is 99")]
    #[case(GeneratorOptions { bins: 0, ..Default::default() }, "bins is 0")]
    #[case(GeneratorOptions { output_channels: 0, ..Default::default() }, "output_channels is 0")]
    #[case(GeneratorOptions { input_channels: 0, ..Default::default() }, "input_channels is 0")]
    #[case(GeneratorOptions { width: 300, ..Default::default() }, "take 256, or another depth")]
    #[case(GeneratorOptions { height: 0, ..Default::default() }, "height is 0 pixels")]
    #[case(GeneratorOptions { height: usize::MAX, ..Default::default() }, "take 16384")]
    fn says_what_is_wrong(#[case] options: GeneratorOptions, #[case] expected: &str) {
        let message = GeneratorConfig::new(options).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }

    #[test]
    fn what_is_read_is_checked() {
        let read = |name: &'static str, value: usize| {
            let settings = MapDeserializer::new(std::iter::once((name, value)));
            GeneratorConfig::deserialize(settings)
                .map_err(|e: serde::de::value::Error| e.to_string())
        };
        assert_eq!(read("base_width", 16).unwrap().options().base_width, 16);
        assert!(read("depth", 1).unwrap_err().contains("depth is 1"));
        assert!(read("dept", 4).unwrap_err().contains("unknown field"));
    }

    #[test]
    fn widths_mirror_the_official_network() {
        let official = GeneratorConfig::new(GeneratorOptions::default()).unwrap();
        assert_eq!(official.widths(), [64, 128, 256, 512, 512, 512, 512, 512]);
        assert_eq!(
            official.ups(),
            [
                [1024, 512],
                [1024, 512],
                [1024, 512],
                [1024, 512],
                [1024, 256],
                [512, 128],
                [256, 64]
            ]
        );
    }
}
