//! What the pixels of an image read from a grid of maps.

use super::slice::{INPUTS, Place, cell, luma};
use crate::transfer::cloud::counted;
use crate::transfer::options::Grid;
use crate::transfer::sample::Sample;

/// Cells around a pixel.
pub(super) const CORNERS: usize = 8;

/// A linear combination of the coefficients around a pixel that give one channel of the output: of
/// each input, corner by corner.
pub(super) type Combination = [[f64; CORNERS]; INPUTS];

/// The side of an image, in pixels, in which gradients are measured.
const UNIT: f64 = 128.0;

/// How far each corner's cell is from the first one: level, row and column are the bits of its number.
/// A side of one cell has no further cell, and its second corners count nothing.
pub(super) fn steps(grid: Grid) -> [usize; CORNERS] {
    let step = |cells: usize, stride: usize| if cells > 1 { stride } else { 0 };
    let steps = [
        step(grid.levels(), grid.rows() * grid.columns()),
        step(grid.rows(), grid.columns()),
        step(grid.columns(), 1),
    ];
    std::array::from_fn(|corner| (0..3).map(|axis| bit(corner, axis) * steps[axis]).sum())
}

/// Whether a corner is the second along an axis.
fn bit(corner: usize, axis: usize) -> usize {
    corner >> (2 - axis) & 1
}

/// What a pixel reads from a grid.
pub(super) struct Read {
    /// The pixel, counted row by row.
    pub(super) pixel: usize,
    /// The first of the cells around it.
    pub(super) first: usize,
    /// How much the second cell counts along each axis: levels, rows and columns.
    shares: [f64; 3],
    /// Red, green, blue and 1.
    inputs: [f64; INPUTS],
    /// Its part in the weight of all pixels.
    pub(super) weight: f64,
}

/// What the pixels that count of a sample read from a grid.
pub(super) fn reads(sample: &Sample, grid: Grid) -> Vec<Read> {
    let weights = counted(sample).map(|(.., weight)| f64::from(weight));
    let total: f64 = weights.sum();
    let read = |(pixel, rgb, weight): (usize, [f32; 3], f32)| {
        let (row, column) = (pixel / sample.width(), pixel % sample.width());
        let level = Place::of_luma(rgb, grid.levels());
        let row = Place::of_pixel(row, sample.height(), grid.rows());
        let column = Place::of_pixel(column, sample.width(), grid.columns());
        let [r, g, b] = rgb.map(f64::from);
        Read {
            pixel,
            first: cell(grid, level.first, row.first, column.first),
            shares: [level, row, column].map(|place| f64::from(place.share)),
            inputs: [r, g, b, 1.0],
            weight: f64::from(weight) / total,
        }
    };
    counted(sample).map(read).collect()
}

impl Read {
    /// What gives the change of the pixel's colour.
    #[inline(always)]
    pub(super) fn value(&self) -> Combination {
        let [l, r, c] = self.parts();
        let shares: [f64; CORNERS] = std::array::from_fn(|i| l[i] * r[i] * c[i]);
        self.inputs.map(|input| shares.map(|share| share * input))
    }

    /// What gives the gradient of the change of the colour along an edge, at which the inputs and the
    /// place in the grid (levels, rows, columns) have these gradients.
    #[inline(always)]
    fn gradient(&self, of_colour: [f64; 3], of_place: [f64; 3]) -> Combination {
        let [l, r, c] = self.parts();
        let [of_l, of_r, of_c] = of_place;
        let sign = |corner, axis| if bit(corner, axis) == 1 { 1.0 } else { -1.0 };
        let of_shares: [f64; CORNERS] = std::array::from_fn(|i| {
            of_l * sign(i, 0) * (r[i] * c[i])
                + of_r * sign(i, 1) * (c[i] * l[i])
                + of_c * sign(i, 2) * (l[i] * r[i])
        });
        let shares: [f64; CORNERS] = std::array::from_fn(|i| l[i] * r[i] * c[i]);
        let of_inputs = [of_colour[0], of_colour[1], of_colour[2], 0.0];
        let mut combination = [[0.0; CORNERS]; INPUTS];
        for ((values, input), of_input) in combination.iter_mut().zip(self.inputs).zip(of_inputs) {
            *values = std::array::from_fn(|i| shares[i] * of_input + of_shares[i] * input);
        }
        combination
    }

    /// How much each corner counts along each axis.
    #[inline(always)]
    fn parts(&self) -> [[f64; CORNERS]; 3] {
        let part = |axis: usize, corner| match bit(corner, axis) {
            0 => 1.0 - self.shares[axis],
            _ => self.shares[axis],
        };
        [0, 1, 2].map(|axis| std::array::from_fn(|corner| part(axis, corner)))
    }
}

/// The gradient of an image at a pixel, to the right or down, and what gives that of the change.
pub(super) struct Gradient {
    /// Of the image's own colours, for a pixel of an image whose longer side has [`UNIT`].
    pub(super) own: [f64; 3],
    /// The same of the colours that the linear map makes.
    pub(super) moved: [f64; 3],
    /// What gives that of the change.
    pub(super) combination: Combination,
}

/// The gradients at a pixel from those of its neighbours that count, as far as it has any; `moved`
/// gives the linear map's colours.
#[inline(always)]
pub(super) fn gradients(
    sample: &Sample,
    grid: Grid,
    read: &Read,
    moved: impl Fn([f32; 3]) -> [f32; 3],
) -> impl Iterator<Item = Gradient> {
    let (width, height) = (sample.width(), sample.height());
    let (row, column) = (read.pixel / width, read.pixel % width);
    let unit = width.max(height) as f64 / UNIT;
    let directions = [
        (row, height, width, [grid.rows() - 1, 0]),
        (column, width, 1, [0, grid.columns() - 1]),
    ];
    directions
        .into_iter()
        .filter_map(move |(at, side, stride, cells)| {
            let counts = |pixel: &usize| sample.weight(*pixel) > 0.0;
            let before = (at > 0).then(|| read.pixel - stride).filter(counts);
            let after = (at + 1 < side).then(|| read.pixel + stride).filter(counts);
            let distance = usize::from(before.is_some()) + usize::from(after.is_some());
            if distance == 0 {
                return None;
            }
            let ends = [before, after].map(|pixel| sample.pixels()[pixel.unwrap_or(read.pixel)]);
            let scale = unit / distance as f64;
            let difference =
                |[a, b]: [[f32; 3]; 2]| std::array::from_fn(|c| f64::from(b[c] - a[c]) * scale);
            let lumas = ends.map(luma);
            let of_luma = f64::from(lumas[1] - lumas[0]) * scale;
            let [rows, columns] = cells.map(|cells| cells as f64 / side as f64 * unit);
            let own = difference(ends);
            let of_place = [of_luma * (grid.levels() - 1) as f64, rows, columns];
            Some(Gradient {
                own,
                moved: difference(ends.map(&moved)),
                combination: read.gradient(own, of_place),
            })
        })
}
