//! The discriminator: a PatchGAN that judges patches of an image.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::backend::NetworkBackend;
use crate::batch_norm::BatchNorm;
use crate::blocks::Down;
use crate::error::{MAX_CHANNELS, MAX_SIDE, ModelError, check_count};
use crate::group_norm::GroupNorm;
use crate::init;
use crate::layer::{Activation, Convolution, Layer};
use crate::normalization::{NormKind, Normalization, chosen};
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
    /// What normalises the features.
    pub normalization: Normalization,
}

impl Default for DiscriminatorOptions {
    fn default() -> Self {
        Self {
            base_width: 64,
            image_channels: 3,
            condition_channels: 3,
            height: 256,
            width: 256,
            normalization: Normalization::Batch,
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
    /// [`ModelError::OutOfRange`] for a number that is zero or beyond reason,
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
            if value < MIN_SIDE {
                return Err(ModelError::TooSmall {
                    side,
                    value,
                    min: MIN_SIDE,
                });
            }
            check_count(side, value, MIN_SIDE, MAX_SIDE)?;
        }
        Ok(Self { options })
    }

    /// The parameters.
    pub fn options(&self) -> &DiscriminatorOptions {
        &self.options
    }

    /// Draws the initial weights from `rng`, on the host: convolutions N(0, 0.02), bias 0, γ = 1,
    /// β = 0.
    pub fn init<B: NetworkBackend>(
        &self,
        rng: &mut impl Rng,
        device: &B::Device,
    ) -> Discriminator<B> {
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
        let norm = NormKind::from(self.options.normalization).parameter_count();
        let norms = norm * base * (2 + 4 + 8);
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
/// Three halvings (base·1, 2, 4 channels; the first without normalisation), a 4×4 convolution of
/// stride 1 without bias to base·8 channels with normalisation and LeakyReLU, and one with bias
/// to the logit. Conditional for paired tasks (it sees the content image next to the judged one),
/// unconditional for colour transfer.
///
/// Source: paper, section 4, and the official code; PatchGAN after Isola et al. (pix2pix, 2017).
#[derive(Module, Debug)]
pub struct Discriminator<B: Backend> {
    downs: Vec<Down<B>>,
    conv: Conv2d<B>,
    norm: Option<BatchNorm<B>>,
    group_norm: Option<GroupNorm<B>>,
    last: Conv2d<B>,
}

impl<B: NetworkBackend> Discriminator<B> {
    fn new(options: &DiscriminatorOptions, rng: &mut impl Rng, device: &B::Device) -> Self {
        let base = options.base_width;
        let input = options.image_channels + options.condition_channels;
        let norm = NormKind::from(options.normalization);
        let downs = [[input, base], [base, 2 * base], [2 * base, 4 * base]];
        let downs = downs
            .into_iter()
            .enumerate()
            .map(|(i, channels)| {
                let norm = if i > 0 { norm } else { NormKind::None };
                Down::new(channels, norm, rng, device)
            })
            .collect();
        Self {
            downs,
            conv: init::convolution([4 * base, 8 * base], 4, 1, 1, false, rng, device),
            norm: norm.batch(8 * base, device),
            group_norm: norm.group(8 * base, device),
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
        statistics: Statistics<'_>,
    ) -> Tensor<B, 4> {
        let mut x = match condition {
            Some(condition) => Tensor::cat(vec![condition, image], 1),
            None => image,
        };
        for down in &self.downs {
            x = down.forward(x, statistics);
        }
        let mut layer = Layer::of(Convolution::Plain(&self.conv)).activated(Activation::LeakyRelu);
        layer.norm = chosen(&self.norm, &self.group_norm, statistics);
        let x = B::layer(layer, x);
        B::layer(Layer::of(Convolution::Plain(&self.last)), x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{
        DoubleAutodiff, Flex, FlexAutodiff, NdArray, check_input_gradient,
        check_parameter_gradients, largest_difference, rng, values, waves, weighted_sum,
    };
    use burn::module::AutodiffModule;
    use burn::record::{FullPrecisionSettings, NamedMpkBytesRecorder, Recorder};
    use burn::tensor::DType::{F32, F64};
    use burn::tensor::Shape;
    use rstest::rstest;

    const BATCH: Statistics = Statistics::Batch {
        update_running: false,
    };
    const TRAIN: Statistics = Statistics::Batch {
        update_running: true,
    };

    fn tiny<B: NetworkBackend>(
        condition_channels: usize,
        normalization: Normalization,
    ) -> Discriminator<B> {
        let options = DiscriminatorOptions {
            base_width: 2,
            condition_channels,
            height: 32,
            width: 24,
            normalization,
            ..Default::default()
        };
        let config = DiscriminatorConfig::new(options).unwrap();
        config.init(&mut rng(3), &Default::default())
    }

    fn image<B: Backend>(phase: f64) -> Tensor<B, 4> {
        waves([2, 3, 32, 24], F32, phase)
    }

    #[test]
    fn normalised_in_groups_an_image_is_judged_alone() {
        let network = tiny::<Flex>(0, Normalization::Group);
        let pair = values(network.forward(None, image(0.0), BATCH).narrow(0, 1, 1));
        let alone = values(network.forward(None, image(0.0).narrow(0, 1, 1), BATCH));
        assert!(largest_difference(&pair, &alone) < 1e-6);
        let config = DiscriminatorConfig::new(DiscriminatorOptions {
            base_width: 2,
            condition_channels: 0,
            normalization: Normalization::Group,
            ..Default::default()
        });
        assert_eq!(config.unwrap().parameter_count(), network.num_params());
    }

    #[rstest]
    #[case(3, 11_873)]
    #[case(0, 11_681)]
    fn holds_as_many_numbers_as_the_official_one(
        #[case] condition_channels: usize,
        #[case] total: usize,
    ) {
        let options = DiscriminatorOptions {
            base_width: 4,
            condition_channels,
            ..Default::default()
        };
        let config = DiscriminatorConfig::new(options).unwrap();
        let network = config.init::<Flex>(&mut rng(0), &Default::default());
        assert_eq!(
            (config.parameter_count(), network.num_params()),
            (total, total)
        );
    }

    #[rstest]
    #[case::smallest(24, 24)]
    #[case(31, 47)]
    #[case(70, 64)]
    fn puts_out_as_many_logits_as_it_says(#[case] height: usize, #[case] width: usize) {
        let options = DiscriminatorOptions {
            base_width: 1,
            condition_channels: 0,
            height,
            width,
            ..Default::default()
        };
        let config = DiscriminatorConfig::new(options).unwrap();
        let network = config.init::<Flex>(&mut rng(0), &Default::default());
        let output = network.forward(None, waves([1, 3, height, width], F32, 0.0), BATCH);
        let [rows, columns] = config.logits();
        assert_eq!(output.shape(), Shape::new([1, 1, rows, columns]));
    }

    #[rstest]
    #[case(Normalization::Batch)]
    #[case(Normalization::Group)]
    fn one_seed_one_network_on_every_backend(#[case] norm: Normalization) {
        let flex = tiny::<Flex>(3, norm).forward(Some(image(1.0)), image(0.0), BATCH);
        let ndarray = tiny::<NdArray>(3, norm).forward(Some(image(1.0)), image(0.0), BATCH);
        assert!(largest_difference(&values(flex), &values(ndarray)) < 1e-5);
    }

    #[test]
    fn the_condition_comes_first() {
        let network = tiny::<Flex>(3, Normalization::Batch);
        let (condition, judged) = (image(1.0), image(0.0));
        let joined = Tensor::cat(vec![condition.clone(), judged.clone()], 1);
        assert_eq!(
            values(network.forward(Some(condition), judged, BATCH)),
            values(network.forward(None, joined, BATCH))
        );
    }

    #[rstest]
    #[case(Normalization::Batch)]
    #[case(Normalization::Group)]
    fn gradients_are_those_of_finite_differences(#[case] norm: Normalization) {
        let network = tiny::<DoubleAutodiff>(0, norm);
        let image = waves::<DoubleAutodiff, 4>([2, 3, 32, 24], F64, 0.0);
        let checked = check_parameter_gradients(
            &network,
            |network| weighted_sum(network.forward(None, image.clone(), BATCH)),
            |network| weighted_sum(network.forward(None, image.clone().inner(), BATCH)),
            1e-6,
        );
        assert_eq!(checked, 1 + 3 + 3 + 3 + 2);
        check_input_gradient(
            image.clone().slice([0..1, 0..1, 4..7, 5..7]),
            |patch| {
                let whole = image.clone().slice_assign([0..1, 0..1, 4..7, 5..7], patch);
                weighted_sum(network.forward(None, whole, BATCH))
            },
            1e-6,
        );
    }

    #[test]
    fn frozen_it_hands_the_same_gradient_to_the_image_and_keeps_none() {
        let network = tiny::<FlexAutodiff>(3, Normalization::Batch);
        let gradients = |network: &Discriminator<FlexAutodiff>| {
            let image = image(0.0).require_grad();
            let logits = network.forward(Some(self::image(1.0)), image.clone(), BATCH);
            let gradients = weighted_sum(logits).backward();
            let of_weights = network.last.weight.grad(&gradients);
            (values(image.grad(&gradients).unwrap()), of_weights)
        };
        let frozen = network.clone().no_grad();
        let (expected, trained) = gradients(&network);
        let (got, kept) = gradients(&frozen);
        assert_eq!(got, expected);
        assert!(trained.is_some() && kept.is_none());
    }

    #[test]
    fn a_frozen_pass_leaves_no_trace() {
        let network = tiny::<FlexAutodiff>(3, Normalization::Batch);
        network.forward(Some(image(1.0)), image(0.0), TRAIN);
        let state = |network: &Discriminator<FlexAutodiff>| {
            NamedMpkBytesRecorder::<FullPrecisionSettings>::default()
                .record(network.clone().into_record(), ())
                .unwrap()
        };
        let before = state(&network);
        network
            .clone()
            .no_grad()
            .forward(Some(image(1.0)), image(2.0), BATCH);
        network.valid().forward(Some(image(1.0)), image(2.0), TRAIN);
        assert!(state(&network) == before);
        network.forward(Some(image(1.0)), image(2.0), TRAIN);
        assert!(state(&network) != before);
    }

    #[rstest]
    #[case(DiscriminatorOptions { base_width: 0, ..Default::default() }, "base_width is 0")]
    #[case(DiscriminatorOptions { image_channels: 0, ..Default::default() }, "image_channels is 0")]
    #[case(DiscriminatorOptions { width: 23, ..Default::default() }, "the discriminator needs 24")]
    #[case(DiscriminatorOptions { height: 1 << 20, ..Default::default() }, "height is 1048576")]
    fn says_what_is_wrong(#[case] options: DiscriminatorOptions, #[case] expected: &str) {
        let message = DiscriminatorConfig::new(options).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
}
