//! How far an output is from its ground truth.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

/// Differences of no more than a few roundings, which count as none.
pub(crate) const ROUNDINGS: f64 = 1e-6;

/// The mean absolute difference between `output` and `reference`, over all their elements, less 10⁻⁶ of
/// each.
///
/// Where output and reference are both white paper, they differ by roundings. Without the 10⁻⁶, the sign of these would
/// give all of the paper a gradient.
///
/// # Shapes
///
/// `[batch, channels, height, width]` each; the result is `[1]`.
pub fn reconstruction_loss<B: Backend>(
    output: Tensor<B, 4>,
    reference: Tensor<B, 4>,
) -> Tensor<B, 1> {
    let differences = (output - reference).abs().sub_scalar(ROUNDINGS);
    differences.clamp_min(0.0).mean()
}

#[cfg(test)]
mod tests {
    use burn::tensor::DType;
    use burn_autodiff::Autodiff;
    use burn_flex::Flex;

    use super::*;

    #[test]
    fn reconstruction_is_the_mean_absolute_difference() {
        let images = |values: [f32; 4]| {
            Tensor::<Flex, 1>::from_data(values, (&Default::default(), DType::F32))
                .reshape([2, 1, 1, 2])
        };
        let [output, reference] = [[0.5, -1.0, 0.0, 1.0], [0.0, 1.0, 0.0, 0.5]].map(images);
        let loss = reconstruction_loss(output, reference).into_scalar();
        assert!((loss - 0.75).abs() < 2e-6, "{loss}");
    }

    #[test]
    fn what_is_equal_but_for_roundings_pulls_nowhere() {
        let device = Default::default();
        let values = [1.0 + f32::EPSILON, 1.0 - f32::EPSILON, 3e-8, 0.5];
        let image = |values: [f32; 4]| {
            Tensor::<Autodiff<Flex>, 1>::from_data(values, (&device, DType::F32))
                .reshape([1, 1, 2, 2])
        };
        let output = image(values).require_grad();
        let loss = reconstruction_loss(output.clone(), image([1.0, 1.0, 0.0, 0.75]));
        let gradient = output.grad(&loss.backward()).unwrap();
        let gradient: Vec<f32> = gradient.into_data().to_vec().unwrap();
        assert_eq!(gradient, [0.0, 0.0, 0.0, -0.25]);
    }
}
