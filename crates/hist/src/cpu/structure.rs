//! How little two images say about each other, from their joint histogram, and the gradient.

use fearless_simd::{Level, Simd, SimdBase, SimdFloat, f64x8, mask64x8, prelude::*};

use super::logarithm::{ln, ln_1p};
use super::simd::{Real, Work, vectorised};
use super::spare::{Borrowed, zeros};
use crate::StructureKind;

/// How many entries are worked on side by side.
const LANES: usize = 8;

/// The sums of a joint histogram, whose rows are filled up with zeros to whole vectors.
pub(super) struct Joint {
    count: usize,
    stride: usize,
    entries: Borrowed<Vec<f64>>,
}

impl Joint {
    /// A table of zeros.
    pub(super) fn new(count: usize) -> Self {
        let stride = count.next_multiple_of(LANES);
        Self {
            count,
            stride,
            entries: zeros(count * stride),
        }
    }

    /// Lets `add` add to the entries, whose rows start as many entries apart as it is told.
    pub(super) fn add(&mut self, add: impl FnOnce(&mut [f64], usize)) {
        add(&mut self.entries, self.stride);
    }
}

/// The measure of the joint histogram whose entries are the sums times `scale`, and its gradient with
/// respect to the entries if there is room for it.
pub(super) fn measure<T: Real>(
    level: Level,
    kind: StructureKind,
    joint: Joint,
    scale: f64,
    gradient: Option<&mut [T]>,
) -> f64 {
    vectorised(
        level,
        Measure {
            kind,
            joint,
            scale,
            gradient,
        },
    )
}

struct Measure<'a, T> {
    kind: StructureKind,
    joint: Joint,
    scale: f64,
    gradient: Option<&'a mut [T]>,
}

impl<T: Real> Work for Measure<'_, T> {
    type Output = f64;

    /// The measures are the mean `A = Σ P a` of an integrand, or the quotient `A/B` of two such
    /// means. The derivative of a mean with respect to an entry is the integrand there and a
    /// constant: what the integrand itself depends on `P` is, whatever `P` is, the same for all entries.
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> f64 {
        let Self {
            kind,
            mut joint,
            scale,
            mut gradient,
        } = self;
        let columns = Columns::of_scaled(simd, &mut joint, scale);
        // The derivatives, less a constant for those of a quotient, which is known at the end.
        let quotient = matches!(
            kind,
            StructureKind::RelativeMutualInformation | StructureKind::NormalisedMutualInformation
        );
        let kept = match (&gradient, quotient) {
            (Some(_), true) => joint.entries.len(),
            _ => 0,
        };
        let (mut first, mut second) = (zeros(kept), zeros(kept));
        let through = match kind {
            StructureKind::ConditionalEntropy => (0.0, 0.0),
            StructureKind::NegativeMutualInformation => (1.0, 0.0),
            StructureKind::RelativeMutualInformation => (0.0, -1.0),
            StructureKind::NormalisedMutualInformation => (0.0, -2.0),
        };

        let zero = f64x8::splat(simd, 0.0);
        let (mut a_sum, mut b_sum) = (zero, zero);
        for row in 0..joint.count {
            let at = row * joint.stride;
            let (groups, _) = joint.entries[at..][..joint.stride].as_chunks::<LANES>();
            let in_row = match kind {
                StructureKind::ConditionalEntropy => Others::default(),
                _ => Others::in_row(&joint.entries[at..][..joint.count]),
            };
            let in_row = in_row.splat(simd);
            let mut gradient = match (&mut gradient, quotient) {
                (Some(gradient), false) => Some(&mut gradient[row * joint.count..][..joint.count]),
                _ => None,
            };
            for (group, p) in groups.iter().enumerate() {
                let entries = Entries::new::<T>(simd, p);
                let in_column = columns.at(simd, group);
                let (a, b) = entries.integrands(simd, kind, &in_row, &in_column);
                a_sum = entries.p.mul_add(a, a_sum);
                b_sum = entries.p.mul_add(b, b_sum);
                if let Some(gradient) = &mut gradient {
                    store(a + through.0, gradient, group);
                } else if kept > 0 {
                    a.store_slice(&mut first[at + group * LANES..][..LANES]);
                    b.store_slice(&mut second[at + group * LANES..][..LANES]);
                }
            }
        }
        let (a_mean, b_mean) = (a_sum.reduce_sum(), b_sum.reduce_sum());
        if !quotient {
            return a_mean;
        }
        if b_mean == 0.0 {
            gradient.into_iter().for_each(|all| all.fill(T::zero()));
            return 0.0;
        }
        let measure = a_mean / b_mean;
        let rows = gradient
            .into_iter()
            .flat_map(|all| all.chunks_exact_mut(joint.count));
        let first = first.chunks_exact(joint.stride);
        let second = second.chunks_exact(joint.stride);
        for ((gradient, first), second) in rows.zip(first).zip(second) {
            for ((gradient, a), b) in gradient.iter_mut().zip(first).zip(second) {
                *gradient = T::of((a + through.0 - measure * (b + through.1)) / b_mean);
            }
        }
        measure
    }
}

