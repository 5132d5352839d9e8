//! Comparisons with the official numbers, on any backend.

pub mod histogram;
pub mod losses;
pub mod models;
pub mod report;
pub mod train_step;

/// How precisely a backend computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arithmetic {
    /// In single precision.
    Single,
    /// In single precision, with sums in another order than the official ones. A unit within rounding of
    /// zero may then fall on the other side of a rectifier's kink, and the gradients before it change.
    Reordered,
    /// Numbers may be rounded to TF32 before they are multiplied, by up to 5·10⁻⁴ of themselves: what CubeCL's
    /// products do on NVIDIA's cards.
    Tf32,
}

impl Arithmetic {
    /// What a relative error may be that may be `single` in single precision and that comes from
    /// products, at most `tf32` in TF32.
    pub(crate) fn allow(self, single: f64, tf32: f64) -> f64 {
        match self {
            Self::Single | Self::Reordered => single,
            Self::Tf32 => single.max(tf32),
        }
    }
}
