//! Joint histograms.
//!
//! # Sort
//!
//! Pixels that touch the same entries are brought next to one another: an edge of a pixel is in a *block* of a
//! few neighbouring edges on either axis, and the pixels of a chunk are sorted by blocks, or by cells of several
//! if there are too many of them. Their order within a cell is that in which units came to write it down. It
//! makes no difference to any sum, because these are of whole numbers ([`fixed`]).
//!
//! # Sums
//!
//! [`LANES_OF_TILE`] units, a *group*, walk through [`SPAN`] pixels in that order. The bins that pixels of one
//! block reach are a tile of the table, or several if the band is wide; each unit has a part of a tile in its
//! registers, so adding a pixel costs no access to memory at all. Only where the block changes is the tile added
//! to the table, by atomic additions. So the work for a pixel is one window for each unit, row and column, and one
//! addition for each entry of a tile, however many bins there are. To that come the additions to the table: few
//! where many pixels of a chunk share a block, as many again for each pixel where none do.
//!
//! The axis is unfolded in the tile. It is folded on the way to the table.

use cubecl::prelude::*;

use super::fixed;
use super::place::{Grid, Place, band, fold, is_undefined, lowest_edge, place, window};
use crate::Kernel;

/// The pixels that are sorted together, at most.
pub(super) const CHUNK: u32 = 1 << 15;
/// Cells that a chunk is sorted by, along each axis: as many as 16 KiB of shared memory can count.
const CELLS: u32 = 63;
const KEYS: u32 = CELLS * CELLS;
const _: () = assert!((KEYS + CELLS + 2) * 4 <= 16 << 10);

/// The bins of a tile along each axis.
pub(super) const TILE: u32 = 24;
/// The rows and columns that a unit has of it.
pub(super) const ROWS: u32 = 12;
pub(super) const COLUMNS: u32 = 6;
/// The units that share it.
pub(super) const LANES_OF_TILE: u32 = (TILE / ROWS) * (TILE / COLUMNS);
const ENTRIES: u32 = ROWS * COLUMNS;
/// The words that a unit has in shared memory: its entries, their carries, and those of the histogram of `y`.
const STAGED: u32 = ENTRIES + ROWS + COLUMNS;
/// The groups of a cube.
pub(super) const GROUPS: u32 = 4;
pub(super) const UNITS: u32 = GROUPS * LANES_OF_TILE;
/// Pixels that a group adds up: few enough for an entry to be carried over 31 times at most.
pub(super) const SPAN: u32 = 96;
/// The bits of one entry's carries, in a word for a row's.
const CARRY_BITS: u32 = 5;

const _: () = assert!(SPAN / (u32::MAX / fixed::ONE + 1) < 1 << CARRY_BITS);
const _: () = assert!(COLUMNS * CARRY_BITS <= u32::BITS);

/// The tiles of the bins that the pixels of one block reach, along each axis, and the edges of a block.
pub(super) fn tiles_and_edges(kernel: Kernel) -> (u32, u32) {
    // With so many edges at least most neighbours of a pixel are in its block.
    const EDGES: u32 = 8;
    let band = band(kernel);
    let tiles = (band + EDGES - 1).div_ceil(TILE);
    (tiles, tiles * TILE - band + 1)
}

/// The blocks of edges along an axis that a cell has, if there are `bins`.
pub(super) fn blocks_of_cell(bins: u32, edges: u32) -> u32 {
    // One more than the edges fill: the first begins somewhere below the range.
    let inside = (bins + 1).div_ceil(edges) + 1;
    inside.div_ceil(CELLS)
}

/// The words of the sums of a row: those of its joint histogram, then those of the histogram of `y`.
pub(super) fn words(bins: usize) -> usize {
    2 * bins * bins + 2 * bins
}

