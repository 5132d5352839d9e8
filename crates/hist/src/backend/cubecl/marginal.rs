//! Soft histograms and their gradients.
//!
//! A cube adds up the pixels of a chunk of one row: each unit takes a pixel and adds its windows to words in shared
//! memory, which are whole numbers ([`fixed`]). A second kernel adds up the chunks.
//!
//! A row is one of pixels, or the colours of an image along one of `directions`. These are `offset + Σ_c w_c x_c`, with
//! the numbers `along[direction, ·]`, the offset first. The colours are never stored.

use cubecl::prelude::*;

use super::fixed;
use super::place::{Grid, fold, is_undefined, place, step_slope, window};
use crate::Directions;

/// The most bins whose low words fit into the 16 KiB of shared memory that every device has, beside the word that
/// marks what is undefined.
pub(super) const MOST_BINS: u32 = 4094;

/// The units of a cube.
pub(super) const UNITS: u32 = 256;

/// Adds the pixels of each chunk of each row to a histogram of its own. A chunk has `2 K + 1` words: the low
/// ones, the high ones, and whether it has a pixel without a place.
#[cube(launch_unchecked)]
pub(super) fn marginal_sums(
    x: &Array<f32>,
    along: &Array<f32>,
    sums: &mut Array<Atomic<u32>>,
    grid: &Grid,
    pixels: u32,
    chunk: u32,
    directions: u32,
    #[comptime] projected: bool,
) {
    let bins = grid.bins;
    let low = SharedMemory::<Atomic<u32>>::new(comptime!(MOST_BINS as usize));
    let mut undefined = SharedMemory::<u32>::new(1usize);
    let table = (CUBE_POS_Y * CUBE_COUNT_X + CUBE_POS_X) * (2 * bins + 1);

    let mut bin = UNIT_POS;
    while bin < bins {
        low[usize::cast_from(bin)].store(0u32);
        sums[usize::cast_from(table + bins + bin)].store(0u32);
        bin += comptime!(UNITS);
    }
    if UNIT_POS == 0 {
        undefined[0] = 0u32;
    }
    sync_cube();
    sync_storage();

    let start = CUBE_POS_X * chunk;
    let end = min(start + chunk, pixels);
    let mut pixel = start + UNIT_POS;
    while pixel < end {
        let value = if comptime!(projected) {
            let (image, direction) = (CUBE_POS_Y / directions, CUBE_POS_Y % directions);
            colour(x, along, image, direction, pixel, pixels)
        } else {
            x[usize::cast_from(CUBE_POS_Y * pixels + pixel)]
        };
        if is_undefined(value, grid) {
            undefined[0] = 1u32;
        }
        let at = place(value, grid);
        let first = at.edge - comptime!(grid.band as i32 / 2);
        for offset in 0..comptime!(grid.band as i32) {
            let bin = first + offset;
            let mass = fixed::whole(window(&at, bin, grid) * comptime!(fixed::ONE as f32));
            let folded = fold(bin, grid);
            if folded >= 0 && mass > 0 {
                let entry = u32::cast_from(folded);
                let before = low[usize::cast_from(entry)].fetch_add(mass);
                if before > 4294967295u32 - mass {
                    sums[usize::cast_from(table + bins + entry)].fetch_add(1u32);
                }
            }
        }
        pixel += comptime!(UNITS);
    }
    sync_cube();

    let mut bin = UNIT_POS;
    while bin < bins {
        sums[usize::cast_from(table + bin)].store(low[usize::cast_from(bin)].load());
        bin += comptime!(UNITS);
    }
    if UNIT_POS == 0 {
        sums[usize::cast_from(table + 2 * bins)].store(undefined[0]);
    }
}

