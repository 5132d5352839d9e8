//! Numbers to tensors and back.

use burn::tensor::{DType, Tensor, TensorData};
use burn_ndarray::NdArray;

/// Double precision, whose last digits do not reach the figures.
pub(crate) type B = NdArray<f64>;

pub(crate) fn tensor<const D: usize>(values: &[f64], shape: [usize; D]) -> Tensor<B, D> {
    let data = TensorData::new(values.to_vec(), shape);
    Tensor::from_data(data, (&Default::default(), DType::F64))
}

pub(crate) fn entries<const D: usize>(tensor: Tensor<B, D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}
