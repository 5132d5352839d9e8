//! Losses that compare histograms.

mod combined;
mod emd;
mod structure;

pub use combined::{HistogramLoss, HistogramLossConfig, HistogramLosses};
pub use emd::{EarthMoversDistance, EarthMoversDistanceConfig, EmdKind};
pub use structure::{StructureKind, StructureLoss, StructureLossConfig};
