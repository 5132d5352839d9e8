//! Where a pixel lies on the axis of bins, and its windows there.
//!
//! The axis is *unfolded*: it goes on beyond both borders of the range. What happens at the borders is one
//! rule, [`fold()`], that says which bin of the range counts what an unfolded bin gets.

use cubecl::prelude::*;

use crate::{Binning, Bins, Boundary, Kernel};

/// How a pixel's value becomes a place on the axis of bins and a mass in them.
///
/// Values of the host, computed in double precision. What decides about the code that is generated
/// is known when it is.
///
/// A bin's edge is rarely a number of single precision. So border and width are each a number of few enough
/// digits for any edge made of them to be exact, and a rest, of which the edges' rests are made.
#[derive(CubeLaunch, CubeType)]
pub(super) struct Grid {
    /// `a`, the lower border of the range, without its rest.
    border: f32,
    /// The rest of `a`.
    border_rest: f32,
    /// `L`, the width of a bin, without its rest.
    width: f32,
    /// The rest of `L`.
    width_rest: f32,
    /// `1/L`
    per_bin: f32,
    /// What makes of rounding down rounding to the nearest edge: ½, less the rest of `a` in bins.
    to_nearest: f32,
    /// `ρ`
    ratio: f32,
    /// `1/(2 sinh ρ/2)`
    crest: f32,
    /// `coth ρ/2`
    level: f32,
    /// What marks a histogram as undefined: no shading language can be relied on to write it.
    pub(super) not_a_number: f32,
    /// `K`
    pub(super) bins: u32,
    /// The number of bins that a pixel touches: half of them to either side of the nearest edge.
    #[cube(comptime)]
    pub(super) band: u32,
    /// What happens at the borders.
    #[cube(comptime)]
    pub(super) boundary: Boundary,
}

impl<R: Runtime> GridLaunch<R> {
    /// The grid of `binning`.
    pub(super) fn of(binning: &Binning) -> Self {
        let (bins, ratio) = (binning.bins, binning.kernel.ratio());
        let boundary = binning.kernel.boundary();
        let band = band(binning.kernel);
        let [border, width] = [bins.min(), bins.width()];
        let step = step(bins, band);
        let rounded = |value: f64| (value / step).round() * step;
        let rest = |value: f64| value - rounded(value);
        Self::new(
            rounded(border) as f32,
            rest(border) as f32,
            rounded(width) as f32,
            rest(width) as f32,
            (1.0 / width) as f32,
            (0.5 - rest(border) / width) as f32,
            ratio as f32,
            (0.5 / (ratio / 2.0).sinh()) as f32,
            (1.0 / (ratio / 2.0).tanh()) as f32,
            f32::NAN,
            bins.count() as u32,
            band,
            boundary,
        )
    }
}

/// Bins are counted so many at a time: the bands of pixels are multiples.
pub(super) const LANES: u32 = 16;

/// The number of bins in the band of a pixel, a multiple of [`LANES`].
pub(super) fn band(kernel: Kernel) -> u32 {
    let half = kernel.half_band(f32::MANTISSA_DIGITS);
    ((2.0 * half / f64::from(LANES)).ceil() as u32).max(1) * LANES
}

/// A power of two of which single precision has all multiples between the outermost edges, and as far
/// from 0 as these lie from one another.
fn step(bins: Bins, band: u32) -> f64 {
    let (count, band) = (bins.count() as i32, band as i32);
    let farthest = [-count - band, 2 * count + band + 1]
        .map(|edge| (bins.min() + f64::from(edge) * bins.width()).abs())
        .into_iter()
        .fold(0.0, f64::max);
    // One digit less than there are, since the difference of two edges is up to twice as large as either.
    (farthest.log2().floor() + 2.0 - f64::from(f32::MANTISSA_DIGITS)).exp2()
}

/// A place on the axis of bins.
#[derive(CubeType, Clone, Copy)]
pub(super) struct Place {
    /// The bin edge nearest to it.
    pub(super) edge: i32,
    /// How far it lies beyond that edge, in bins, between −½ and ½.
    pub(super) beyond: f32,
}