/// The histograms `p[row, bin]`, from the sums of `chunks` chunks of each row.
#[cube(launch_unchecked)]
pub(super) fn marginal_finish(
    sums: &Array<u32>,
    p: &mut Array<f32>,
    grid: &Grid,
    chunks: u32,
    scale: f32,
) {
    if ABSOLUTE_POS >= p.len() {
        terminate!();
    }
    let bins = grid.bins;
    let index = u32::cast_from(ABSOLUTE_POS);
    let (row, bin) = (index / bins, index % bins);
    let mut low = 0u32;
    let mut high = 0u32;
    let mut undefined = 0u32;
    for chunk in 0..chunks {
        let table = (row * chunks + chunk) * (2 * bins + 1);
        let more = sums[usize::cast_from(table + bin)];
        if low > 4294967295u32 - more {
            high += 1;
        }
        low += more;
        high += sums[usize::cast_from(table + bins + bin)];
        undefined += sums[usize::cast_from(table + 2 * bins)];
    }
    let mass = fixed::number(low, high, scale);
    p[ABSOLUTE_POS] = select(undefined > 0, grid.not_a_number, mass);
}

/// The colour of a pixel of an image along a direction.
#[cube]
fn colour(
    x: &Array<f32>,
    along: &Array<f32>,
    image: u32,
    direction: u32,
    pixel: u32,
    pixels: u32,
) -> f32 {
    let mut colour = along[usize::cast_from(4 * direction)];
    for channel in 0..comptime!(Directions::CHANNELS as u32) {
        let value = x[usize::cast_from((image * 3 + channel) * pixels + pixel)];
        colour += value * along[usize::cast_from(4 * direction + 1 + channel)];
    }
    colour
}

/// The gradient of each pixel, given that with respect to the histograms, `grad[row, bin]`.
#[cube(launch_unchecked)]
pub(super) fn marginal_gradient(
    x: &Array<f32>,
    grad: &Array<f32>,
    gradient: &mut Array<f32>,
    grid: &Grid,
    pixels: u32,
    scale: f32,
) {
    if ABSOLUTE_POS >= gradient.len() {
        terminate!();
    }
    let table = u32::cast_from(ABSOLUTE_POS) / pixels * grid.bins;
    gradient[ABSOLUTE_POS] = slope(x[ABSOLUTE_POS], grad, table, grid) * scale;
}

/// The gradient of each pixel in its three channels, given that with respect to the histograms along the directions,
/// `grad[image, direction, bin]`.
#[cube(launch_unchecked)]
pub(super) fn directional_gradient(
    x: &Array<f32>,
    along: &Array<f32>,
    grad: &Array<f32>,
    gradient: &mut Array<f32>,
    grid: &Grid,
    pixels: u32,
    directions: u32,
    scale: f32,
) {
    if ABSOLUTE_POS >= gradient.len() / 3 {
        terminate!();
    }
    let index = u32::cast_from(ABSOLUTE_POS);
    let (image, pixel) = (index / pixels, index % pixels);
    let mut red = 0.0f32;
    let mut green = 0.0f32;
    let mut blue = 0.0f32;
    for direction in 0..directions {
        let value = colour(x, along, image, direction, pixel, pixels);
        let table = (image * directions + direction) * grid.bins;
        let slope = slope(value, grad, table, grid) * scale;
        red += slope * along[usize::cast_from(4 * direction + 1)];
        green += slope * along[usize::cast_from(4 * direction + 2)];
        blue += slope * along[usize::cast_from(4 * direction + 3)];
    }
    let at = image * 3 * pixels + pixel;
    gradient[usize::cast_from(at)] = red;
    gradient[usize::cast_from(at + pixels)] = green;
    gradient[usize::cast_from(at + 2 * pixels)] = blue;
}

/// How fast what the gradient `grad` from `table` on is that of rises with the value of a pixel.
#[cube]
fn slope(value: f32, grad: &Array<f32>, table: u32, grid: &Grid) -> f32 {
    let at = place(value, grid);
    let first = at.edge - comptime!(grid.band as i32 / 2);
    let mut before = of_bin(grad, table, first - 1, grid);
    let mut sum = 0.0f32;
    for offset in 0..comptime!(grid.band as i32) {
        let here = of_bin(grad, table, first + offset, grid);
        sum += (here - before) * step_slope(&at, first + offset, grid);
        before = here;
    }
    select(is_undefined(value, grid), grid.not_a_number, sum)
}

/// The gradient with respect to the bin that counts what an unfolded one gets.
#[cube]
fn of_bin(grad: &Array<f32>, table: u32, bin: i32, grid: &Grid) -> f32 {
    let folded = fold(bin, grid);
    let value = grad[usize::cast_from(table + u32::cast_from(max(folded, 0)))];
    select(folded >= 0, value, 0.0f32)
}
