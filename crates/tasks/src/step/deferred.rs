//! What a step computes beside its gradients. It stays on the device until it is read.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use crate::step::loss_values::StepLosses;

/// Losses, and the sums of both networks' gradients; losses that not every run has may follow.
const COUNT: usize = 7;

/// Losses of a step, and whether its gradients are finite. Reading them waits for the device.
#[derive(Clone, Debug)]
pub struct DeferredLosses<B: Backend> {
    numbers: Tensor<B, 1>,
    /// Which of [`StepLosses::FURTHER`] follow.
    further: [bool; 3],
}

/// [`DeferredLosses`] as numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepOutcome {
    /// The losses.
    pub losses: StepLosses,
    /// Whether every gradient is a finite number.
    pub gradients_are_finite: bool,
}

impl<B: Backend> DeferredLosses<B> {
    /// From one-element tensors: losses in the order of [`StepLosses::NAMES`], sums of the
    /// gradients of generator and discriminator, and those of [`StepLosses::FURTHER`] that there
    /// are.
    pub(crate) fn new(
        losses: [Tensor<B, 1>; 5],
        sums: [Tensor<B, 1>; 2],
        further: [Option<Tensor<B, 1>>; 3],
    ) -> Self {
        let which = std::array::from_fn(|i| further[i].is_some());
        let further = further.into_iter().flatten();
        let all = losses.into_iter().chain(sums).chain(further);
        Self {
            numbers: Tensor::cat(all.collect(), 0),
            further: which,
        }
    }

    /// The numbers.
    pub fn read(self) -> StepOutcome {
        let values: Vec<f64> = self.numbers.into_data().iter::<f64>().collect();
        StepOutcome::from_values(&values, self.further)
    }

    /// The numbers of several steps of a run, in one transfer from the device.
    pub(crate) fn read_all(steps: Vec<Self>) -> Vec<StepOutcome> {
        let Some(first) = steps.first() else {
            return Vec::new();
        };
        let (count, further) = (first.numbers.dims()[0], first.further);
        let all = Tensor::cat(steps.into_iter().map(|step| step.numbers).collect(), 0);
        let values: Vec<f64> = all.into_data().iter::<f64>().collect();
        let steps = values.chunks_exact(count);
        steps
            .map(|values| StepOutcome::from_values(values, further))
            .collect()
    }
}

impl StepOutcome {
    fn from_values(values: &[f64], further: [bool; 3]) -> Self {
        let value = |at: usize| values.get(at).copied().unwrap_or(f64::NAN);
        let mut rest = values.iter().skip(COUNT).copied();
        let further = further.map(|is_there| is_there.then(|| rest.next().unwrap_or(f64::NAN)));
        let losses = StepLosses::from_array(std::array::from_fn(value));
        Self {
            losses: losses.with_further(further),
            gradients_are_finite: value(5).is_finite() && value(6).is_finite(),
        }
    }

    /// Whether losses and gradients are finite numbers.
    pub fn are_finite(&self) -> bool {
        self.gradients_are_finite && self.losses.non_finite().next().is_none()
    }
}
