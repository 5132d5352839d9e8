//! The earth mover's distance of two histograms, and its gradient.

use super::simd::Real;
use crate::terms::EQUAL;
use crate::{Boundary, EmdKind, LossTerms};

/// The distance of the loss between the histograms `p` and `q`, and its gradient with respect to `p`.
///
/// Cumulative sums closer than a few roundings of the pixels' type count as equal: the root mean
/// square has a kink there, where rounding would otherwise choose a direction.
pub(super) fn distance<T: Real>(loss: &LossTerms, p: &[f64], q: &[T]) -> (f64, Vec<f64>) {
    let equal = EQUAL * T::epsilon().wide();
    let mut sum = 0.0;
    let mut difference: Vec<f64> = p
        .iter()
        .zip(q)
        .map(|(p, q)| {
            sum += p - q.wide();
            sum
        })
        .collect();
    if loss.binning.kernel.boundary() == Boundary::Wrap {
        let cut = best_cut(loss.distance, &difference);
        difference.iter_mut().for_each(|value| *value -= cut);
    }
    for value in &mut difference {
        if value.abs() <= equal {
            *value = 0.0;
        }
    }

    let count = p.len() as f64;
    let square = difference.iter().map(|value| value * value).sum::<f64>();
    let root = (square / count).sqrt();
    let (distance, slope): (f64, &dyn Fn(f64) -> f64) = match loss.distance {
        EmdKind::Rms if root == 0.0 => (0.0, &|_| 0.0),
        EmdKind::Rms => (root, &|value| value / (count * root)),
        EmdKind::Squared => (square, &|value| 2.0 * value),
        EmdKind::L1 => {
            let width = loss.binning.bins.width();
            let distance = width * difference.iter().map(|value| value.abs()).sum::<f64>();
            (distance, &move |value| {
                if value == 0.0 {
                    0.0
                } else {
                    width * value.signum()
                }
            })
        }
    };
    // A bin is in all cumulative sums from its own on.
    let mut gradient = difference;
    let mut beyond = 0.0;
    for value in gradient.iter_mut().rev() {
        beyond += slope(*value);
        *value = beyond;
    }
    (distance, gradient)
}

/// The constant to subtract that makes the distance on a circle least; a minimiser, so the gradient
/// does not see it.
fn best_cut(kind: EmdKind, difference: &[f64]) -> f64 {
    let count = difference.len();
    match kind {
        EmdKind::Rms | EmdKind::Squared => difference.iter().sum::<f64>() / count as f64,
        // For an even count the middle between the two medians, where both have a derivative.
        EmdKind::L1 => {
            let mut sorted = difference.to_vec();
            sorted.sort_by(f64::total_cmp);
            0.5 * (sorted[(count - 1) / 2] + sorted[count / 2])
        }
    }
}
