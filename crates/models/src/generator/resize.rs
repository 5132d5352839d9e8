//! A last layer without checkerboards.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use rand::Rng;

use crate::backend::NetworkBackend;
use crate::init;
use crate::layer::{Convolution, Layer};
use crate::upsample::reflected;

/// Makes an image of the last features, which have half its size, and of what the generator was
/// given: the sum of a 3×3 convolution of the features, doubled (bilinear), and a 3×3
/// convolution of what was given, its borders reflected.
///
/// The change in size is not learned, so no pixel gets more weights than its neighbours. What is
/// sharper than half the size is in what was given; of that no gradient is wanted, so the
/// layer costs little more than a transposed convolution.
///
/// Source: Odena et al., "Deconvolution and checkerboard artifacts", Distill 2016.
#[derive(Module, Debug)]
pub(super) struct ResizeLayers<B: Backend> {
    features: Conv2d<B>,
    given: Conv2d<B>,
}

/// The channels around a [`ResizeLayers`].
#[derive(Debug, Clone, Copy)]
pub(super) struct ResizeChannels {
    /// Of the features at half size.
    pub(super) features: usize,
    /// Of what the generator was given.
    pub(super) given: usize,
    /// Of the image, and of masks.
    pub(super) output: usize,
}

/// How many numbers the layers hold.
pub(super) fn parameter_count(channels: ResizeChannels) -> usize {
    (9 * (channels.features + channels.given) + 1) * channels.output
}

impl<B: NetworkBackend> ResizeLayers<B> {
    /// Weights N(0, 0.02), drawn from `rng`; bias 0.
    pub(super) fn new(channels: ResizeChannels, rng: &mut impl Rng, device: &B::Device) -> Self {
        let ResizeChannels {
            features,
            given,
            output,
        } = channels;
        Self {
            features: init::convolution([features, output], 3, 1, 1, true, rng, device),
            given: init::convolution([given, output], 3, 1, 0, false, rng, device),
        }
    }

    /// With the weights into the first `channels` channels drawn small: nearly nothing comes of
    /// these at first.
    pub(super) fn quiet(mut self, channels: usize) -> Self {
        self.features.weight = init::shrunk(self.features.weight, 0, channels);
        self.given.weight = init::shrunk(self.given.weight, 0, channels);
        self
    }

    /// # Shapes
    /// - `features`: `[batch, features, height/2, width/2]`
    /// - `given`: `[batch, given, height, width]`
    /// - output: `[batch, output, height, width]`
    pub(super) fn forward(&self, features: Tensor<B, 4>, given: Tensor<B, 4>) -> Tensor<B, 4> {
        let coarse = B::layer(
            Layer::of(Convolution::ThenDoubled(&self.features)),
            features,
        );
        let fine = B::layer(
            Layer::of(Convolution::Framed(&self.given)),
            reflected(given),
        );
        coarse + fine
    }
}
