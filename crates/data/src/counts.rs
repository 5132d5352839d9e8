use serde::{Deserialize, Serialize};

use crate::ParameterError;

/// Bins of the hard histogram: K equal bins over [min, max].
///
/// The generator learns the reference's colours from these counts. The semantics are those of
/// TensorFlow's `histogram_fixed_width`, which the official code's loader calls: a value x is
/// counted in bin ⌊(max(x, min) − min) / step⌋, at most K − 1, with step = (max − min) / K, all
/// computed in `f64` from the `f32` value. Values outside the range are counted in the first or
/// the last bin, so the counts of an image sum to its number of pixels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct CountBins {
    bins: usize,
    min: f64,
    max: f64,
}

impl CountBins {
    /// The most bins.
    pub const MAX_BINS: usize = 1 << 16;

    /// `bins` equal bins from `min` to `max`.
    ///
    /// # Errors
    ///
    /// [`ParameterError::Bins`] if `bins` is 0 or above [`Self::MAX_BINS`];
    /// [`ParameterError::Range`] unless `min` < `max` and their distance is finite.
    pub fn new(bins: usize, min: f64, max: f64) -> Result<Self, ParameterError> {
        if !(1..=Self::MAX_BINS).contains(&bins) {
            return Err(ParameterError::Bins {
                bins,
                max: Self::MAX_BINS,
            });
        }
        let step = (max - min) / bins as f64;
        if !(step.is_finite() && step > 0.0) {
            return Err(ParameterError::Range { min, max });
        }
        Ok(Self { bins, min, max })
    }

    /// The number of bins K, 1 to [`Self::MAX_BINS`].
    pub fn bins(self) -> usize {
        self.bins
    }

    /// The lower end of the first bin.
    pub fn min(self) -> f64 {
        self.min
    }

    /// The upper end of the last bin.
    pub fn max(self) -> f64 {
        self.max
    }

    /// The bin in which a value is counted, 0 to K − 1. NaN is counted in bin 0.
    pub fn index(self, value: f32) -> usize {
        let step = (self.max - self.min) / self.bins as f64;
        self.index_with(step, value)
    }

    /// Counts the values of one channel.
    ///
    /// # Shapes
    ///
    /// - `values`: any number N of values
    /// - output: `[K]`, summing to N
    pub fn count(self, values: &[f32]) -> Vec<u32> {
        let step = (self.max - self.min) / self.bins as f64;
        let mut counts = vec![0; self.bins];
        for &value in values {
            counts[self.index_with(step, value)] += 1;
        }
        counts
    }

    fn index_with(self, step: f64, value: f32) -> usize {
        let offset = f64::from(value).max(self.min) - self.min;
        // The cast truncates, and saturates at the end of the range.
        ((offset / step) as usize).min(self.bins - 1)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    bins: usize,
    min: f64,
    max: f64,
}

impl TryFrom<Unchecked> for CountBins {
    type Error = ParameterError;

    fn try_from(bins: Unchecked) -> Result<Self, ParameterError> {
        Self::new(bins.bins, bins.min, bins.max)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_outside_the_range_are_counted_in_the_end_bins() {
        let bins = CountBins::new(4, -1.0, 1.0).expect("valid");
        let values = [
            f32::NEG_INFINITY,
            -1.2,
            -1.0,
            -0.5,
            0.0,
            0.999,
            1.0,
            1.2,
            f32::INFINITY,
        ];
        assert_eq!(bins.count(&values), [3, 1, 1, 4]);
    }

    #[test]
    fn the_value_just_below_an_edge_stays_below_it() {
        let bins = CountBins::new(256, -1.0, 1.0).expect("valid");
        for k in 1..256_usize {
            let edge = (k as f32).mul_add(2.0 / 256.0, -1.0);
            // The number just below 0 is closer to it than the f64 sum with 1 can tell.
            let below = if edge == 0.0 { -1e-9 } else { edge.next_down() };
            assert_eq!(bins.index(edge), k);
            assert_eq!(bins.index(below), k - 1);
        }
    }

    #[test]
    fn invalid_bins_are_refused() {
        assert_eq!(
            CountBins::new(0, 0.0, 1.0),
            Err(ParameterError::Bins {
                bins: 0,
                max: CountBins::MAX_BINS
            })
        );
        for (min, max) in [
            (1.0, 1.0),
            (1.0, 0.0),
            (f64::NAN, 1.0),
            (0.0, f64::INFINITY),
        ] {
            assert!(matches!(
                CountBins::new(8, min, max),
                Err(ParameterError::Range { .. })
            ));
        }
    }

    #[test]
    fn what_is_read_from_a_file_is_checked_too() {
        let read = serde_json::from_str::<CountBins>;
        let bins = CountBins::new(256, -1.0, 1.0).expect("valid");
        let text = serde_json::to_string(&bins).expect("serialises");
        assert_eq!(read(&text).expect("valid"), bins);
        assert!(read(r#"{"bins": 0, "min": 0, "max": 1}"#).is_err());
        assert!(read(r#"{"bins": 8, "min": 1, "max": 1}"#).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn counts_sum_to_the_number_of_values(
            bins in 1_usize..300,
            min in -3.0_f64..0.9,
            width in 0.1_f64..4.0,
            values in proptest::collection::vec(any::<f32>(), 0..200),
        ) {
            let bins = CountBins::new(bins, min, min + width).expect("valid");
            let total: u32 = bins.count(&values).iter().sum();
            prop_assert_eq!(total as usize, values.len());
        }
    }
}
