//! Where a pixel lies on the axis of bins, and its windows there.

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
    #[cube(comptime)]
    pub(super) bins: u32,
    /// The number of bins that a pixel touches: half of them to either side of the nearest edge.
    #[cube(comptime)]
    pub(super) band: u32,
    /// What happens at the borders.
    #[cube(comptime)]
    pub(super) boundary: Boundary,
    /// The number of [`image()`]s of a pixel.
    #[cube(comptime)]
    pub(super) images: u32,
}

impl<R: Runtime> GridLaunch<R> {
    /// The grid of `binning`.
    pub(super) fn of(binning: &Binning) -> Self {
        let (bins, ratio) = (binning.bins, binning.kernel.ratio());
        let boundary = binning.kernel.boundary();
        let band = band(binning.kernel);
        let images = match boundary {
            Boundary::Open => 1,
            Boundary::Reflect => 3,
            Boundary::Wrap => 2 * turns(band, bins.count() as u32) + 1,
        };
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
            images,
        )
    }
}

/// The number of bins in the band of a pixel, a multiple of [`LANES`].
fn band(kernel: Kernel) -> u32 {
    let half = kernel.half_band(f32::MANTISSA_DIGITS);
    ((2.0 * half / f64::from(LANES)).ceil() as u32).max(1) * LANES
}

/// The edges from which on no bin of a pixel or its images counts, below and above the range.
fn outermost(bins: u32, band: u32) -> [i32; 2] {
    let (bins, band) = (bins as i32, band as i32);
    [-bins - band, 2 * bins + band + 1]
}

/// A power of two of which single precision has all multiples between the outermost edges, and as far
/// from 0 as these lie from one another.
fn step(bins: Bins, band: u32) -> f64 {
    let farthest = outermost(bins.count() as u32, band)
        .map(|edge| (bins.min() + f64::from(edge) * bins.width()).abs())
        .into_iter()
        .fold(0.0, f64::max);
    // One digit less than there are, since the difference of two edges is up to twice as large as either.
    (farthest.log2().floor() + 2.0 - f64::from(f32::MANTISSA_DIGITS)).exp2()
}

/// How many turns away from the range an image on a circle can be, and still reach it.
fn turns(band: u32, bins: u32) -> u32 {
    (band / 2).div_ceil(bins) + 1
}

/// The units that share the band of one pixel. Each owns the bins that leave its own number when
/// divided by this one, so that no two of them write to the same entry, wherever the bands of a
/// pixel and its images lie.
pub(super) const LANES: u32 = 16;

/// A place on the axis of bins.
#[derive(CubeType, Clone, Copy)]
pub(super) struct Place {
    /// The bin edge nearest to it.
    pub(super) edge: i32,
    /// How far it lies beyond that edge, in bins, between −½ and ½.
    beyond: f32,
    /// 1, or −1 if it moves down as the pixel's value goes up.
    direction: f32,
}

/// The place of a pixel.
///
/// Pixels further outside than any band reaches are put where no bin of theirs or of their images
/// counts, and so are infinite ones.
#[cube]
pub(super) fn place(pixel: f32, grid: &Grid) -> Place {
    let nearest = ((pixel - grid.border) * grid.per_bin + grid.to_nearest).floor();
    let outermost = comptime!(outermost(grid.bins, grid.band));
    let lowest = f32::cast_from(comptime!(outermost[0]));
    let highest = f32::cast_from(comptime!(outermost[1]));
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
        let turn = f32::cast_from(comptime!(grid.bins));
        edge = (unfolded - turn * (unfolded / turn).floor()).clamp(0.0f32, turn);
        // So many turns away that the pixel has no digits left, it still counts somewhere.
        beyond = beyond.clamp(-1.0f32, 1.0f32);
    }
    Place {
        edge: i32::cast_from(edge),
        beyond,
        direction: 1.0f32,
    }
}

/// Image number `index` of a place. The mass of the images in the bins of the range is what the
/// borders make of the mass of the pixel: number 0 of a mirrored pixel is the pixel, the others are
/// its mirror images in the lower and in the upper border; on a circle the images are the pixel so
/// many turns on.
#[cube]
pub(super) fn image(place: &Place, index: u32, grid: &Grid) -> Place {
    let bins = comptime!(grid.bins as i32);
    let mut edge = place.edge;
    let mut beyond = place.beyond;
    let mut direction = place.direction;
    if comptime!(grid.boundary == Boundary::Reflect) {
        if index > 0 {
            edge = -edge;
            beyond = -beyond;
            direction = -direction;
        }
        if index == 2 {
            edge += 2 * bins;
        }
    }
    if comptime!(grid.boundary == Boundary::Wrap) {
        let turns = comptime!((grid.images / 2) as i32);
        edge += (i32::cast_from(index) - turns) * bins;
    }
    Place {
        edge,
        beyond,
        direction,
    }
}

