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
}
