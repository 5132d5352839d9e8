//! The building blocks of both networks.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use rand::Rng;

use crate::backend::NetworkBackend;
use crate::batch_norm::BatchNorm;
use crate::dropout;
use crate::group_norm::GroupNorm;
use crate::init;
use crate::layer::{Activation, Convolution, Layer};
use crate::modulation::Modulation;
use crate::normalization::{NormKind, chosen};
use crate::pass::{Pass, Statistics};

/// Halves an image: 4×4 convolution of stride 2 without bias, normalisation (not in a network's
/// first block), LeakyReLU.
#[derive(Module, Debug)]
pub(crate) struct Down<B: Backend> {
    conv: Conv2d<B>,
    norm: Option<BatchNorm<B>>,
    group_norm: Option<GroupNorm<B>>,
}

impl<B: NetworkBackend> Down<B> {
    pub(crate) fn new(
        channels: [usize; 2],
        norm: NormKind,
        rng: &mut impl Rng,
        device: &B::Device,
    ) -> Self {
        Self {
            conv: init::convolution(channels, 4, 2, 1, false, rng, device),
            norm: norm.batch(channels[1], device),
            group_norm: norm.group(channels[1], device),
        }
    }

    /// # Shapes
    /// - `input`: `[batch, channels in, height, width]`
    /// - output: `[batch, channels out, height/2, width/2]`
    pub(crate) fn forward(&self, input: Tensor<B, 4>, statistics: Statistics<'_>) -> Tensor<B, 4> {
        let mut layer = Layer::of(Convolution::Plain(&self.conv)).activated(Activation::LeakyRelu);
        layer.norm = chosen(&self.norm, &self.group_norm, statistics);
        B::layer(layer, input)
    }
}

/// Doubles an image: bilinear, one pixel of reflected border, 3×3 convolution with bias,
/// normalisation, modulation (in some), dropout (in some), ReLU.
#[derive(Module, Debug)]
pub(crate) struct Up<B: Backend> {
    conv: Conv2d<B>,
    norm: Option<BatchNorm<B>>,
    group_norm: Option<GroupNorm<B>>,
    dropout: bool,
}

impl<B: NetworkBackend> Up<B> {
    pub(crate) fn new(
        channels: [usize; 2],
        norm: NormKind,
        dropout: bool,
        rng: &mut impl Rng,
        device: &B::Device,
    ) -> Self {
        Self {
            conv: init::convolution(channels, 3, 1, 0, true, rng, device),
            norm: norm.batch(channels[1], device),
            group_norm: norm.group(channels[1], device),
            dropout,
        }
    }

    /// # Shapes
    /// - `input`: `[batch, channels in, height, width]`
    /// - output: `[batch, channels out, 2·height, 2·width]`
    pub(crate) fn forward(
        &self,
        input: Tensor<B, 4>,
        modulation: Option<Modulation<B>>,
        pass: &mut Pass<'_>,
    ) -> Tensor<B, 4> {
        let mut layer = Layer::of(Convolution::OfDoubled(&self.conv)).activated(Activation::Relu);
        layer.norm = chosen(&self.norm, &self.group_norm, pass.statistics());
        layer.modulation = modulation;
        let part = pass.part();
        if self.dropout
            && let Some(rng) = pass.dropout()
        {
            let [batch, _, height, width] = input.dims();
            let [channels, ..] = self.conv.weight.dims();
            let shape = [batch, channels, 2 * height, 2 * width];
            let factors = match part {
                Some(part) => dropout::factors_of_part(shape, part, rng),
                None => dropout::factors(shape.iter().product(), rng),
            };
            let factors = TensorData::new(factors, shape);
            layer.mask = Some(Tensor::from_data(factors, (&input.device(), input.dtype())));
        }
        B::layer(layer, input)
    }
}
