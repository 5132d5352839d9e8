//! Losses that compare histograms.

mod emd;
mod structure;

pub use emd::{EarthMoversDistance, EarthMoversDistanceConfig, EmdKind};
pub use structure::{StructureKind, StructureLoss, StructureLossConfig};
