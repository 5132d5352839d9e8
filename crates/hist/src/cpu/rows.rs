//! What the passes over rows of pixels share: how rows are cut into chunks, and how the chunks' results are put together.

use std::ops::Range;

use rayon::prelude::*;

use super::simd::Real;
use super::spare::Borrowed;

/// Runs `$body` with the constant `$lines` set to the band width that the kernel needs.
macro_rules! with_band_width {
    ($real:ty, $binning:expr, $lines:ident => $body:expr) => {
        match $crate::cpu::window::width::<$real>($binning.kernel) {
            1 => {
                const $lines: usize = 1;
                $body
            }
            2 => {
                const $lines: usize = 2;
                $body
            }
            5 => {
                const $lines: usize = 5;
                $body
            }
            _ => {
                const $lines: usize = 20;
                $body
            }
        }
    };
}
pub(super) use with_band_width;

/// The pixels of one of the rows of equal length.
pub(super) fn row<T>(x: &[T], pixels: usize, row: usize) -> &[T] {
    &x[row * pixels..][..pixels]
}

/// The histograms of all rows, of `entries` entries each: the sums that `sums_of` finds for a row,
/// divided by the number of its pixels, or nothing but NaN if it finds none.
pub(super) fn histograms<T: Real>(
    rows: usize,
    pixels: usize,
    entries: usize,
    sums_of: impl Fn(usize) -> Option<Vec<f64>> + Sync,
) -> Vec<T> {
    let mut p = vec![T::zero(); rows * entries];
    p.par_chunks_mut(entries)
        .enumerate()
        .for_each(|(row, p)| match sums_of(row) {
            Some(sums) => {
                for (p, sum) in p.iter_mut().zip(sums) {
                    *p = T::of(sum / pixels as f64);
                }
            }
            None => p.fill(T::nan()),
        });
    p
}

/// The gradient of every pixel of all rows: `gather` fills those of a range of a row's pixels, with
/// the help of what `prepare` made for that row.
pub(super) fn gradients<T: Real, Row: Sync>(
    rows: usize,
    pixels: usize,
    chunk: usize,
    prepare: impl Fn(usize) -> Row + Sync,
    gather: impl Fn(&Row, Range<usize>, &mut [T]) + Sync,
) -> Vec<T> {
    let mut gradients = vec![T::zero(); rows * pixels];
    gradients
        .par_chunks_mut(pixels.max(1))
        .enumerate()
        .for_each(|(row, gradients)| {
            let prepared = prepare(row);
            gradients
                .par_chunks_mut(chunk)
                .enumerate()
                .for_each(|(index, gradients)| {
                    let start = index * chunk;
                    gather(&prepared, start..start + gradients.len(), gradients);
                });
        });
    gradients
}

/// The sum of the tables of all chunks of `pixels`.
pub(super) fn sum_over_chunks(
    pixels: Range<usize>,
    chunk: usize,
    table_of: &(impl Fn(Range<usize>) -> Borrowed<Vec<f64>> + Sync),
) -> Borrowed<Vec<f64>> {
    let chunks = pixels.len().div_ceil(chunk);
    if chunks <= 1 {
        return table_of(pixels);
    }
    let middle = pixels.start + chunks / 2 * chunk;
    let (mut sum, rest) = rayon::join(
        || sum_over_chunks(pixels.start..middle, chunk, table_of),
        || sum_over_chunks(middle..pixels.end, chunk, table_of),
    );
    for (sum, rest) in sum.iter_mut().zip(rest.iter()) {
        *sum += rest;
    }
    sum
}

/// The length of a forward chunk of a row: long enough to be worth a table of its own, and few
/// enough of them for large images that the tree of their sums stays shallow.
pub(super) fn chunk_length(pixels: usize, shortest: usize) -> usize {
    const MOST: usize = 64;
    pixels.div_ceil(MOST).max(shortest)
}
