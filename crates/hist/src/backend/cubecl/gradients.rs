//! The gradients of pixels, given those with respect to the joint histogram and the histogram of `y`.
//!
//! As for the sums ([`joint`](super::joint)) a group of units walks through sorted pixels with a tile of the table in
//! registers: by how much the gradient rises from bin to bin. A pixel takes from it what its windows and the slopes of
//! its edges say, and reads nothing else. What the units of a group have of a pixel is added in their order.

use cubecl::prelude::*;

use super::joint::{COLUMNS, GROUPS, LANES_OF_TILE, ROWS, SPAN, TILE, UNITS, block, first_bin};
use super::place::{Grid, Place, fold, is_undefined, place, step_slope, window};

/// Which gradients.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Wanted {
    pub(super) of_x: bool,
    pub(super) of_y: bool,
    /// Whether the histogram of `y` counts, and the gradients with respect to the losses.
    pub(super) losses: bool,
}

/// `of_x[row, pixel]` and `of_y[row, pixel]`, from the gradients with respect to the histograms, `of_p[row, bin]` and
/// `of_joint[row, bin, bin]`, and those with respect to the losses, `grad[row, loss]`.
///
/// The pixels are taken in the order `order[row, ·]`; a cube takes `spans` times [`SPAN`] for each group.
#[cube(launch_unchecked)]
pub(super) fn gradients(
    x: &Array<f32>,
    y: &Array<f32>,
    order: &Array<u32>,
    of_p: &Array<f32>,
    of_joint: &Array<f32>,
    grad: &Array<f32>,
    of_x: &mut Array<f32>,
    of_y: &mut Array<f32>,
    grid: &Grid,
    pixels: u32,
    spans: u32,
    scale: f32,
    #[comptime] wanted: Wanted,
    #[comptime] tiles: u32,
    #[comptime] edges: u32,
) {
    let mut parts = SharedMemory::<f32>::new(comptime!((UNITS * SPAN) as usize));
    let row = CUBE_POS_Y;
    let from = row * pixels;
    let mut weight = scale;
    let mut weight_of_p = scale;
    if comptime!(wanted.losses) {
        weight_of_p *= grad[usize::cast_from(2 * row)];
        weight *= grad[usize::cast_from(2 * row + 1)];
    }
    for span in 0..spans {
        let group = UNIT_POS / comptime!(LANES_OF_TILE);
        let start = ((CUBE_POS_X * spans + span) * comptime!(GROUPS) + group) * comptime!(SPAN);
        let end = min(start + comptime!(SPAN), pixels);
        if comptime!(wanted.of_x) {
            let side = comptime!(Side {
                of_x: true,
                with_p: false,
                tiles,
                edges,
            });
            walk(
                y,
                x,
                order,
                of_p,
                of_joint,
                &mut parts,
                grid,
                from,
                start,
                end,
                weight,
                weight_of_p,
                side,
            );
            sync_cube();
            collect(x, y, order, &parts, of_x, grid, from, start, end);
            sync_cube();
        }
        if comptime!(wanted.of_y) {
            let side = comptime!(Side {
                of_x: false,
                with_p: wanted.losses,
                tiles,
                edges,
            });
            walk(
                x,
                y,
                order,
                of_p,
                of_joint,
                &mut parts,
                grid,
                from,
                start,
                end,
                weight,
                weight_of_p,
                side,
            );
            sync_cube();
            collect(x, y, order, &parts, of_y, grid, from, start, end);
            sync_cube();
        }
    }
}

/// Which image moves, and what moves with it.
#[derive(Clone, Copy)]
struct Side {
    of_x: bool,
    with_p: bool,
    tiles: u32,
    edges: u32,
}

