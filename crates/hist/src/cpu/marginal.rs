//! The histogram of one image, and its gradient.

use fearless_simd::{Level, Simd};

use super::axis::Axis;
use super::order::filled;
use super::place::places;
use super::rows::{chunk_length, gradients, histograms, row, sum_over_chunks, with_band_width};
use super::simd::{LANES, Lanes, Line, Real, Wide, Work, vectorised};
use super::spare::zeros;
use super::window::Profile;
use crate::Binning;

/// Pixels that are worth a task.
pub(super) const CHUNK: usize = 1 << 14;

/// `x: [rows, N]` to `[rows, K]`.
pub(crate) fn marginal<T: Real>(level: Level, x: &[T], rows: usize, binning: &Binning) -> Vec<T> {
    let (pixels, count) = (x.len() / rows.max(1), binning.bins.count());
    histograms(rows, pixels, count, |index| {
        sums(level, row(x, pixels, index), binning)
    })
}

/// The sums of the windows of a row of pixels, or nothing if a pixel has no place on the axis.
pub(super) fn sums<T: Real>(level: Level, x: &[T], binning: &Binning) -> Option<Vec<f64>> {
    with_band_width!(T, binning, LINES => {
        let width = LINES * LANES;
        let windows = Profile::<T, LINES>::windows(binning.kernel.ratio());
        let axis = Axis::spanning(level, binning, width, x);
        if axis.undefined() {
            return None;
        }
        let by_band = sum_over_chunks(0..x.len(), chunk_length(x.len(), CHUNK), &|chunk| {
            let mut bands = vec![[Line::splat(0.0); LINES]; axis.last + 1];
            let x = &x[chunk];
            vectorised(level, Count { windows: &windows, axis: &axis, x, bands: &mut bands });
            let mut sums = zeros(0);
            sums.extend(bands.iter().flatten().flat_map(|line| line.0));
            sums
        });
        Some(by_bin(&axis, binning, width, &by_band))
    })
}

/// The sums by bin, given those of bands of `width` bins by first slot.
pub(super) fn by_bin(axis: &Axis, binning: &Binning, width: usize, by_band: &[f64]) -> Vec<f64> {
    let mut by_slot = vec![0.0; axis.slots()];
    for (slot, band) in by_band.chunks_exact(width).enumerate() {
        for (sum, window) in by_slot[slot..].iter_mut().zip(band) {
            *sum += window;
        }
    }
    let mut sums = vec![0.0; binning.bins.count()];
    axis.runs(binning)
        .iter()
        .for_each(|run| run.fold(&by_slot, &mut sums));
    sums
}

/// `x: [rows, N]`, `grad: [rows, K]` to `[rows, N]`.
pub(crate) fn marginal_backward<T: Real>(
    level: Level,
    x: &[T],
    grad: &[T],
    rows: usize,
    binning: &Binning,
) -> Vec<T> {
    let (pixels, count) = (x.len() / rows.max(1), binning.bins.count());
    with_band_width!(T, binning, LINES => {
        let slopes = Profile::<T, LINES>::step_slopes(binning.kernel.ratio());
        let prepare = |index| {
            let x = row(x, pixels, index);
            let axis = Axis::spanning(level, binning, LINES * LANES, x);
            let steps = steps(&axis, binning, pixels, row(grad, count, index));
            (x, axis, steps)
        };
        gradients(rows, pixels, CHUNK, prepare, |(x, axis, steps), range, gradient| {
            vectorised(level, Gather { slopes: &slopes, axis, x: &x[range], steps, gradient });
        })
    })
}

/// The gradient `grad` with respect to a row's histogram as its steps from slot to slot, per pixel and
/// kernel width.
pub(super) fn steps<T: Real>(axis: &Axis, binning: &Binning, pixels: usize, grad: &[T]) -> Vec<T> {
    let scale = binning.kernel.ratio() / binning.bins.width() / pixels as f64;
    let mut unfolded = vec![0.0; axis.slots()];
    axis.runs(binning)
        .iter()
        .for_each(|run| run.unfold(grad, &mut unfolded));
    let before = std::iter::once(&0.0).chain(&unfolded);
    let steps = unfolded.iter().zip(before);
    steps
        .map(|(here, before)| T::of((here - before) * scale))
        .collect()
}

/// Adds every pixel's windows to the sums of its slot.
pub(super) struct Count<'a, T, const LINES: usize> {
    pub(super) windows: &'a Profile<T, LINES>,
    pub(super) axis: &'a Axis,
    pub(super) x: &'a [T],
    /// By first slot, the sums of the bands: like the lines of a cache, they are not shared in part.
    pub(super) bands: &'a mut [[Line<f64>; LINES]],
}

impl<T: Real, const LINES: usize> Work for Count<'_, T, LINES> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let windows = self.windows.rotated(simd, 0);
        for group in self.x.chunks(LANES) {
            let places = places(simd, self.axis, &filled(group));
            for lane in 0..group.len() {
                let windows = windows.of(simd, places.growths[lane], places.decays[lane]);
                let sums = &mut self.bands[places.slots[lane] as usize];
                for (sums, windows) in sums.iter_mut().zip(windows) {
                    let windows = <Wide<S> as Lanes<S, f64>>::narrow(windows.widen());
                    <Wide<S> as Lanes<S, f64>>::load(simd, &sums.0)
                        .add(windows)
                        .store(&mut sums.0);
                }
            }
        }
    }
}

/// Contracts the steps of the upstream gradient with every pixel's slopes.
pub(super) struct Gather<'a, T, const LINES: usize> {
    pub(super) slopes: &'a Profile<T, LINES>,
    pub(super) axis: &'a Axis,
    pub(super) x: &'a [T],
    pub(super) steps: &'a [T],
    pub(super) gradient: &'a mut [T],
}

impl<T: Real, const LINES: usize> Work for Gather<'_, T, LINES> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let slopes = self.slopes.rotated(simd, 0);
        let mut products = [T::Lanes::<S>::splat(simd, T::zero()); LANES];
        let mut sums = Line::splat(T::zero());
        for (group, gradient) in self.x.chunks(LANES).zip(self.gradient.chunks_mut(LANES)) {
            let places = places(simd, self.axis, &filled(group));
            for (lane, product) in products.iter_mut().enumerate() {
                let slopes = slopes.of(simd, places.growths[lane], places.decays[lane]);
                let steps = self.steps[places.slots[lane] as usize..]
                    .as_chunks::<LANES>()
                    .0;
                *product = T::Lanes::<S>::splat(simd, T::zero());
                for (slopes, steps) in slopes.into_iter().zip(&steps[..LINES]) {
                    *product = T::Lanes::<S>::load(simd, steps).multiply_add(slopes, *product);
                }
            }
            T::Lanes::<S>::sums(products).store(&mut sums.0);
            gradient.copy_from_slice(&sums.0[..group.len()]);
        }
    }
}
