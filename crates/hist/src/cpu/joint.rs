//! The joint histogram of two images, and its gradients.

use rayon::prelude::*;

use super::axis::Axis;
use super::band::{self, Band};
use super::simd::{Loop, vectorised};
use super::{BACKWARD_CHUNK, Real, chunk_length, row_length, sum_over_chunks, with_band_width};
use crate::Binning;

/// `x, y: [rows, N]` to `[rows, K, K]`.
pub(crate) fn joint<T: Real>(x: &[T], y: &[T], rows: usize, binning: &Binning) -> Vec<T> {
    with_band_width!(T, binning, M => forward::<T, M>(x, y, rows, binning))
}

/// `x, y: [rows, N]`, `grad: [rows, K, K]` to `[rows, N]` for each image that needs it.
pub(crate) fn joint_backward<T: Real>(
    x: &[T],
    y: &[T],
    grad: &[T],
    rows: usize,
    binning: &Binning,
    needed: [bool; 2],
) -> [Option<Vec<T>>; 2] {
    with_band_width!(T, binning, M => {
        let band = Band::<T, M>::new(binning);
        let job = Backward { band, binning, rows, grad };
        match needed {
            [false, false] => [None, None],
            [true, false] => [Some(job.of_first(x, y, Layout::AsGiven)), None],
            // With respect to y it is the same sum over the transposed table.
            [false, true] => [None, Some(job.of_first(y, x, Layout::Transposed))],
            [true, true] => job.of_both(x, y).map(Some),
        }
    })
}

fn forward<T: Real, const M: usize>(
    x: &[T],
    y: &[T],
    rows: usize,
    binning: &Binning,
) -> Vec<T> {
    let (pixels, count) = (row_length(x, rows), binning.bins.count());
    let band = Band::<T, M>::new(binning);
    let mut p = vec![T::zero(); rows * count * count];
    let images = x.par_chunks(pixels).zip(y.par_chunks(pixels));
    p.par_chunks_mut(count * count).zip(images).for_each(|(p, (x, y))| {
        let axes = [x, y].map(|pixels| Axis::spanning(&band, binning, pixels));
        if axes.iter().any(Axis::undefined) {
            p.fill(T::nan());
            return;
        }
        let [rows, columns] = axes.each_ref().map(Axis::slots);
        let table = sum_over_chunks(0..pixels, chunk_length(pixels), &|chunk| {
            let mut table = vec![0.0; rows * columns];
            let (x, y) = (&x[chunk.clone()], &y[chunk]);
            vectorised(Count { band: &band, axes: &axes, x, y, table: &mut table });
            table
        });
        let [rows_kept, columns_kept] = axes.each_ref().map(|axis| axis.folded(binning));
        let mut sums = vec![0.0; count * count];
        for (slot, bin) in rows_kept {
            let from = &table[slot * columns..][..columns];
            let to = &mut sums[bin * count..][..count];
            for &(slot, bin) in &columns_kept {
                to[bin] += from[slot];
            }
        }
        for (p, sum) in p.iter_mut().zip(sums) {
            *p = T::of(sum / pixels as f64);
        }
    });
    p
}

/// How the table of the upstream gradient is to be read.
#[derive(Clone, Copy)]
enum Layout {
    AsGiven,
    Transposed,
}

/// The backward pass of all rows.
struct Backward<'a, T, const M: usize> {
    band: Band<T, M>,
    binning: &'a Binning,
    rows: usize,
    grad: &'a [T],
}

impl<T: Real, const M: usize> Backward<'_, T, M> {
    fn of_first(&self, x: &[T], y: &[T], layout: Layout) -> Vec<T> {
        let pixels = row_length(x, self.rows);
        let mut gradient = vec![T::zero(); x.len()];
        let images = x.par_chunks(pixels).zip(y.par_chunks(pixels));
        let rows = gradient.par_chunks_mut(pixels).zip(images).zip(self.tables());
        rows.for_each(|((gradient, (x, y)), grad)| {
            let axes = [x, y].map(|pixels| Axis::spanning(&self.band, self.binning, pixels));
            let table = &self.padded(grad, &axes, pixels, layout);
            let images = x.par_chunks(BACKWARD_CHUNK).zip(y.par_chunks(BACKWARD_CHUNK));
            gradient.par_chunks_mut(BACKWARD_CHUNK).zip(images).for_each(|(gradient, (x, y))| {
                vectorised(GatherFirst { band: &self.band, axes: &axes, x, y, table, gradient });
            });
        });
        gradient
    }

    fn of_both(&self, x: &[T], y: &[T]) -> [Vec<T>; 2] {
        let pixels = row_length(x, self.rows);
        let mut of_x = vec![T::zero(); x.len()];
        let mut of_y = vec![T::zero(); y.len()];
        let images = x.par_chunks(pixels).zip(y.par_chunks(pixels));
        let gradients = of_x.par_chunks_mut(pixels).zip(of_y.par_chunks_mut(pixels));
        gradients.zip(images).zip(self.tables()).for_each(|(((of_x, of_y), (x, y)), grad)| {
            let axes = [x, y].map(|pixels| Axis::spanning(&self.band, self.binning, pixels));
            let table = &self.padded(grad, &axes, pixels, Layout::AsGiven);
            let images = x.par_chunks(BACKWARD_CHUNK).zip(y.par_chunks(BACKWARD_CHUNK));
            let gradients =
                of_x.par_chunks_mut(BACKWARD_CHUNK).zip(of_y.par_chunks_mut(BACKWARD_CHUNK));
            gradients.zip(images).for_each(|((of_x, of_y), (x, y))| {
                vectorised(GatherBoth { band: &self.band, axes: &axes, x, y, table, of_x, of_y });
            });
        });
        [of_x, of_y]
    }

    /// The upstream gradient of every row.
    fn tables(&self) -> rayon::slice::Chunks<'_, T> {
        self.grad.par_chunks(self.binning.bins.count().pow(2))
    }

    /// The upstream gradient of one row on the unfolded axes, divided by the number of pixels.
    fn padded(&self, grad: &[T], axes: &[Axis; 2], pixels: usize, layout: Layout) -> Vec<T> {
        let count = self.binning.bins.count();
        let columns = axes[1].slots();
        let [rows_kept, columns_kept] = axes.each_ref().map(|axis| axis.folded(self.binning));
        let per_pixel = 1.0 / pixels as f64;
        let mut table = vec![T::zero(); axes[0].slots() * columns];
        for (slot, row) in rows_kept {
            let to = &mut table[slot * columns..][..columns];
            for &(slot, column) in &columns_kept {
                let entry = match layout {
                    Layout::AsGiven => grad[row * count + column],
                    Layout::Transposed => grad[column * count + row],
                };
                to[slot] = T::of(entry.wide() * per_pixel);
            }
        }
        table
    }
}

