//! Group normalisation.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use crate::init;
use crate::modulation::Modulation;

/// Added to the variance before its root is taken (PyTorch's default).
pub const EPSILON: f64 = 1e-5;

/// Channels that share a mean and a variance, if their number allows it.
const GROUP: usize = 8;

/// Group normalisation over images: y = γ·(x − mean)/√(variance + ε) + β, where mean and biased
/// variance are those of eight neighbouring channels of one image; ε = 1e-5.
///
/// An image's result does not depend on the batch it is in, and is the same in training and
/// later: there are no running statistics. If the channels are no multiple of eight, groups are
/// as large as the greatest common divisor.
///
/// Source: Wu and He, "Group Normalization" (2018).
#[derive(Module, Debug)]
pub struct GroupNorm<B: Backend> {
    gamma: Param<Tensor<B, 1>>,
    beta: Param<Tensor<B, 1>>,
}

impl<B: Backend> GroupNorm<B> {
    /// γ = 1, β = 0.
    pub fn new(channels: usize, device: &B::Device) -> Self {
        Self {
            gamma: init::constant(1.0, [channels], device),
            beta: init::constant(0.0, [channels], device),
        }
    }

    /// Normalises each group of channels of each image.
    ///
    /// # Shapes
    /// - `input`: `[batch, channels, height, width]`
    /// - output: as `input`
    ///
    /// # Panics
    /// If the channels are not the layer's.
    pub fn forward(&self, input: Tensor<B, 4>) -> Tensor<B, 4> {
        self.modulated(input, None)
    }

    /// [`forward`](Self::forward), then the modulation: y·(1 + scale) + shift. Both are linear in
    /// each channel of each image, so together they cost what one does.
    pub(crate) fn modulated(
        &self,
        input: Tensor<B, 4>,
        modulation: Option<Modulation<B>>,
    ) -> Tensor<B, 4> {
        let shape = input.dims();
        let [batch, channels, height, width] = shape;
        let [own] = self.gamma.dims();
        assert_eq!(
            channels, own,
            "an image of {channels} channels given to {own} group norms"
        );
        // Matrices with a scalar for each row: CPU backends have a fast path for these.
        let group = group_size(channels);
        let groups = batch * channels / group;
        let rows = input.reshape([groups, group * height * width]);
        let centred = rows.clone() - rows.mean_dim(1);
        let variance = (centred.clone() * centred.clone()).mean_dim(1);
        let scale = variance.add_scalar(EPSILON).sqrt().recip();
        let of_images = [batch, channels];
        let spread = |vector: Tensor<B, 1>| vector.unsqueeze::<2>().expand(of_images);
        let (mut gamma, mut beta) = (spread(self.gamma.val()), spread(self.beta.val()));
        if let Some(Modulation { scale, shift }) = modulation {
            let gain = scale.add_scalar(1.0);
            gamma = gamma * gain.clone();
            beta = beta * gain + shift;
        }
        let planes = [batch * channels, 1];
        let scale = scale.expand([groups, group]).reshape(of_images) * gamma;
        let centred = centred.reshape([batch * channels, height * width]);
        (centred * scale.reshape(planes) + beta.reshape(planes)).reshape(shape)
    }

    /// γ and β, `[channels]` each.
    #[cfg(feature = "tch")]
    pub(crate) fn parameters(&self) -> [Tensor<B, 1>; 2] {
        [self.gamma.val(), self.beta.val()]
    }
}

/// How many of `channels` channels share their statistics.
pub fn group_size(channels: usize) -> usize {
    let (mut a, mut b) = (channels, GROUP);
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{
        Double, DoubleAutodiff, check_input_gradient, check_parameter_gradients,
        largest_difference, values, waves, weighted_sum,
    };
    use burn::tensor::DType::F64;

    fn layer<B: Backend<FloatElem = f64>>(channels: usize) -> GroupNorm<B> {
        let mut layer = GroupNorm::new(channels, &Default::default());
        layer.gamma = Param::from_tensor(waves([channels], F64, 0.5));
        layer.beta = Param::from_tensor(waves([channels], F64, 0.8));
        layer
    }

    #[test]
    fn groups_divide_the_channels() {
        let sizes = [1, 6, 8, 12, 16, 128].map(group_size);
        assert_eq!(sizes, [1, 2, 8, 4, 8, 8]);
    }

    #[test]
    fn each_group_of_each_image_has_its_own_statistics() {
        let (channels, pixels) = (12, 6);
        let layer = layer::<Double>(channels);
        let input = waves::<Double, 4>([2, channels, 2, 3], F64, 0.0) + 4.0;
        let output = values(layer.forward(input.clone()));
        let gamma = values(layer.gamma.val());
        let beta = values(layer.beta.val());
        let input = values(input);
        let mut expected = Vec::new();
        for (index, group) in input.chunks(4 * pixels).enumerate() {
            let n = group.len() as f64;
            let mean = group.iter().sum::<f64>() / n;
            let variance = group.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
            for (i, x) in group.iter().enumerate() {
                let channel = (4 * index + i / pixels) % channels;
                let normal = (x - mean) / (variance + 1e-5).sqrt();
                expected.push(gamma[channel] * normal + beta[channel]);
            }
        }
        assert!(largest_difference(&output, &expected) < 1e-12);
    }

    #[test]
    fn a_modulated_norm_is_the_norm_and_then_the_modulation() {
        let channels = 12;
        let layer = layer::<Double>(channels);
        let input = waves::<Double, 4>([2, channels, 2, 3], F64, 0.3);
        let modulation = Modulation {
            scale: waves([2, channels], F64, 0.6),
            shift: waves([2, channels], F64, 1.9),
        };
        let apart = modulation.forward(layer.forward(input.clone()));
        let together = layer.modulated(input, Some(modulation));
        assert!(largest_difference(&values(together), &values(apart)) < 1e-12);
    }

    #[test]
    fn gradients_are_those_of_finite_differences() {
        let layer = layer::<DoubleAutodiff>(4);
        let input = waves::<DoubleAutodiff, 4>([2, 4, 2, 3], F64, 0.0);
        let checked = check_parameter_gradients(
            &layer,
            |layer| weighted_sum(layer.forward(input.clone())),
            |layer| weighted_sum(layer.forward(input.clone().inner())),
            1e-6,
        );
        assert_eq!(checked, 2);
        check_input_gradient(input, |input| weighted_sum(layer.forward(input)), 1e-6);
    }

    #[test]
    #[should_panic(expected = "an image of 3 channels given to 2 group norms")]
    fn says_which_images_it_takes() {
        layer::<Double>(2).forward(waves([1, 3, 2, 2], F64, 0.0));
    }
}
