//! The histograms of images along directions of colour space, and their gradient.
//!
//! One pass: a block of pixels is projected and counted along one direction after the other while it
//! is in the first cache. The projections of a whole image, as many planes as there are directions,
//! are never stored.

use std::ops::Range;

use fearless_simd::{Level, Simd};
use rayon::prelude::*;

use super::axis::{Axis, Extent};
use super::marginal::{CHUNK, Count, Gather, by_bin, steps};
use super::rows::{chunk_length, histograms, row, sum_over_chunks, with_band_width};
use super::simd::{LANES, Line, Real, Work, vectorised};
use super::spare::zeros;
use super::window::Profile;
use crate::Binning;
use crate::directions::Projection;

/// Pixels that are projected at a time.
const BLOCK: usize = 1 << 10;

/// The planes of an image.
const CHANNELS: usize = 3;

/// `x: [images, 3, N]` to `[images, projections, K]`.
pub(crate) fn directional<T: Real>(
    level: Level,
    x: &[T],
    images: usize,
    projections: &[Projection],
    binning: &Binning,
) -> Vec<T> {
    let (values, count) = (x.len() / images.max(1), binning.bins.count());
    let entries = projections.len() * count;
    histograms(images, values / CHANNELS, entries, |index| {
        sums(level, planes(row(x, values, index)), projections, binning)
    })
}

/// The sums of the windows of an image along each direction, or nothing if a pixel has no place.
fn sums<T: Real>(
    level: Level,
    image: [&[T]; CHANNELS],
    projections: &[Projection],
    binning: &Binning,
) -> Option<Vec<f64>> {
    with_band_width!(T, binning, LINES => {
        let width = LINES * LANES;
        let windows = Profile::<T, LINES>::windows(binning.kernel.ratio());
        let axes = axes(level, image, projections, binning, width);
        if axes.iter().any(Axis::undefined) {
            return None;
        }
        let pixels = image[0].len();
        let by_band = sum_over_chunks(0..pixels, chunk_length(pixels, CHUNK), &|chunk| {
            let no_sums = |axis: &Axis| vec![[Line::splat(0.0); LINES]; axis.last + 1];
            let mut bands: Vec<_> = axes.iter().map(no_sums).collect();
            let mut projected = [T::zero(); BLOCK];
            for start in chunk.clone().step_by(BLOCK) {
                let block = start..chunk.end.min(start + BLOCK);
                let x = &mut projected[..block.len()];
                let block = image.map(|plane| &plane[block.clone()]);
                for ((projection, axis), bands) in projections.iter().zip(&axes).zip(&mut bands) {
                    vectorised(level, Project { image: block, projection, to: x });
                    vectorised(level, Count { windows: &windows, axis, x, bands });
                }
            }
            let mut sums = zeros(0);
            sums.extend(bands.iter().flatten().flatten().flat_map(|line| line.0));
            sums
        });
        let mut sums = Vec::with_capacity(projections.len() * binning.bins.count());
        let mut first = 0;
        for axis in &axes {
            let bands = first..first + (axis.last + 1) * width;
            first = bands.end;
            sums.extend(by_bin(axis, binning, width, &by_band[bands]));
        }
        Some(sums)
    })
}

/// `x: [images, 3, N]`, `grad: [images, projections, K]` to `[images, 3, N]`.
pub(crate) fn directional_backward<T: Real>(
    level: Level,
    x: &[T],
    grad: &[T],
    images: usize,
    projections: &[Projection],
    binning: &Binning,
) -> Vec<T> {
    let (values, count) = (x.len() / images.max(1), binning.bins.count());
    let pixels = values / CHANNELS;
    let mut gradients = vec![T::zero(); x.len()];
    with_band_width!(T, binning, LINES => {
        let slopes = Profile::<T, LINES>::step_slopes(binning.kernel.ratio());
        let of_image = |(index, gradient): (usize, &mut [T])| {
            let image = planes(row(x, values, index));
            let axes = axes(level, image, projections, binning, LINES * LANES);
            let grad = row(grad, projections.len() * count, index).chunks_exact(count);
            let along: Vec<_> = projections
                .iter()
                .zip(&axes)
                .zip(grad)
                .map(|((projection, axis), grad)| {
                    (projection, axis, steps(axis, binning, pixels, grad))
                })
                .collect();
            let of_block = |(block, gradient): (Range<usize>, [&mut [T]; CHANNELS])| {
                let (mut projected, mut slope) = ([T::zero(); BLOCK], [T::zero(); BLOCK]);
                let [x, slope] = [&mut projected, &mut slope].map(|all| &mut all[..block.len()]);
                let image = image.map(|plane| &plane[block.clone()]);
                let mut gradient = gradient;
                for (projection, axis, steps) in &along {
                    vectorised(level, Project { image, projection, to: x });
                    vectorised(level, Gather { slopes: &slopes, axis, x, steps, gradient: slope });
                    vectorised(level, Spread { slope, projection, to: &mut gradient });
                }
            };
            blocks(gradient, pixels).for_each(of_block);
        };
        gradients.par_chunks_mut(values.max(1)).enumerate().for_each(of_image);
    });
    gradients
}

/// The planes of an image.
fn planes<T>(image: &[T]) -> [&[T]; CHANNELS] {
    let pixels = image.len() / CHANNELS;
    [0, 1, 2].map(|channel| row(image, pixels, channel))
}

/// The blocks of an image's pixels, and their part of each plane.
fn blocks<T: Send>(
    image: &mut [T],
    pixels: usize,
) -> impl ParallelIterator<Item = (Range<usize>, [&mut [T]; CHANNELS])> {
    let (first, rest) = image.split_at_mut(pixels);
    let (second, third) = rest.split_at_mut(pixels);
    let [first, second, third] = [first, second, third].map(|plane| plane.par_chunks_mut(BLOCK));
    let all = first.zip(second).zip(third).enumerate();
    all.map(|(index, ((first, second), third))| {
        let start = index * BLOCK;
        (start..start + first.len(), [first, second, third])
    })
}

/// The axis of every direction: as long as the extents of the channels let it be.
fn axes<T: Real>(
    level: Level,
    image: [&[T]; CHANNELS],
    projections: &[Projection],
    binning: &Binning,
    width: usize,
) -> Vec<Axis> {
    let extents = image.map(|plane| Extent::of(level, plane));
    let axis = |projection: &Projection| {
        let extent = Extent::weighted(&extents, projection.weights, projection.offset);
        Axis::within(binning, width, extent)
    };
    projections.iter().map(axis).collect()
}

/// Projects colours onto a direction.
struct Project<'a, T> {
    image: [&'a [T]; CHANNELS],
    projection: &'a Projection,
    to: &'a mut [T],
}

impl<T: Real> Work for Project<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        // Plain loops, which the compiler makes vector instructions of.
        let [u, v, w] = self.projection.weights.map(T::of);
        let offset = T::of(self.projection.offset);
        let [x, y, z] = self.image;
        for (((to, &x), &y), &z) in self.to.iter_mut().zip(x).zip(y).zip(z) {
            *to = offset + x * u + y * v + z * w;
        }
    }
}

/// Adds the slopes along a direction to the gradients of the channels.
struct Spread<'a, 'b, T> {
    slope: &'a [T],
    projection: &'a Projection,
    to: &'a mut [&'b mut [T]; CHANNELS],
}

impl<T: Real> Work for Spread<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        for (plane, weight) in self.to.iter_mut().zip(self.projection.weights) {
            let weight = T::of(weight);
            for (to, &slope) in plane.iter_mut().zip(self.slope) {
                *to = *to + slope * weight;
            }
        }
    }
}
