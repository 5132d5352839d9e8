//! Losses that compare histograms.

mod combined;
mod emd;
mod reduction;
mod structure;
mod terms;

pub use combined::{HistogramLoss, HistogramLossConfig, HistogramLosses};
#[cfg(any(test, feature = "flex", feature = "ndarray", feature = "tch"))]
pub(crate) use emd::EQUAL;
pub use emd::{EarthMoversDistance, EarthMoversDistanceConfig, EmdKind};
pub use structure::{StructureKind, StructureLoss, StructureLossConfig};
pub use terms::LossTerms;
