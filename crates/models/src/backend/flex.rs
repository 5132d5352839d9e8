//! Flex: a way around what is slow there.

use burn::backend::Autodiff;
use burn::nn::PaddingConfig2d;
use burn::nn::conv::Conv2d;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn_autodiff::checkpoint::strategy::CheckpointStrategy;
use burn_flex::Flex;

use super::NetworkBackend;
use crate::layer::Layer;
use crate::whole_batch::tracked;

impl NetworkBackend for Flex {
    fn tracked_layer<C: CheckpointStrategy>(
        layer: Layer<'_, Autodiff<Self, C>>,
        input: Tensor<Autodiff<Self, C>, 4>,
    ) -> Tensor<Autodiff<Self, C>, 4> {
        layer.by_operations(input, convolve, Self::ROUNDS_PRODUCTS, tracked::<Self, C>)
    }
}

/// Fewer output channels than this make Flex take its path for "few channels" in
/// the gradient of the weights, where the image is the kernel: three to four times slower.
const MIN_CHANNELS: usize = 17;

/// The batch up to which it does.
const SMALL_BATCH: usize = 4;

/// Images below this many pixels are quick either way.
const LARGE_IMAGE: usize = 32 * 32;

/// The convolution; where the slow path would be taken, with output channels of zeros appended that
/// are cut off again. Values and gradients are the same.
fn convolve<B: Backend>(conv: &Conv2d<B>, input: Tensor<B, 4>) -> Tensor<B, 4> {
    let [batch, _, height, width] = input.dims();
    let [channels, inputs, rows, columns] = conv.weight.dims();
    let slow = channels < MIN_CHANNELS && batch <= SMALL_BATCH && height * width >= LARGE_IMAGE;
    if !slow {
        return conv.forward(input);
    }
    let device = input.device();
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
    use crate::init;
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
