//! Sixteen numbers at a time, with the widest vector instructions of the machine.

use fearless_simd::{Level, Simd, SimdBase, SimdFloat, f32x16, f64x8, prelude::*};

use num_traits::Float;

/// How many numbers are worked on side by side, whatever the machine.
pub(crate) const LANES: usize = 16;

/// The type of a pixel.
pub(crate) trait Real: Float + Send + Sync + std::fmt::Debug + 'static {
    /// Binary digits: windows below `2^−DIGITS`, the unit round-off, do not show beside 1.
    const DIGITS: u32;
    /// A number whose reciprocal is as good as 0, and stays finite and a number when multiplied by
    /// the largest growth, `e³²`.
    const CEILING: f64;
    /// Terms of the even and of the odd part of the exponential series.
    const EXPONENTIAL_TERMS: usize;
    /// Entries of a joint histogram up to this one count as empty: smaller ones have no accurate
    /// quotients.
    const LEAST: f64;
    /// After how many pixels of one slot sums go on in double precision.
    const SUMMANDS: usize;

    /// Sixteen of them.
    type Lanes<S: Simd>: Lanes<S, Self>;

    /// The nearest number of this type.
    fn of(value: f64) -> Self;
    /// The same number in double precision.
    fn wide(self) -> f64;
}

impl Real for f32 {
    const DIGITS: u32 = f32::MANTISSA_DIGITS;
    const CEILING: f64 = 1e24;
    const EXPONENTIAL_TERMS: usize = 4;
    const LEAST: f64 = f32::MIN_POSITIVE as f64;
    const SUMMANDS: usize = 512;

    type Lanes<S: Simd> = f32x16<S>;

    #[inline(always)]
    fn of(value: f64) -> Self {
        value as Self
    }

    #[inline(always)]
    fn wide(self) -> f64 {
        f64::from(self)
    }
}

impl Real for f64 {
    const DIGITS: u32 = f64::MANTISSA_DIGITS;
    const CEILING: f64 = 1e200;
    const EXPONENTIAL_TERMS: usize = 7;
    const LEAST: f64 = f64::MIN_POSITIVE;
    const SUMMANDS: usize = usize::MAX;

    type Lanes<S: Simd> = Wide<S>;

    #[inline(always)]
    fn of(value: f64) -> Self {
        value
    }

    #[inline(always)]
    fn wide(self) -> f64 {
        self
    }
}

/// Sixteen numbers in memory, in cache lines of their own.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(super) struct Line<T>(pub(super) [T; LANES]);

impl<T: Real> Line<T> {
    pub(super) const fn splat(value: T) -> Self {
        Self([value; LANES])
    }
}

/// Work that is compiled once for each set of vector instructions. Its `run` has to be
/// `#[inline(always)]`, and so has everything it calls, or it is compiled for the oldest machine
/// after all.
pub(super) trait Work {
    /// What the work computes.
    type Output;

    /// Does the work.
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

/// Does work with the vector instructions of `level`.
///
/// Results of different levels differ by rounding: some fuse multiplications with additions, or
/// divide by way of an approximate reciprocal and Newton's method.
pub(super) fn vectorised<W: Work>(level: Level, work: W) -> W::Output {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    {
        if let Some(simd) = level.as_avx512() {
            return simd.vectorize(
                #[inline(always)]
                || work.run(simd),
            );
        }
        if let Some(simd) = level.as_avx2() {
            return simd.vectorize(
                #[inline(always)]
                || work.run(simd),
            );
        }
        if let Some(simd) = level.as_sse2() {
            return simd.vectorize(
                #[inline(always)]
                || work.run(simd),
            );
        }
    }
    #[cfg(target_arch = "aarch64")]
    if let Some(simd) = level.as_neon() {
        return simd.vectorize(
            #[inline(always)]
            || work.run(simd),
        );
    }
    // `dispatch!` would compile the work for each set of instructions once more.
    #[cfg(target_arch = "x86_64")]
    unreachable!("every 64-bit x86 processor has SSE2");
    #[cfg(not(target_arch = "x86_64"))]
    fearless_simd::dispatch!(level, simd => work.run(simd))
}

/// Sixteen numbers in registers.
pub(crate) trait Lanes<S: Simd, T>: Copy {
    fn splat(simd: S, value: T) -> Self;
    fn load(simd: S, from: &[T; LANES]) -> Self;
    fn store(self, to: &mut [T; LANES]);
    fn add(self, other: Self) -> Self;
    fn multiply(self, other: Self) -> Self;
    /// `self · factor + addend`, in one rounding where the machine can.
    fn multiply_add(self, factor: Self, addend: Self) -> Self;
    /// `1/self`, of positive numbers.
    fn reciprocal(self, simd: S) -> Self;
    /// The sums of each of sixteen vectors, that of vector `i` in lane `i`.
    fn sums(vectors: [Self; LANES]) -> Self;
    fn widen(self) -> [f64x8<S>; 2];
    fn narrow(wide: [f64x8<S>; 2]) -> Self;
}

impl<S: Simd> Lanes<S, f32> for f32x16<S> {
    #[inline(always)]
    fn splat(simd: S, value: f32) -> Self {
        SimdBase::splat(simd, value)
    }

