//! The unfolded bins that the pixels of a row reach.

use super::Real;
use super::band::Band;
use crate::{Binning, Boundary};

/// A stretch of the unfolded bin axis `… −2, −1, 0 … K−1, K …` that holds the band of every pixel
/// of a row.
///
/// It is as long as the pixels demand, but stops where the borders let mass get lost: pixels beyond
/// are moved to the ends, where none of their bins counts. For pixels inside the range it has
/// `K` bins and half a band more at either end; for pixels outside at most `3K` and a band at
/// either end.
pub(super) struct Axis {
    /// The bin of slot 0.
    first_bin: i64,
    /// Half a bin below the lowest of the edges on which bands are centred, in bins from `a`.
    start: f64,
    /// The number of edges on which bands can be centred, less one.
    last: usize,
    /// The number of bins.
    slots: usize,
    /// Whether a pixel has no place on the axis.
    undefined: bool,
}

impl Axis {
    /// The axis for the pixels of a row.
    pub(super) fn spanning<T: Real, const M: usize>(
        band: &Band<T, M>,
        binning: &Binning,
        pixels: &[T],
    ) -> Self {
        let (mut low, mut high, mut undefined) = (T::infinity(), T::neg_infinity(), false);
        for &x in pixels {
            low = if x < low { x } else { low };
            high = if x > high { x } else { high };
            undefined |= x.is_nan();
        }
        let (count, reach) = (binning.bins.count() as f64, (M / 2) as f64);
        // From `lost` on, no bin of a band counts, nor does the edge below its first bin.
        let edge_near = |x: T| (band.position(x) + 0.5).floor();
        let (lowest, highest) = match binning.kernel.boundary() {
            Boundary::Wrap => {
                undefined |= low.is_infinite() || high.is_infinite();
                (0.0, count)
            }
            Boundary::Reflect => {
                let lost = (-count - reach, 2.0 * count + reach + 1.0);
                (
                    edge_near(low).clamp(lost.0, lost.1),
                    edge_near(high).clamp(lost.0, lost.1),
                )
            }
            Boundary::Open => {
                let lost = (-reach, count + reach + 1.0);
                (
                    edge_near(low).clamp(lost.0, lost.1),
                    edge_near(high).clamp(lost.0, lost.1),
                )
            }
        };
        // If no pixel is a number there is no lowest one.
        let last = (highest - lowest).max(0.0) as usize;
        Self {
            first_bin: lowest as i64 - (M / 2) as i64,
            start: lowest - 0.5,
            last,
            slots: last + M,
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

    /// The first slot of a pixel's band, and the growth from which its windows follow.
    ///
    /// The band lies within the slots whatever the pixel is. The growth of a pixel that has no
    /// place on the axis is not a number.
    #[inline(always)]
    pub(super) fn place<T: Real, const M: usize>(&self, band: &Band<T, M>, x: T) -> (usize, T) {
        let along = band.position(x) - self.start;
        let slot = (along as usize).min(self.last);
        let beyond_edge = (along - slot as f64 - 0.5).clamp(-0.5, 0.5);
        (slot, band.growth(beyond_edge))
    }

    /// The slots whose mass is kept, each with the bin it goes to.
    pub(super) fn folded(&self, binning: &Binning) -> Vec<(usize, usize)> {
        (0..self.slots)
            .filter_map(|slot| Some((slot, binning.fold(self.first_bin + slot as i64)?)))
            .collect()
    }
}