/// Adds the outer product of every pixel's two bands to the table.
struct Count<'a, T, const M: usize> {
    band: &'a Band<T, M>,
    axes: &'a [Axis; 2],
    x: &'a [T],
    y: &'a [T],
    table: &'a mut [f64],
}

impl<T: Real, const M: usize> Loop for Count<'_, T, M> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let [axis_x, axis_y] = self.axes;
        let columns = axis_y.slots();
        for (&x, &y) in self.x.iter().zip(self.y) {
            let (row, growth) = axis_x.place(self.band, x);
            let rows = self.band.windows(growth);
            let (column, growth) = axis_y.place(self.band, y);
            let windows = self.band.windows(growth);
            let mut wide = [0.0; M];
            for (wide, window) in wide.iter_mut().zip(windows) {
                *wide = window.wide();
            }
            for (i, window) in rows.into_iter().enumerate() {
                let window = window.wide();
                let sums = &mut self.table[(row + i) * columns + column..][..M];
                for (sum, other) in sums.iter_mut().zip(wide) {
                    *sum += window * other;
                }
            }
        }
    }
}

/// Contracts the upstream gradient with every pixel's slopes in `x` and windows in `y`.
struct GatherFirst<'a, T, const M: usize> {
    band: &'a Band<T, M>,
    axes: &'a [Axis; 2],
    x: &'a [T],
    y: &'a [T],
    table: &'a [T],
    gradient: &'a mut [T],
}

impl<T: Real, const M: usize> Loop for GatherFirst<'_, T, M> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let [axis_x, axis_y] = self.axes;
        let columns = axis_y.slots();
        for ((&x, &y), gradient) in self.x.iter().zip(self.y).zip(self.gradient) {
            let (row, growth) = axis_x.place(self.band, x);
            let (_, slopes) = self.band.windows_and_slopes(growth);
            let (column, growth) = axis_y.place(self.band, y);
            let windows = self.band.windows(growth);
            let mut seen = [T::zero(); M];
            for (i, slope) in slopes.into_iter().enumerate() {
                let grad = &self.table[(row + i) * columns + column..][..M];
                for (seen, &grad) in seen.iter_mut().zip(grad) {
                    *seen = *seen + slope * grad;
                }
            }
            *gradient = product(seen, windows);
        }
    }
}

/// Contracts the upstream gradient with every pixel's slopes in one image and windows in the
/// other, both ways round.
struct GatherBoth<'a, T, const M: usize> {
    band: &'a Band<T, M>,
    axes: &'a [Axis; 2],
    x: &'a [T],
    y: &'a [T],
    table: &'a [T],
    of_x: &'a mut [T],
    of_y: &'a mut [T],
}

impl<T: Real, const M: usize> Loop for GatherBoth<'_, T, M> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let [axis_x, axis_y] = self.axes;
        let columns = axis_y.slots();
        let gradients = self.of_x.iter_mut().zip(self.of_y);
        for ((&x, &y), (of_x, of_y)) in self.x.iter().zip(self.y).zip(gradients) {
            let (row, growth) = axis_x.place(self.band, x);
            let (windows_x, slopes_x) = self.band.windows_and_slopes(growth);
            let (column, growth) = axis_y.place(self.band, y);
            let (windows_y, slopes_y) = self.band.windows_and_slopes(growth);
            let (mut by_slope, mut by_window) = ([T::zero(); M], [T::zero(); M]);
            for i in 0..M {
                let grad = &self.table[(row + i) * columns + column..][..M];
                for j in 0..M {
                    by_slope[j] = by_slope[j] + slopes_x[i] * grad[j];
                    by_window[j] = by_window[j] + windows_x[i] * grad[j];
                }
            }
            *of_x = product(by_slope, windows_y);
            *of_y = product(by_window, slopes_y);
        }
    }
}

/// The scalar product of two bands.
#[inline(always)]
fn product<T: Real, const M: usize>(mut a: [T; M], b: [T; M]) -> T {
    for (a, b) in a.iter_mut().zip(b) {
        *a = *a * b;
    }
    band::sum(a)
}
