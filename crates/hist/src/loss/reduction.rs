//! One number from many losses.

use burn::nn::loss::Reduction;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

/// What `reduction` makes of `losses`, `[1]`.
pub(crate) fn reduced<B: Backend, const D: usize>(
    losses: Tensor<B, D>,
    reduction: &Reduction,
) -> Tensor<B, 1> {
    match reduction {
        Reduction::Mean | Reduction::Auto => losses.mean(),
        Reduction::Sum => losses.sum(),
        Reduction::BatchMean => {
            let batch = losses.dims()[0];
            losses.sum().div_scalar(batch as f64)
        }
    }
}
