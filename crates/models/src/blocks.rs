//! The building blocks of both networks.

use burn::module::Module;
use burn::nn::PaddingConfig2d;
use burn::nn::conv::Conv2d;
use burn::tensor::Tensor;
use burn::tensor::activation::{leaky_relu, relu};
use burn::tensor::backend::Backend;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use rand::Rng;

use crate::batch_norm::BatchNorm;
use crate::dropout;
use crate::group_norm::GroupNorm;
use crate::init;
use crate::layer::{Activation, Convolution, LEAKY_SLOPE, Layer};
#[cfg(feature = "tch")]
use crate::libtorch;
use crate::modulation::Modulation;
use crate::normalization::{Norm, NormKind, chosen};
use crate::pass::{Pass, Statistics};
use crate::upsample::{upsample_bilinear, upsample_bilinear_reflected};

impl<B: Backend> Layer<'_, B> {
    /// # Shapes
    /// - `input`: `[batch, channels in, height, width]`
    /// - output: `[batch, channels out, …]`, as the convolution makes it
    pub(crate) fn forward(self, input: Tensor<B, 4>) -> Tensor<B, 4> {
        #[cfg(feature = "tch")]
        if libtorch::takes(&self) {
            return libtorch::forward(self, input);
        }
        let output = match self.convolution {
            Convolution::Plain(conv) => conv.forward(input),
            Convolution::Framed(conv) => convolve(conv, input),
            Convolution::OfDoubled(conv) => convolve(conv, upsample_bilinear_reflected(input)),
            Convolution::ThenDoubled(conv) => upsample_bilinear(convolve(conv, input)),
            Convolution::Transposed(conv) => conv.forward(input),
        };
        let (output, modulation) = match self.norm {
            Some(Norm::Group(norm)) => (norm.modulated(output, self.modulation), None),
            Some(Norm::Batch(norm, statistics)) => {
                (norm.forward(output, statistics), self.modulation)
            }
            None => (output, self.modulation),
        };
        let output = match modulation {
            Some(modulation) => modulation.forward(output),
            None => output,
        };
        let output = match self.mask {
            Some(mask) => output * mask,
            None => output,
        };
        match self.activation {
            Activation::None => output,
            Activation::LeakyRelu => leaky_relu(output, LEAKY_SLOPE),
            Activation::Relu => relu(output),
            Activation::Tanh => output.tanh(),
        }
    }
}

/// Halves an image: 4×4 convolution of stride 2 without bias, normalisation (not in a network's
/// first block), LeakyReLU.
#[derive(Module, Debug)]
pub(crate) struct Down<B: Backend> {
    conv: Conv2d<B>,
    norm: Option<BatchNorm<B>>,
    group_norm: Option<GroupNorm<B>>,
}

impl<B: Backend> Down<B> {
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
    pub(crate) fn forward(&self, input: Tensor<B, 4>, statistics: Statistics) -> Tensor<B, 4> {
        let mut layer = Layer::of(Convolution::Plain(&self.conv)).activated(Activation::LeakyRelu);
        layer.norm = chosen(&self.norm, &self.group_norm, statistics);
        layer.forward(input)
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

impl<B: Backend> Up<B> {
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
        if self.dropout
            && let Some(rng) = pass.dropout()
        {
            let [batch, _, height, width] = input.dims();
            let [channels, ..] = self.conv.weight.dims();
            let shape = [batch, channels, 2 * height, 2 * width];
            layer.mask = Some(dropout::mask(shape, rng, &input.device(), input.dtype()));
        }
        layer.forward(input)
    }
}

/// Fewer output channels than this make Burn's Flex backend take its path for "few channels" in
/// the gradient of the weights, where the image is the kernel: three to four times slower.
const MIN_CHANNELS: usize = 17;

/// The batch up to which it does.
const SMALL_BATCH: usize = 4;

/// Images below this many pixels are quick either way.
const LARGE_IMAGE: usize = 32 * 32;

/// The convolution; where gradients may be wanted and the slow path would be taken, with output
/// channels of zeros appended that are cut off again. Values and gradients are the same.
fn convolve<B: Backend>(conv: &Conv2d<B>, input: Tensor<B, 4>) -> Tensor<B, 4> {
    let [batch, _, height, width] = input.dims();
    let device = input.device();
    let [channels, inputs, rows, columns] = conv.weight.dims();
    let slow = channels < MIN_CHANNELS && batch <= SMALL_BATCH && height * width >= LARGE_IMAGE;
    if !slow || !B::ad_enabled(&device) {
        return conv.forward(input);
    }
    let weight = conv.weight.val();
    let more = MIN_CHANNELS - channels;
    let options = (&device, weight.dtype());
    let padding = Tensor::zeros([more, inputs, rows, columns], options);
    let weight = Tensor::cat(vec![weight, padding], 0);
    let bias = conv
        .bias
        .as_ref()
        .map(|bias| Tensor::cat(vec![bias.val(), Tensor::zeros([more], options)], 0));
    let padding = match conv.padding {
        PaddingConfig2d::Explicit(top, left, ..) => [top, left],
        _ => [0, 0],
    };
    let options = ConvOptions::new(conv.stride, padding, conv.dilation, conv.groups);
    conv2d(input, weight, bias, options).narrow(1, 0, channels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FlexAutodiff, largest_difference, rng, values, waves, weighted_sum};
    use burn::tensor::DType::F32;

    type Image = Tensor<FlexAutodiff, 4>;

    #[test]
    fn the_detour_around_a_slow_path_changes_nothing() {
        let device = Default::default();
        let [conv, padded] = [0, 1].map(|padding| {
            let (channels, random) = ([3, 5], &mut rng(1));
            init::convolution::<FlexAutodiff>(channels, 3, 1, padding, true, random, &device)
        });
        let run = |conv: &Conv2d<FlexAutodiff>, forward: &dyn Fn(Image) -> Image| {
            let input = waves([2, 3, 36, 40], F32, 0.3).require_grad();
            let output = forward(input.clone());
            let gradients = weighted_sum(output.clone()).backward();
            let bias = conv.bias.as_ref().unwrap();
            [
                values(output),
                values(input.grad(&gradients).unwrap()),
                values(conv.weight.grad(&gradients).unwrap()),
                values(bias.grad(&gradients).unwrap()),
            ]
        };
        for conv in [&conv, &padded] {
            let direct = run(conv, &|input| conv.forward(input));
            let detour = run(conv, &|input| convolve(conv, input));
            for (direct, detour) in direct.iter().zip(&detour) {
                let scale = direct.iter().fold(0.0, |a: f64, v| a.max(v.abs()));
                assert!(scale > 0.0);
                assert!(largest_difference(direct, detour) < 1e-5 * scale);
            }
        }
    }
}