/// Puts eight numbers where they belong in a row, as far as the row reaches.
#[inline(always)]
fn store<T: Real, S: Simd>(values: f64x8<S>, row: &mut [T], group: usize) {
    let values = values.to_array();
    let (whole, rest) = row.as_chunks_mut::<LANES>();
    let to = match whole.get_mut(group) {
        Some(whole) => &mut whole[..],
        None => rest,
    };
    for (to, value) in to.iter_mut().zip(values) {
        *to = T::of(value);
    }
}

/// Entries of a joint histogram.
struct Entries<S: Simd> {
    p: f64x8<S>,
    /// The entries to divide by, in which 1 stands for those that count as empty.
    divisor: f64x8<S>,
    empty: mask64x8<S>,
}

impl<S: Simd> Entries<S> {
    #[inline(always)]
    fn new<T: Real>(simd: S, p: &[f64; LANES]) -> Self {
        let p = f64x8::from_slice(simd, p);
        let empty = p.simd_le(f64x8::splat(simd, T::LEAST));
        let divisor = empty.select(f64x8::splat(simd, 1.0), p);
        Self { p, divisor, empty }
    }

    /// The integrands `a` and `b` of a measure.
    #[inline(always)]
    fn integrands(
        &self,
        simd: S,
        kind: StructureKind,
        in_row: &Others<f64x8<S>>,
        in_column: &Others<f64x8<S>>,
    ) -> (f64x8<S>, f64x8<S>) {
        let zero = f64x8::splat(simd, 0.0);
        match kind {
            StructureKind::ConditionalEntropy => (self.surprise(simd, in_column), zero),
            StructureKind::NegativeMutualInformation => {
                let total = in_column.total;
                let filled = total.simd_le(zero).select(zero + 1.0, total);
                let a = self.surprise(simd, in_row) + ln(simd, filled);
                (self.empty.select(zero, a), zero)
            }
            StructureKind::RelativeMutualInformation => (
                self.surprise(simd, in_row) + self.surprise(simd, in_column),
                -ln(simd, self.divisor),
            ),
            StructureKind::NormalisedMutualInformation => {
                let a = self.surprise(simd, in_row) + self.surprise(simd, in_column);
                (a, -(ln(simd, self.divisor) * 2.0 + a))
            }
        }
    }

    /// `−ln (P/Σ P)` with the sum over a row or a column, 0 of empty entries.
    ///
    /// As `ln (1 + R/P)`, `R` being the sum of the other entries: of an entry that is nearly all of
    /// the sum the quotient is nearly 1, and its logarithm would be nothing but rounding.
    #[inline(always)]
    fn surprise(&self, simd: S, of: &Others<f64x8<S>>) -> f64x8<S> {
        let rest = self.p.simd_eq(of.most).select(of.others, of.total - self.p);
        let surprise = ln_1p(simd, rest / self.divisor);
        self.empty.select(f64x8::splat(simd, 0.0), surprise)
    }
}

/// The sum of a row or column, taken apart so that it can be had without any of its entries.
#[derive(Clone, Copy, Default)]
struct Others<V> {
    total: V,
    /// The largest entry.
    most: V,
    /// The sum of all but the largest.
    others: V,
}

impl Others<f64> {
    #[inline(always)]
    fn in_row(entries: &[f64]) -> Self {
        let (mut most, mut others) = (0.0, 0.0);
        for &entry in entries {
            others += if entry < most { entry } else { most };
            most = if entry > most { entry } else { most };
        }
        Self {
            total: others + most,
            most,
            others,
        }
    }

    #[inline(always)]
    fn splat<S: Simd>(&self, simd: S) -> Others<f64x8<S>> {
        Others {
            total: f64x8::splat(simd, self.total),
            most: f64x8::splat(simd, self.most),
            others: f64x8::splat(simd, self.others),
        }
    }
}

/// What is to be known of the columns.
struct Columns {
    most: Vec<f64>,
    others: Vec<f64>,
}

impl Columns {
    /// Those of the joint histogram, after its sums have been multiplied by `scale`.
    #[inline(always)]
    fn of_scaled<S: Simd>(simd: S, joint: &mut Joint, scale: f64) -> Self {
        let mut columns = Self {
            most: vec![0.0; joint.stride],
            others: vec![0.0; joint.stride],
        };
        for row in joint.entries.chunks_exact_mut(joint.stride) {
            let (row, _) = row.as_chunks_mut::<LANES>();
            let (most, _) = columns.most.as_chunks_mut::<LANES>();
            let (others, _) = columns.others.as_chunks_mut::<LANES>();
            for ((p, most), others) in row.iter_mut().zip(most).zip(others) {
                let scaled = f64x8::from_slice(simd, p) * scale;
                scaled.store_slice(p);
                let before = f64x8::from_slice(simd, most);
                (f64x8::from_slice(simd, others) + scaled.min(before)).store_slice(others);
                scaled.max(before).store_slice(most);
            }
        }
        columns
    }

    #[inline(always)]
    fn at<S: Simd>(&self, simd: S, group: usize) -> Others<f64x8<S>> {
        let lanes = group * LANES..(group + 1) * LANES;
        let most = f64x8::from_slice(simd, &self.most[lanes.clone()]);
        let others = f64x8::from_slice(simd, &self.others[lanes]);
        Others {
            total: others + most,
            most,
            others,
        }
    }
}
