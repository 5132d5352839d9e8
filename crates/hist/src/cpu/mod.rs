//! The histograms on a CPU, in one pass over the pixels.
//!
//! The dense formulas store `K` numbers a pixel and multiply the maps. But a window falls as
//! `e^(−ρ·distance in bins)`, so a pixel touches only a short [band](window) of bins in any way
//! that arithmetic can see. Per pixel, the forward pass adds that band to a vector, or the
//! outer product of two bands to a table; the backward pass contracts the same stretch of the
//! upstream gradient with the windows and their slopes, which it computes again. Nothing of the
//! size of the image times the bins is stored.
//!
//! The table has the *unfolded* bins of [`Axis`](axis::Axis), which go on beyond the borders as
//! far as the pixels of the row reach. What the borders do with them is settled once for the
//! table, not for every pixel: after the forward pass by folding, before the backward pass by
//! padding.
//!
//! # How the joint table is worked through
//!
//! A band of sixteen bins in single precision is one cache line, and so is one vector of the widest
//! instructions. Added to a row of a table where the pixel happens to lie it would touch two lines, in sixteen
//! rows that are in no cache near enough. So the pixels of a block are first [sorted](order) by
//! their bin in one of the images. Pixels of the same bin touch the same sixteen rows, which lie in
//! a [ring] that is stored by columns: a pixel adds sixteen whole, aligned lines, and the ring
//! stays in the first cache. When the last pixel of a bin is done, one row is complete and leaves.
//!
//! # Rounding
//!
//! The rounding errors of adding the same window many times, as constant areas do, all have the same
//! sign. So no more than [`Real::SUMMANDS`] pixels of one bin are added up, and no more of all bins than
//! about twice as many that touch an entry, before the sum goes on in double precision, as do all sums over blocks and all that is computed from histograms: distances,
//! entropies, and what gradients are made of.
//!
//! # Order
//!
//! The pixels of a row are cut into chunks at places that depend on their number and that of the bins
//! alone, and the chunks' tables are added along a fixed binary tree: any number of threads gives the
//! same bits. No more than a few tables a thread exist at a time.

mod axis;
mod directional;
mod distance;
mod joint;
mod logarithm;
mod losses;
mod marginal;
mod order;
mod place;
mod pools;
mod ring;
mod simd;
mod spare;
mod structure;
mod window;

#[cfg(test)]
mod tests;

use std::ops::Range;

pub(crate) use fearless_simd::Level;
use rayon::prelude::*;

pub(crate) use directional::{directional, directional_backward};
pub(crate) use joint::{joint, joint_backward};
pub(crate) use losses::{losses, losses_backward, take_back};
pub(crate) use marginal::{marginal, marginal_backward};
pub(crate) use pools::{Pooled, release};
pub(crate) use simd::Real;
use spare::Borrowed;

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
fn sum_over_chunks(
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
fn chunk_length(pixels: usize, shortest: usize) -> usize {
    const MOST: usize = 64;
    pixels.div_ceil(MOST).max(shortest)
}
