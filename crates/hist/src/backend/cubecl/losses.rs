//! Both losses, and their gradients with respect to the histograms, from the sums of each row.

use cubecl::prelude::*;

use super::distance::distance_of_row;
use super::place::Grid;
use super::row::{Terms, UNITS};
use super::structure::structure_of_row;

/// `values[row, loss]`; the gradients with respect to the histograms `of_p[row, bin]` and, if `tracked`, with
/// respect to the joint histograms, `of_joint[row, bin, bin]`. `along[row, 4, bin]` is for intermediate numbers.
#[cube(launch_unchecked)]
pub(super) fn losses(
    sums: &Array<u32>,
    undefined: &Array<u32>,
    target: &Array<f32>,
    values: &mut Array<f32>,
    of_p: &mut Array<f32>,
    of_joint: &mut Array<f32>,
    along: &mut Array<f32>,
    grid: &Grid,
    terms: &Terms,
    #[comptime] tracked: bool,
) {
    let mut partial = SharedMemory::<f32>::new(comptime!(UNITS as usize));
    let row = CUBE_POS_X;
    let mut without_x = 0u32;
    let mut without_y = 0u32;
    for chunk in 0..terms.chunks {
        let which = undefined[usize::cast_from(row * terms.chunks + chunk)];
        without_x += which & 1;
        without_y += which >> 1;
    }
    let distance = distance_of_row(
        sums,
        target,
        of_p,
        along,
        &mut partial,
        grid,
        terms,
        without_y > 0,
    );
    let none = without_x + without_y > 0;
    let structure = structure_of_row(
        sums,
        of_joint,
        along,
        &mut partial,
        grid,
        terms,
        none,
        tracked,
    );
    if UNIT_POS == 0 {
        values[usize::cast_from(2 * row)] = select(without_y > 0, grid.not_a_number, distance);
        values[usize::cast_from(2 * row + 1)] = select(none, grid.not_a_number, structure);
    }
}
