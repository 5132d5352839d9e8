//! The adversarial losses of the two players.

use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use burn::tensor::backend::Backend;

use crate::settings::GanLoss;

impl GanLoss {
    /// What the generator minimises, of the discriminator's verdicts v on its images, a mean over
    /// all elements:
    ///
    /// | | |
    /// |---|---|
    /// | cross-entropy | ln(1 + e⁻ᵛ) |
    /// | least squares | (v − 1)² |
    /// | hinge | −v |
    ///
    /// # Shapes
    ///
    /// Any; the result is `[1]`.
    pub fn of_generator<B: Backend, const D: usize>(self, generated: Tensor<B, D>) -> Tensor<B, 1> {
        match self {
            Self::CrossEntropy => real_loss(generated),
            Self::LeastSquares => squared_distance(generated, 1.0),
            Self::Hinge => generated.neg().mean(),
        }
    }

    /// What the discriminator minimises, of its verdicts r on real and g on generated images, a
    /// mean over all elements of each:
    ///
    /// | | |
    /// |---|---|
    /// | cross-entropy | ln(1 + e⁻ʳ) + ln(1 + eᵍ) |
    /// | least squares | (r − 1)² + g² |
    /// | hinge | max(0, 1 − r) + max(0, 1 + g) |
    ///
    /// `smoothing` is for cross-entropy: how far below 1 the target of real images is.
    ///
    /// # Shapes
    ///
    /// Any; the result is `[1]`.
    pub fn of_discriminator<B: Backend, const D: usize>(
        self,
        real: Tensor<B, D>,
        generated: Tensor<B, D>,
        smoothing: f64,
    ) -> Tensor<B, 1> {
        match self {
            Self::CrossEntropy => smoothed_real_loss(real, smoothing) + generated_loss(generated),
            Self::LeastSquares => squared_distance(real, 1.0) + squared_distance(generated, 0.0),
            Self::Hinge => {
                relu(real.neg().add_scalar(1.0)).mean() + relu(generated.add_scalar(1.0)).mean()
            }
        }
    }
}

/// The mean of (v − `target`)².
fn squared_distance<B: Backend, const D: usize>(
    verdicts: Tensor<B, D>,
    target: f64,
) -> Tensor<B, 1> {
    verdicts.sub_scalar(target).square().mean()
}

/// Binary cross-entropy of logits against "all real" (1), the mean over all elements.
///
/// # Shapes
///
/// Any; the result is `[1]`.
pub fn real_loss<B: Backend, const D: usize>(logits: Tensor<B, D>) -> Tensor<B, 1> {
    softplus(logits.neg()).mean()
}

/// Binary cross-entropy of logits against targets of 1 − `smoothing`, the mean over all elements.
///
/// # Shapes
///
/// Any; the result is `[1]`.
fn smoothed_real_loss<B: Backend, const D: usize>(
    logits: Tensor<B, D>,
    smoothing: f64,
) -> Tensor<B, 1> {
    if smoothing == 0.0 {
        return real_loss(logits);
    }
    real_loss(logits.clone()).mul_scalar(1.0 - smoothing)
        + generated_loss(logits).mul_scalar(smoothing)
}

/// Binary cross-entropy of logits against "all generated" (0), the mean over all
/// elements.
///
/// # Shapes
///
/// Any; the result is `[1]`.
pub fn generated_loss<B: Backend, const D: usize>(logits: Tensor<B, D>) -> Tensor<B, 1> {
    softplus(logits).mean()
}

/// ln(1 + eˣ) without overflow: Burn's own is infinite above 88 in f32.
fn softplus<B: Backend, const D: usize>(x: Tensor<B, D>) -> Tensor<B, D> {
    let magnitude = x.clone().abs();
    burn::tensor::activation::relu(x) + magnitude.neg().exp().log1p()
}

#[cfg(test)]
mod tests {
    use burn::tensor::DType;
    use burn_autodiff::Autodiff;
    use burn_flex::Flex;

    use super::*;

