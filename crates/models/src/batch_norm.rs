//! Batch normalisation with Keras' semantics.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use crate::init;
use crate::pass::Statistics;
use crate::running::RunningVector;

/// Added to the variance before its root is taken (Keras' default).
const EPSILON: f64 = 1e-3;

/// What the running statistics keep of themselves at each update (Keras' default).
const MOMENTUM: f64 = 0.99;

/// Batch normalisation over images: for each channel, y = γ·(x − mean)/√(variance + ε) + β.
///
/// As Keras has it: ε = 1e-3; the variance that normalises is the biased one (divided by
/// n = batch·height·width), the one that enters the running variance is unbiased (n − 1; by n
/// where n = 1); running ← 0.99·running + 0.01·batch, from 0 and 1 at the start.
///
/// With n = 1 a batch normalises to 0, so the output is β.
///
/// Source: Ioffe and Szegedy, "Batch Normalization" (2015); tf.keras' fused layer.
#[derive(Module, Debug)]
pub struct BatchNorm<B: Backend> {
    gamma: Param<Tensor<B, 1>>,
    beta: Param<Tensor<B, 1>>,
    running_mean: RunningVector<B>,
    running_variance: RunningVector<B>,
}

impl<B: Backend> BatchNorm<B> {
    /// γ = 1, β = 0, running mean 0, running variance 1.
    pub fn new(channels: usize, device: &B::Device) -> Self {
        let vector = |value: f32| init::tensor(vec![value; channels], [channels], device);
        Self {
            gamma: Param::from_tensor(vector(1.0)),
            beta: Param::from_tensor(vector(0.0)),
            running_mean: RunningVector::new(vector(0.0)),
            running_variance: RunningVector::new(vector(1.0)),
        }
    }

    /// Normalises each channel.
    ///
    /// # Shapes
    /// - `input`: `[batch, channels, height, width]`
    /// - output: as `input`
    ///
    /// # Panics
    /// If the channels are not the layer's.
    pub fn forward(&self, input: Tensor<B, 4>, statistics: Statistics) -> Tensor<B, 4> {
        let shape = input.dims();
        let [batch, channels, height, width] = shape;
        let input = input.reshape([batch, channels, height * width]);
        let output = match statistics {
            Statistics::Running => self.with_running(input),
            Statistics::Batch { update_running } => self.with_batch(input, update_running),
        };
        output.reshape(shape)
    }

    fn with_running(&self, input: Tensor<B, 3>) -> Tensor<B, 3> {
        let scale = self.scale(self.running_variance.value());
        let shift = self.beta.val() - self.running_mean.value() * scale.clone();
        input * per_channel(scale) + per_channel(shift)
    }

    fn with_batch(&self, input: Tensor<B, 3>, update_running: bool) -> Tensor<B, 3> {
        let [batch, channels, pixels] = input.dims();
        let mean = input.clone().mean_dim(2).mean_dim(0);
        let centred = input - mean.clone();
        let variance = (centred.clone() * centred.clone()).mean_dim(2).mean_dim(0);
        let mean = mean.reshape([channels]);
        let variance = variance.reshape([channels]);
        if update_running {
            let n = batch * pixels;
            let unbiased = n as f64 / n.saturating_sub(1).max(1) as f64;
            move_towards(&self.running_mean, mean);
            move_towards(
                &self.running_variance,
                variance.clone().detach().mul_scalar(unbiased),
            );
        }
        centred * per_channel(self.scale(variance)) + per_channel(self.beta.val())
    }

    /// γ/√(variance + ε), `[channels]`.
    fn scale(&self, variance: Tensor<B, 1>) -> Tensor<B, 1> {
        self.gamma.val() / variance.add_scalar(EPSILON).sqrt()
    }
}

fn per_channel<B: Backend>(vector: Tensor<B, 1>) -> Tensor<B, 3> {
    let [channels] = vector.dims();
    vector.reshape([1, channels, 1])
}

fn move_towards<B: Backend>(running: &RunningVector<B>, batch: Tensor<B, 1>) {
    let batch = batch.detach();
    running.update(|value| value.mul_scalar(MOMENTUM) + batch.mul_scalar(1.0 - MOMENTUM));
}
