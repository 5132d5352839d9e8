//! What can be wrong with the parameters of a histogram.

use crate::limits;

/// A parameter that cannot describe a soft histogram.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum HistogramError {
    /// The number of bins is outside its range.
    #[error(
        "a histogram of {count} bins is not possible: choose between {} and {} bins",
        limits::MIN_COUNT,
        limits::MAX_COUNT
    )]
    BinCount {
        /// The number of bins asked for.
        count: usize,
    },
    /// A border of the range is infinite or not a number.
    #[error("the range [{min}, {max}] of a histogram has to be finite: check both borders")]
    RangeNotFinite {
        /// The lower border asked for.
        min: f64,
        /// The upper border asked for.
        max: f64,
    },
    /// The range is empty or reversed.
    #[error(
        "the range [{min}, {max}] of a histogram is empty: the first border has to be less than the second"
    )]
    RangeEmpty {
        /// The lower border asked for.
        min: f64,
        /// The upper border asked for.
        max: f64,
    },
    /// The bins are too narrow or too wide for floating-point arithmetic.
    #[error(
        "bins of width {width} in the range [{min}, {max}] cannot be told apart in floating point: \
         rescale the values, to [-1, 1] say, or use fewer bins"
    )]
    BinWidth {
        /// The width that a bin would have.
        width: f64,
        /// The lower border asked for.
        min: f64,
        /// The upper border asked for.
        max: f64,
    },
    /// The ratio of bin width to kernel width is outside its range.
    #[error(
        "a kernel width ratio of {ratio} is not possible: choose between {} and {} \
         (the official code uses 2.5)",
        limits::MIN_RATIO,
        limits::MAX_RATIO
    )]
    KernelRatio {
        /// The ratio asked for.
        ratio: f64,
    },
    /// The number of directions of colour space is outside its range.
    #[error(
        "{count} directions of colour space are not possible: choose between {} (the channels) and {}",
        limits::CHANNELS,
        limits::MAX_DIRECTIONS
    )]
    DirectionCount {
        /// The number of directions asked for.
        count: usize,
    },
}
