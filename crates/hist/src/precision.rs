//! Half precision is one to store numbers in: what is computed of them is computed in single precision.

use burn::tensor::backend::Backend;
use burn::tensor::{DType, Tensor};

/// The same numbers in single precision if they are in half, else as they are.
///
/// Half precision cannot tell the bins of a fine histogram apart, nor hold the quotients of its entries.
pub(crate) fn widened<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> Tensor<B, D> {
    match tensor.dtype() {
        DType::F16 | DType::BF16 => tensor.cast(DType::F32),
        _ => tensor,
    }
}

/// The numbers as `dtype`.
pub(crate) fn with_type<B: Backend, const D: usize>(
    tensor: Tensor<B, D>,
    dtype: DType,
) -> Tensor<B, D> {
    if tensor.dtype() == dtype {
        tensor
    } else {
        tensor.cast(dtype)
    }
}
