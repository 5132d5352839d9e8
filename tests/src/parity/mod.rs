//! Comparisons with the official numbers, on any backend.

pub mod histogram;
pub mod losses;
pub mod models;
pub mod report;
pub mod train_step;

/// How precisely a backend multiplies matrices and convolves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Products {
    /// In single precision.
    Single,
    /// The numbers may first be rounded to TF32, by up to 5·10⁻⁴ of themselves: what CubeCL's products do
    /// on NVIDIA's cards.
    Tf32,
}

impl Products {
    /// What a relative error may be that may be `single` in single precision and that comes from
    /// products, at most `tf32` in TF32.
    pub(crate) fn allow(self, single: f64, tf32: f64) -> f64 {
        match self {
            Self::Single => single,
            Self::Tf32 => single.max(tf32),
        }
    }
}
