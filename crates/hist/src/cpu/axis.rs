//! The unfolded bins that the pixels of a row reach.

use std::ops::Range;

use fearless_simd::{Level, Simd};
use rayon::prelude::*;

use super::simd::{LANES, Real, Work, vectorised};
use crate::kernel::Segment;
use crate::{Binning, Boundary};

/// A stretch of the unfolded bin axis `… −2, −1, 0 … K−1, K …` that holds the band of every pixel
/// of a row. Its bins are called slots.
///
/// It is as long as the pixels demand, but stops where the borders let mass get lost: pixels beyond
/// are moved to the ends, where none of their bins counts. For pixels inside the range it has
/// `K` bins and half a band more at either end; for pixels outside at most `3K` and a band at
/// either end.
pub(super) struct Axis {
    /// `a`, the lower border of the range.
    pub(super) border: f64,
    /// `1/L`
    pub(super) per_bin: f64,
    /// `ρ`
    pub(super) ratio: f64,
    /// `K`
    pub(super) count: f64,
    /// Whether the axis is a circle.
    pub(super) on_circle: bool,
    /// Half a bin below the lowest of the edges on which bands are centred, in bins from `a`.
    pub(super) start: f64,
    /// The number of edges on which bands can be centred, less one.
    pub(super) last: usize,
    /// The bin of slot 0.
    first_bin: i64,
    /// The number of bins.
    slots: usize,
    /// Whether a pixel has no place on the axis.
    undefined: bool,
}

impl Axis {
    /// The axis for the pixels of a row whose bands are `width` bins wide.
    pub(super) fn spanning<T: Real>(
        level: Level,
        binning: &Binning,
        width: usize,
        pixels: &[T],
    ) -> Self {
        Self::within(binning, width, Extent::of(level, pixels))
    }

    /// The axis for pixels of that extent whose bands are `width` bins wide.
    pub(super) fn within(binning: &Binning, width: usize, extent: Extent<f64>) -> Self {
        let Extent {
            low,
            high,
            mut undefined,
        } = extent;
        let bins = binning.bins;
        let per_bin = 1.0 / bins.width();
        let (count, reach) = (bins.count() as f64, (width / 2) as f64);
        // From `lost` on, no bin of a band counts, nor does the edge below its first bin.
        let between = |lost: (f64, f64)| {
            let edge_near = |x: f64| ((x - bins.min()) * per_bin + 0.5).floor();
            [low, high].map(|x| edge_near(x).clamp(lost.0, lost.1))
        };
        let [lowest, highest] = match binning.kernel.boundary() {
            Boundary::Wrap => {
                undefined |= low.is_infinite() || high.is_infinite();
                [0.0, count]
            }
            Boundary::Reflect => between((-count - reach, 2.0 * count + reach + 1.0)),
            Boundary::Open => between((-reach, count + reach + 1.0)),
        };
        // If no pixel is a number there is no lowest one.
        let last = (highest - lowest).max(0.0) as usize;
        Self {
            border: bins.min(),
            per_bin,
            ratio: binning.kernel.ratio(),
            count,
            on_circle: binning.kernel.boundary() == Boundary::Wrap,
            start: lowest - 0.5,
            last,
            first_bin: lowest as i64 - (width / 2) as i64,
            slots: last + width,
            undefined,
        }
    }

    /// The number of bins.
    pub(super) fn slots(&self) -> usize {
        self.slots
    }

    /// Whether a pixel of the row is not a number, or infinite on a circle.
    pub(super) fn undefined(&self) -> bool {
        self.undefined
    }

    /// The stretches of slots whose mass is kept.
    pub(super) fn runs(&self, binning: &Binning) -> Vec<Run> {
        let (start, end) = (self.first_bin, self.first_bin + self.slots as i64);
        let slot = |bin: i64| (bin - start) as usize;
        let run = |segment: Segment| {
            let unfolded = segment.unfolded.start.max(start)..segment.unfolded.end.min(end);
            (!unfolded.is_empty()).then(|| Run {
                bins: segment.folded(&unfolded),
                slots: slot(unfolded.start)..slot(unfolded.end),
                mirrored: segment.mirrored,
            })
        };
        binning
            .segments(start..end)
            .into_iter()
            .filter_map(run)
            .collect()
    }
}

/// A stretch of slots whose mass goes to a stretch of bins.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) slots: Range<usize>,
    pub(super) bins: Range<usize>,
    /// Whether the first slot belongs to the last bin.
    pub(super) mirrored: bool,
}

