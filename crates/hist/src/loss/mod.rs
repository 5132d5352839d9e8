//! Losses that compare histograms.

mod emd;
mod reduction;
mod structure;

pub use emd::{EarthMoversDistance, EarthMoversDistanceConfig};
pub(crate) use reduction::reduced;
pub use structure::{StructureLoss, StructureLossConfig};
