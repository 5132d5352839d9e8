//! A last layer without checkerboards.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use rand::Rng;

use crate::blocks::{Activation, Convolution, Layer};
use crate::init;
use crate::upsample::{reflected, upsample_bilinear_reflected};

/// Channels of the features that are doubled.
const NARROW: usize = 8;

/// Doubles the last features and makes an image of them and of what the generator was given:
/// 3×3 convolution at half size and LeakyReLU 0.3, bilinear, 3×3 convolution over both. Borders are
/// reflected.
///
/// The change in size is not learned, so no pixel gets more weights than its neighbours; and
/// few channels are at full size, so it costs no more than a transposed convolution.
///
/// Source: Odena et al., "Deconvolution and checkerboard artifacts", Distill 2016.
#[derive(Module, Debug)]
pub(super) struct ResizeLayers<B: Backend> {
    narrow: Conv2d<B>,
    last: Conv2d<B>,
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
    let narrow = (9 * channels.features + 1) * NARROW;
    let last = (9 * (NARROW + channels.given) + 1) * channels.output;
    narrow + last
}

impl<B: Backend> ResizeLayers<B> {
    /// Weights N(0, 0.02), drawn from `rng`; biases 0.
    pub(super) fn new(channels: ResizeChannels, rng: &mut impl Rng, device: &B::Device) -> Self {
        let ResizeChannels {
            features,
            given,
            output,
        } = channels;
        let [narrow, last] = [[features, NARROW], [NARROW + given, output]]
            .map(|channels| init::convolution(channels, 3, 1, 0, true, rng, device));
        Self { narrow, last }
    }

    /// With the last convolution's weights into the first `channels` channels drawn small:
    /// nearly nothing comes of these at first.
    pub(super) fn quiet(mut self, channels: usize) -> Self {
        self.last.weight = init::shrunk(self.last.weight, 0, channels);
        self
    }

    /// # Shapes
    /// - `features`: `[batch, features, height/2, width/2]`
    /// - `given`: `[batch, given, height, width]`
    /// - output: `[batch, output, height, width]`
    pub(super) fn forward(
        &self,
        features: Tensor<B, 4>,
        given: Tensor<B, 4>,
        activation: Activation,
    ) -> Tensor<B, 4> {
        let narrow = Layer::of(Convolution::Framed(&self.narrow))
            .activated(Activation::LeakyRelu)
            .forward(reflected(features));
        let both = Tensor::cat(
            vec![upsample_bilinear_reflected(narrow), reflected(given)],
            1,
        );
        Layer::of(Convolution::Framed(&self.last))
            .activated(activation)
            .forward(both)
    }
}
