//! The short band of bins that a pixel touches.

use super::Real;
use crate::{Binning, Boundary};

/// The band widths there is code for.
const WIDTHS: [usize; 4] = [16, 32, 80, 320];

/// The number of bins in the band of a pixel.
///
/// The band is centred on the bin edge nearest to the pixel, so at least `width/2 − ½` bins lie
/// on either side, and by the decay of the window the mass outside the band is at most
/// `2·e^(−ρ·(width/2 − ½))`. The width is the least for which the exponential is below the unit
/// round-off of the pixel type (2⁻²⁴ or 2⁻⁵³): a histogram misses at most twice that much of its
/// mass, and an entry of it no more than rounding would take anyway.
pub(super) fn width<T: Real>(ratio: f64) -> usize {
    let enough = |width: &usize| ratio * (*width as f64 / 2.0 - 0.5) >= T::DIGITS;
    WIDTHS
        .into_iter()
        .find(enough)
        .unwrap_or(WIDTHS[WIDTHS.len() - 1])
}

/// The windows of a pixel over the `M` bins around it.
///
/// Let `e` be the bin edge nearest to the pixel and `δ ∈ [−½, ½]` how far the pixel lies beyond it,
/// in bins. Bin `i` of the band has its lower edge `M/2 − i` bins below `e`, and with
///
/// `a_i = e^(−ρδ) · e^(ρ(i − M/2))`, `c_i = e^ρ a_i`
///
/// its window is `1/(1 + a_i) − 1/(1 + c_i) = (c_i − a_i)/((1 + a_i)(1 + c_i))`: one exponential a
/// pixel, and no cancellation.
pub(super) struct Band<T, const M: usize> {
    /// `a`, the lower border of the range.
    border: f64,
    /// `1/L`
    per_bin: f64,
    /// `K`, if the axis is a circle.
    circumference: Option<f64>,
    /// `ρ`
    ratio: f64,
    /// `1/W`
    per_kernel_width: T,
    /// `e^(ρ(i − M/2))`
    lower: [T; M],
    /// `e^(ρ(i + 1 − M/2))`
    upper: [T; M],
}

impl<T: Real, const M: usize> Band<T, M> {
    pub(super) fn new(binning: &Binning) -> Self {
        let (bins, ratio) = (binning.bins, binning.kernel.ratio());
        let on_circle = binning.kernel.boundary() == Boundary::Wrap;
        let growth_to_edge = |i: usize| T::of((ratio * (i as f64 - M as f64 / 2.0)).exp());
        Self {
            border: bins.min(),
            per_bin: 1.0 / bins.width(),
            circumference: on_circle.then_some(bins.count() as f64),
            ratio,
            per_kernel_width: T::of(ratio / bins.width()),
            lower: std::array::from_fn(growth_to_edge),
            upper: std::array::from_fn(|i| growth_to_edge(i + 1)),
        }
    }

    /// The pixel's distance from the lower border, in bins.
    ///
    /// In double precision, since the distance from the nearest edge is the small difference of
    /// two such numbers.
    #[inline(always)]
    pub(super) fn position(&self, x: T) -> f64 {
        let position = (x.wide() - self.border) * self.per_bin;
        match self.circumference {
            Some(around) if !(0.0..around).contains(&position) => position.rem_euclid(around),
            _ => position,
        }
    }

    /// `e^(−ρδ)`, from which the whole band follows.
    #[inline(always)]
    pub(super) fn growth(&self, beyond_edge: f64) -> T {
        T::of(-self.ratio * beyond_edge).exp()
    }

    /// The windows `φ` of the band.
    #[inline(always)]
    pub(super) fn windows(&self, growth: T) -> [T; M] {
        let mut windows = [T::zero(); M];
        let edges = self.lower.iter().zip(&self.upper);
        for (window, (&lower, &upper)) in windows.iter_mut().zip(edges) {
            let a = capped(growth * lower);
            let c = capped(growth * upper);
            *window = (c - a) / ((T::one() + a) * (T::one() + c));
        }
        windows
    }

    /// The slopes `s′` of the logistic steps at the lower edges of the band's bins,
    /// `s_i′ = a_i/(1 + a_i)² / W`.
    ///
    /// Every window is the difference of the steps at its two edges, `φ_i = s_i − s_{i+1}`, so a
    /// sum `Σ g_i φ_i′` is, by parts, `Σ s_i′ (g_i − g_{i−1})`. The slopes of the steps are all
    /// positive while those of the windows cancel each other almost entirely: this form keeps
    /// its digits also where `g` is large and varies little, as the gradients of sums of
    /// logarithms and of cumulative sums do.
    #[inline(always)]
    pub(super) fn step_slopes(&self, growth: T) -> [T; M] {
        let mut slopes = [T::zero(); M];
        for (slope, &lower) in slopes.iter_mut().zip(&self.lower) {
            let a = capped(growth * lower);
            let below = T::one() + a;
            *slope = a / (below * below) * self.per_kernel_width;
        }
        slopes
    }
}

/// The number, or [`Real::CEILING`] if it is greater. What is not a number stays so.
#[inline(always)]
fn capped<T: Real>(value: T) -> T {
    if value > T::CEILING {
        T::CEILING
    } else {
        value
    }
}

/// The sum over a band, in halves, so that it is a vector operation and rounds little.
#[inline(always)]
pub(super) fn sum<T: Real, const M: usize>(values: [T; M]) -> T {
    const LANES: usize = 16;
    let mut lanes = [T::zero(); LANES];
    for chunk in values.chunks_exact(LANES) {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane = *lane + value;
        }
    }
    let mut half = LANES / 2;
    while half > 0 {
        for i in 0..half {
            lanes[i] = lanes[i] + lanes[i + half];
        }
        half /= 2;
    }
    lanes[0]
}
