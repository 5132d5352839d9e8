//! What the distributions do to the features of a layer.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

/// How a layer's channels are changed after normalisation: y = x·(1 + scale) + shift.
///
/// # Shapes
/// `[batch, channels]` each.
#[derive(Debug, Clone)]
pub(crate) struct Modulation<B: Backend> {
    pub(crate) scale: Tensor<B, 2>,
    pub(crate) shift: Tensor<B, 2>,
}

impl<B: Backend> Modulation<B> {
    /// # Shapes
    /// - `input`: `[batch, channels, height, width]`
    /// - output: as `input`
    pub(crate) fn forward(&self, input: Tensor<B, 4>) -> Tensor<B, 4> {
        let shape = input.dims();
        let [batch, channels, height, width] = shape;
        let planes = |vector: &Tensor<B, 2>| vector.clone().reshape([batch * channels, 1]);
        let rows = input.reshape([batch * channels, height * width]);
        let scale = planes(&self.scale).add_scalar(1.0);
        (rows * scale + planes(&self.shift)).reshape(shape)
    }
}
