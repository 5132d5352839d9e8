//! The seam between the histograms and the machines that compute them.

mod autodiff;
mod bands;
#[cfg(feature = "cubecl")]
mod cubecl;
#[cfg(feature = "flex")]
mod flex;
#[cfg(any(feature = "flex", feature = "ndarray", feature = "tch"))]
mod host;
#[cfg(feature = "ndarray")]
mod ndarray;
#[cfg(feature = "tch")]
mod tch;
mod tensors;

use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;

use crate::{Binning, Directions, LossTerms};

pub use tensors::LossPass;

/// A backend that can compute soft histograms and their gradients.
///
/// Every method has a body in ordinary tensor operations, in chunks of pixels, so that memory for them does not
/// grow with the size of images, only with their number: each pixel's window is evaluated over the bins that
/// it can be told from zero in, and put among the `K` of a row of a matrix, whose products are the sums. So
/// `impl HistogramBackend for MyBackend {}` is all that a backend type of your own needs; one with
/// a faster way overrides the methods. [`Autodiff`](burn::backend::Autodiff) of any such backend
/// differentiates through them.
///
/// Burn's own backends have it if this crate's feature of their name is enabled, as none is by default:
/// `flex`, `ndarray`, `tch`, `cuda`, `wgpu`, or `cubecl` for any other on CubeCL.
///
/// The methods work on float primitives of the shapes they name, at least one row and one pixel. All
/// tensors of a call have one element type and lie on one device. Half precision is computed in single and
/// the results are rounded. [`SoftHistogram`], [`JointHistogram`] and [`HistogramLoss`] take tensors of
/// any shape.
///
/// # Panics
///
/// The methods may panic on tensors of other shapes or of several element types, or give
/// numbers without meaning; they must not read or write memory that is not theirs.
///
/// [`SoftHistogram`]: crate::SoftHistogram
/// [`JointHistogram`]: crate::JointHistogram
/// [`HistogramLoss`]: crate::HistogramLoss
#[diagnostic::on_unimplemented(
    message = "the backend `{Self}` has no soft histograms",
    note = "turn on the feature of huenet-hist that has the backend's name: `flex`, `ndarray`, `tch`, `wgpu`, `cuda`, or \
            `cubecl` for others on CubeCL",
    note = "for a backend of your own, write an empty `impl HistogramBackend`"
)]
pub trait HistogramBackend: Backend {
    /// The soft histogram `p(k) = 1/N · Σ_i φ_k(x_i)` of every row.
    ///
    /// # Shapes
    ///
    /// - x: `[rows, N]`, `N > 0`
    /// - output: `[rows, K]`
    fn marginal(x: FloatTensor<Self>, binning: &Binning) -> FloatTensor<Self> {
        tensors::marginal::<Self>(x, binning)
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
        tensors::marginal_backward::<Self>(x, grad, binning)
    }

    /// The soft histograms of the colours of every image along the directions beyond the channels: of
    /// `offset + Σ_c w_c x_c`, as [`Directions`] says.
    ///
    /// # Shapes
    ///
    /// - x: `[images, 3, N]`, `N > 0`
    /// - output: `[images, M, K]`, with `M` directions more than channels, `M > 0`
    fn directional(
        x: FloatTensor<Self>,
        directions: &Directions,
        binning: &Binning,
    ) -> FloatTensor<Self> {
        tensors::directional::<Self>(x, directions, binning, Self::marginal)
    }

    /// The gradient with respect to the pixels, given the gradient with respect to the histograms.
    ///
    /// # Shapes
    ///
    /// - x: `[images, 3, N]`, `N > 0`
    /// - grad: `[images, M, K]`
    /// - output: `[images, 3, N]`
    fn directional_backward(
        x: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        directions: &Directions,
        binning: &Binning,
    ) -> FloatTensor<Self> {
        let of_marginal = Self::marginal_backward;
        tensors::directional_backward::<Self>(x, grad, directions, binning, of_marginal)
    }

    /// The soft joint histogram `P(k, l) = 1/N · Σ_i φ_k(x_i) φ_l(y_i)` of every pair of rows.
    ///
    /// # Shapes
    ///
    /// - x, y: `[rows, N]`, `N > 0`
    /// - output: `[rows, K, K]`, rows for `x`, columns for `y`
    fn joint(x: FloatTensor<Self>, y: FloatTensor<Self>, binning: &Binning) -> FloatTensor<Self> {
        tensors::joint::<Self>(x, y, binning)
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
        tensors::joint_backward::<Self>(x, y, grad, binning, needed)
    }

    /// `value`, with gradients that go to `tracked` as they are: of the one the numbers, of the other the past.
    ///
    /// # Shapes
    ///
    /// tracked, value and output are alike
    #[doc(hidden)]
    fn with_value(_tracked: FloatTensor<Self>, value: FloatTensor<Self>) -> FloatTensor<Self> {
        value
    }

    /// The earth mover's distance to a target histogram and the structure loss, of every row: what
    /// [`HistogramLoss`](crate::HistogramLoss) computes.
    ///
    /// If `tracked`, the gradients with respect to the histograms come with them, as
    /// [`losses_backward`](Self::losses_backward) of the same backend takes them.
    ///
    /// # Shapes
    ///
    /// - content, output: `[rows, N]`, `N > 0`
    /// - target: `[rows, K]`
    fn losses(
        content: FloatTensor<Self>,
        output: FloatTensor<Self>,
        target: FloatTensor<Self>,
        loss: &LossTerms,
        tracked: bool,
    ) -> LossPass<Self> {
        tensors::losses(&passes::<Self>(), [content, output], target, loss, tracked)
    }

    /// The gradients with respect to the pixels of `content` and of `output`, each only if `needed`,
    /// given the gradients of each loss with respect to the histograms, which
    /// [`losses`](Self::losses) found, and the gradient `grad` with respect to the losses.
    ///
    /// # Shapes
    ///
    /// - content, output: `[rows, N]`, `N > 0`
    /// - of_histograms: `[rows, K]` and `[rows, K, K]`
    /// - grad: `[rows, 2]`
    /// - outputs: `[rows, N]`
    fn losses_backward(
        content: FloatTensor<Self>,
        output: FloatTensor<Self>,
        of_histograms: [FloatTensor<Self>; 2],
        grad: FloatTensor<Self>,
        loss: &LossTerms,
        needed: [bool; 2],
    ) -> [Option<FloatTensor<Self>>; 2] {
        tensors::losses_backward(
            &passes::<Self>(),
            [content, output],
            of_histograms,
            grad,
            loss,
            needed,
        )
    }
}

/// The passes of `B` that its losses are made of.
fn passes<B: HistogramBackend>() -> tensors::Passes<B> {
    tensors::Passes {
        marginal: B::marginal,
        marginal_backward: B::marginal_backward,
        joint: B::joint,
        joint_backward: B::joint_backward,
    }
}
