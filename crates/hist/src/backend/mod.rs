//! The seam between the histograms and the machines that compute them.

mod autodiff;
mod dense;
#[cfg(feature = "flex")]
mod flex;
#[cfg(any(feature = "flex", feature = "ndarray", feature = "tch"))]
mod host;
#[cfg(feature = "ndarray")]
mod ndarray;
#[cfg(feature = "tch")]
mod tch;

use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;

use crate::Binning;

/// A backend that can compute soft histograms and their gradients.
///
/// Every method has a body in ordinary tensor operations, the dense formulas of
/// [`reference`](crate::reference) worked through in chunks of pixels so that memory stays
/// bounded. So `impl HistogramBackend for MyBackend {}` is all that a new backend needs; one with
/// a faster way overrides the methods. [`Autodiff`](burn::backend::Autodiff) of any such backend
/// differentiates through them.
///
/// The methods work on float primitives of the shapes they name; [`SoftHistogram`] and
/// [`JointHistogram`] take tensors of any shape.
///
/// [`SoftHistogram`]: crate::SoftHistogram
/// [`JointHistogram`]: crate::JointHistogram
pub trait HistogramBackend: Backend {
    /// The soft histogram `p(k) = 1/N · Σ_i φ_k(x_i)` of every row.
    ///
    /// # Shapes
    ///
    /// - x: `[rows, N]`, `N > 0`
    /// - output: `[rows, K]`
    fn marginal(x: FloatTensor<Self>, binning: &Binning) -> FloatTensor<Self> {
        dense::marginal::<Self>(x, binning)
    }

    /// The gradient with respect to the pixels, given the gradient `g` with respect to the
    /// histogram: `1/N · Σ_k g(k) φ_k′(x_i)`.
    ///
    /// # Shapes
    ///
    /// - x: `[rows, N]`, `N > 0`
    /// - grad: `[rows, K]`
    /// - output: `[rows, N]`
    fn marginal_backward(
        x: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        binning: &Binning,
    ) -> FloatTensor<Self> {
        dense::marginal_backward::<Self>(x, grad, binning)
    }

    /// The soft joint histogram `P(k, l) = 1/N · Σ_i φ_k(x_i) φ_l(y_i)` of every pair of rows.
    ///
    /// # Shapes
    ///
    /// - x, y: `[rows, N]`, `N > 0`
    /// - output: `[rows, K, K]`, rows for `x`, columns for `y`
    fn joint(x: FloatTensor<Self>, y: FloatTensor<Self>, binning: &Binning) -> FloatTensor<Self> {
        dense::joint::<Self>(x, y, binning)
    }

    /// The gradients with respect to the pixels of `x` and of `y`, each only if `needed`, given
    /// the gradient `G` with respect to the joint histogram:
    /// `1/N · Σ_kl G(k, l) φ_k′(x_i) φ_l(y_i)`, and the same with the roles exchanged.
    ///
    /// # Shapes
    ///
    /// - x, y: `[rows, N]`, `N > 0`
    /// - grad: `[rows, K, K]`
    /// - outputs: `[rows, N]`
    fn joint_backward(
        x: FloatTensor<Self>,
        y: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        binning: &Binning,
        needed: [bool; 2],
    ) -> [Option<FloatTensor<Self>>; 2] {
        dense::joint_backward::<Self>(x, y, grad, binning, needed)
    }
}
