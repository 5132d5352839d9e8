//! The histograms and their gradients, as kernels.
//!
//! # Sums
//!
//! A cube owns the entries it adds up: those of one histogram of one image, or of one row of one joint
//! histogram. [`LANES`] units that share a pixel are a *group*; every group has a copy of the entries
//! in shared memory, so that no unit ever waits for another to add a pixel, and the copies are added in the
//! order of the groups. There are no atomic additions: the same pixels give the same bits.
//!
//! After [`SUMMANDS`] pixels a group's copy goes on to the sum in global memory, so that rounding
//! errors of adding the same window many times, which all have the same sign, stay small. That sum is in
//! single precision too, with a summand for each block of [`SUMMANDS`] pixels of every group: for joint histograms of
//! large images with so many bins that a cube has but a few groups these are thousands, and entries to which all
//! pixels add the same can be off by some 10⁻⁴.
//!
//! # Gradients
//!
//! Each unit gathers what one pixel needs.

use cubecl::prelude::*;

use super::place::{
    Grid, LANES, Place, bins_of, edges, image, mass, place, rise, step_slope, touches, window,
};

/// Pixels that a group adds before the sum goes on elsewhere.
pub(super) const SUMMANDS: u32 = 512;

/// Pixels that a unit compares with a row's bin at a time, one in each bit of a word.
const WORD: u32 = 32;

/// Words of shared memory that every device has, 16 KiB, but for the one that marks what is undefined.
const SHARED: u32 = 4095;

/// The most bins for which one group's copy and its words fit there.
pub(super) const MOST_BINS: u32 = SHARED - LANES;

/// The groups of a cube: each has a copy of the entries and a word for each unit.
pub(super) fn groups(bins: u32) -> u32 {
    (SHARED / (bins + LANES)).clamp(1, 16)
}

/// Adds the pixels `[first, end)` of each row to histograms of their own: `p[row, chunk, bin]`.
#[cube(launch_unchecked)]
pub(super) fn marginal_sums(
    x: &Tensor<f32>,
    p: &mut Tensor<f32>,
    grid: &Grid,
    pixels: u32,
    chunk: u32,
    scale: f32,
    #[comptime] groups: u32,
) {
    let bins = comptime!(grid.bins);
    let row = CUBE_POS_Y;
    let to = usize::cast_from((row * CUBE_COUNT_X + CUBE_POS_X) * bins);
    let from = row * pixels;
    let group = UNIT_POS / LANES;
    let lane = i32::cast_from(UNIT_POS % LANES);

    let mut copies = SharedMemory::<f32>::new(comptime!((groups * bins) as usize));
    let mut undefined = SharedMemory::<u32>::new(1usize);

    let start = CUBE_POS_X * chunk;
    let end = select(start + chunk < pixels, start + chunk, pixels);
    let blocks = (end - start).div_ceil(groups * SUMMANDS);
    for block in 0..blocks {
        clear(&mut copies, &mut undefined, comptime!(groups * bins));
        sync_cube();

        let first = start + block * groups * SUMMANDS + group;
        for summand in 0..SUMMANDS {
            let pixel = first + summand * groups;
            if pixel < end {
                let value = x[usize::cast_from(from + pixel)];
                if is_undefined(value, grid) {
                    undefined[0] = 1u32;
                } else {
                    add_band(value, 1.0f32, &mut copies, group * bins, lane, grid);
                }
            }
        }
        sync_cube();

        collect(&copies, &undefined, p, to, scale, block, grid, groups);
        sync_cube();
    }
}

