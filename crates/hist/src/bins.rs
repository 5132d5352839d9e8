//! The bins of a histogram.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{HistogramError, limits};

/// `K` bins of equal width that share the range `[a, b]`.
///
/// Bin `k` (from 0) covers `[a + k·L, a + (k + 1)·L]` and has its centre at
/// `μ_k = a + (k + ½)·L`, where `L = (b − a)/K` is the width of a bin.
///
/// A `Bins` is valid by construction, also when it is read from a configuration.
///
/// ```
/// use huenet_hist::Bins;
///
/// let bins = Bins::new(4, -1.0, 1.0)?;
/// assert_eq!(bins.width(), 0.5);
/// assert_eq!(bins.centres(), [-0.75, -0.25, 0.25, 0.75]);
/// assert!(Bins::new(1, -1.0, 1.0).is_err());
/// # Ok::<(), huenet_hist::HistogramError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "UncheckedBins")]
pub struct Bins {
    count: usize,
    min: f64,
    max: f64,
}

/// The fields of [`Bins`] as they stand in a file.
#[derive(Deserialize)]
#[serde(rename = "Bins", deny_unknown_fields)]
struct UncheckedBins {
    count: usize,
    min: f64,
    max: f64,
}

impl TryFrom<UncheckedBins> for Bins {
    type Error = HistogramError;

    fn try_from(bins: UncheckedBins) -> Result<Self, Self::Error> {
        Self::new(bins.count, bins.min, bins.max)
    }
}

impl Bins {
    /// The fewest bins a histogram can have.
    pub const MIN_COUNT: usize = limits::MIN_COUNT;
    /// The most bins a histogram can have.
    pub const MAX_COUNT: usize = limits::MAX_COUNT;

    /// The narrowest and the widest bin whose reciprocal is still an ordinary `f32`.
    const WIDTHS: std::ops::RangeInclusive<f64> = 1e-30..=1e30;

    /// `count` bins over the range `[min, max]`.
    ///
    /// # Errors
    ///
    /// - [`HistogramError::BinCount`] unless
    ///   [`MIN_COUNT`](Self::MIN_COUNT)` ≤ count ≤ `[`MAX_COUNT`](Self::MAX_COUNT);
    /// - [`HistogramError::RangeNotFinite`] if a border is infinite or not a number;
    /// - [`HistogramError::RangeEmpty`] unless `min < max`;
    /// - [`HistogramError::BinWidth`] if the bins are so narrow, absolutely (below `1e-30`) or
    ///   beside the borders (below `2⁻⁴⁰` of them), or so wide (above `1e30`) that
    ///   floating-point numbers cannot tell positions inside them apart.
    pub fn new(count: usize, min: f64, max: f64) -> Result<Self, HistogramError> {
        if !(Self::MIN_COUNT..=Self::MAX_COUNT).contains(&count) {
            return Err(HistogramError::BinCount { count });
        }
        if !(min.is_finite() && max.is_finite()) {
            return Err(HistogramError::RangeNotFinite { min, max });
        }
        if min >= max {
            return Err(HistogramError::RangeEmpty { min, max });
        }
        let bins = Self { count, min, max };
        let width = bins.width();
        let resolution = min.abs().max(max.abs()) * (-40f64).exp2();
        if !Self::WIDTHS.contains(&width) || width < resolution {
            return Err(HistogramError::BinWidth { width, min, max });
        }
        Ok(bins)
    }

    /// The number of bins, `K`.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The lower border of the range, `a`.
    pub fn min(&self) -> f64 {
        self.min
    }

    /// The upper border of the range, `b`.
    pub fn max(&self) -> f64 {
        self.max
    }

    /// The width of one bin, `L = (b − a)/K`.
    pub fn width(&self) -> f64 {
        (self.max - self.min) / self.count as f64
    }

    /// The centre of bin `k`, `μ_k = a + (k + ½)·L`.
    ///
    /// For `k` of [`count`](Self::count) and beyond it is the centre of the bin that would lie
    /// there if the bins went on beyond `b`.
    pub fn centre(&self, k: usize) -> f64 {
        self.unfolded_centre(k as f64)
    }

    /// The centres of all bins, in ascending order.
    pub fn centres(&self) -> Vec<f64> {
        (0..self.count).map(|k| self.centre(k)).collect()
    }

    /// The centre of bin `j` of the bin axis that goes on beyond both borders.
    pub(crate) fn unfolded_centre(&self, j: f64) -> f64 {
        self.min + (j + 0.5) * self.width()
    }
}

impl fmt::Display for Bins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bins over [{}, {}]", self.count, self.min, self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn bins_tile_the_range() {
        let bins = Bins::new(5, -2.0, 3.0).unwrap();
        assert_eq!(bins.width(), 1.0);
        assert_eq!(bins.centres(), [-1.5, -0.5, 0.5, 1.5, 2.5]);
    }

    #[rstest]
    #[case::none(0, 0.0, 1.0, "choose between 2 and 65536")]
    #[case::one(1, 0.0, 1.0, "choose between 2 and 65536")]
    #[case::far_too_many(1 << 20, 0.0, 1.0, "1048576 bins")]
    #[case::nan(4, f64::NAN, 1.0, "finite")]
    #[case::infinite(4, 0.0, f64::INFINITY, "finite")]
    #[case::empty(4, 1.0, 1.0, "[1, 1]")]
    #[case::reversed(4, 1.0, -1.0, "less than the second")]
    #[case::too_wide(2, -f64::MAX, f64::MAX, "rescale")]
    #[case::too_narrow(4, 1e9, 1e9 + 1e-4, "rescale")]
    fn bad_bins_are_refused(
        #[case] count: usize,
        #[case] min: f64,
        #[case] max: f64,
        #[case] message: &str,
    ) {
        let error = Bins::new(count, min, max).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}