impl Run {
    /// The slots, each with its bin.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let (bins, mirrored) = (self.bins.clone(), self.mirrored);
        self.slots.clone().enumerate().map(move |(i, slot)| {
            let bin = if mirrored {
                bins.end - 1 - i
            } else {
                bins.start + i
            };
            (slot, bin)
        })
    }

    /// Adds numbers by slot to sums by bin.
    pub(super) fn fold(&self, slots: &[f64], sums: &mut [f64]) {
        let (slots, sums) = (&slots[self.slots.clone()], &mut sums[self.bins.clone()]);
        if self.mirrored {
            sums.iter_mut()
                .rev()
                .zip(slots)
                .for_each(|(sum, slot)| *sum += slot);
        } else {
            sums.iter_mut()
                .zip(slots)
                .for_each(|(sum, slot)| *sum += slot);
        }
    }

    /// Copies numbers by bin to numbers by slot.
    pub(super) fn unfold<T: Real>(&self, bins: &[T], slots: &mut [f64]) {
        let (bins, slots) = (&bins[self.bins.clone()], &mut slots[self.slots.clone()]);
        if self.mirrored {
            slots
                .iter_mut()
                .zip(bins.iter().rev())
                .for_each(|(slot, bin)| *slot = bin.wide());
        } else {
            slots
                .iter_mut()
                .zip(bins)
                .for_each(|(slot, bin)| *slot = bin.wide());
        }
    }
}

/// The least and the greatest pixel, and whether one is not a number.
#[derive(Clone, Copy)]
pub(super) struct Extent<T> {
    low: T,
    high: T,
    undefined: bool,
}

impl Extent<f64> {
    pub(super) fn of<T: Real>(level: Level, pixels: &[T]) -> Self {
        let found = Extent::scan(level, pixels);
        Self {
            low: found.low.wide(),
            high: found.high.wide(),
            undefined: found.undefined,
        }
    }

    /// What holds `offset + Σ_i w_i x_i`, given what holds each `x_i`.
    pub(super) fn weighted(extents: &[Self; 3], weights: [f64; 3], offset: f64) -> Self {
        let mut sum = Self {
            low: offset,
            high: offset,
            undefined: false,
        };
        for (extent, weight) in extents.iter().zip(weights) {
            let ends = [extent.low * weight, extent.high * weight];
            sum.low += ends[0].min(ends[1]);
            sum.high += ends[0].max(ends[1]);
            sum.undefined |= extent.undefined;
        }
        // What is infinite in one channel may be anything where channels are added.
        sum.undefined |= sum.low.is_nan() || sum.high.is_nan();
        sum
    }
}

impl<T: Real> Extent<T> {
    fn scan(level: Level, pixels: &[T]) -> Self {
        /// Long enough to be worth a task.
        const CHUNK: usize = 1 << 16;
        let nothing = || Self {
            low: T::infinity(),
            high: T::neg_infinity(),
            undefined: false,
        };
        pixels
            .par_chunks(CHUNK)
            .map(|pixels| vectorised(level, Scan { pixels }))
            .reduce(nothing, Self::and)
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        Self {
            low: if other.low < self.low {
                other.low
            } else {
                self.low
            },
            high: if other.high > self.high {
                other.high
            } else {
                self.high
            },
            undefined: self.undefined | other.undefined,
        }
    }
}

/// Finds the extent of pixels.
struct Scan<'a, T> {
    pixels: &'a [T],
}

impl<T: Real> Work for Scan<'_, T> {
    type Output = Extent<T>;

    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> Extent<T> {
        // Side by side, so that the compiler can use vector instructions.
        let mut low = [T::infinity(); 2 * LANES];
        let mut high = [T::neg_infinity(); 2 * LANES];
        let mut undefined = [false; 2 * LANES];
        let mut look = |lane: usize, x: T| {
            low[lane] = if x < low[lane] { x } else { low[lane] };
            high[lane] = if x > high[lane] { x } else { high[lane] };
            undefined[lane] |= x.is_nan();
        };
        let (groups, rest) = self.pixels.as_chunks::<{ 2 * LANES }>();
        for group in groups {
            for (lane, &x) in group.iter().enumerate() {
                look(lane, x);
            }
        }
        for (lane, &x) in rest.iter().enumerate() {
            look(lane, x);
        }
        let lanes = (0..2 * LANES).map(|i| Extent {
            low: low[i],
            high: high[i],
            undefined: undefined[i],
        });
        lanes.fold(
            Extent {
                low: T::infinity(),
                high: T::neg_infinity(),
                undefined: false,
            },
            Extent::and,
        )
    }
}
