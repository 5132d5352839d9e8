//! Losses that ask how much one image says about another.

use burn::config::Config;
use burn::module::{Content, DisplaySettings, Module, ModuleDisplay};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use serde::{Deserialize, Serialize};

/// Which measure of dependence is the loss.
///
/// With the joint histogram `P` of `X` (rows) and `Y` (columns), its row sums `P_X` and column
/// sums `P_Y`, the entropy `H = −Σ P ln P` and the mutual information
/// `MI = H(X) + H(Y) − H(X, Y)`. Entropies are in nats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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

/// Configuration to create a [structure loss](StructureLoss).
#[derive(Config, Debug, PartialEq)]
pub struct StructureLossConfig {
    /// Which measure of dependence is the loss.
    #[config(default = "StructureKind::ConditionalEntropy")]
    pub kind: StructureKind,
}

impl StructureLossConfig {
    /// Initialises a [structure loss](StructureLoss).
    pub fn init(&self) -> StructureLoss {
        StructureLoss { kind: self.kind }
    }
}

/// How little two images say about each other, from their joint histogram.
///
/// Minimising it makes an output image keep the structure of a content image whatever its
/// colours are: only *which* values coincide matters, not which values they are.
///
/// `0 · ln 0` is 0, in value and in gradient, as in the official code; there is no constant inside
/// the logarithm. The histogram is taken as it is, not normalised. Where a quotient of two entropies is
/// 0/0, because both images are constant, it counts as 1: each determines the other.
///
/// Source: Avi-Aharon, Arbelle, Riklin Raviv, TPAMI 2023, the mutual information loss; the
/// official code for [`StructureKind::ConditionalEntropy`].
#[derive(Module, Debug, Clone)]
#[module(custom_display)]
pub struct StructureLoss {
    /// Which measure of dependence is the loss.
    #[module(skip)]
    pub kind: StructureKind,
}

impl ModuleDisplay for StructureLoss {
    fn custom_settings(&self) -> Option<DisplaySettings> {
        DisplaySettings::new().with_new_line_after_attribute(false).optional()
    }

    fn custom_content(&self, content: Content) -> Option<Content> {
        content.add_debug_attribute("kind", &self.kind).optional()
    }
}

impl StructureLoss {
    /// The mean loss of many joint histograms.
    ///
    /// # Shapes
    ///
    /// - joint: `[..., K, K]`, rows for `X`, columns for `Y`
    /// - output: `[1]`
    ///
    /// # Panics
    ///
    /// As [`measures`](Self::measures).
    pub fn forward<B: Backend, const D: usize>(&self, joint: Tensor<B, D>) -> Tensor<B, 1> {
        self.measures(joint).mean()
    }

    /// The loss of each of many joint histograms.
    ///
    /// # Shapes
    ///
    /// - joint: `[..., K, K]`, rows for `X`, columns for `Y`; entries at least 0
    /// - output: `[..., 1, 1]`
    ///
    /// # Panics
    ///
    /// If `joint` has fewer than two dimensions.
    pub fn measures<B: Backend, const D: usize>(&self, joint: Tensor<B, D>) -> Tensor<B, D> {
        assert!(D >= 2, "a joint histogram has at least two dimensions");
        let (rows, columns) = (D - 2, D - 1);
        let total = |p: Tensor<B, D>| p.sum_dim(columns).sum_dim(rows);
        let entropy = |p: Tensor<B, D>| total(x_ln_x(p)).neg();
        let entropy_of_x = || entropy(joint.clone().sum_dim(columns));
        let entropy_of_y = || entropy(joint.clone().sum_dim(rows));
        let joint_entropy = || entropy(joint.clone());

        match self.kind {
            StructureKind::ConditionalEntropy => joint_entropy() - entropy_of_y(),
            StructureKind::RelativeMutualInformation => {
                // 1 − MI/H(X, Y), on one fraction line so that nothing cancels twice.
                let h = joint_entropy();
                quotient_or_zero(h.clone() + h.clone() - entropy_of_x() - entropy_of_y(), h)
            }
            StructureKind::NegativeMutualInformation => {
                joint_entropy() - entropy_of_x() - entropy_of_y()
            }
            StructureKind::NormalisedMutualInformation => {
                let marginal_entropies = entropy_of_x() + entropy_of_y();
                let unshared = joint_entropy().mul_scalar(2.0) - marginal_entropies.clone();
                quotient_or_zero(unshared, marginal_entropies)
            }
        }
    }
}

/// `p ln p`, which is 0 at 0 and below, with the gradient 0 there.
fn x_ln_x<B: Backend, const D: usize>(p: Tensor<B, D>) -> Tensor<B, D> {
    let empty = p.clone().lower_equal_elem(0.0);
    p.clone().mask_fill(empty, 1.0).log() * p
}

/// `a/b`, which is 0 where `b` is 0, with the gradient 0 there.
fn quotient_or_zero<B: Backend, const D: usize>(
    a: Tensor<B, D>,
    b: Tensor<B, D>,
) -> Tensor<B, D> {
    let zero = b.clone().equal_elem(0.0);
    (a / b.mask_fill(zero.clone(), 1.0)).mask_fill(zero, 0.0)
}
