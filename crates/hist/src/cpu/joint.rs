//! The joint histogram of two images, and its gradients.

use super::axis::Axis;
use super::band::{self, Band};
use super::simd::{Loop, vectorised};
use super::{Real, chunk_length, gradients, histograms, row, sum_over_chunks, with_band_width};
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
        // With respect to y it is the same sum over the transposed table.
        [
            needed[0].then(|| job.of_first(x, y, Layout::AsGiven)),
            needed[1].then(|| job.of_first(y, x, Layout::Transposed)),
        ]
    })
}

fn forward<T: Real, const M: usize>(x: &[T], y: &[T], rows: usize, binning: &Binning) -> Vec<T> {
    let (pixels, count) = (x.len() / rows.max(1), binning.bins.count());
    let band = Band::<T, M>::new(binning);
    histograms(rows, pixels, count * count, |index| {
        let [x, y] = [x, y].map(|image| row(image, pixels, index));
        let axes = [x, y].map(|pixels| Axis::spanning(&band, binning, pixels));
        if axes.iter().any(Axis::undefined) {
            return None;
        }
        let [rows, columns] = axes.each_ref().map(Axis::slots);
        let table = sum_over_chunks(0..pixels, chunk_length(pixels), &|chunk| {
            let mut table = vec![0.0; rows * columns];
            let (x, y) = (&x[chunk.clone()], &y[chunk]);
            vectorised(Count {
                band: &band,
                axes: &axes,
                x,
                y,
                table: &mut table,
            });
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
        Some(sums)
    })
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
        let pixels = x.len() / self.rows.max(1);
        let entries = self.binning.bins.count().pow(2);
        let prepare = |index| {
            let images = [x, y].map(|image| row(image, pixels, index));
            let axes = images.map(|image| Axis::spanning(&self.band, self.binning, image));
            let table = self.steps(row(self.grad, entries, index), &axes, pixels, layout);
            (images, axes, table)
        };
        gradients(
            self.rows,
            pixels,
            prepare,
            |([x, y], axes, table), range, gradient| {
                vectorised(Gather {
                    band: &self.band,
                    axes,
                    x: &x[range.clone()],
                    y: &y[range],
                    table,
                    gradient,
                });
            },
        )
    }

    /// The upstream gradient `G` of one row on the unfolded axes, divided by the number of pixels,
    /// as its steps from row to row, `G(k, l) − G(k − 1, l)`.
    fn steps(&self, grad: &[T], axes: &[Axis; 2], pixels: usize, layout: Layout) -> Vec<T> {
        let count = self.binning.bins.count();
        let columns = axes[1].slots();
        let [rows_kept, columns_kept] = axes.each_ref().map(|axis| axis.folded(self.binning));
        let mut rows_kept = rows_kept.into_iter().peekable();
        let mut steps = vec![T::zero(); axes[0].slots() * columns];
        let (mut here, mut before) = (vec![0.0; columns], vec![0.0; columns]);
        for (slot, steps) in steps.chunks_exact_mut(columns).enumerate() {
            here.fill(0.0);
            if let Some((_, row)) = rows_kept.next_if(|&(kept, _)| kept == slot) {
                for &(slot, column) in &columns_kept {
                    let entry = match layout {
                        Layout::AsGiven => grad[row * count + column],
                        Layout::Transposed => grad[column * count + row],
                    };
                    here[slot] = entry.wide() / pixels as f64;
                }
            }
            for ((step, here), before) in steps.iter_mut().zip(&here).zip(&before) {
                *step = T::of(here - before);
            }
            std::mem::swap(&mut here, &mut before);
        }
        steps
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
            for (i, window) in rows.iter().enumerate() {
                let window = window.wide();
                let sums = &mut self.table[(row + i) * columns + column..][..M];
                for (sum, other) in sums.iter_mut().zip(&wide) {
                    *sum += window * other;
                }
            }
        }
    }
}

/// Contracts the steps of the upstream gradient with every pixel's slopes in `x` and windows in
/// `y`.
struct Gather<'a, T, const M: usize> {
    band: &'a Band<T, M>,
    axes: &'a [Axis; 2],
    x: &'a [T],
    y: &'a [T],
    table: &'a [T],
    gradient: &'a mut [T],
}

impl<T: Real, const M: usize> Loop for Gather<'_, T, M> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let [axis_x, axis_y] = self.axes;
        let columns = axis_y.slots();
        for ((&x, &y), gradient) in self.x.iter().zip(self.y).zip(self.gradient) {
            let (row, growth) = axis_x.place(self.band, x);
            let slopes = self.band.step_slopes(growth);
            let (column, growth) = axis_y.place(self.band, y);
            let windows = self.band.windows(growth);
            let mut seen = [T::zero(); M];
            for (i, &slope) in slopes.iter().enumerate() {
                let steps = &self.table[(row + i) * columns + column..][..M];
                for (seen, &step) in seen.iter_mut().zip(steps) {
                    *seen = *seen + slope * step;
                }
            }
            *gradient = product(seen, windows);
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
