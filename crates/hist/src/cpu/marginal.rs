//! The histogram of one image, and its gradient.

use super::axis::Axis;
use super::band::Band;
use super::simd::{Loop, vectorised};
use super::{Real, chunk_length, gradients, histograms, row, sum_over_chunks, with_band_width};
use crate::Binning;

/// `x: [rows, N]` to `[rows, K]`.
pub(crate) fn marginal<T: Real>(x: &[T], rows: usize, binning: &Binning) -> Vec<T> {
    with_band_width!(T, binning, M => forward::<T, M>(x, rows, binning))
}

/// `x: [rows, N]`, `grad: [rows, K]` to `[rows, N]`.
pub(crate) fn marginal_backward<T: Real>(
    x: &[T],
    grad: &[T],
    rows: usize,
    binning: &Binning,
) -> Vec<T> {
    with_band_width!(T, binning, M => backward::<T, M>(x, grad, rows, binning))
}

fn forward<T: Real, const M: usize>(x: &[T], rows: usize, binning: &Binning) -> Vec<T> {
    let (pixels, count) = (x.len() / rows.max(1), binning.bins.count());
    let band = Band::<T, M>::new(binning);
    histograms(rows, pixels, count, |index| {
        let x = row(x, pixels, index);
        let axis = Axis::spanning(&band, binning, x);
        if axis.undefined() {
            return None;
        }
        let table = sum_over_chunks(0..pixels, chunk_length(pixels), &|chunk| {
            let mut table = vec![0.0; axis.slots()];
            vectorised(Count {
                band: &band,
                axis: &axis,
                x: &x[chunk],
                table: &mut table,
            });
            table
        });
        let mut sums = vec![0.0; count];
        for (slot, bin) in axis.folded(binning) {
            sums[bin] += table[slot];
        }
        Some(sums)
    })
}

fn backward<T: Real, const M: usize>(
    x: &[T],
    grad: &[T],
    rows: usize,
    binning: &Binning,
) -> Vec<T> {
    let (pixels, count) = (x.len() / rows.max(1), binning.bins.count());
    let band = Band::<T, M>::new(binning);
    let prepare = |index| {
        let (x, grad) = (row(x, pixels, index), row(grad, count, index));
        let axis = Axis::spanning(&band, binning, x);
        let mut padded = vec![0.0; axis.slots()];
        for (slot, bin) in axis.folded(binning) {
            padded[slot] = grad[bin].wide() / pixels as f64;
        }
        (x, axis, steps::<T>(&padded))
    };
    gradients(
        rows,
        pixels,
        prepare,
        |(x, axis, table), range, gradient| {
            vectorised(Gather {
                band: &band,
                axis,
                x: &x[range],
                table,
                gradient,
            });
        },
    )
}

/// Adds every pixel's windows to the table.
struct Count<'a, T, const M: usize> {
    band: &'a Band<T, M>,
    axis: &'a Axis,
    x: &'a [T],
    table: &'a mut [f64],
}

impl<T: Real, const M: usize> Loop for Count<'_, T, M> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for &x in self.x {
            let (slot, growth) = self.axis.place(self.band, x);
            let windows = self.band.windows(growth);
            for (sum, window) in self.table[slot..slot + M].iter_mut().zip(windows) {
                *sum += window.wide();
            }
        }
    }
}

/// The step of a padded gradient at the lower edge of every slot, `g_j − g_{j−1}`.
fn steps<T: Real>(padded: &[f64]) -> Vec<T> {
    let before = std::iter::once(&0.0).chain(padded);
    padded
        .iter()
        .zip(before)
        .map(|(here, before)| T::of(here - before))
        .collect()
}

/// Contracts the steps of the upstream gradient with every pixel's slopes.
struct Gather<'a, T, const M: usize> {
    band: &'a Band<T, M>,
    axis: &'a Axis,
    x: &'a [T],
    table: &'a [T],
    gradient: &'a mut [T],
}

impl<T: Real, const M: usize> Loop for Gather<'_, T, M> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (&x, gradient) in self.x.iter().zip(self.gradient) {
            let (slot, growth) = self.axis.place(self.band, x);
            let mut slopes = self.band.step_slopes(growth);
            for (slope, &step) in slopes.iter_mut().zip(&self.table[slot..slot + M]) {
                *slope = *slope * step;
            }
            *gradient = super::band::sum(slopes);
        }
    }
}
