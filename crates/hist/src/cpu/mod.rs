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
//! sign. So no more than [`Real::SUMMANDS`](simd::Real::SUMMANDS) pixels of one bin are added up, and no more of
//! all bins than about twice as many that touch an entry, before the sum goes on in double precision, as do all
//! sums over blocks and all that is computed from histograms: distances,
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
mod rows;
mod simd;
mod spare;
mod structure;
mod window;

#[cfg(test)]
mod tests;

pub(crate) use fearless_simd::Level;

pub(crate) use directional::{directional, directional_backward};
pub(crate) use joint::{joint, joint_backward};
pub(crate) use losses::{losses, losses_backward, take_back};
pub(crate) use marginal::{marginal, marginal_backward};
pub(crate) use pools::release;