    #[inline(always)]
    fn load(simd: S, from: &[f32; LANES]) -> Self {
        Self::load_array_ref(simd, from)
    }

    #[inline(always)]
    fn store(self, to: &mut [f32; LANES]) {
        self.store_array(to);
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self + other
    }

    #[inline(always)]
    fn multiply(self, other: Self) -> Self {
        self * other
    }

    #[inline(always)]
    fn multiply_add(self, factor: Self, addend: Self) -> Self {
        self.mul_add(factor, addend)
    }

    #[inline(always)]
    fn reciprocal(self, simd: S) -> Self {
        let one: Self = SimdBase::splat(simd, 1.0);
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        if simd.level().as_avx512().is_some() {
            // Of 14 bits; one step of Newton's method doubles them. A division takes as long as
            // everything else that a window needs.
            let estimate = self.approximate_recip();
            let error = (-self).mul_add(estimate, one);
            return error.mul_add(estimate, estimate);
        }
        one / self
    }

    #[inline(always)]
    fn sums(mut vectors: [Self; LANES]) -> Self {
        // Folding two vectors in halves into one, four times over, leaves one lane of each. Vectors
        // that are far apart are folded first, so that the lanes come out in order.
        let mut count = LANES / 2;
        while count > 0 {
            for i in 0..count {
                let (a, b) = (vectors[i], vectors[i + count]);
                vectors[i] = a.zip_low(b) + a.zip_high(b);
            }
            count /= 2;
        }
        vectors[0]
    }

    #[inline(always)]
    fn widen(self) -> [f64x8<S>; 2] {
        let (low, high) = SimdWiden::widen(self);
        [low, high]
    }

    #[inline(always)]
    fn narrow([low, high]: [f64x8<S>; 2]) -> Self {
        SimdNarrow::narrow(low, high)
    }
}

/// Sixteen numbers in double precision.
#[derive(Clone, Copy)]
pub(crate) struct Wide<S: Simd>(f64x8<S>, f64x8<S>);

impl<S: Simd> Lanes<S, f64> for Wide<S> {
    #[inline(always)]
    fn splat(simd: S, value: f64) -> Self {
        let half = f64x8::splat(simd, value);
        Self(half, half)
    }

    #[inline(always)]
    fn load(simd: S, from: &[f64; LANES]) -> Self {
        let (low, high) = from.split_at(LANES / 2);
        Self(f64x8::from_slice(simd, low), f64x8::from_slice(simd, high))
    }

    #[inline(always)]
    fn store(self, to: &mut [f64; LANES]) {
        let (low, high) = to.split_at_mut(LANES / 2);
        self.0.store_slice(low);
        self.1.store_slice(high);
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0, self.1 + other.1)
    }

    #[inline(always)]
    fn multiply(self, other: Self) -> Self {
        Self(self.0 * other.0, self.1 * other.1)
    }

    #[inline(always)]
    fn multiply_add(self, factor: Self, addend: Self) -> Self {
        Self(
            self.0.mul_add(factor.0, addend.0),
            self.1.mul_add(factor.1, addend.1),
        )
    }

    #[inline(always)]
    fn reciprocal(self, simd: S) -> Self {
        let one = f64x8::splat(simd, 1.0);
        Self(one / self.0, one / self.1)
    }

    #[inline(always)]
    fn sums(vectors: [Self; LANES]) -> Self {
        let mut halves = [vectors[0].0; LANES];
        for (half, vector) in halves.iter_mut().zip(vectors) {
            *half = vector.0 + vector.1;
        }
        for halves in halves.chunks_exact_mut(LANES / 2) {
            let mut count = LANES / 4;
            while count > 0 {
                for i in 0..count {
                    let (a, b) = (halves[i], halves[i + count]);
                    halves[i] = a.zip_low(b) + a.zip_high(b);
                }
                count /= 2;
            }
        }
        Self(halves[0], halves[LANES / 2])
    }

    #[inline(always)]
    fn widen(self) -> [f64x8<S>; 2] {
        [self.0, self.1]
    }

    #[inline(always)]
    fn narrow([low, high]: [f64x8<S>; 2]) -> Self {
        Self(low, high)
    }
}
