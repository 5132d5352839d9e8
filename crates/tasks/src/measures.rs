//! What a step computes beside its gradients, left on the device until somebody looks.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use crate::metrics::StepLosses;

/// Losses, and the sums of both networks' gradients; the reconstruction loss may follow.
const COUNT: usize = 7;

/// What a step measures. Reading it waits for the device.
#[derive(Clone, Debug)]
pub struct Measures<B: Backend>(Tensor<B, 1>);

/// [`Measures`] as numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepMeasures {
    /// The losses.
    pub losses: StepLosses,
    /// Whether every gradient is a finite number.
    pub gradients_are_finite: bool,
}

impl<B: Backend> Measures<B> {
    /// From one-element tensors: losses in the order of [`StepLosses::NAMES`], sums of the
    /// gradients of generator and discriminator, and the reconstruction loss if there is one.
    pub(crate) fn new(
        losses: [Tensor<B, 1>; 5],
        sums: [Tensor<B, 1>; 2],
        reconstruction: Option<Tensor<B, 1>>,
    ) -> Self {
        let all = losses.into_iter().chain(sums).chain(reconstruction);
        Self(Tensor::cat(all.collect(), 0))
    }

    /// The numbers.
    pub fn read(self) -> StepMeasures {
        let values: Vec<f64> = self.0.into_data().iter::<f64>().collect();
        StepMeasures::from_values(&values)
    }

    /// The numbers of several steps of a run, in one transfer from the device.
    pub(crate) fn read_all(steps: Vec<Self>) -> Vec<StepMeasures> {
        let Some(count) = steps.first().map(|step| step.0.dims()[0]) else {
            return Vec::new();
        };
        let all = Tensor::cat(steps.into_iter().map(|step| step.0).collect(), 0);
        let values: Vec<f64> = all.into_data().iter::<f64>().collect();
        let steps = values.chunks_exact(count);
        steps.map(StepMeasures::from_values).collect()
    }
}

impl StepMeasures {
    fn from_values(values: &[f64]) -> Self {
        let value = |at: usize| values.get(at).copied().unwrap_or(f64::NAN);
        Self {
            losses: StepLosses {
                gen_reconstruction_loss: values.get(COUNT).copied(),
                ..StepLosses::from_array(std::array::from_fn(value))
            },
            gradients_are_finite: value(5).is_finite() && value(6).is_finite(),
        }
    }

    /// Whether losses and gradients are finite numbers.
    pub fn are_finite(&self) -> bool {
        self.gradients_are_finite && self.losses.non_finite().next().is_none()
    }
}
