//! Adam as Keras computes it.

use burn::module::AutodiffModule;
use burn::optim::adaptor::OptimizerAdaptor;
use burn::optim::{LearningRate, SimpleOptimizer};
use burn::record::Record;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use crate::step::adam_rule::{Adam, AdamTensors};
use crate::step::backend::{TrackedBackend, TrainingBackend};

/// Both moments of one weight tensor.
#[derive(Record, Clone)]
pub struct AdamState<B: Backend, const D: usize> {
    time: usize,
    first: Tensor<B, D>,
    second: Tensor<B, D>,
}

impl Adam {
    /// An optimiser for the weights of a module.
    pub fn init<B: TrackedBackend, M: AutodiffModule<B>>(self) -> OptimizerAdaptor<Self, M, B> {
        OptimizerAdaptor::from(self)
    }
}

impl<B: TrainingBackend> SimpleOptimizer<B> for Adam {
    type State<const D: usize> = AdamState<B, D>;

    fn step<const D: usize>(
        &self,
        lr: LearningRate,
        tensor: Tensor<B, D>,
        grad: Tensor<B, D>,
        state: Option<AdamState<B, D>>,
    ) -> (Tensor<B, D>, Option<AdamState<B, D>>) {
        let (time, first, second) = match state {
            Some(state) => (state.time + 1, state.first, state.second),
            None => (1, grad.zeros_like(), grad.zeros_like()),
        };
        let t = time as f64;
        let rate = lr * (1.0 - self.beta_2.powf(t)).sqrt() / (1.0 - self.beta_1.powf(t));
        let before = AdamTensors {
            weight: tensor,
            first,
            second,
        };
        let after = B::adam(self, rate, before, grad);
        let state = AdamState {
            time,
            first: after.first,
            second: after.second,
        };
        (after.weight, Some(state))
    }

    fn to_device<const D: usize>(
        mut state: AdamState<B, D>,
        device: &burn::tensor::Device<B>,
    ) -> AdamState<B, D> {
        state.first = state.first.to_device(device);
        state.second = state.second.to_device(device);
        state
    }
}

#[cfg(test)]
mod tests {
    use burn_flex::Flex;

    use super::*;

    #[test]
    fn epsilon_stands_beside_the_uncorrected_second_moment() {
        let device = Default::default();
        let tensor = |value: f32| Tensor::<Flex, 1>::from_floats([value], &device);
        let adam = Adam::new(0.5);
        let gradient = 1e-6_f64;
        let (after, state) = adam.step(0.1, tensor(0.0), tensor(gradient as f32), None);
        let root_v = (0.001 * gradient * gradient).sqrt();
        let expected = -0.1 * 0.001f64.sqrt() / 0.5 * (0.5 * gradient) / (root_v + 1e-7);
        let got = after.clone().into_data().to_vec::<f32>().unwrap()[0];
        assert!(
            (f64::from(got) / expected - 1.0).abs() < 1e-5,
            "{got} against {expected}"
        );

        // A second, zero gradient still moves the weight by the decayed first moment.
        let (last, _) = adam.step(0.1, after, tensor(0.0), state);
        let root_v = (0.999 * 0.001 * gradient * gradient).sqrt();
        let rate = 0.1 * (1.0 - 0.999f64.powi(2)).sqrt() / 0.75;
        let expected = f64::from(got) - rate * (0.25 * gradient) / (root_v + 1e-7);
        let got = last.into_data().to_vec::<f32>().unwrap()[0];
        assert!(
            (f64::from(got) / expected - 1.0).abs() < 1e-5,
            "{got} against {expected}"
        );
    }
}