/// The bins of the range that are in the band of a place, the first and one past the last.
#[cube]
pub(super) fn bins_of(place: &Place, grid: &Grid) -> (i32, i32) {
    let half = comptime!(grid.band as i32 / 2);
    (
        max(place.edge - half, 0),
        min(place.edge + half, comptime!(grid.bins as i32)),
    )
}

/// The edges of bins of the range, among the lower edges of the bins in the band of a place and the
/// upper border: the first and one past the last.
#[cube]
pub(super) fn edges(place: &Place, grid: &Grid) -> (i32, i32) {
    let half = comptime!(grid.band as i32 / 2);
    (
        max(place.edge - half, 0),
        min(place.edge + half, comptime!(grid.bins as i32 + 1)),
    )
}

/// Whether a bin is in the band of a place.
#[cube]
pub(super) fn touches(place: &Place, bin: i32, grid: &Grid) -> bool {
    let half = comptime!(grid.band as i32 / 2);
    bin >= place.edge - half && bin < place.edge + half
}

/// The window `φ` of a bin, `1/((e^m + e^(−m))/(2 sinh h) + coth h)` with `m` the distance of the
/// place from the bin's centre in kernel widths and `h = ρ/2`.
#[cube]
pub(super) fn window(place: &Place, bin: i32, grid: &Grid) -> f32 {
    let bins_off = f32::cast_from(place.edge - bin) - 0.5f32 + place.beyond;
    let u = (-(grid.ratio * bins_off).abs()).exp();
    u / (grid.crest * (1.0f32 + u * u) + grid.level * u)
}

/// The sum of the windows of a bin over all images of a place.
#[cube]
pub(super) fn mass(place: &Place, bin: i32, grid: &Grid) -> f32 {
    let mut mass = 0.0f32;
    for index in 0..comptime!(grid.images) {
        let image = image(place, index, grid);
        if touches(&image, bin, grid) {
            mass += window(&image, bin, grid);
        }
    }
    mass
}

/// How fast the logistic step at the lower edge of a bin rises as the pixel's value goes up.
///
/// A window is the difference of the steps at its two edges, so a sum `Σ g_k φ_k′` is, by parts,
/// `Σ s_k′ (g_k − g_(k−1))`, which keeps its digits where `g` is large and varies little.
#[cube]
pub(super) fn step_slope(place: &Place, edge: i32, grid: &Grid) -> f32 {
    let bins_off = f32::cast_from(place.edge - edge) + place.beyond;
    let u = (-(grid.ratio * bins_off).abs()).exp();
    let steepness = place.direction * grid.ratio * grid.per_bin;
    steepness * u / ((1.0f32 + u) * (1.0f32 + u))
}

/// By how much a gradient with respect to the bins rises at an edge, as seen by image number `index` of
/// a pixel: `here` is its value in the bin above the edge and `before` in the bin below, either
/// meaningless if there is none.
///
/// At the borders where a pixel and its mirror image meet, and in the turn of a circle, mass only
/// passes from one to the other.
#[cube]
pub(super) fn rise(here: f32, before: f32, last: f32, edge: i32, index: u32, grid: &Grid) -> f32 {
    let bins = comptime!(grid.bins as i32);
    let mut rise = here - before;
    if edge == 0 {
        if comptime!(grid.boundary == Boundary::Open) {
            rise = here;
        }
        if comptime!(grid.boundary == Boundary::Wrap) {
            rise = here - last;
        }
        if comptime!(grid.boundary == Boundary::Reflect) {
            rise = select(index == 2, here, 0.0f32);
        }
    }
    if edge == bins {
        if comptime!(grid.boundary == Boundary::Open) {
            rise = -before;
        }
        if comptime!(grid.boundary == Boundary::Wrap) {
            rise = 0.0f32;
        }
        if comptime!(grid.boundary == Boundary::Reflect) {
            rise = select(index == 1, -before, 0.0f32);
        }
    }
    rise
}
