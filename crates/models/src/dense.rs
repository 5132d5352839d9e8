//! A dense layer.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use rand::Rng;

use crate::backend::NetworkBackend;
use crate::init;
use crate::products::product_of_two;

/// A dense layer, its weight `[inputs, outputs]`.
#[derive(Module, Debug)]
pub(crate) struct Dense<B: Backend> {
    weight: Param<Tensor<B, 2>>,
    bias: Param<Tensor<B, 1>>,
}

impl<B: NetworkBackend> Dense<B> {
    /// Weights Glorot uniform, drawn from `rng`; bias 0.
    pub(crate) fn new(shape: [usize; 2], rng: &mut impl Rng, device: &B::Device) -> Self {
        Self {
            weight: init::dense(shape, rng, device),
            bias: init::constant(0.0, [shape[1]], device),
        }
    }

    /// Weights N(0, 0.02), drawn from `rng`; bias 0.
    pub(crate) fn small(shape: [usize; 2], rng: &mut impl Rng, device: &B::Device) -> Self {
        Self {
            weight: init::small_dense(shape, rng, device),
            bias: init::constant(0.0, [shape[1]], device),
        }
    }

    /// # Shapes
    /// - `input`: `[batch, inputs]`
    /// - output: `[batch, outputs]`
    pub(crate) fn forward(&self, input: Tensor<B, 2>) -> Tensor<B, 2> {
        product_of_two(input, self.weight.val(), B::ROUNDS_PRODUCTS) + self.bias.val().unsqueeze()
    }
}
