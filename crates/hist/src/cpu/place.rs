//! Where pixels lie on the bin axis.

use fearless_simd::{Simd, SimdBase, SimdFloat, f32x16, f64x8, prelude::*, u32x16};

use super::axis::Axis;
use super::simd::{LANES, Lanes, Real};

/// What sixteen pixels need to know of their places: the first slot of each band, and the growth
/// `e^(−ρδ)` and the decay `e^(ρδ)` from which their windows follow, `δ` being how far a
/// pixel lies beyond the nearest edge, in bins.
///
/// The bands lie within the slots of the axis whatever the pixels are. A pixel that has no place
/// on the axis has slot 0, and its growth is not a number.
pub(crate) struct Places<T> {
    pub(super) slots: [u32; LANES],
    pub(super) growths: [T; LANES],
    pub(super) decays: [T; LANES],
}

/// The places of sixteen pixels.
#[inline(always)]
pub(super) fn places<T: Real, S: Simd>(simd: S, axis: &Axis, pixels: &[T; LANES]) -> Places<T> {
    let pixels = T::Lanes::<S>::load(simd, pixels).widen();
    let [low, high] = pixels;
    let (slot_low, beyond_low) = place(simd, axis, low);
    let (slot_high, beyond_high) = place(simd, axis, high);
    let low = Power::of(simd, beyond_low * f64x8::splat(simd, -axis.ratio));
    let high = Power::of(simd, beyond_high * f64x8::splat(simd, -axis.ratio));
    let rest = T::Lanes::<S>::narrow([low.rest, high.rest]);
    let [growth, decay] = exponentials::<T, S>(simd, rest);
    let mut places = Places {
        slots: stored_slots([slot_low, slot_high]),
        growths: [T::zero(); LANES],
        decays: [T::zero(); LANES],
    };
    let up = T::Lanes::<S>::narrow([low.up, high.up]);
    let down = T::Lanes::<S>::narrow([low.down, high.down]);
    growth.multiply(up).store(&mut places.growths);
    decay.multiply(down).store(&mut places.decays);
    places
}

/// The slot, and the distance beyond the edge.
///
/// In double precision, since the distance from the nearest edge is the small difference of
/// two such numbers.
#[inline(always)]
fn place<S: Simd>(simd: S, axis: &Axis, x: f64x8<S>) -> (f64x8<S>, f64x8<S>) {
    let number = |value: f64| f64x8::splat(simd, value);
    let mut position = (x - number(axis.border)) * number(axis.per_bin);
    if axis.on_circle {
        let around = number(axis.count);
        position -= (position / around).floor() * around;
    }
    let along = position - number(axis.start);
    // A comparison with what is not a number is false.
    let inside = along.simd_ge(number(0.0)).select(along, number(0.0));
    let slot = inside.floor().min(number(axis.last as f64));
    let beyond = along - slot - number(0.5);
    let half = number(0.5);
    let beyond = beyond.simd_gt(half).select(half, beyond);
    (slot, beyond.simd_lt(-half).select(-half, beyond))
}

#[inline(always)]
fn stored_slots<S: Simd>([low, high]: [f64x8<S>; 2]) -> [u32; LANES] {
    // An axis has fewer than 2²⁴ slots.
    let slots: f32x16<S> = SimdNarrow::narrow(low, high);
    let slots: u32x16<S> = slots.to_int();
    slots.to_array()
}

/// `e^t` taken apart: `2ⁿ e^y` with `|y| ≤ ½ ln 2`.
struct Power<S: Simd> {
    /// `2ⁿ`
    up: f64x8<S>,
    /// `2⁻ⁿ`
    down: f64x8<S>,
    /// `y`
    rest: f64x8<S>,
}

impl<S: Simd> Power<S> {
    #[inline(always)]
    fn of(simd: S, t: f64x8<S>) -> Self {
        use std::f64::consts::{LN_2, LOG2_E};
        /// Adding it leaves the nearest integer in the lowest bits.
        const ROUND: f64 = 6_755_399_441_055_744.0;
        let number = |value: f64| f64x8::splat(simd, value);
        let turns = t * number(LOG2_E);
        let rounded = turns + number(ROUND);
        // 2ⁿ has the exponent 1023 + n; what is in the higher bits of the sum is shifted out.
        let exponent = rounded.to_bits() << 52;
        let one = number(1.0).to_bits();
        Self {
            up: f64x8::from_bits(one + exponent),
            down: f64x8::from_bits(one - exponent),
            rest: (turns - (rounded - number(ROUND))) * number(LN_2),
        }
    }
}

/// `e^y` and `e^(−y)`, by the even and the odd part of the power series.
#[inline(always)]
fn exponentials<T: Real, S: Simd>(simd: S, y: T::Lanes<S>) -> [T::Lanes<S>; 2] {
    const EVEN: [f64; 7] = reciprocal_factorials(0);
    const ODD: [f64; 7] = reciprocal_factorials(1);
    let number = |value: f64| T::Lanes::<S>::splat(simd, T::of(value));
    let square = y.multiply(y);
    let terms = T::EXPONENTIAL_TERMS;
    let (mut even, mut odd) = (number(EVEN[terms - 1]), number(ODD[terms - 1]));
    for term in (0..terms - 1).rev() {
        even = even.multiply_add(square, number(EVEN[term]));
        odd = odd.multiply_add(square, number(ODD[term]));
    }
    let minus = number(-1.0);
    [
        odd.multiply_add(y, even),
        odd.multiply(minus).multiply_add(y, even),
    ]
}

/// `1/(2i + first)!`
const fn reciprocal_factorials(first: usize) -> [f64; 7] {
    let mut terms = [0.0; 7];
    let (mut factorial, mut n, mut i) = (1.0, 0, 0);
    while i < 7 {
        while n < 2 * i + first {
            n += 1;
            factorial *= n as f64;
        }
        terms[i] = 1.0 / factorial;
        i += 1;
    }
    terms
}