/// Sorts the pixels of every chunk of every row: `order[row, ·]` are their numbers. Also clears the sums, and says
/// which chunks have a pixel without a place: `undefined[row, chunk]` is 1 for `x`, 2 for `y`, 3 for both.
#[cube(launch_unchecked)]
pub(super) fn sort(
    x: &Array<f32>,
    y: &Array<f32>,
    order: &mut Array<u32>,
    undefined: &mut Array<u32>,
    sums: &mut Array<Atomic<u32>>,
    grid: &Grid,
    pixels: u32,
    chunk: u32,
    blocks: u32,
    words: u32,
    #[comptime] edges: u32,
    #[comptime] units: u32,
) {
    // How many pixels have each key; then where the next of them is written.
    let keys = SharedMemory::<Atomic<u32>>::new(comptime!(KEYS as usize));
    let mut before = SharedMemory::<u32>::new(comptime!(CELLS as usize));
    let mut without = SharedMemory::<u32>::new(2usize);

    let mut word = CUBE_POS_X * units + UNIT_POS;
    while word < words {
        sums[usize::cast_from(CUBE_POS_Y * words + word)].store(0u32);
        word += CUBE_COUNT_X * units;
    }
    let mut key = UNIT_POS;
    while key < comptime!(KEYS) {
        keys[usize::cast_from(key)].store(0u32);
        key += units;
    }
    if UNIT_POS < 2 {
        without[usize::cast_from(UNIT_POS)] = 0u32;
    }
    sync_cube();

    let from = CUBE_POS_Y * pixels;
    let start = CUBE_POS_X * chunk;
    let end = min(start + chunk, pixels);
    let mut pixel = start + UNIT_POS;
    while pixel < end {
        let at = usize::cast_from(from + pixel);
        let (value, other) = (x[at], y[at]);
        if is_undefined(value, grid) {
            without[0] = 1u32;
        }
        if is_undefined(other, grid) {
            without[1] = 2u32;
        }
        keys[usize::cast_from(key_of(value, other, grid, blocks, edges))].fetch_add(1u32);
        pixel += units;
    }
    sync_cube();

    // A unit has a row of keys: what lies before it, then where each of its keys begins.
    let first = UNIT_POS * comptime!(CELLS);
    if UNIT_POS < comptime!(CELLS) {
        let mut sum = 0u32;
        for column in 0..comptime!(CELLS) {
            sum += keys[usize::cast_from(first + column)].load();
        }
        before[usize::cast_from(UNIT_POS)] = sum;
    }
    if UNIT_POS == 0 {
        undefined[usize::cast_from(CUBE_POS_Y * CUBE_COUNT_X + CUBE_POS_X)] =
            without[0] + without[1];
    }
    sync_cube();
    if UNIT_POS < comptime!(CELLS) {
        let mut place = 0u32;
        for row in 0..UNIT_POS {
            place += before[usize::cast_from(row)];
        }
        for column in 0..comptime!(CELLS) {
            let key = usize::cast_from(first + column);
            let count = keys[key].load();
            keys[key].store(place);
            place += count;
        }
    }
    sync_cube();

    let mut pixel = start + UNIT_POS;
    while pixel < end {
        let at = usize::cast_from(from + pixel);
        let key = key_of(x[at], y[at], grid, blocks, edges);
        let place = keys[usize::cast_from(key)].fetch_add(1u32);
        order[usize::cast_from(from + start + place)] = pixel;
        pixel += units;
    }
}

/// The cell of a pair of pixels.
#[cube]
fn key_of(x: f32, y: f32, grid: &Grid, blocks: u32, #[comptime] edges: u32) -> u32 {
    let (x, y) = (place(x, grid), place(y, grid));
    let row = cell(x.edge, grid, blocks, edges);
    row * comptime!(CELLS) + cell(y.edge, grid, blocks, edges)
}

/// The cell that an edge is in. Those that the range leaves are for edges beyond its borders, as many below as
/// above. The outermost have whatever lies beyond them.
#[cube]
fn cell(edge: i32, grid: &Grid, blocks: u32, #[comptime] edges: u32) -> u32 {
    let first = block(0, grid, edges);
    let inside = block(i32::cast_from(grid.bins), grid, edges) - first + 1;
    let below = min((comptime!(CELLS) * blocks - inside) / 2, first);
    let number = max(block(edge, grid, edges), first - below) - (first - below);
    min(number / blocks, comptime!(CELLS - 1))
}

/// The block that an edge is in.
#[cube]
pub(super) fn block(edge: i32, grid: &Grid, #[comptime] edges: u32) -> u32 {
    u32::cast_from(edge - lowest_edge(grid)) / edges
}

