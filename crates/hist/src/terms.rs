//! What the two losses are, without the means to compute them.

use serde::{Deserialize, Serialize};

use crate::Binning;

/// Cumulative sums of training's histograms that differ by no more than so many times the epsilon of single
/// precision, or of double precision if they are in it, count as equal.
pub(crate) const EQUAL: f64 = 4.0;

/// How the difference of two cumulative distributions becomes a number.
///
/// `Δ(k)` is the difference of the cumulative sums of the two histograms up to bin `k`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EmdKind {
    /// `√(1/K · Σ_k Δ(k)²)`, as the official code computes it.
    #[default]
    Rms,
    /// `Σ_k Δ(k)²`, as Hou, Yu, Samaras, "Squared Earth Mover's Distance-based Loss for Training
    /// Deep Neural Networks", 2016, define it.
    Squared,
    /// `L · Σ_k |Δ(k)|`, the Wasserstein-1 distance in the units of the pixel values.
    L1,
}

/// Which measure of dependence is the loss.
///
/// With the joint histogram `P` of `X` (rows) and `Y` (columns), its row sums `P_X` and column
/// sums `P_Y`, the entropy `H = −Σ P ln P` and the mutual information
/// `MI = H(X) + H(Y) − H(X, Y)`. Entropies are in nats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StructureKind {
    /// `H(X | Y) = H(X, Y) − H(Y)`: what remains unknown of `X` once `Y` is known. From 0 to
    /// `ln K`. The official code computes this one, with the content image as `X` and the output
    /// as `Y`.
    #[default]
    ConditionalEntropy,
    /// `1 − MI/H(X, Y)`, from 0 (each image determines the other) to 1 (independent). The form
    /// of the paper. It is symmetric, and a metric on distributions.
    RelativeMutualInformation,
    /// `−MI`, from `−ln K` to 0. The usual loss of image registration.
    NegativeMutualInformation,
    /// `1 − 2·MI/(H(X) + H(Y))`, from 0 to 1: mutual information relative to the mean of the
    /// marginal entropies, also known as symmetric uncertainty. (Studholme's
    /// `(H(X) + H(Y))/H(X, Y)` is not a choice of its own: it is 2 minus the *relative* loss.)
    NormalisedMutualInformation,
}

/// What a [`HistogramLoss`](crate::HistogramLoss) computes: all that a
/// [backend](crate::HistogramBackend) needs to know of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LossTerms {
    /// The bins and the Parzen window of all histograms. With [`Boundary::Wrap`](crate::Boundary::Wrap) the earth
    /// mover's distance is that on a circle.
    pub binning: Binning,
    /// How the difference of the cumulative distributions becomes a number.
    pub distance: EmdKind,
    /// Which measure of dependence is the structure loss.
    pub structure: StructureKind,
}