/// What each unit of a group has of the gradients of its pixels `[start, end)`, along the pixels that move.
#[cube]
fn walk(
    fixed: &Array<f32>,
    moving: &Array<f32>,
    order: &Array<u32>,
    of_p: &Array<f32>,
    of_joint: &Array<f32>,
    parts: &mut SharedMemory<f32>,
    grid: &Grid,
    from: u32,
    start: u32,
    end: u32,
    weight: f32,
    weight_of_p: f32,
    #[comptime] side: Side,
) {
    let tiles = comptime!(side.tiles);
    let edges = comptime!(side.edges);
    let lane = UNIT_POS % comptime!(LANES_OF_TILE);
    let strip = lane / comptime!(TILE / COLUMNS);
    let bins = grid.bins;
    let table = CUBE_POS_Y * bins * bins;
    let mut rises = Array::<f32>::new(comptime!((ROWS * COLUMNS) as usize));
    let mut rises_of_p = Array::<f32>::new(comptime!(COLUMNS as usize));
    let mut columns = Array::<i32>::new(comptime!((COLUMNS + 1) as usize));
    let mut slopes = Array::<f32>::new(comptime!(COLUMNS as usize));

    for tile in 0..comptime!(tiles * tiles) {
        // The unit's part of the tile, as an offset from the first bin that a block reaches.
        let row_offset = i32::cast_from(tile / tiles * comptime!(TILE) + strip * comptime!(ROWS));
        let column_offset = i32::cast_from(
            tile % tiles * comptime!(TILE) + lane % comptime!(TILE / COLUMNS) * comptime!(COLUMNS),
        );
        let counts_p = row_offset == 0;
        let mut at = start;
        if at < end {
            let first = usize::cast_from(from + order[usize::cast_from(from + at)]);
            let fixed_first = place(fixed[first], grid);
            let moving_first = place(moving[first], grid);
            let mut fixed_edge = fixed_first.edge;
            let mut fixed_beyond = fixed_first.beyond;
            let mut moving_edge = moving_first.edge;
            let mut moving_beyond = moving_first.beyond;
            while at < end {
                let fixed_block = block(fixed_edge, grid, edges);
                let moving_block = block(moving_edge, grid, edges);
                let first_row = first_bin(fixed_block, grid, edges) + row_offset;
                let first_column = first_bin(moving_block, grid, edges) + column_offset;
                // The bin before the first edge, and those after each of the edges.
                #[unroll]
                for b in 0..comptime!(COLUMNS + 1) {
                    columns[b as usize] = fold(first_column + comptime!(b as i32 - 1), grid);
                }
                #[unroll]
                for a in 0..ROWS {
                    let row = fold(first_row + comptime!(a as i32), grid);
                    let mut before = 0.0f32;
                    #[unroll]
                    for b in 0..comptime!(COLUMNS + 1) {
                        let column = columns[b as usize];
                        let (i, k) = (u32::cast_from(max(row, 0)), u32::cast_from(max(column, 0)));
                        let mut entry = i * bins + k;
                        if comptime!(side.of_x) {
                            entry = k * bins + i;
                        }
                        let value = of_joint[usize::cast_from(table + entry)];
                        let here = select(row >= 0 && column >= 0, value, 0.0f32);
                        if comptime!(b > 0) {
                            rises[comptime!((a * COLUMNS + b - 1) as usize)] = here - before;
                        }
                        before = here;
                    }
                }
                if comptime!(side.with_p) {
                    let mut before = 0.0f32;
                    #[unroll]
                    for b in 0..comptime!(COLUMNS + 1) {
                        let column = columns[b as usize];
                        let entry = CUBE_POS_Y * bins + u32::cast_from(max(column, 0));
                        let value = of_p[usize::cast_from(entry)];
                        let here = select(counts_p && column >= 0, value, 0.0f32);
                        if comptime!(b > 0) {
                            rises_of_p[comptime!((b - 1) as usize)] = here - before;
                        }
                        before = here;
                    }
                }

                let mut same = true;
                while same {
                    let fixed_at = Place {
                        edge: fixed_edge,
                        beyond: fixed_beyond,
                    };
                    let moving_at = Place {
                        edge: moving_edge,
                        beyond: moving_beyond,
                    };
                    #[unroll]
                    for b in 0..COLUMNS {
                        let edge = first_column + comptime!(b as i32);
                        slopes[b as usize] = step_slope(&moving_at, edge, grid);
                    }
                    let mut sum = 0.0f32;
                    #[unroll]
                    for a in 0..ROWS {
                        let mut seen = 0.0f32;
                        #[unroll]
                        for b in 0..COLUMNS {
                            let n = comptime!((a * COLUMNS + b) as usize);
                            seen += rises[n] * slopes[b as usize];
                        }
                        sum += seen * window(&fixed_at, first_row + comptime!(a as i32), grid);
                    }
                    sum *= weight;
                    if comptime!(side.with_p) {
                        let mut seen = 0.0f32;
                        #[unroll]
                        for b in 0..COLUMNS {
                            seen += rises_of_p[b as usize] * slopes[b as usize];
                        }
                        sum += seen * weight_of_p;
                    }
                    let part = usize::cast_from((at - start) * comptime!(UNITS) + UNIT_POS);
                    if tile > 0 {
                        sum += parts[part];
                    }
                    parts[part] = sum;

                    at += 1;
                    same = at < end;
                    if same {
                        let next = usize::cast_from(from + order[usize::cast_from(from + at)]);
                        let fixed_next = place(fixed[next], grid);
                        let moving_next = place(moving[next], grid);
                        fixed_edge = fixed_next.edge;
                        fixed_beyond = fixed_next.beyond;
                        moving_edge = moving_next.edge;
                        moving_beyond = moving_next.beyond;
                        same = block(fixed_edge, grid, edges) == fixed_block
                            && block(moving_edge, grid, edges) == moving_block;
                    }
                }
            }
        }
    }
}

/// Adds up what the units of a group have of each of its pixels.
#[cube]
fn collect(
    x: &Array<f32>,
    y: &Array<f32>,
    order: &Array<u32>,
    parts: &SharedMemory<f32>,
    gradient: &mut Array<f32>,
    grid: &Grid,
    from: u32,
    start: u32,
    end: u32,
) {
    let lane = UNIT_POS % comptime!(LANES_OF_TILE);
    let first = UNIT_POS - lane;
    let mut at = start + lane;
    while at < end {
        let mut sum = 0.0f32;
        for other in 0..comptime!(LANES_OF_TILE) {
            let part = (at - start) * comptime!(UNITS) + first + other;
            sum += parts[usize::cast_from(part)];
        }
        let pixel = usize::cast_from(from + order[usize::cast_from(from + at)]);
        let none = is_undefined(x[pixel], grid) || is_undefined(y[pixel], grid);
        gradient[pixel] = select(none, grid.not_a_number, sum);
        at += comptime!(LANES_OF_TILE);
    }
}
