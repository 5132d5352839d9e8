//! Products of matrices, in the precision of their numbers.
//!
//! On cards with tensor cores CubeCL 0.10 multiplies matrices in TF32, which keeps 10 bits of single
//! precision's 23, and offers no other way. Its sums and products of single numbers keep all of
//! them, so where the backend's own products may round, with tensor cores or not, products are made of
//! these.

use burn::tensor::backend::Backend;
use burn::tensor::{DType, Tensor, TensorData};

/// The products of the matrices of two batches, Σ_k left(m, k)·right(k, n). `rounds` says whether the
/// backend's own may round.
///
/// # Shapes
/// - `left`: `[batch, m, k]`
/// - `right`: `[batch, k, n]`; either batch may be 1, for all of the other
/// - output: `[batch, m, n]`
pub(crate) fn product<B: Backend>(
    left: Tensor<B, 3>,
    right: Tensor<B, 3>,
    rounds: bool,
) -> Tensor<B, 3> {
    if rounds {
        by_sums(left, right)
    } else {
        by_matrices(left, right)
    }
}

/// [`product`] of two matrices.
///
/// # Shapes
/// - `left`: `[m, k]`
/// - `right`: `[k, n]`
/// - output: `[m, n]`
pub(crate) fn product_of_two<B: Backend>(
    left: Tensor<B, 2>,
    right: Tensor<B, 2>,
    rounds: bool,
) -> Tensor<B, 2> {
    if rounds {
        by_sums(left.unsqueeze(), right.unsqueeze()).squeeze_dim(0)
    } else {
        by_matrices(left, right)
    }
}

/// The backend's own product, whether it rounds or not.
#[expect(
    clippy::disallowed_methods,
    reason = "callers ask whether it rounds first"
)]
pub(crate) fn by_matrices<B: Backend, const D: usize>(
    left: Tensor<B, D>,
    right: Tensor<B, D>,
) -> Tensor<B, D> {
    left.matmul(right)
}

/// Of `batch·m·k·n` products, which CubeCL adds up as they are made.
fn by_sums<B: Backend>(left: Tensor<B, 3>, right: Tensor<B, 3>) -> Tensor<B, 3> {
    let products = left.unsqueeze_dim::<4>(3) * right.unsqueeze_dim::<4>(1);
    products.sum_dim(2).squeeze_dim(2)
}

/// Rows of weights as a tensor, `[rows, length]`. Of each row places and their weights; weights of one place add up.
pub(crate) fn matrix<B: Backend>(
    rows: &[impl AsRef<[(usize, f32)]>],
    length: usize,
    dtype: DType,
    device: &B::Device,
) -> Tensor<B, 2> {
    let mut values = vec![0.0f32; rows.len() * length];
    for (line, row) in values.chunks_exact_mut(length).zip(rows) {
        for &(place, weight) in row.as_ref() {
            line[place] += weight;
        }
    }
    let data = TensorData::new(values, [rows.len(), length]);
    Tensor::from_data(data, (device, dtype))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Double, DoubleAutodiff, largest_difference, values, waves, weighted_sum};
    use burn::tensor::DType::F64;

    /// The product, and the gradients of a loss of it for both sides.
    fn with_gradients(
        multiply: impl Fn(
            Tensor<DoubleAutodiff, 3>,
            Tensor<DoubleAutodiff, 3>,
        ) -> Tensor<DoubleAutodiff, 3>,
        batches: [usize; 2],
    ) -> [Vec<f64>; 3] {
        let left = waves::<DoubleAutodiff, 3>([batches[0], 3, 5], F64, 0.2).require_grad();
        let right = waves::<DoubleAutodiff, 3>([batches[1], 5, 4], F64, 0.9).require_grad();
        let product = multiply(left.clone(), right.clone());
        let gradients = weighted_sum(product.clone()).backward();
        let of = |side: &Tensor<DoubleAutodiff, 3>| -> Vec<f64> {
            values::<Double, 3>(
                side.grad(&gradients)
                    .expect("the loss depends on both sides"),
            )
        };
        [of(&left), of(&right), values(product)]
    }

    #[test]
    fn sums_are_the_product_of_matrices_and_so_are_their_gradients() {
        for batches in [[2, 2], [1, 2], [2, 1]] {
            let expected = with_gradients(by_matrices, batches);
            let found = with_gradients(by_sums, batches);
            for (found, expected) in found.iter().zip(&expected) {
                assert!(largest_difference(found, expected) < 1e-12);
            }
        }
    }
}
