//! What the two losses are, without the means to compute them.

use super::{EarthMoversDistance, EarthMoversDistanceConfig, EmdKind};
use super::{StructureKind, StructureLoss, StructureLossConfig};
use crate::{Binning, Boundary};

/// What a [`HistogramLoss`](crate::HistogramLoss) computes: all that a
/// [backend](crate::HistogramBackend) needs to know of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LossTerms {
    /// The bins and the Parzen window of all histograms. With [`Boundary::Wrap`] the earth mover's
    /// distance is that on a circle.
    pub binning: Binning,
    /// How the difference of the cumulative distributions becomes a number.
    pub distance: EmdKind,
    /// Which measure of dependence is the structure loss.
    pub structure: StructureKind,
}

impl LossTerms {
    /// The loss of the colours, in the same bins.
    pub fn earth_movers_distance(&self) -> EarthMoversDistance {
        EarthMoversDistanceConfig::new(self.binning.bins)
            .with_kind(self.distance)
            .with_cyclic(self.binning.kernel.boundary() == Boundary::Wrap)
            .init()
    }

    /// The loss of the structure.
    pub fn structure_loss(&self) -> StructureLoss {
        StructureLossConfig::new().with_kind(self.structure).init()
    }
}
