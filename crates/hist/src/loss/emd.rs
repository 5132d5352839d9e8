//! The earth mover's distance between two histograms.

use burn::config::Config;
use burn::module::Module;
use burn::nn::loss::Reduction;
use burn::tensor::backend::Backend;
use burn::tensor::{DType, Tensor};

use super::reduction::reduced;
use crate::display::one_line_display;
use crate::precision::{widened, with_type};
use crate::terms::{EQUAL, EmdKind, LossTerms};
use crate::{Bins, Boundary};

/// Configuration to create an [earth mover's distance](EarthMoversDistance).
#[derive(Config, Debug, PartialEq)]
pub struct EarthMoversDistanceConfig {
    /// The bins of both histograms.
    pub bins: Bins,
    /// How the difference of the cumulative distributions becomes a number.
    #[config(default = "EmdKind::Rms")]
    pub kind: EmdKind,
    /// Whether the range is a circle, as that of hue is
    /// ([`Boundary::Wrap`]).
    #[config(default = false)]
    pub cyclic: bool,
}

impl EarthMoversDistanceConfig {
    /// Initialises an [earth mover's distance](EarthMoversDistance).
    pub fn init(&self) -> EarthMoversDistance {
        EarthMoversDistance {
            bins: self.bins,
            kind: self.kind,
            cyclic: self.cyclic,
        }
    }
}

impl LossTerms {
    /// The loss of the colours, in the same bins.
    pub fn earth_movers_distance(&self) -> EarthMoversDistance {
        EarthMoversDistanceConfig::new(self.binning.bins)
            .with_kind(self.distance)
            .with_cyclic(self.binning.kernel.boundary() == Boundary::Wrap)
            .init()
    }
}

/// How much mass has to be moved how far to turn one histogram into the other.
///
/// On a line the answer follows from the cumulative distributions alone: with
/// `Δ(k) = Σ_{j ≤ k} (p(j) − q(j))`, the distance is a norm of `Δ`; [`EmdKind`] says which one.
///
/// On a circle the cumulative sums depend on where it is cut open. Cutting elsewhere subtracts a
/// constant from `Δ`, and the distance is the least over all cuts (for `L1`: Werman, Peleg,
/// Rosenfeld, "A distance metric for multidimensional histograms", 1985): the best constant is a
/// median of `Δ` for [`EmdKind::L1`], and the mean for the two others.
///
/// The histograms are taken as they are, not normalised. Where the square root of
/// [`EmdKind::Rms`] has its kink, at equal histograms, the gradient is 0. Histograms in half precision are
/// compared in single precision.
///
/// Source: Avi-Aharon, Arbelle, Riklin Raviv, TPAMI 2023, the earth mover's distance of the
/// cumulative histograms; and the official code, whose form is [`EmdKind::Rms`].
#[derive(Module, Debug, Clone)]
#[module(custom_display)]
pub struct EarthMoversDistance {
    /// The bins of both histograms.
    #[module(skip)]
    pub bins: Bins,
    /// How the difference of the cumulative distributions becomes a number.
    #[module(skip)]
    pub kind: EmdKind,
    /// Whether the range is a circle.
    pub cyclic: bool,
}

one_line_display!(EarthMoversDistance, |self, content| content
    .add_debug_attribute("kind", &self.kind)
    .add_debug_attribute("cyclic", &self.cyclic));

impl EarthMoversDistance {
    /// The distances of many pairs of histograms, as one number.
    ///
    /// `Sum` is over all pairs, and `Mean` or `Auto` averages over all of them. `BatchMean` is the sum
    /// divided by the first dimension of `p`; of one pair `[K]` it is its distance.
    ///
    /// # Shapes
    ///
    /// - p, q: `[..., K]`
    /// - output: `[1]`, at least 0
    ///
    /// # Panics
    ///
    /// As [`forward_no_reduction`](Self::forward_no_reduction).
    pub fn forward<B: Backend, const D: usize>(
        &self,
        p: Tensor<B, D>,
        q: Tensor<B, D>,
        reduction: Reduction,
    ) -> Tensor<B, 1> {
        reduced(self.forward_no_reduction(p, q), &reduction)
    }

