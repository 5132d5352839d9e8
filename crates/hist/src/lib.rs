//! Differentiable soft histograms.

mod backend;
mod bins;
#[cfg(any(test, feature = "flex", feature = "ndarray", feature = "tch"))]
mod cpu;
mod error;
mod joint;
mod kernel;
mod loss;
pub mod reference;
mod soft;

pub use backend::HistogramBackend;
pub use bins::Bins;
pub use error::HistogramError;
pub use joint::{JointHistogram, JointHistogramConfig};
pub use kernel::{Binning, Boundary, Kernel};
pub use loss::{
    EarthMoversDistance, EarthMoversDistanceConfig, EmdKind, StructureKind, StructureLoss,
    StructureLossConfig,
};
pub use soft::{SoftHistogram, SoftHistogramConfig};