    #[test]
    fn cross_entropy_is_right_and_finite_far_out() {
        let logits =
            Tensor::<Flex, 1>::from_floats([-200.0, -1.0, 0.0, 3.0, 200.0], &Default::default());
        let value = |tensor: Tensor<Flex, 1>| tensor.into_data().to_vec::<f32>().unwrap()[0];
        let soft = |x: f64| if x > 30.0 { x } else { x.exp().ln_1p() };
        let mean = |sign: f64| {
            [-200.0, -1.0, 0.0, 3.0, 200.0]
                .iter()
                .map(|x| soft(sign * x))
                .sum::<f64>()
                / 5.0
        };
        assert!((f64::from(value(real_loss(logits.clone()))) - mean(-1.0)).abs() < 1e-5);
        assert!((f64::from(value(generated_loss(logits.clone()))) - mean(1.0)).abs() < 1e-5);
        let smoothed = f64::from(value(smoothed_real_loss(logits, 0.1)));
        assert!((smoothed - 0.9 * mean(-1.0) - 0.1 * mean(1.0)).abs() < 1e-5);
    }

    fn tensor<B: Backend>(values: [f32; 3]) -> Tensor<B, 1> {
        Tensor::from_data(values, (&Default::default(), DType::F32))
    }

    /// The generator's loss of `VERDICTS`, its gradients, and the discriminator's loss of them
    /// as of real ones and of their negatives as of generated ones.
    fn found(loss: GanLoss) -> (f32, Vec<f32>, f32) {
        let verdicts = tensor::<Autodiff<Flex>>(VERDICTS).require_grad();
        let of_generator = loss.of_generator(verdicts.clone());
        let gradients = verdicts.grad(&of_generator.backward()).unwrap();
        let real = tensor::<Flex>(VERDICTS);
        let of_discriminator = loss.of_discriminator(real.clone(), real.neg(), 0.0);
        (
            of_generator.into_scalar(),
            gradients.into_data().to_vec().unwrap(),
            of_discriminator.into_scalar(),
        )
    }

    const VERDICTS: [f32; 3] = [-1.0, 0.5, 2.0];

    #[test]
    fn least_squares_draws_verdicts_to_one_and_zero() {
        let (of_generator, gradients, of_discriminator) = found(GanLoss::LeastSquares);
        assert!((of_generator - (4.0 + 0.25 + 1.0) / 3.0).abs() < 1e-6);
        let expected = [-4.0, -1.0, 2.0].map(|slope| slope / 3.0);
        assert!(
            gradients
                .iter()
                .zip(expected)
                .all(|(a, b)| (a - b).abs() < 1e-6)
        );
        let generated = (1.0 + 0.25 + 4.0) / 3.0;
        assert!((of_discriminator - of_generator - generated).abs() < 1e-6);
    }

    #[test]
    fn hinges_stop_at_a_margin_for_the_discriminator_alone() {
        let (of_generator, gradients, of_discriminator) = found(GanLoss::Hinge);
        assert!((of_generator + 0.5).abs() < 1e-6);
        assert!(
            gradients
                .iter()
                .all(|slope| (slope + 1.0 / 3.0).abs() < 1e-6)
        );
        // Of real ones 2, ½ and 0 below the margin, and the negatives as much above theirs.
        assert!((of_discriminator - 2.0 * 2.5 / 3.0).abs() < 1e-6);
    }

    #[test]
    fn cross_entropy_is_the_sum_of_its_parts() {
        let verdicts = tensor::<Flex>(VERDICTS);
        let value = |tensor: Tensor<Flex, 1>| tensor.into_scalar();
        let loss = GanLoss::CrossEntropy;
        let both = loss.of_discriminator(verdicts.clone(), verdicts.clone().neg(), 0.1);
        let parts = value(smoothed_real_loss(verdicts.clone(), 0.1))
            + value(generated_loss(verdicts.clone().neg()));
        assert_eq!(value(both), parts);
        assert_eq!(
            value(loss.of_generator(verdicts.clone())),
            value(real_loss(verdicts))
        );
    }
}