/// Adds the pixels of a chunk of each row to rows of joint histograms of their own:
/// `joint[row, chunk, bin of x, bin of y]`.
#[cube(launch_unchecked)]
pub(super) fn joint_sums(
    x: &Tensor<f32>,
    y: &Tensor<f32>,
    joint: &mut Tensor<f32>,
    grid: &Grid,
    pixels: u32,
    chunk: u32,
    scale: f32,
    #[comptime] groups: u32,
) {
    let bins = comptime!(grid.bins);
    let units = comptime!(groups * LANES);
    let bin = i32::cast_from(CUBE_POS_X);
    let row = CUBE_POS_Z;
    let table = row * CUBE_COUNT_Y + CUBE_POS_Y;
    let to = usize::cast_from(table * bins + CUBE_POS_X) * usize::cast_from(bins);
    let from = row * pixels;
    let group = UNIT_POS / LANES;
    let lane = i32::cast_from(UNIT_POS % LANES);

    let mut copies = SharedMemory::<f32>::new(comptime!((groups * bins) as usize));
    let mut undefined = SharedMemory::<u32>::new(1usize);
    // Which pixels touch the row's bin: few do.
    let mut words = SharedMemory::<u32>::new(comptime!(units as usize));

    let start = CUBE_POS_Y * chunk;
    let end = select(start + chunk < pixels, start + chunk, pixels);
    let blocks = (end - start).div_ceil(units * WORD);
    for block in 0..blocks {
        clear(&mut copies, &mut undefined, comptime!(groups * bins));
        sync_cube();

        let first = start + block * units * WORD;
        let mut word = 0u32;
        for bit in 0..WORD {
            let pixel = first + bit * units + UNIT_POS;
            if pixel < end {
                let i = usize::cast_from(from + pixel);
                if is_undefined(x[i], grid) || is_undefined(y[i], grid) {
                    undefined[0] = 1u32;
                } else if any_touches(x[i], bin, grid) {
                    word |= 1u32 << bit;
                }
            }
        }
        words[UNIT_POS as usize] = word;
        sync_cube();

        for other in 0..LANES {
            let unit = group * LANES + other;
            let mut word = words[unit as usize];
            while word != 0 {
                let bit = word.trailing_zeros();
                word &= word - 1;
                let i = usize::cast_from(from + first + bit * units + unit);
                let weight = mass(&place(x[i], grid), bin, grid);
                add_band(y[i], weight, &mut copies, group * bins, lane, grid);
            }
        }
        sync_cube();

        collect(&copies, &undefined, joint, to, scale, block, grid, groups);
        sync_cube();
    }
}

/// The gradient of each pixel, given that with respect to the histograms, `grad[row, bin]`.
#[cube(launch_unchecked)]
pub(super) fn marginal_gradient(
    x: &Tensor<f32>,
    grad: &Tensor<f32>,
    gradient: &mut Tensor<f32>,
    grid: &Grid,
    pixels: u32,
    scale: f32,
) {
    if ABSOLUTE_POS >= x.len() {
        terminate!();
    }
    let table = ABSOLUTE_POS / usize::cast_from(pixels) * comptime!(grid.bins as usize);
    let value = x[ABSOLUTE_POS];
    let mut sum = grid.not_a_number;
    if !is_undefined(value, grid) {
        sum = of_column(&place(value, grid), grad, table, 1u32, grid);
    }
    gradient[ABSOLUTE_POS] = sum * scale;
}

/// The gradient of each pixel of `moving`, given that with respect to the joint histograms with the
/// pixels of `fixed`. The bin of a moving pixel takes `stride` entries of a table, that of a fixed one
/// `fixed_stride`.
#[cube(launch_unchecked)]
pub(super) fn joint_gradient(
    moving: &Tensor<f32>,
    fixed: &Tensor<f32>,
    grad: &Tensor<f32>,
    gradient: &mut Tensor<f32>,
    grid: &Grid,
    pixels: u32,
    scale: f32,
    stride: u32,
    fixed_stride: u32,
) {
    if ABSOLUTE_POS >= moving.len() {
        terminate!();
    }
    let entries = comptime!((grid.bins * grid.bins) as usize);
    let table = ABSOLUTE_POS / usize::cast_from(pixels) * entries;
    let (value, other) = (moving[ABSOLUTE_POS], fixed[ABSOLUTE_POS]);
    let mut sum = grid.not_a_number;
    if !is_undefined(value, grid) && !is_undefined(other, grid) {
        sum = 0.0f32;
        let (place_of_moving, place_of_fixed) = (place(value, grid), place(other, grid));
        for fixed_index in 0..comptime!(grid.images) {
            let fixed_image = image(&place_of_fixed, fixed_index, grid);
            let (first_bin, end_of_bins) = bins_of(&fixed_image, grid);
            for bin in first_bin..end_of_bins {
                let column = table + usize::cast_from(bin) * usize::cast_from(fixed_stride);
                let of_column = of_column(&place_of_moving, grad, column, stride, grid);
                sum += of_column * window(&fixed_image, bin, grid);
            }
        }
    }
    gradient[ABSOLUTE_POS] = sum * scale;
}

