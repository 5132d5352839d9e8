//! How far numbers are from the official ones: relative differences in the l2 norm.

use serde_json::Value;

use crate::golden::Golden;

/// The l2 norm of `values`.
pub fn l2(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum::<f64>().sqrt()
}

/// Asserts that the relative difference, the l2 norm of the difference over that of `truth`, is
/// at most `allowed`. No difference is close even to a `truth` of zeros, any other is not.
///
/// # Panics
///
/// If it is more or not a number, or the two are not of the same length.
pub fn assert_close(what: &str, found: &[f64], truth: &[f64], allowed: f64) {
    assert_eq!(
        found.len(),
        truth.len(),
        "{what}: as many numbers as expected"
    );
    let error = relative_l2(found, truth);
    assert!(
        error <= allowed,
        "{what}: relative l2 error {error:.2e}, allowed {allowed:.2e}"
    );
}

/// As [`assert_close`], for single numbers.
///
/// # Panics
///
/// If the relative difference is more than `allowed`, or not a number.
pub fn assert_close_scalar(what: &str, found: f64, truth: f64, allowed: f64) {
    let error = relative_l2(&[found], &[truth]);
    assert!(
        error <= allowed,
        "{what}: {found} instead of {truth}, relative error {error:.2e}, allowed {allowed:.2e}"
    );
}

/// Those of a tensor's values (row-major) that an entry of the JSON files keeps: at its `index`,
/// all of them if it has none.
///
/// # Panics
///
/// If an index is out of range, or the tensor file lacks the one that the entry names.
pub fn sampled(golden: &Golden, entry: &Value, values: &[f64]) -> Vec<f64> {
    match golden.named(entry, "index") {
        Some(index) => index.iter().map(|&i| values[i as usize]).collect(),
        None => values.to_vec(),
    }
}

fn relative_l2(found: &[f64], truth: &[f64]) -> f64 {
    let difference: Vec<f64> = found.iter().zip(truth).map(|(f, t)| f - t).collect();
    match l2(&difference) {
        0.0 => 0.0,
        difference => difference / l2(truth),
    }
}
