//! Sums as whole numbers: they do not depend on the order of the summands, so neither on which unit adds first.
//!
//! A mass is a multiple of 2⁻³⁰, rounded to the nearest: entries are off by 2⁻³¹ for each pixel that reaches them at
//! most. A sum has two words, in an array of them for many entries: first all low words, then all high ones. They
//! hold up to 2³² pixels.

use cubecl::prelude::*;

/// What a mass of 1 is.
pub(super) const ONE: u32 = 1 << 30;

/// A mass times [`ONE`], as a whole number. It is at least 0 and at most [`ONE`].
#[cube]
pub(super) fn whole(scaled: f32) -> u32 {
    // Devices convert to signed numbers faster.
    u32::cast_from(i32::cast_from(scaled + 0.5f32))
}

/// Adds `value`, and `carries` times 2³², to an entry of `count` in the table that begins at `table`.
#[cube]
pub(super) fn add(
    sums: &mut Array<Atomic<u32>>,
    table: u32,
    count: u32,
    entry: u32,
    value: u32,
    carries: u32,
) {
    let low = table + entry;
    let before = sums[usize::cast_from(low)].fetch_add(value);
    // What is left to the next multiple of 2³² was not enough.
    let mut high = carries;
    if before > 4294967295u32 - value {
        high += 1;
    }
    if high > 0 {
        sums[usize::cast_from(low + count)].fetch_add(high);
    }
}

/// An entry of `count` in the table that begins at `table`, times `scale`.
#[cube]
pub(super) fn entry(sums: &Array<u32>, table: u32, count: u32, entry: u32, scale: f32) -> f32 {
    let low = table + entry;
    number(
        sums[usize::cast_from(low)],
        sums[usize::cast_from(low + count)],
        scale,
    )
}

/// A sum of two words, times `scale`.
#[cube]
pub(super) fn number(low: u32, high: u32, scale: f32) -> f32 {
    (f32::cast_from(high) * 4294967296.0f32 + f32::cast_from(low)) * scale
}
