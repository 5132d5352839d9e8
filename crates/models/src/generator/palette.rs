//! Colours made of both distributions, and how an image is painted with them.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use rand::Rng;

use crate::backend::NetworkBackend;
use crate::dense::Dense;
use crate::distribution_encoder::FEATURES;
use crate::init;
use crate::matching::QUANTILES;
use crate::products::{product, product_of_two};

/// How many colours a palette has.
pub const COLOURS: usize = 5;

/// Quantiles of one channel: the reference's and the content's.
const INPUTS: usize = 2 * QUANTILES;

/// Makes a few colours of the distributions of reference and content.
///
/// Each colour's channels are weighted sums of that channel's quantiles, the weights the same for
/// all channels, and something that the encoded distributions add. So a colour of the reference
/// that no training image has is as near as any other: the sum of the highest and the lowest
/// quantile of a chroma channel is the hue of a shoe before a white wall, whichever it is.
#[derive(Module, Debug)]
pub(super) struct Palette<B: Backend> {
    quantiles: Param<Tensor<B, 2>>,
    features: Dense<B>,
}

/// How many numbers the palette of `channels` channels holds.
pub(super) fn parameter_count(channels: usize) -> usize {
    INPUTS * COLOURS + (FEATURES + 1) * COLOURS * channels
}

impl<B: NetworkBackend> Palette<B> {
    /// Weights N(0, 0.02), drawn from `rng`; biases 0: all colours are nearly 0.
    pub(super) fn new(channels: usize, rng: &mut impl Rng, device: &B::Device) -> Self {
        Self {
            quantiles: init::small_dense([INPUTS, COLOURS], rng, device),
            features: Dense::small([FEATURES, channels * COLOURS], rng, device),
        }
    }

    /// # Shapes
    /// - `quantiles`: `[batch, 2·channels·32]`, the reference's of all channels first
    /// - `features`: `[batch, 128]`, what these were encoded into
    /// - output: `[batch, channels, colours]`
    pub(super) fn colours(&self, quantiles: Tensor<B, 2>, features: Tensor<B, 2>) -> Tensor<B, 3> {
        let [batch, numbers] = quantiles.dims();
        let channels = numbers / INPUTS;
        let rows = quantiles
            .reshape([batch, 2, channels, QUANTILES])
            .swap_dims(1, 2)
            .reshape([batch * channels, INPUTS]);
        let shape = [batch, channels, COLOURS];
        let of_quantiles = product_of_two(rows, self.quantiles.val(), B::ROUNDS_PRODUCTS);
        of_quantiles.reshape(shape) + self.features.forward(features).reshape(shape)
    }
}

/// A change of each channel, between −2 and 2, and the sum of the colours, each as strong at a
/// pixel as its mask lets it be, between not at all and wholly:
/// 2·tanh change + Σ ½(1 + tanh mask)·colour.
///
/// # Shapes
/// - `colours`: `[batch, channels, colours]`
/// - `predicted`: `[batch, channels + colours, height, width]`, any numbers: changes, then masks;
///   channels beyond these are left out
/// - output: `[batch, channels, height, width]`
pub(super) fn paint<B: NetworkBackend>(
    colours: Tensor<B, 3>,
    predicted: Tensor<B, 4>,
) -> Tensor<B, 4> {
    let [batch, count, height, width] = predicted.dims();
    let [_, channels, masks] = colours.dims();
    let (device, dtype) = (colours.device(), colours.dtype());
    let halves = colours.div_scalar(2.0);
    let changes = Tensor::<B, 2>::eye(channels, &device)
        .cast(dtype)
        .mul_scalar(2.0)
        .unsqueeze::<3>()
        .expand([batch, channels, channels]);
    // One product of everything, the constant too: parts of an image that are treated apart cost
    // their copies.
    let mut mixture = vec![changes, halves.clone()];
    if let beyond @ 1.. = count - channels - masks {
        mixture.push(Tensor::zeros([batch, channels, beyond], (&device, dtype)));
    }
    mixture.push(halves.sum_dim(2));
    let mixture = Tensor::cat(mixture, 2);
    let ones = Tensor::ones([batch, 1, height, width], (&device, dtype));
    let strengths = Tensor::cat(vec![predicted.tanh(), ones], 1);
    let strengths = strengths.reshape([batch, count + 1, height * width]);
    product(mixture, strengths, B::ROUNDS_PRODUCTS).reshape([batch, channels, height, width])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Double, largest_difference, rng, values, waves};
    use burn::tensor::DType::F64;

    #[test]
    fn a_pixel_is_its_change_and_the_colours_that_its_masks_let_through() {
        let (channels, pixels) = (3, 6);
        let colours = waves::<Double, 3>([2, channels, COLOURS], F64, 0.1);
        let predicted = waves::<Double, 4>([2, channels + COLOURS, 2, 3], F64, 0.7) * 3.0;
        let painted = values(paint(colours.clone(), predicted.clone()));
        let (colours, predicted) = (values(colours), values(predicted));
        let images = predicted.chunks((channels + COLOURS) * pixels);
        let mut expected = Vec::new();
        for (colours, predicted) in colours.chunks(channels * COLOURS).zip(images) {
            for (channel, colours) in colours.chunks(COLOURS).enumerate() {
                expected.extend((0..pixels).map(|pixel| -> f64 {
                    let of = |plane: usize| predicted[pixels * plane + pixel];
                    let strength = |mask: f64| 1.0 / (1.0 + (-2.0 * mask).exp());
                    let strong = colours.iter().enumerate();
                    let sum: f64 = strong
                        .map(|(i, colour)| colour * strength(of(channels + i)))
                        .sum();
                    2.0 * of(channel).tanh() + sum
                }));
            }
        }
        assert!(largest_difference(&painted, &expected) < 1e-12);
    }

    #[test]
    fn what_follows_the_masks_is_left_out() {
        let colours = waves::<Double, 3>([2, 3, COLOURS], F64, 0.1);
        let predicted = waves::<Double, 4>([2, 3 + COLOURS + 4, 2, 3], F64, 0.7);
        let first = predicted.clone().narrow(1, 0, 3 + COLOURS);
        let [all, first] = [predicted, first].map(|p| values(paint(colours.clone(), p)));
        assert!(largest_difference(&all, &first) < 1e-15);
    }

    #[test]
    fn a_channel_is_made_of_its_own_quantiles() {
        let channels = 3;
        let palette = Palette::<Double>::new(channels, &mut rng(3), &Default::default());
        let features = || Tensor::zeros([2, FEATURES], (&Default::default(), F64));
        let quantiles = waves::<Double, 2>([2, channels * INPUTS], F64, 0.2);
        let before = values(palette.colours(quantiles.clone(), features()));
        // The content's quantiles of the second channel of the first image.
        let place = [0..1, 4 * QUANTILES..5 * QUANTILES];
        let other = Tensor::full([1, QUANTILES], 9.0, (&Default::default(), F64));
        let after = values(palette.colours(quantiles.slice_assign(place, other), features()));
        for (i, (before, after)) in before.iter().zip(&after).enumerate() {
            assert_eq!(before != after, (COLOURS..2 * COLOURS).contains(&i), "{i}");
        }
    }
}
