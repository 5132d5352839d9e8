//! Where a pixel lies in a grid.

use crate::transfer::options::Grid;

/// The weights of red, green and blue in luma.
const LUMA: [f32; 3] = [0.299, 0.587, 0.114];

/// A place between two neighbours along a side of a grid.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// The first of the two.
    pub(super) first: usize,
    /// How much the other counts, in [0, 1]; 0 if there is no other.
    pub(super) share: f32,
}

impl Place {
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
