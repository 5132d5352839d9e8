//! The rows of the joint table that are being worked on.

use fearless_simd::Simd;

use super::simd::{LANES, Lanes, Line, Real};

/// As many rows of a table as a band is wide, stored by columns: the rows that the pixels of one slot
/// touch.
///
/// A column's entries are whole cache lines, so a pixel reads and writes no more of them than it has
/// bins, and none in part. Row `r` of the table is in the lane `r mod width`; when the pixels of
/// the next slot come, it makes room for row `r + width` there.
pub(super) struct Ring<T, const LINES: usize> {
    columns: Vec<[Line<T>; LINES]>,
}

impl<T: Real, const LINES: usize> Ring<T, LINES> {
    const WIDTH: usize = LINES * LANES;

    /// A ring of zeros.
    pub(super) fn new(columns: usize) -> Self {
        Self {
            columns: vec![[Line::splat(T::zero()); LINES]; columns],
        }
    }

    /// Adds the outer product of a pixel's two bands.
    #[inline(always)]
    pub(super) fn add<S: Simd>(
        &mut self,
        simd: S,
        rows: &[T::Lanes<S>; LINES],
        column: usize,
        columns: &[Line<T>; LINES],
    ) {
        let touched = &mut self.columns[column..][..Self::WIDTH];
        for (sums, &window) in touched
            .iter_mut()
            .zip(columns.iter().flat_map(|line| &line.0))
        {
            let window = T::Lanes::<S>::splat(simd, window);
            for (sums, &row) in sums.iter_mut().zip(rows) {
                let sum = T::Lanes::<S>::load(simd, &sums.0);
                window.multiply_add(row, sum).store(&mut sums.0);
            }
        }
    }

    /// Contracts the columns with numbers by column, and the result with numbers by row: what
    /// remains to be done is to add up the lanes.
    #[inline(always)]
    pub(super) fn contract<S: Simd>(
        &self,
        simd: S,
        rows: &[T::Lanes<S>; LINES],
        column: usize,
        columns: &[Line<T>; LINES],
    ) -> T::Lanes<S> {
        /// Sums that are added to in turns, since an addition takes several cycles.
        const SUMS: usize = 4;
        let zero = T::Lanes::<S>::splat(simd, T::zero());
        let mut sums = [[zero; LINES]; SUMS];
        let (touched, _) = self.columns[column..][..Self::WIDTH].as_chunks::<SUMS>();
        let numbers = columns.iter().flat_map(|line| line.0.as_chunks::<SUMS>().0);
        for (columns, numbers) in touched.iter().zip(numbers) {
            for turn in 0..SUMS {
                let number = T::Lanes::<S>::splat(simd, numbers[turn]);
                for (sum, entries) in sums[turn].iter_mut().zip(&columns[turn]) {
                    let entries = T::Lanes::<S>::load(simd, &entries.0);
                    *sum = number.multiply_add(entries, *sum);
                }
            }
        }
        let mut total = zero;
        for (line, &row) in rows.iter().enumerate() {
            let sum = sums[0][line].add(sums[1][line]);
            let sum = sum.add(sums[2][line].add(sums[3][line]));
            total = sum.multiply_add(row, total);
        }
        total
    }

    /// Moves row `row` from the ring to where it is added to the rest of its sum.
    #[inline(always)]
    pub(super) fn take(&mut self, row: usize, sums: &mut [f64]) {
        let (line, lane) = (row % Self::WIDTH / LANES, row % LANES);
        for (column, sum) in self.columns.iter_mut().zip(sums) {
            let entry = &mut column[line].0[lane];
            *sum += entry.wide();
            *entry = T::zero();
        }
    }

    /// Puts row `row` into the ring.
    #[inline(always)]
    pub(super) fn put(&mut self, row: usize, entries: &[T]) {
        let (line, lane) = (row % Self::WIDTH / LANES, row % LANES);
        for (column, &entry) in self.columns.iter_mut().zip(entries) {
            column[line].0[lane] = entry;
        }
    }
}
