//! The histograms on a CPU, in one pass over the pixels.
//!
//! The dense formulas store `K` numbers a pixel and multiply the maps. But a window falls as
//! `e^(−ρ·distance in bins)`, so a pixel touches only a short [`Band`](band::Band) of bins in any
//! way that arithmetic can see. Per pixel, the forward pass adds that band to a vector, or the
//! outer product of two bands to a table; the backward pass contracts the same stretch of the
//! upstream gradient with the windows and their slopes, which it computes again. Nothing of the
//! size of the image times the bins is stored.
//!
//! The table has the *unfolded* bins of [`Axis`](axis::Axis), which go on beyond the borders as
//! far as the pixels of the row reach. What the borders do with them is settled once for the
//! table, not for every pixel: after the forward pass by folding, before the backward pass by
//! padding.
//!
//! Sums are kept in double precision whatever the pixels' type: the rounding errors of adding the
//! same window many times, as constant areas do, all have the same sign, and after 2¹⁶ pixels
//! would have cost single precision three digits.
//!
//! The pixels of a row are cut into chunks at places that depend on their number alone, and the
//! chunks' tables are added along a fixed binary tree: any number of threads gives the same bits.
//! No more than a few tables a thread exist at a time.

mod axis;
mod band;
mod joint;
mod marginal;
mod simd;

#[cfg(test)]
mod tests;

use std::ops::Range;

use num_traits::Float;
use rayon::prelude::*;

pub(crate) use joint::{joint, joint_backward};
pub(crate) use marginal::{marginal, marginal_backward};

/// The type of a pixel.
pub(crate) trait Real: Float + Send + Sync + std::fmt::Debug + 'static {
    /// `−ln` of the unit round-off: windows below it do not show beside 1.
    const DIGITS: f64;
    /// A number beyond whose reciprocal windows are as good as 0, and whose square is finite.
    const CEILING: Self;

    /// The nearest number of this type.
    fn of(value: f64) -> Self;
    /// The same number in double precision.
    fn wide(self) -> f64;
}

impl Real for f32 {
    const DIGITS: f64 = 24.0 * std::f64::consts::LN_2;
    const CEILING: Self = 1e18;

    #[inline(always)]
    fn of(value: f64) -> Self {
        value as Self
    }

    #[inline(always)]
    fn wide(self) -> f64 {
        f64::from(self)
    }
}

impl Real for f64 {
    const DIGITS: f64 = 53.0 * std::f64::consts::LN_2;
    const CEILING: Self = 1e150;

    #[inline(always)]
    fn of(value: f64) -> Self {
        value
    }

    #[inline(always)]
    fn wide(self) -> f64 {
        self
    }
}

/// Runs `$body` with the constant `$width` set to the band width that the kernel needs.
macro_rules! with_band_width {
    ($real:ty, $binning:expr, $width:ident => $body:expr) => {
        match $crate::cpu::band::width::<$real>($binning.kernel.ratio()) {
            16 => {
                const $width: usize = 16;
                $body
            }
            32 => {
                const $width: usize = 32;
                $body
            }
            80 => {
                const $width: usize = 80;
                $body
            }
            _ => {
                const $width: usize = 320;
                $body
            }
        }
    };
}
use with_band_width;

/// The pixels of one of the rows of equal length.
fn row<T>(x: &[T], pixels: usize, row: usize) -> &[T] {
    &x[row * pixels..][..pixels]
}

/// The histograms of all rows, of `entries` entries each: the sums that `sums_of` finds for a row,
/// divided by the number of its pixels, or nothing but NaN if it finds none.
fn histograms<T: Real>(
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
fn gradients<T: Real, Row: Sync>(
    rows: usize,
    pixels: usize,
    prepare: impl Fn(usize) -> Row + Sync,
    gather: impl Fn(&Row, Range<usize>, &mut [T]) + Sync,
) -> Vec<T> {
    /// Long enough to be worth a task; the results are independent of one another.
    const CHUNK: usize = 1 << 12;
    let mut gradients = vec![T::zero(); rows * pixels];
    gradients
        .par_chunks_mut(pixels.max(1))
        .enumerate()
        .for_each(|(row, gradients)| {
            let prepared = prepare(row);
            gradients
                .par_chunks_mut(CHUNK)
                .enumerate()
                .for_each(|(chunk, gradients)| {
                    let start = chunk * CHUNK;
                    gather(&prepared, start..start + gradients.len(), gradients);
                });
        });
    gradients
}

/// The sum of the tables of all chunks of `pixels`.
fn sum_over_chunks(
    pixels: Range<usize>,
    chunk: usize,
    table_of: &(impl Fn(Range<usize>) -> Vec<f64> + Sync),
) -> Vec<f64> {
    let chunks = pixels.len().div_ceil(chunk);
    if chunks <= 1 {
        return table_of(pixels);
    }
    let middle = pixels.start + chunks / 2 * chunk;
    let (mut sum, rest) = rayon::join(
        || sum_over_chunks(pixels.start..middle, chunk, table_of),
        || sum_over_chunks(middle..pixels.end, chunk, table_of),
    );
    for (sum, rest) in sum.iter_mut().zip(rest) {
        *sum += rest;
    }
    sum
}

/// The length of a forward chunk of a row: long enough to be worth a table of its own, and few
/// enough of them for large images that the tree of their sums stays shallow.
fn chunk_length(pixels: usize) -> usize {
    const SHORTEST: usize = 1 << 14;
    const MOST: usize = 64;
    pixels.div_ceil(MOST).max(SHORTEST)
}
