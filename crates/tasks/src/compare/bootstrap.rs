//! How far a mean would move if other images had been drawn.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// How many times the images are drawn anew.
const RESAMPLES: usize = 2000;

/// The probability that an interval is to hold.
pub const CONFIDENCE: f64 = 0.95;

/// The bootstrap interval of the mean of `values`: the middle 95 % of the means of as many values,
/// drawn from them with replacement. The draws are the same each time. `None` of fewer than two
/// values, or if one is no finite number.
///
/// Of the differences of two models' figures, pair by pair, it is the paired bootstrap interval of the mean difference.
///
/// Source: Efron, "Bootstrap methods: another look at the jackknife", 1979 (the percentile
/// interval).
pub fn interval(values: &[f64]) -> Option<[f64; 2]> {
    if values.len() < 2 || values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let count = values.len();
    let mut mean = || {
        let drawn = (0..count).map(|_| values[random.random_range(0..count as u64) as usize]);
        drawn.sum::<f64>() / count as f64
    };
    let mut means: Vec<f64> = (0..RESAMPLES).map(|_| mean()).collect();
    means.sort_by(f64::total_cmp);
    let outside = (1.0 - CONFIDENCE) / 2.0;
    let at = |share: f64| means[(share * (RESAMPLES - 1) as f64).round() as usize];
    Some([at(outside), at(1.0 - outside)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_that_of_the_central_limit() {
        // Uniform over [0, 1]: the mean of 400 has a standard deviation of 1/√(12·400).
        let values: Vec<f64> = (0..400).map(|i| (f64::from(i) + 0.5) / 400.0).collect();
        let [low, high] = interval(&values).unwrap();
        let reach = 1.96 / (12.0_f64 * 400.0).sqrt();
        assert!((low - (0.5 - reach)).abs() < 0.1 * reach, "{low}");
        assert!((high - (0.5 + reach)).abs() < 0.1 * reach, "{high}");
        assert_eq!(interval(&values), interval(&values));
    }

    #[test]
    fn equal_values_have_no_width_and_single_or_missing_ones_no_interval() {
        assert_eq!(interval(&[2.0; 9]), Some([2.0, 2.0]));
        assert_eq!(interval(&[2.0]), None);
        assert_eq!(interval(&[2.0, f64::INFINITY]), None);
    }
}