/// The first bin that the pixels of a block reach.
#[cube]
pub(super) fn first_bin(block: u32, grid: &Grid, #[comptime] edges: u32) -> i32 {
    let half = comptime!(grid.band as i32 / 2);
    lowest_edge(grid) + i32::cast_from(block * edges) - half
}

/// Adds the pixels of each row, in the order `order[row, ·]`, to its joint histogram and to that of `y`.
///
/// A cube adds `spans` times [`SPAN`] pixels for each group, to the tile that its third coordinate says.
#[cube(launch_unchecked)]
pub(super) fn joint_sums(
    x: &Array<f32>,
    y: &Array<f32>,
    order: &Array<u32>,
    sums: &mut Array<Atomic<u32>>,
    grid: &Grid,
    pixels: u32,
    words: u32,
    spans: u32,
    #[comptime] tiles: u32,
    #[comptime] edges: u32,
) {
    let mut stage = SharedMemory::<u32>::new(comptime!((UNITS * STAGED) as usize));
    let lane = UNIT_POS % comptime!(LANES_OF_TILE);
    let group = UNIT_POS / comptime!(LANES_OF_TILE);
    // The unit's part of the tile, as an offset from the first bin that a block reaches.
    let (tile_row, tile_column) = (CUBE_POS_Z / tiles, CUBE_POS_Z % tiles);
    let strip = lane / comptime!(TILE / COLUMNS);
    let row_offset = i32::cast_from(tile_row * comptime!(TILE) + strip * comptime!(ROWS));
    let column_offset = i32::cast_from(
        tile_column * comptime!(TILE) + lane % comptime!(TILE / COLUMNS) * comptime!(COLUMNS),
    );
    // Those that also have the part of the other histogram.
    let counts_y = tile_row + strip == 0;

    let from = CUBE_POS_Y * pixels;
    let table = CUBE_POS_Y * words;
    let mut acc = Array::<u32>::new(comptime!(ENTRIES as usize));
    let mut carries = Array::<u32>::new(comptime!(ROWS as usize));
    let mut of_y = Array::<u32>::new(comptime!(COLUMNS as usize));
    let mut windows = Array::<f32>::new(comptime!(COLUMNS as usize));

    for span in 0..spans {
        let start = ((CUBE_POS_X * spans + span) * comptime!(GROUPS) + group) * comptime!(SPAN);
        let end = min(start + comptime!(SPAN), pixels);
        let mut at = start;
        if at < end {
            let first = usize::cast_from(from + order[usize::cast_from(from + at)]);
            let x_first = place(x[first], grid);
            let y_first = place(y[first], grid);
            let mut x_edge = x_first.edge;
            let mut x_beyond = x_first.beyond;
            let mut y_edge = y_first.edge;
            let mut y_beyond = y_first.beyond;
            while at < end {
                let x_block = block(x_edge, grid, edges);
                let y_block = block(y_edge, grid, edges);
                let first_row = first_bin(x_block, grid, edges) + row_offset;
                let first_column = first_bin(y_block, grid, edges) + column_offset;
                #[unroll]
                for n in 0..ENTRIES {
                    acc[n as usize] = 0u32;
                }
                #[unroll]
                for n in 0..ROWS {
                    carries[n as usize] = 0u32;
                }
                #[unroll]
                for n in 0..COLUMNS {
                    of_y[n as usize] = 0u32;
                }
                let mut carries_of_y = 0u32;

                let mut same = true;
                while same {
                    let x_at = Place {
                        edge: x_edge,
                        beyond: x_beyond,
                    };
                    let y_at = Place {
                        edge: y_edge,
                        beyond: y_beyond,
                    };
                    #[unroll]
                    for b in 0..COLUMNS {
                        let mass = window(&y_at, first_column + comptime!(b as i32), grid);
                        windows[b as usize] = mass;
                        let value = fixed::whole(mass * comptime!(fixed::ONE as f32));
                        let sum = of_y[b as usize] + value;
                        carries_of_y +=
                            select(sum < value, comptime!(1u32 << (b * CARRY_BITS)), 0u32);
                        of_y[b as usize] = sum;
                    }
                    #[unroll]
                    for a in 0..ROWS {
                        let mass = window(&x_at, first_row + comptime!(a as i32), grid)
                            * comptime!(fixed::ONE as f32);
                        let mut more = 0u32;
                        #[unroll]
                        for b in 0..COLUMNS {
                            let n = comptime!((a * COLUMNS + b) as usize);
                            let value = fixed::whole(mass * windows[b as usize]);
                            let sum = acc[n] + value;
                            more += select(sum < value, comptime!(1u32 << (b * CARRY_BITS)), 0u32);
                            acc[n] = sum;
                        }
                        carries[a as usize] += more;
                    }
                    at += 1;
                    same = at < end;
                    if same {
                        let next = usize::cast_from(from + order[usize::cast_from(from + at)]);
                        let x_at = place(x[next], grid);
                        let y_at = place(y[next], grid);
                        x_edge = x_at.edge;
                        x_beyond = x_at.beyond;
                        y_edge = y_at.edge;
                        y_beyond = y_at.beyond;
                        same = block(x_edge, grid, edges) == x_block
                            && block(y_edge, grid, edges) == y_block;
                    }
                }

                // Through memory, so that the loop below need not be unrolled.
                #[unroll]
                for n in 0..ENTRIES {
                    stage[usize::cast_from(UNIT_POS + comptime!(n * UNITS))] = acc[n as usize];
                }
                #[unroll]
                for n in 0..ROWS {
                    stage[usize::cast_from(UNIT_POS + comptime!((ENTRIES + n) * UNITS))] =
                        carries[n as usize];
                }
                for a in 0..comptime!(ROWS) {
                    let row = fold(first_row + i32::cast_from(a), grid);
                    let all = stage
                        [usize::cast_from((comptime!(ENTRIES) + a) * comptime!(UNITS) + UNIT_POS)];
                    for b in 0..comptime!(COLUMNS) {
                        let column = fold(first_column + i32::cast_from(b), grid);
                        let n = a * comptime!(COLUMNS) + b;
                        let value = stage[usize::cast_from(n * comptime!(UNITS) + UNIT_POS)];
                        let carry = (all >> (b * comptime!(CARRY_BITS)))
                            & comptime!((1u32 << CARRY_BITS) - 1);
                        if row >= 0 && column >= 0 && (value > 0 || carry > 0) {
                            let entry = u32::cast_from(row) * grid.bins + u32::cast_from(column);
                            let count = grid.bins * grid.bins;
                            fixed::add(sums, table, count, entry, value, carry);
                        }
                    }
                }
                if counts_y {
                    #[unroll]
                    for n in 0..COLUMNS {
                        stage[usize::cast_from(
                            UNIT_POS + comptime!((ENTRIES + ROWS + n) * UNITS),
                        )] = of_y[n as usize];
                    }
                    for b in 0..comptime!(COLUMNS) {
                        let column = fold(first_column + i32::cast_from(b), grid);
                        let value = stage[usize::cast_from(
                            UNIT_POS + (comptime!(ENTRIES + ROWS) + b) * comptime!(UNITS),
                        )];
                        let carry = (carries_of_y >> (b * comptime!(CARRY_BITS)))
                            & comptime!((1u32 << CARRY_BITS) - 1);
                        if column >= 0 && (value > 0 || carry > 0) {
                            let table_of_y = table + 2 * grid.bins * grid.bins;
                            let entry = u32::cast_from(column);
                            fixed::add(sums, table_of_y, grid.bins, entry, value, carry);
                        }
                    }
                }
            }
        }
    }
}

/// The joint histograms `joint[row, bin of x, bin of y]`, from their sums.
#[cube(launch_unchecked)]
pub(super) fn joint_finish(
    sums: &Array<u32>,
    undefined: &Array<u32>,
    joint: &mut Array<f32>,
    grid: &Grid,
    chunks: u32,
    words: u32,
    scale: f32,
) {
    if ABSOLUTE_POS >= joint.len() {
        terminate!();
    }
    let entries = grid.bins * grid.bins;
    let index = u32::cast_from(ABSOLUTE_POS);
    let (row, entry) = (index / entries, index % entries);
    let mut without = 0u32;
    for chunk in 0..chunks {
        without += undefined[usize::cast_from(row * chunks + chunk)];
    }
    let mass = fixed::entry(sums, row * words, entries, entry, scale);
    joint[ABSOLUTE_POS] = select(without > 0, grid.not_a_number, mass);
}
