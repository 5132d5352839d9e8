//! The structure loss of a row, from its sums: the formulas of [`StructureLoss`](crate::StructureLoss).
//!
//! The derivatives of the entropies with respect to their logarithms are the same number for all entries, as it says,
//! so that a derivative is the logarithm that its mean is of, and a number.

use cubecl::prelude::*;

use super::fixed;
use super::place::Grid;
use super::row::{Terms, UNITS, total};
use crate::terms::StructureKind;

/// The structure loss, and its gradient.
#[cube]
pub(super) fn structure_of_row(
    sums: &Array<u32>,
    of_joint: &mut Array<f32>,
    along: &mut Array<f32>,
    partial: &mut SharedMemory<f32>,
    grid: &Grid,
    terms: &Terms,
    none: bool,
    #[comptime] tracked: bool,
) -> f32 {
    let bins = grid.bins;
    let entries = bins * bins;
    let scratch = CUBE_POS_X * 4 * bins;
    let given_x = comptime!(terms.structure != StructureKind::ConditionalEntropy);
    // A quotient's gradient needs both of its numbers first.
    let quotient = comptime!(
        terms.structure == StructureKind::RelativeMutualInformation
            || terms.structure == StructureKind::NormalisedMutualInformation
    );
    let mut bin = UNIT_POS;
    while bin < bins {
        line(sums, along, scratch, bin, 1u32, bins, grid, terms);
        if comptime!(given_x) {
            line(
                sums,
                along,
                scratch + 2 * bins,
                bin,
                bins,
                1u32,
                grid,
                terms,
            );
        }
        bin += comptime!(UNITS);
    }
    sync_storage();
    sync_cube();

    let to = CUBE_POS_X * entries;
    let mut upper = 0.0f32;
    let mut lower = 0.0f32;
    let mut entry = UNIT_POS;
    while entry < entries {
        let (p, above, below) = integrands(sums, along, entry, grid, terms);
        upper += p * (above - comptime!(through_logarithm(terms.structure)[0]));
        lower += p * (below - comptime!(through_logarithm(terms.structure)[1]));
        if comptime!(tracked && !quotient) {
            of_joint[usize::cast_from(to + entry)] = select(none, grid.not_a_number, above);
        }
        entry += comptime!(UNITS);
    }
    let upper = total(partial, upper);
    let mut loss = upper;
    if comptime!(quotient) {
        let lower = total(partial, lower);
        let share = select(lower == 0.0f32, 0.0f32, 1.0f32 / lower);
        loss = upper * share;
        if comptime!(tracked) {
            let mut entry = UNIT_POS;
            while entry < entries {
                let (_, above, below) = integrands(sums, along, entry, grid, terms);
                let gradient = (above - loss * below) * share;
                of_joint[usize::cast_from(to + entry)] = select(none, grid.not_a_number, gradient);
                entry += comptime!(UNITS);
            }
        }
    }
    loss
}

/// What the derivative of a mean `Σ P f` has besides `f`: of both numbers of a quotient, or of one and nothing.
fn through_logarithm(structure: StructureKind) -> [f32; 2] {
    match structure {
        StructureKind::ConditionalEntropy => [0.0, 0.0],
        StructureKind::RelativeMutualInformation => [0.0, -1.0],
        StructureKind::NegativeMutualInformation => [1.0, 0.0],
        StructureKind::NormalisedMutualInformation => [0.0, -2.0],
    }
}

/// The sum of the entries of a column or row of the joint histogram, and that of all but the largest.
#[cube]
fn line(
    sums: &Array<u32>,
    along: &mut Array<f32>,
    to: u32,
    bin: u32,
    stride: u32,
    step: u32,
    grid: &Grid,
    terms: &Terms,
) {
    let bins = grid.bins;
    let table = CUBE_POS_X * terms.words;
    let mut most = 0.0f32;
    let mut others = 0.0f32;
    for other in 0..bins {
        let entry = bin * stride + other * step;
        let p = fixed::entry(sums, table, bins * bins, entry, terms.scale);
        others += min(p, most);
        most = max(p, most);
    }
    along[usize::cast_from(to + bin)] = others + most;
    along[usize::cast_from(to + bins + bin)] = others;
}

/// An entry of the joint histogram, and the derivatives of the two means that the loss is a quotient of, or of the one
/// that it is.
#[cube]
fn integrands(
    sums: &Array<u32>,
    along: &Array<f32>,
    entry: u32,
    grid: &Grid,
    terms: &Terms,
) -> (f32, f32, f32) {
    let bins = grid.bins;
    let p = fixed::entry(
        sums,
        CUBE_POS_X * terms.words,
        bins * bins,
        entry,
        terms.scale,
    );
    let columns = CUBE_POS_X * 4 * bins;
    let column = entry % bins;
    let mut above = 0.0f32;
    let mut below = 0.0f32;
    if p > 0.0f32 {
        let unshared = minus_log_share(p, along, columns + column, bins);
        above = unshared;
        if comptime!(terms.structure != StructureKind::ConditionalEntropy) {
            let row = entry / bins;
            let of_x = minus_log_share(p, along, columns + 2 * bins + row, bins);
            if comptime!(terms.structure == StructureKind::NegativeMutualInformation) {
                above = of_x + along[usize::cast_from(columns + column)].ln();
            } else {
                above = unshared + of_x;
                let log = p.ln();
                below = -log;
                if comptime!(terms.structure == StructureKind::NormalisedMutualInformation) {
                    below = -above - 2.0f32 * log;
                }
            }
        }
    }
    let through = comptime!(through_logarithm(terms.structure));
    (
        p,
        above + comptime!(through[0]),
        below + comptime!(through[1]),
    )
}

/// `ln (S/P)`, of an entry and the sum of its row or column.
///
/// As `ln (1 + R/P)`, `R` being the sum of the other entries: of an entry that is nearly all of the sum the quotient is
/// nearly 1, and its logarithm would be nothing but rounding.
#[cube]
fn minus_log_share(p: f32, along: &Array<f32>, at: u32, bins: u32) -> f32 {
    let sum = along[usize::cast_from(at)];
    let beside_most = along[usize::cast_from(at + bins)];
    let others = select(p > 0.5f32 * sum, beside_most, max(sum - p, 0.0f32));
    log_beside_one(others / p)
}

/// `ln (1 + x)` of a number that is at least 0: of small ones as `2 artanh (x/(2 + x))`, which no shading
/// language does.
#[cube]
fn log_beside_one(x: f32) -> f32 {
    let z = x / (2.0f32 + x);
    let square = z * z;
    let series =
        1.0f32 / 3.0f32 + square * (1.0f32 / 5.0f32 + square * (1.0f32 / 7.0f32 + square / 9.0f32));
    let small = 2.0f32 * z * (1.0f32 + square * series);
    select(x < 0.3f32, small, (1.0f32 + x).ln())
}
