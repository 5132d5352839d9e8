//! Differentiable soft histograms, and losses on them, for [Burn](burn).
//!
//! A histogram counts, and counting has no useful gradient: a pixel is in a bin or it is not.
//! Here each pixel is spread over the bins near it by a smooth window instead. Histograms become
//! differentiable functions of the pixels, and anything that compares histograms becomes a loss:
//! this crate has the two of HueNet, one for the colours of an image and one for its structure.
//!
//! The crate knows no files, images or networks. Tensors `[..., N]` of pixels go in, in any order
//! of pixels and any units, and histograms, or distances between them, come out.
//!
//! # The soft histogram
//!
//! Let the range `[a, b]` be cut into `K` [`Bins`] of length `L = (b − a)/K` with the centres
//! `μ_k = a + (k + ½) L`. A density estimate with the logistic kernel of width `W = L/ρ`,
//! integrated over bin `k`, is the **Parzen window** ([`Kernel`])
//!
//! ```text
//! φ_k(x) = σ((x − μ_k + L/2)/W) − σ((x − μ_k − L/2)/W),        σ(t) = 1/(1 + e⁻ᵗ).
//! ```
//!
//! A pixel's windows over all bins of the unbounded line sum to one. What falls outside `[a, b]` is
//! mirrored back, comes in again at the other border, or is lost, as [`Boundary`] says. The
//! **soft histogram** ([`SoftHistogram`]) of the pixels `x_1 … x_N` and the **joint histogram**
//! ([`JointHistogram`]) of two images of the same size are the means
//!
//! ```text
//! p(k)    = 1/N · Σ_i φ_k(x_i)
//! P(k, l) = 1/N · Σ_i φ_k(x_i) φ_l(y_i).
//! ```
//!
//! # Colours: the earth mover's distance
//!
//! Two images have the same colours if their histograms are equal, wherever the pixels are. Bin by
//! bin differences would not tell a near miss from a far one; the **earth mover's distance**
//! ([`EarthMoversDistance`]) asks how far mass has to travel. On a line it is a norm of the
//! difference of the cumulative sums,
//!
//! ```text
//! Δ(k) = Σ_{j ≤ k} (p(j) − q(j)),        EMD(p, q) = √(1/K · Σ_k Δ(k)²)
//! ```
//!
//! in the form of the official code; [`EmdKind`] has the others.
//!
//! The histograms of the channels do not determine the colours of an image. [`Directions`] of colour space
//! are further lines to compare them along.
//!
//! # Structure: the conditional entropy
//!
//! Two images have the same structure if the value in one tells the value in the other, whatever
//! the values are. The **conditional entropy** of the content image `X` given the output `Y`,
//!
//! ```text
//! H(X | Y) = −Σ_kl P(k, l) ln (P(k, l)/P_Y(l)),        P_Y(l) = Σ_k P(k, l),
//! ```
//!
//! measures what the output leaves unknown ([`StructureLoss`]); [`StructureKind`] has measures
//! built on the **mutual information** as well.
//!
//! # Both at once
//!
//! [`HistogramLoss`] is what training uses: the earth mover's distance of an output to the histogram of
//! a reference, and the conditional entropy of a content image given the output.
//!
//! ```
//! use burn::backend::Autodiff;
//! use burn::nn::loss::Reduction;
//! use burn::tensor::{Distribution, Tensor};
//! use burn_ndarray::NdArray;
//! use huenet_hist::{Bins, HistogramLossConfig, Kernel};
//!
//! type B = Autodiff<NdArray<f32>>;
//!
//! let bins = Bins::new(64, -1.0, 1.0)?;
//! let loss = HistogramLossConfig::new(bins, Kernel::default()).init();
//!
//! // Two images of three channels with 16 × 16 pixels each.
//! let device = Default::default();
//! let image = || Tensor::<B, 3>::random([2, 3, 256], Distribution::Uniform(-1.0, 1.0), &device);
//! let (content, reference, output) = (image(), image(), image().require_grad());
//!
//! let target = loss.target(reference);
//! let losses = loss.forward(content, output.clone(), target, Reduction::Mean);
//! let total = losses.distances.mul_scalar(100.0) + losses.structures;
//! let gradients = total.backward();
//! assert_eq!(output.grad(&gradients).unwrap().dims(), [2, 3, 256]);
//! # Ok::<(), huenet_hist::HistogramError>(())
//! ```
//!
//! `forward` makes one number of all losses, as Burn's `Reduction` says: their mean or sum over all
//! images and channels, or (`BatchMean`) their sum divided by the first dimension.
//! `forward_no_reduction` gives each loss by itself. All three losses have both.
//!
//! # How it is computed
//!
//! The formulas as they stand need `K` numbers a pixel; they are in [`mod@reference`]. But a
//! window falls as `e^(−ρ·distance in bins)`, and 16 bins hold all of it that single precision can see
//! at the usual `ρ = 2.5`. On the CPU (features `ndarray`, `flex` and `tch`) one pass over the
//! pixels, forward and again backward, touches those bins alone and stores nothing of the size of
//! image times bins; the results are the same bits for any number of threads. On graphics cards (features
//! `cuda` and `wgpu`, or `cubecl` for any other backend on CubeCL) kernels do so in single precision. Whatever
//! has no kernel, LibTorch on a graphics card among it, is computed in ordinary tensor operations, a chunk of
//! pixels at a time: windows over those bins alone, and matrix products for the sums. They are the default
//! bodies of [`HistogramBackend`], which a backend type of your own can use or override.
//!
//! # Pixels with several workers
//!
//! A histogram is a sum over pixels, so pixels of one image may lie with several processes, threads or machines, as
//! long as these can add tables: [`Reduce`]. [`SoftHistogram::forward_sharded`] and
//! [`JointHistogram::forward_sharded`] give each of them the histogram of the whole image, and the gradients of its
//! own pixels.
//!
//! # Source
//!
//! M. Avi-Aharon, A. Arbelle, T. Riklin Raviv, "Differentiable Histogram Loss Functions for
//! Intensity-based Image-to-Image Translation", IEEE TPAMI 2023, and the code published with it,
//! "the official code", whose numbers this crate reproduces.

mod backend;
mod bins;
#[cfg(any(test, feature = "flex", feature = "ndarray", feature = "tch"))]
mod cpu;
mod directions;
mod display;
mod error;
mod histogram_loss;
mod joint;
mod kernel;
mod limits;
mod loss;
mod precision;
pub mod reference;
mod sharded;
mod soft;
mod terms;

/// Gives back the memory that passes on the CPU keep from one call to the next, 256 MiB at most.
///
/// Calls that run meanwhile keep theirs; the next ones take new memory.
pub fn release_memory() {
    #[cfg(any(test, feature = "flex", feature = "ndarray", feature = "tch"))]
    cpu::release();
}

pub use backend::{HistogramBackend, LossPass};
pub use bins::Bins;
pub use directions::Directions;
pub use error::HistogramError;
pub use histogram_loss::{HistogramLoss, HistogramLossConfig, HistogramLosses};
pub use joint::{JointHistogram, JointHistogramConfig};
pub use kernel::{Binning, Boundary, Kernel};
pub use loss::{
    EarthMoversDistance, EarthMoversDistanceConfig, StructureLoss, StructureLossConfig,
};
pub use sharded::Reduce;
pub use soft::{SoftHistogram, SoftHistogramConfig};
pub use terms::{EmdKind, LossTerms, StructureKind};
