//! Losses that ask how much one image says about another.

use burn::config::Config;
use burn::module::Module;
use burn::nn::loss::Reduction;
use burn::tensor::backend::Backend;
use burn::tensor::{DType, Tensor};

use super::reduction::reduced;
use crate::display::one_line_display;
use crate::precision::{widened, with_type};
use crate::terms::{LossTerms, StructureKind};

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

impl LossTerms {
    /// The loss of the structure.
    pub fn structure_loss(&self) -> StructureLoss {
        StructureLossConfig::new().with_kind(self.structure).init()
    }
}

/// How little two images say about each other, from their joint histogram.
///
/// Minimising it makes an output image keep the structure of a content image whatever its
/// colours are: only *which* values coincide matters, not which values they are.
///
/// `0 · ln 0` is 0, in value and in gradient, as in the official code; there is no constant inside
/// the logarithm. The histogram is taken as it is, not normalised. A loss of histograms in half precision is
/// computed in single precision and rounded. Where a quotient of two entropies is
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

one_line_display!(StructureLoss, |self, content| content
    .add_debug_attribute("kind", &self.kind));

impl StructureLoss {
    /// The losses of many joint histograms, as one number.
    ///
    /// `Sum` is over all histograms, and `Mean` or `Auto` averages over all of them. `BatchMean` is the
    /// sum divided by the first dimension of `joint`; of one histogram `[K, K]` it is its loss.
    ///
    /// # Shapes
    ///
    /// - joint: `[..., K, K]`, rows for `X`, columns for `Y`
    /// - output: `[1]`
    ///
    /// # Panics
    ///
    /// As [`forward_no_reduction`](Self::forward_no_reduction).
    pub fn forward<B: Backend, const D: usize>(
        &self,
        joint: Tensor<B, D>,
        reduction: Reduction,
    ) -> Tensor<B, 1> {
        reduced(self.forward_no_reduction(joint), &reduction)
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
    pub fn forward_no_reduction<B: Backend, const D: usize>(
        &self,
        joint: Tensor<B, D>,
    ) -> Tensor<B, D> {
        assert!(D >= 2, "a joint histogram has at least two dimensions");
        let (rows, columns) = (D - 2, D - 1);
        let dtype = joint.dtype();
        let p = widened(joint);
        let empty = p.clone().lower_equal_elem(least_entry(p.dtype()));
        let log = |quotient: Tensor<B, D>| quotient.mask_fill(empty.clone(), 1.0).log();
        let log_given_x = || log_share(p.clone(), columns).mask_fill(empty.clone(), 0.0);
        let log_given_y = || log_share(p.clone(), rows).mask_fill(empty.clone(), 0.0);

        // The integrands, and what their own dependence on P adds to the gradient everywhere.
        let joint_entropy = || mean(p.clone(), log(p.clone()).neg(), -1.0);
        let measures = match self.kind {
            StructureKind::ConditionalEntropy => mean(p.clone(), log_given_y().neg(), 0.0),
            StructureKind::RelativeMutualInformation => {
                let unshared = log_given_x() + log_given_y();
                quotient_or_zero(mean(p.clone(), unshared.neg(), 0.0), joint_entropy())
            }
            StructureKind::NegativeMutualInformation => {
                let lift = log_given_x() - filled(p.clone().sum_dim(rows)).log();
                mean(p.clone(), lift.mask_fill(empty.clone(), 0.0).neg(), 1.0)
            }
            StructureKind::NormalisedMutualInformation => {
                let unshared = log_given_x() + log_given_y();
                let marginal = unshared.clone() - log(p.clone()).mul_scalar(2.0);
                quotient_or_zero(
                    mean(p.clone(), unshared.neg(), 0.0),
                    mean(p.clone(), marginal, -2.0),
                )
            }
        };
        with_type(measures, dtype)
    }
}

/// The mean `Σ P f` of a function `f` of the entries of `P`.
///
/// The entropies' derivatives with respect to `f` are, whatever `P` is, the same number for all
/// entries: of `−P ln P` it is −1, of `−P ln(P/P_Y)` it is 0. So `f` is left out of the graph and
/// the number put in its place: nothing has to cancel, and no reciprocal of a tiny entry is taken.
fn mean<B: Backend, const D: usize>(
    p: Tensor<B, D>,
    f: Tensor<B, D>,
    through_f: f64,
) -> Tensor<B, D> {
    let total = |values: Tensor<B, D>| values.sum_dim(D - 1).sum_dim(D - 2);
    let mean = total(p.clone() * f.detach());
    if through_f == 0.0 {
        return mean;
    }
    let mass = total(p);
    mean + (mass.clone() - mass.detach()).mul_scalar(through_f)
}

/// `ln (P/Σ P)` with the sum along one dimension, where `P` is not 0.
///
/// As `−ln (1 + R/P)`, `R` being the sum of the other entries: of an entry that is nearly all of
/// the sum the quotient is nearly 1, and its logarithm would be nothing but rounding.
fn log_share<B: Backend, const D: usize>(p: Tensor<B, D>, along: usize) -> Tensor<B, D> {
    let p = p.detach();
    let sum = p.clone().sum_dim(along);
    // One entry at most, and the only one whose difference from the sum would cancel.
    let most = p.clone().greater(sum.clone().mul_scalar(0.5));
    let beside_most = p.clone().mask_fill(most.clone(), 0.0).sum_dim(along);
    let others = (sum - p.clone()).mask_where(most, beside_most.expand(p.shape()));
    (others / p).log1p().neg()
}

/// Entries up to this one count as empty: smaller ones have no accurate quotients. Not for half precision.
fn least_entry(dtype: DType) -> f64 {
    match dtype {
        DType::F64 => f64::MIN_POSITIVE,
        _ => f32::MIN_POSITIVE.into(),
    }
}

/// The sums, with those that are 0 replaced by 1, to divide by.
fn filled<B: Backend, const D: usize>(sums: Tensor<B, D>) -> Tensor<B, D> {
    let empty = sums.clone().lower_equal_elem(0.0);
    sums.mask_fill(empty, 1.0)
}

/// `a/b`, which is 0 where `b` is 0, with the gradient 0 there.
fn quotient_or_zero<B: Backend, const D: usize>(a: Tensor<B, D>, b: Tensor<B, D>) -> Tensor<B, D> {
    let zero = b.clone().equal_elem(0.0);
    (a / b.mask_fill(zero.clone(), 1.0)).mask_fill(zero, 0.0)
}