/// The edge from which on no bin of a pixel counts, below the range.
#[cube]
pub(super) fn lowest_edge(grid: &Grid) -> i32 {
    -i32::cast_from(grid.bins) - comptime!(grid.band as i32)
}

/// The place of a pixel.
///
/// Pixels further outside than any band reaches are put where no bin of theirs counts, and so are infinite
/// ones. On a circle the turns are taken off. One that [has no place](is_undefined()) is put at the lower border.
#[cube]
pub(super) fn place(pixel: f32, grid: &Grid) -> Place {
    let pixel = select(is_undefined(pixel, grid), grid.border, pixel);
    let nearest = ((pixel - grid.border) * grid.per_bin + grid.to_nearest).floor();
    let lowest = f32::cast_from(lowest_edge(grid));
    let highest = f32::cast_from(2 * i32::cast_from(grid.bins) + comptime!(grid.band as i32 + 1));
    let mut unfolded = nearest;
    if comptime!(grid.boundary != Boundary::Wrap) {
        unfolded = nearest.clamp(lowest, highest);
    }
    // The edge first, which is exact: the pixel's distance from it then has all its digits.
    let from_edge = pixel - fma(unfolded, grid.width, grid.border);
    let rest = fma(unfolded, grid.width_rest, grid.border_rest);
    let mut beyond = (from_edge - rest) * grid.per_bin;
    let mut edge = unfolded;
    if comptime!(grid.boundary == Boundary::Wrap) {
        // The turns are taken off the edge, a whole number, and not off the pixel, which would be rounded.
        let turn = f32::cast_from(grid.bins);
        edge = (unfolded - turn * (unfolded / turn).floor()).clamp(0.0f32, turn);
        // So many turns away that the pixel has no digits left, it still counts somewhere.
        beyond = beyond.clamp(-1.0f32, 1.0f32);
    }
    Place {
        edge: i32::cast_from(edge),
        beyond,
    }
}

/// Whether a pixel has no place on the axis: it is not a number, or infinite on a circle.
#[cube]
pub(super) fn is_undefined(pixel: f32, grid: &Grid) -> bool {
    let mut undefined = pixel.is_nan();
    if comptime!(grid.boundary == Boundary::Wrap) {
        undefined = undefined || pixel.is_inf();
    }
    undefined
}

/// The bin of the range that counts what an unfolded bin gets, or −1 if none does.
///
/// In a mirror only the first image of the range counts, on a circle every turn.
#[cube]
pub(super) fn fold(bin: i32, grid: &Grid) -> i32 {
    let bins = i32::cast_from(grid.bins);
    let mut folded = bin;
    if comptime!(grid.boundary == Boundary::Reflect) {
        let above = select(bin >= bins, 2 * bins - 1 - bin, bin);
        folded = select(bin < 0, -1 - bin, above);
    }
    if comptime!(grid.boundary == Boundary::Wrap) {
        folded = (bin % bins + bins) % bins;
    }
    select(folded >= 0 && folded < bins, folded, -1)
}

/// The window `φ` of a bin, `1/((e^m + e^(−m))/(2 sinh h) + coth h)` with `m` the distance of the
/// place from the bin's centre in kernel widths and `h = ρ/2`.
#[cube]
pub(super) fn window(place: &Place, bin: i32, grid: &Grid) -> f32 {
    let bins_off = f32::cast_from(place.edge - bin) - 0.5f32 + place.beyond;
    let u = (-(grid.ratio * bins_off).abs()).exp();
    u / (grid.crest * (1.0f32 + u * u) + grid.level * u)
}

/// How fast the logistic step at the lower edge of a bin rises as the pixel's value goes up.
///
/// A window is the difference of the steps at its two edges, so a sum `Σ g_k φ_k′` is, by parts,
/// `Σ s_k′ (g_k − g_(k−1))`, which keeps its digits where `g` is large and varies little. Where the axis folds
/// both bins at an edge are one, and nothing rises.
#[cube]
pub(super) fn step_slope(place: &Place, edge: i32, grid: &Grid) -> f32 {
    let bins_off = f32::cast_from(place.edge - edge) + place.beyond;
    let u = (-(grid.ratio * bins_off).abs()).exp();
    grid.ratio * grid.per_bin * u / ((1.0f32 + u) * (1.0f32 + u))
}
