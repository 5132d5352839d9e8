//! The earth mover's distance of a row, from its sums: the formulas of
//! [`EarthMoversDistance`](crate::EarthMoversDistance).

use cubecl::prelude::*;

use super::fixed;
use super::place::Grid;
use super::row::{Terms, UNITS, total};
use crate::terms::{EQUAL, EmdKind};

/// Units that add up cumulative sums, each a part.
const PARTS: u32 = 16;

/// The distance, and its gradient.
#[cube]
pub(super) fn distance_of_row(
    sums: &Array<u32>,
    target: &Array<f32>,
    of_p: &mut Array<f32>,
    along: &mut Array<f32>,
    partial: &mut SharedMemory<f32>,
    grid: &Grid,
    terms: &Terms,
    none: bool,
) -> f32 {
    let bins = grid.bins;
    let count = f32::cast_from(bins);
    let table = CUBE_POS_X * terms.words + 2 * bins * bins;
    let to = CUBE_POS_X * bins;
    let scratch = CUBE_POS_X * 4 * bins;

    let mut bin = UNIT_POS;
    while bin < bins {
        let p = fixed::entry(sums, table, bins, bin, terms.scale);
        let at = usize::cast_from(to + bin);
        along[usize::cast_from(scratch + bin)] = p - target[at];
        bin += comptime!(UNITS);
    }
    cumulate(along, scratch, partial, bins, false);
    if comptime!(terms.cyclic) {
        let cut = best_cut(along, scratch, partial, grid, terms);
        let mut bin = UNIT_POS;
        while bin < bins {
            along[usize::cast_from(scratch + bin)] -= cut;
            bin += comptime!(UNITS);
        }
    }

    // Of the differences, those that are more than rounding.
    let mut sum = 0.0f32;
    let mut bin = UNIT_POS;
    while bin < bins {
        let at = usize::cast_from(scratch + bin);
        let mut difference = along[at];
        if difference.abs() <= comptime!(EQUAL as f32 * f32::EPSILON) {
            difference = 0.0f32;
        }
        along[at] = difference;
        if comptime!(terms.distance == EmdKind::L1) {
            sum += difference.abs();
        } else {
            sum += difference * difference;
        }
        bin += comptime!(UNITS);
    }
    let sum = total(partial, sum);
    let mut distance = sum;
    let mut steepness = 2.0f32;
    if comptime!(terms.distance == EmdKind::Rms) {
        distance = (sum / count).sqrt();
        // The kink, at equal histograms, has the gradient 0.
        steepness = select(sum > 0.0f32, 1.0f32 / (count * distance), 0.0f32);
    }
    if comptime!(terms.distance == EmdKind::L1) {
        distance = sum * terms.width;
    }

    // A bin's mass is in all cumulative sums from there on.
    let mut bin = UNIT_POS;
    while bin < bins {
        let at = usize::cast_from(scratch + bin);
        let difference = along[at];
        if comptime!(terms.distance == EmdKind::L1) {
            let below = select(difference < 0.0f32, -terms.width, 0.0f32);
            along[at] = select(difference > 0.0f32, terms.width, below);
        } else {
            along[at] = difference * steepness;
        }
        bin += comptime!(UNITS);
    }
    cumulate(along, scratch, partial, bins, true);
    let mut bin = UNIT_POS;
    while bin < bins {
        let gradient = along[usize::cast_from(scratch + bin)];
        of_p[usize::cast_from(to + bin)] = select(none, grid.not_a_number, gradient);
        bin += comptime!(UNITS);
    }
    sync_storage();
    distance
}

/// Replaces each of the numbers from `start` on by the sum of it and those before, or those after if `backwards`.
#[cube]
fn cumulate(
    numbers: &mut Array<f32>,
    start: u32,
    partial: &mut SharedMemory<f32>,
    count: u32,
    #[comptime] backwards: bool,
) {
    sync_storage();
    sync_cube();
    let length = count.div_ceil(comptime!(PARTS));
    if UNIT_POS < comptime!(PARTS) {
        let from = UNIT_POS * length;
        let mut sum = 0.0f32;
        let end = min(from + length, count);
        let mut index = from;
        while index < end {
            let mut at = start + index;
            if comptime!(backwards) {
                at = start + count - 1 - index;
            }
            sum += numbers[usize::cast_from(at)];
            numbers[usize::cast_from(at)] = sum;
            index += 1;
        }
        partial[usize::cast_from(UNIT_POS)] = sum;
    }
    sync_storage();
    sync_cube();
    let mut index = UNIT_POS;
    while index < count {
        let mut before = 0.0f32;
        for part in 0..index / length {
            before += partial[usize::cast_from(part)];
        }
        let mut at = start + index;
        if comptime!(backwards) {
            at = start + count - 1 - index;
        }
        numbers[usize::cast_from(at)] += before;
        index += comptime!(UNITS);
    }
    sync_storage();
    sync_cube();
}

/// The constant whose subtraction makes the distance on a circle least.
#[cube]
fn best_cut(
    differences: &Array<f32>,
    start: u32,
    partial: &mut SharedMemory<f32>,
    grid: &Grid,
    terms: &Terms,
) -> f32 {
    let bins = grid.bins;
    let mut sum = 0.0f32;
    let mut bin = UNIT_POS;
    while bin < bins {
        let difference = differences[usize::cast_from(start + bin)];
        if comptime!(terms.distance == EmdKind::L1) {
            // Half of each of the two medians, which may be one.
            let mut less = 0u32;
            for other in 0..bins {
                let its = differences[usize::cast_from(start + other)];
                if its < difference || (its == difference && other < bin) {
                    less += 1;
                }
            }
            if less == (bins - 1) / 2 {
                sum += 0.5f32 * difference;
            }
            if less == bins / 2 {
                sum += 0.5f32 * difference;
            }
        } else {
            sum += difference / f32::cast_from(bins);
        }
        bin += comptime!(UNITS);
    }
    total(partial, sum)
}