    /// The distance of each of many pairs of histograms.
    ///
    /// # Shapes
    ///
    /// - p, q: `[..., K]`
    /// - output: `[..., 1]`, each at least 0, of the element type of `p`
    ///
    /// # Panics
    ///
    /// If the shapes differ, or the last dimension is not the number of bins.
    pub fn forward_no_reduction<B: Backend, const D: usize>(
        &self,
        p: Tensor<B, D>,
        q: Tensor<B, D>,
    ) -> Tensor<B, D> {
        self.distances_beyond(p, q, None)
    }

    /// The same, with cumulative sums that differ by no more than [`EQUAL`] says taken as equal: the
    /// root mean square has a kink there, where rounding would otherwise choose a direction.
    pub(crate) fn distances_beyond_rounding<B: Backend, const D: usize>(
        &self,
        p: Tensor<B, D>,
        q: Tensor<B, D>,
    ) -> Tensor<B, D> {
        let epsilon = match p.dtype() {
            DType::F64 => f64::EPSILON,
            _ => f32::EPSILON.into(),
        };
        self.distances_beyond(p, q, Some(EQUAL * epsilon))
    }

    fn distances_beyond<B: Backend, const D: usize>(
        &self,
        p: Tensor<B, D>,
        q: Tensor<B, D>,
        equal: Option<f64>,
    ) -> Tensor<B, D> {
        assert_eq!(
            p.dims(),
            q.dims(),
            "an earth mover's distance needs histograms of one shape"
        );
        let bins = D - 1;
        assert_eq!(
            p.dims()[bins],
            self.bins.count(),
            "the last dimension of a histogram is its number of bins"
        );
        let dtype = p.dtype();
        let mut difference = (widened(p) - widened(q)).cumsum(bins);
        if self.cyclic {
            difference = self.best_cut(difference);
        }
        if let Some(equal) = equal {
            let alike = difference.clone().abs().lower_equal_elem(equal);
            difference = difference.mask_fill(alike, 0.0);
        }
        let distances = match self.kind {
            EmdKind::Rms => sqrt_or_zero(difference.square().mean_dim(bins)),
            EmdKind::Squared => difference.square().sum_dim(bins),
            EmdKind::L1 => difference.abs().sum_dim(bins).mul_scalar(self.bins.width()),
        };
        with_type(distances, dtype)
    }

    /// Subtracts the constant that makes the distance least.
    ///
    /// The constant is a minimiser, so the distance does not change to first order with it, and
    /// it may stay out of the gradient.
    fn best_cut<B: Backend, const D: usize>(&self, difference: Tensor<B, D>) -> Tensor<B, D> {
        let (bins, count) = (D - 1, self.bins.count());
        let values = difference.clone().detach();
        let cut = match self.kind {
            EmdKind::Rms | EmdKind::Squared => values.mean_dim(bins),
            // For an even count the middle between the two medians: there both of them have their
            // one-sided derivative, either of them itself would have none.
            EmdKind::L1 => {
                let sorted = values.sort(bins);
                let low = sorted.clone().narrow(bins, (count - 1) / 2, 1);
                let high = sorted.narrow(bins, count / 2, 1);
                (low + high).mul_scalar(0.5)
            }
        };
        difference - cut
    }
}

/// The square root, with the gradient 0 at 0 instead of none.
fn sqrt_or_zero<B: Backend, const D: usize>(x: Tensor<B, D>) -> Tensor<B, D> {
    let zero = x.clone().equal_elem(0.0);
    x.mask_fill(zero.clone(), 1.0).sqrt().mask_fill(zero, 0.0)
}
