//! Logarithms of eight numbers at a time, in double precision.

use fearless_simd::{Simd, SimdBase, SimdFloat, f64x8, i64x8, prelude::*};

/// `ln x` of ordinary positive numbers, to a few roundings.
///
/// With `x = 2ⁿ m`, `m` between `√½` and `√2`, and `s = (m − 1)/(m + 1)`, it is
/// `n ln 2 + 2 artanh s`, and the power series of the second term ends early.
#[inline(always)]
pub(super) fn ln<S: Simd>(simd: S, x: f64x8<S>) -> f64x8<S> {
    use std::f64::consts::{LN_2, SQRT_2};
    /// Terms of `artanh s/s` in `s²`; `s² < 0.0295`, so the next one is below 2⁻⁵⁵.
    const TERMS: i32 = 10;
    let bits = x.to_bits();
    let one = f64x8::splat(simd, 1.0).to_bits();
    let mantissa = (bits & ((1 << 52) - 1)) | one;
    let m = f64x8::from_bits(mantissa);
    let exponent: i64x8<S> = ((bits >> 52) - 1023).bitcast();
    let n: f64x8<S> = exponent.to_float();
    let large = m.simd_gt(SQRT_2);
    let m = large.select(m * 0.5, m);
    let n = large.select(n + 1.0, n);

    let s = (m - 1.0) / (m + 1.0);
    let square = s * s;
    let mut series = f64x8::splat(simd, 1.0 / f64::from(2 * TERMS + 1));
    for term in (0..TERMS).rev() {
        series = series.mul_add(square, 1.0 / f64::from(2 * term + 1));
    }
    n.mul_add(LN_2, (s + s) * series)
}

/// `ln (1 + z)` of numbers that are at least 0, to a few roundings of the result.
#[inline(always)]
pub(super) fn ln_1p<S: Simd>(simd: S, z: f64x8<S>) -> f64x8<S> {
    let u = z + 1.0;
    // What the sum rounded away.
    let rest = z - (u - 1.0);
    ln(simd, u) + rest / u
}
