//! The discriminator: a PatchGAN that judges patches of an image.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::Tensor;
use burn::tensor::activation::leaky_relu;
use burn::tensor::backend::Backend;
use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::batch_norm::BatchNorm;
use crate::blocks::{Down, LEAKY_SLOPE};
use crate::error::{MAX_CHANNELS, MAX_SIDE, ModelError, check_count};
use crate::init;
use crate::pass::Statistics;

/// The smallest side that leaves a pixel: three halvings to 3, then twice one less.
const MIN_SIDE: usize = 24;

/// Parameters of a discriminator before they are checked; the default is the official
/// conditional network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DiscriminatorOptions {
    /// Channels of the first block; the following have 2, 4 and 8 times as many. At least 1.
    pub base_width: usize,
    /// Channels of the image that is judged.
    pub image_channels: usize,
    /// Channels of the content image it is judged together with; 0 for an unconditional
    /// discriminator.
    pub condition_channels: usize,
    /// Height of the images in pixels, at least 24.
    pub height: usize,
    /// Width of the images in pixels, at least 24.
    pub width: usize,
}

impl Default for DiscriminatorOptions {
    fn default() -> Self {
        Self {
            base_width: 64,
            image_channels: 3,
            condition_channels: 3,
            height: 256,
            width: 256,
        }
    }
}

/// Checked parameters of a [`Discriminator`]: one that exists.
///
/// ```
/// use huenet_models::{DiscriminatorConfig, DiscriminatorOptions};
///
/// let official = DiscriminatorConfig::new(DiscriminatorOptions::default())?;
/// assert_eq!(official.parameter_count(), 2_770_433);
/// assert_eq!(official.logits(), [30, 30]);
/// # Ok::<(), huenet_models::ModelError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "DiscriminatorOptions", into = "DiscriminatorOptions")]
pub struct DiscriminatorConfig {
    options: DiscriminatorOptions,
}

impl DiscriminatorConfig {
    /// Checks `options`.
    ///
    /// # Errors
    /// [`ModelError::OutOfRange`] for a count that is zero or beyond reason,
    /// [`ModelError::TooSmall`] for a side of which the convolutions leave nothing.
    pub fn new(options: DiscriminatorOptions) -> Result<Self, ModelError> {
        check_count("base_width", options.base_width, 1, MAX_CHANNELS)?;
        check_count("image_channels", options.image_channels, 1, MAX_CHANNELS)?;
        check_count(
            "condition_channels",
            options.condition_channels,
            0,
            MAX_CHANNELS,
        )?;
        for (side, value) in [("height", options.height), ("width", options.width)] {
            if !(MIN_SIDE..=MAX_SIDE).contains(&value) {
                return Err(ModelError::TooSmall {
                    side,
                    value,
                    min: MIN_SIDE,
                    max: MAX_SIDE,
                });
            }
        }
        Ok(Self { options })
    }

    /// The parameters.
    pub fn options(&self) -> &DiscriminatorOptions {
        &self.options
    }

    /// Draws the initial weights from `rng`, on the host: convolutions N(0, 0.02), bias 0, γ = 1,
    /// β = 0.
    pub fn init<B: Backend>(&self, rng: &mut impl Rng, device: &B::Device) -> Discriminator<B> {
        Discriminator::new(&self.options, rng, device)
    }

    /// Height and width of the logits.
    pub fn logits(&self) -> [usize; 2] {
        [self.options.height, self.options.width].map(|side| side / 2 / 2 / 2 - 2)
    }

    /// How many numbers the discriminator holds: weights, and the running mean and variance of
    /// every batch normalisation.
    pub fn parameter_count(&self) -> usize {
        let base = self.options.base_width;
        let input = self.options.image_channels + self.options.condition_channels;
        let convolutions = 16 * base * (input + 2 * base + 8 * base + 32 * base + 8);
        let norms = 4 * base * (2 + 4 + 8);
        convolutions + norms + 1
    }
}

impl TryFrom<DiscriminatorOptions> for DiscriminatorConfig {
    type Error = ModelError;

    fn try_from(options: DiscriminatorOptions) -> Result<Self, ModelError> {
        Self::new(options)
    }
}

impl From<DiscriminatorConfig> for DiscriminatorOptions {
    fn from(config: DiscriminatorConfig) -> Self {
        config.options
    }
}

/// HueNet's discriminator: for each patch of 70×70 pixels, how real it looks.
///
/// Three halvings (base·1, 2, 4 channels; the first without batch normalisation), a 4×4
/// convolution of stride 1 without bias to base·8 channels with batch normalisation and
/// LeakyReLU, and one with bias to the logit. Conditional for paired tasks (it sees the content
/// image next to the judged one), unconditional for colour transfer.
///
/// Source: paper, section 4, and the official code; PatchGAN after Isola et al. (pix2pix, 2017).
#[derive(Module, Debug)]
pub struct Discriminator<B: Backend> {
    downs: Vec<Down<B>>,
    conv: Conv2d<B>,
    norm: BatchNorm<B>,
    last: Conv2d<B>,
}

impl<B: Backend> Discriminator<B> {
    fn new(options: &DiscriminatorOptions, rng: &mut impl Rng, device: &B::Device) -> Self {
        let base = options.base_width;
        let input = options.image_channels + options.condition_channels;
        let downs = [[input, base], [base, 2 * base], [2 * base, 4 * base]];
        let downs = downs
            .into_iter()
            .enumerate()
            .map(|(i, channels)| Down::new(channels, i > 0, rng, device))
            .collect();
        Self {
            downs,
            conv: init::convolution([4 * base, 8 * base], 4, 1, 1, false, rng, device),
            norm: BatchNorm::new(8 * base, device),
            last: init::convolution([8 * base, 1], 4, 1, 1, true, rng, device),
        }
    }

    /// Judges a batch of images: the logits of being real, one for each patch.
    ///
    /// # Shapes
    /// - `condition`: `[batch, condition channels, height, width]`, in [−1, 1]; `None` for an
    ///   unconditional discriminator
    /// - `image`: `[batch, image channels, height, width]`, in [−1, 1]
    /// - output: `[batch, 1, ⌊height/8⌋ − 2, ⌊width/8⌋ − 2]`
    ///
    /// # Panics
    /// If the channels of condition and image together are not the configuration's, their sizes
    /// differ, or a side is below 24.
    pub fn forward(
        &self,
        condition: Option<Tensor<B, 4>>,
        image: Tensor<B, 4>,
        statistics: Statistics,
    ) -> Tensor<B, 4> {
        let mut x = match condition {
            Some(condition) => Tensor::cat(vec![condition, image], 1),
            None => image,
        };
        for down in &self.downs {
            x = down.forward(x, statistics);
        }
        let x = self.norm.forward(self.conv.forward(x), statistics);
        self.last.forward(leaky_relu(x, LEAKY_SLOPE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(DiscriminatorOptions { base_width: 0, ..Default::default() }, "base_width is 0")]
    #[case(DiscriminatorOptions { image_channels: 0, ..Default::default() }, "image_channels is 0")]
    #[case(DiscriminatorOptions { width: 23, ..Default::default() }, "needs between 24")]
    fn says_what_is_wrong(#[case] options: DiscriminatorOptions, #[case] expected: &str) {
        let message = DiscriminatorConfig::new(options).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
}
