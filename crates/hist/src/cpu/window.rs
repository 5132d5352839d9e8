//! The short band of bins that a pixel touches, and its windows there.

use fearless_simd::Simd;

use super::simd::{LANES, Lanes, Line, Real};
use crate::Kernel;

/// The band widths there is code for, in lines.
const WIDTHS: [usize; 4] = [1, 2, 5, 20];

/// The number of bins in the band of a pixel, in lines of sixteen: the least there is code for that
/// is no less than [`Kernel::half_band`] for the pixels' type to either side.
pub(super) fn width<T: Real>(kernel: Kernel) -> usize {
    let half = kernel.half_band(T::DIGITS);
    let enough = |lines: &usize| (lines * LANES) as f64 / 2.0 >= half;
    WIDTHS
        .into_iter()
        .find(enough)
        .unwrap_or(WIDTHS[WIDTHS.len() - 1])
}

/// A function of a pixel's place over the bins of its band: `1/(A_i e^(−ρδ) + B_i e^(ρδ) + C)`.
///
/// Let `e` be the bin edge nearest to the pixel and `δ ∈ [−½, ½]` how far the pixel lies beyond it,
/// in bins; [`place`](super::place) computes the *growth* `e^(−ρδ)` and the *decay* `e^(ρδ)`. Both
/// the windows and the slopes of the logistic steps have this form, in which every term is positive
/// and nothing cancels, and which needs no exponential of its own.
pub(super) struct Profile<T, const LINES: usize> {
    /// `A` twice over, so that any rotation of it is one stretch.
    rising: Vec<T>,
    /// `B`, likewise.
    falling: Vec<T>,
    /// `C`
    level: T,
}

impl<T: Real, const LINES: usize> Profile<T, LINES> {
    /// The number of bins.
    pub(super) const WIDTH: usize = LINES * LANES;

    /// The windows `φ`.
    ///
    /// With `m` the distance of the pixel from the centre of a bin in kernel widths, and `h = ρ/2`,
    /// the definition `φ = σ(m + h) − σ(m − h)` is `1/((e^m + e^(−m))/(2 sinh h) + coth h)`.
    pub(super) fn windows(ratio: f64) -> Self {
        let half = ratio / 2.0;
        Self::new(ratio, 0.5, 1.0 / (2.0 * half.sinh()), 1.0 / half.tanh())
    }

    /// The slopes `s′` of the logistic steps at the lower edges of the band's bins, times the kernel
    /// width: `1/(e^m + e^(−m) + 2)` with the distance `m` from the edge in kernel widths.
    ///
    /// Every window is the difference of the steps at its two edges, `φ_i = s_i − s_{i+1}`, so a
    /// sum `Σ g_i φ_i′` is, by parts, `Σ s_i′ (g_i − g_{i−1})`. The slopes of the steps are all
    /// positive while those of the windows cancel each other almost entirely: this form keeps
    /// its digits also where `g` is large and varies little, as the gradients of sums of
    /// logarithms and of cumulative sums do.
    pub(super) fn step_slopes(ratio: f64) -> Self {
        Self::new(ratio, 0.0, 1.0, 2.0)
    }

    /// The profile of places `i − width/2 + offset` bins above the edge.
    fn new(ratio: f64, offset: f64, scale: f64, level: f64) -> Self {
        let place = |i: usize| (i % Self::WIDTH) as f64 - Self::WIDTH as f64 / 2.0 + offset;
        let twice = 0..2 * Self::WIDTH;
        // Beyond the ceiling the function is as good as 0; its reciprocal must stay finite.
        let number = |exponent: f64| T::of((scale * exponent.exp()).min(T::CEILING));
        Self {
            rising: twice.clone().map(|i| number(ratio * place(i))).collect(),
            falling: twice.map(|i| number(-ratio * place(i))).collect(),
            level: T::of(level),
        }
    }

    /// The profile in registers, for bands whose first slot is `slot`: bin `i` of the band in the
    /// lane `(slot + i) mod width`, so that a slot has the same lane in all bands it is in.
    #[inline(always)]
    pub(super) fn rotated<S: Simd>(&self, simd: S, slot: usize) -> Rotated<S, T, LINES> {
        let start = (Self::WIDTH - slot % Self::WIDTH) % Self::WIDTH;
        let level = T::Lanes::<S>::splat(simd, self.level);
        let mut rotated = Rotated {
            rising: [level; LINES],
            falling: [level; LINES],
            level,
        };
        let (rising, _) = self.rising[start..].as_chunks();
        let (falling, _) = self.falling[start..].as_chunks();
        for line in 0..LINES {
            rotated.rising[line] = T::Lanes::<S>::load(simd, &rising[line]);
            rotated.falling[line] = T::Lanes::<S>::load(simd, &falling[line]);
        }
        rotated
    }
}

/// A [`Profile`] in registers.
pub(super) struct Rotated<S: Simd, T: Real, const LINES: usize> {
    rising: [T::Lanes<S>; LINES],
    falling: [T::Lanes<S>; LINES],
    level: T::Lanes<S>,
}

impl<S: Simd, T: Real, const LINES: usize> Rotated<S, T, LINES> {
    /// The function over the whole band of a pixel.
    #[inline(always)]
    pub(super) fn of(&self, simd: S, growth: T, decay: T) -> [T::Lanes<S>; LINES] {
        let growth = T::Lanes::<S>::splat(simd, growth);
        let decay = T::Lanes::<S>::splat(simd, decay);
        // A closure would not be inlined.
        let mut values = [self.level; LINES];
        for (line, value) in values.iter_mut().enumerate() {
            let falling = self.falling[line].multiply_add(decay, self.level);
            *value = self.rising[line]
                .multiply_add(growth, falling)
                .reciprocal(simd);
        }
        values
    }

    /// The same, in memory.
    #[inline(always)]
    pub(super) fn store(&self, simd: S, growth: T, decay: T, to: &mut [Line<T>; LINES]) {
        for (to, values) in to.iter_mut().zip(self.of(simd, growth, decay)) {
            values.store(&mut to.0);
        }
    }
}
