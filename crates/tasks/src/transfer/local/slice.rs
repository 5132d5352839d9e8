//! Where a pixel lies in a grid, and what it gets there.

use crate::transfer::options::Grid;

/// Inputs of a map: red, green, blue and 1.
pub(super) const INPUTS: usize = 4;

/// The weights of red, green and blue in luma.
pub(super) const LUMA: [f32; 3] = [0.299, 0.587, 0.114];

/// A place between two neighbours along a side of a grid.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// The first of the two.
    pub(super) first: usize,
    /// How much the other counts, in [0, 1]; 0 if there is no other.
    pub(super) share: f32,
}

impl Place {
    /// The only one of a side of one cell.
    const ONLY: Self = Self {
        first: 0,
        share: 0.0,
    };

    /// Of `part` in [0, 1] of a side of so many cells, the first at 0 and the last at 1.
    #[inline(always)]
    fn new(part: f32, cells: usize) -> Self {
        let last = cells - 1;
        let at = part * last as f32;
        // A cast of what is not a number gives 0.
        let first = (at as usize).min(last.saturating_sub(1));
        Self {
            first,
            share: at - first as f32,
        }
    }

    /// Of the centre of a pixel of a side of `pixels`. It is the same place of a picture at every size.
    #[inline(always)]
    pub(super) fn of_pixel(pixel: usize, pixels: usize, cells: usize) -> Self {
        Self::new((pixel as f32 + 0.5) / pixels as f32, cells)
    }

    /// Of a colour's luma.
    #[inline(always)]
    pub(super) fn of_luma(rgb: [f32; 3], levels: usize) -> Self {
        Self::new(luma(rgb).clamp(0.0, 1.0), levels)
    }
}

/// The luma of a colour.
#[inline(always)]
pub(super) fn luma(rgb: [f32; 3]) -> f32 {
    rgb[0] * LUMA[0] + rgb[1] * LUMA[1] + rgb[2] * LUMA[2]
}

/// The cell of a grid in the order of levels, rows and columns.
pub(super) fn cell(grid: Grid, level: usize, row: usize, column: usize) -> usize {
    (level * grid.rows() + row) * grid.columns() + column
}

/// Values of a map for one input: those of red, green and blue, and a 0 that fills a vector.
pub(super) const LANES: usize = 4;

/// A cell's map on the way from one row of cells to the next.
pub(super) type RowMap = [f32; INPUTS * LANES];

/// Maps a row of pixels.
///
/// The vector instructions do not change a bit: the compiler neither reorders sums nor fuses
/// multiplications into them.
///
/// # Shapes
///
/// `maps`: `[columns, levels]`
#[multiversion::multiversion(targets("x86_64+avx512f", "x86_64+avx2"))]
pub(super) fn map_row(maps: &[RowMap], columns: usize, levels: usize, pixels: &mut [[f32; 3]]) {
    /// Pixels at once: enough for any vector register, and little on the stack.
    const AT_ONCE: usize = 32;
    // A side of one cell has no next one, whose share is 0.
    let next_column = if columns > 1 { levels } else { 0 };
    let next_level = usize::from(levels > 1);
    let width = pixels.len();
    let mut places = [(Place::ONLY, Place::ONLY); AT_ONCE];
    let mut mapped = [[0.0; LANES]; AT_ONCE];
    for (number, pixels) in pixels.chunks_mut(AT_ONCE).enumerate() {
        for (i, (place, rgb)) in places.iter_mut().zip(&*pixels).enumerate() {
            let column = Place::of_pixel(number * AT_ONCE + i, width, columns);
            *place = (column, Place::of_luma(*rgb, levels));
        }
        for ((mapped, (column, level)), rgb) in mapped.iter_mut().zip(&places).zip(&*pixels) {
            let first = column.first * levels + level.first;
            let (c, l) = (column.share, level.share);
            let corners = [
                (&maps[first], (1.0 - c) * (1.0 - l)),
                (&maps[first + next_level], (1.0 - c) * l),
                (&maps[first + next_column], c * (1.0 - l)),
                (&maps[first + next_column + next_level], c * l),
            ];
            let mut map = [0.0; INPUTS * LANES];
            for (values, share) in corners {
                for (sum, value) in map.iter_mut().zip(values) {
                    *sum += share * value;
                }
            }
            *mapped = [0.0; LANES];
            let [r, g, b] = *rgb;
            for (values, input) in map.as_chunks::<LANES>().0.iter().zip([r, g, b, 1.0]) {
                for (sum, value) in mapped.iter_mut().zip(values) {
                    *sum += input * value;
                }
            }
        }
        for (rgb, [r, g, b, _]) in pixels.iter_mut().zip(&mapped) {
            *rgb = [*r, *g, *b];
        }
    }
}
