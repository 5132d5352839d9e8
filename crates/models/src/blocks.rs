//! The two building blocks that halve and double an image.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::Tensor;
use burn::tensor::activation::{leaky_relu, relu};
use burn::tensor::backend::Backend;
use rand::Rng;

use crate::batch_norm::BatchNorm;
use crate::dropout::dropout;
use crate::init;
use crate::pass::{Pass, Statistics};
use crate::upsample::upsample_bilinear_reflected;

/// What LeakyReLU lets through of a negative value (Keras' default; pix2pix has 0.2).
pub(crate) const LEAKY_SLOPE: f64 = 0.3;

/// Halves an image: 4×4 convolution of stride 2 without bias, batch normalisation (not in a
/// network's first block), LeakyReLU.
#[derive(Module, Debug)]
pub(crate) struct Down<B: Backend> {
    conv: Conv2d<B>,
    norm: Option<BatchNorm<B>>,
}

impl<B: Backend> Down<B> {
    pub(crate) fn new(
        channels: [usize; 2],
        normalised: bool,
        rng: &mut impl Rng,
        device: &B::Device,
    ) -> Self {
        Self {
            conv: init::convolution(channels, 4, 2, 1, false, rng, device),
            norm: normalised.then(|| BatchNorm::new(channels[1], device)),
        }
    }

    /// # Shapes
    /// - `input`: `[batch, channels in, height, width]`
    /// - output: `[batch, channels out, height/2, width/2]`
    pub(crate) fn forward(&self, input: Tensor<B, 4>, statistics: Statistics) -> Tensor<B, 4> {
        let output = self.conv.forward(input);
        let output = match &self.norm {
            Some(norm) => norm.forward(output, statistics),
            None => output,
        };
        leaky_relu(output, LEAKY_SLOPE)
    }
}

/// Doubles an image: bilinear, one pixel of reflected border, 3×3 convolution with bias, batch
/// normalisation, dropout (in some), ReLU.
#[derive(Module, Debug)]
pub(crate) struct Up<B: Backend> {
    conv: Conv2d<B>,
    norm: BatchNorm<B>,
    dropout: bool,
}

impl<B: Backend> Up<B> {
    pub(crate) fn new(
        channels: [usize; 2],
        dropout: bool,
        rng: &mut impl Rng,
        device: &B::Device,
    ) -> Self {
        Self {
            conv: init::convolution(channels, 3, 1, 0, true, rng, device),
            norm: BatchNorm::new(channels[1], device),
            dropout,
        }
    }

    /// # Shapes
    /// - `input`: `[batch, channels in, height, width]`
    /// - output: `[batch, channels out, 2·height, 2·width]`
    pub(crate) fn forward(&self, input: Tensor<B, 4>, pass: &mut Pass<'_>) -> Tensor<B, 4> {
        let output = self.conv.forward(upsample_bilinear_reflected(input));
        let mut output = self.norm.forward(output, pass.statistics());
        if self.dropout
            && let Some(rng) = pass.dropout()
        {
            output = dropout(output, rng);
        }
        relu(output)
    }
}
