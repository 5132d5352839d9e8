//! What a step of Adam computes.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

/// Adam in the form of Kingma and Ba (2015), end of section 2, which Keras follows:
///
/// ```text
/// step = lr · √(1 − β₂ᵗ)/(1 − β₁ᵗ) · m / (√v + ε)
/// ```
///
/// Burn's own Adam corrects `v` before it adds `ε`; with ε = 1e-7 the two differ by a
/// factor of up to 32 in the effective ε at the first step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// Decay of the first moment, in [0, 1).
    pub beta_1: f64,
    /// Decay of the second moment, in [0, 1).
    pub beta_2: f64,
    /// Added to √v, before bias correction.
    pub epsilon: f64,
}

/// What a step of [`Adam`] changes: a weight tensor and its moments, all of one shape.
pub struct AdamTensors<B: Backend, const D: usize> {
    /// The weights.
    pub weight: Tensor<B, D>,
    /// The moving average of their gradients.
    pub first: Tensor<B, D>,
    /// The moving average of the squares of their gradients.
    pub second: Tensor<B, D>,
}

impl Adam {
    /// The official optimiser: β₂ = 0.999, ε = 1e-7.
    pub fn new(beta_1: f64) -> Self {
        Self {
            beta_1,
            beta_2: 0.999,
            epsilon: 1e-7,
        }
    }

    /// One step at a rate that includes the bias correction, in tensor operations.
    pub(crate) fn moved_by_operations<B: Backend, const D: usize>(
        &self,
        rate: f64,
        before: AdamTensors<B, D>,
        grad: Tensor<B, D>,
    ) -> AdamTensors<B, D> {
        let (first, second) = (before.first, before.second);
        let first = first.mul_scalar(self.beta_1) + grad.clone().mul_scalar(1.0 - self.beta_1);
        let second = second.mul_scalar(self.beta_2) + grad.square().mul_scalar(1.0 - self.beta_2);
        let denominator = second.clone().sqrt().add_scalar(self.epsilon);
        let weight = before.weight - (first.clone() / denominator).mul_scalar(rate);
        AdamTensors {
            weight,
            first,
            second,
        }
    }
}