/// What a pixel's gradient gets from the column of a gradient table that begins at `column` and whose
/// bins are `stride` entries apart.
#[cube]
fn of_column(place: &Place, grad: &Tensor<f32>, column: usize, stride: u32, grid: &Grid) -> f32 {
    let bins = comptime!(grid.bins as i32);
    let stride = usize::cast_from(stride);
    let last = grad[column + comptime!(grid.bins as usize - 1) * stride];
    let mut sum = 0.0f32;
    for index in 0..comptime!(grid.images) {
        let image = image(place, index, grid);
        let (first, end) = edges(&image, grid);
        let mut before = 0.0f32;
        if first > 0 && first < end {
            before = grad[column + usize::cast_from(first - 1) * stride];
        }
        for edge in first..end {
            let mut here = 0.0f32;
            if edge < bins {
                here = grad[column + usize::cast_from(edge) * stride];
            }
            let rise = rise(here, before, last, edge, index, grid);
            sum += rise * step_slope(&image, edge, grid);
            before = here;
        }
    }
    sum
}

/// Whether a pixel has no place on the axis: it is not a number, or infinite on a circle.
#[cube]
fn is_undefined(pixel: f32, grid: &Grid) -> bool {
    let mut undefined = pixel.is_nan();
    if comptime!(grid.boundary == crate::Boundary::Wrap) {
        undefined = undefined || pixel.is_inf();
    }
    undefined
}

/// Whether a bin is in the band of an image of a pixel.
#[cube]
fn any_touches(pixel: f32, bin: i32, grid: &Grid) -> bool {
    let place = place(pixel, grid);
    let mut any = false;
    for index in 0..comptime!(grid.images) {
        any = any || touches(&image(&place, index, grid), bin, grid);
    }
    any
}

/// Adds a lane's part of the windows of a pixel, times `weight`, to the copy that begins at `to`.
#[cube]
fn add_band(
    pixel: f32,
    weight: f32,
    copies: &mut SharedMemory<f32>,
    to: u32,
    lane: i32,
    grid: &Grid,
) {
    let bins = comptime!(grid.bins as i32);
    let half = comptime!(grid.band as i32 / 2);
    let place = place(pixel, grid);
    for index in 0..comptime!(grid.images) {
        let image = image(&place, index, grid);
        let start = image.edge - half;
        // The first bin of the band that is the lane's.
        let first = start + ((lane - start) & 15);
        for line in 0..comptime!(grid.band / LANES) {
            let bin = first + i32::cast_from(line * LANES);
            if bin >= 0 && bin < bins {
                let entry = usize::cast_from(to) + usize::cast_from(bin);
                copies[entry] += weight * window(&image, bin, grid);
            }
        }
    }
}

#[cube]
fn clear(
    copies: &mut SharedMemory<f32>,
    undefined: &mut SharedMemory<u32>,
    #[comptime] entries: u32,
) {
    let mut entry = UNIT_POS;
    while entry < entries {
        copies[entry as usize] = 0.0f32;
        entry += CUBE_DIM;
    }
    if UNIT_POS == 0 {
        undefined[0] = 0u32;
    }
}

/// Adds the copies of all groups, times `scale`, to the entries that begin at `to`.
#[cube]
fn collect(
    copies: &SharedMemory<f32>,
    undefined: &SharedMemory<u32>,
    sums: &mut Tensor<f32>,
    to: usize,
    scale: f32,
    block: u32,
    grid: &Grid,
    #[comptime] groups: u32,
) {
    let bins = comptime!(grid.bins);
    let mut bin = UNIT_POS;
    while bin < bins {
        let mut sum = 0.0f32;
        for group in 0..groups {
            sum += copies[(group * bins + bin) as usize];
        }
        sum *= scale;
        if undefined[0] == 1 {
            sum = grid.not_a_number;
        }
        let entry = to + usize::cast_from(bin);
        if block > 0 {
            sum += sums[entry];
        }
        sums[entry] = sum;
        bin += CUBE_DIM;
    }
}
