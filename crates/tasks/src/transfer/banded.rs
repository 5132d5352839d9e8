//! Symmetric, positive definite systems whose matrix is a band.

/// Side of the blocks that the matrix is stored in: enough to fill vector registers.
const SIDE: usize = 8;

/// Right-hand sides that are solved for at once: the vectors of four that processors have.
pub(super) const RIGHT: usize = 4;

/// The columns of a block.
type Block = [[f64; SIDE]; SIDE];

/// The smallest share of a diagonal entry that is left of it as a pivot. What is smaller is rounding.
const LEAST_PIVOT: f64 = 1e-14;

/// The lower triangle of a symmetric matrix that is 0 beyond a distance from its diagonal.
pub(super) struct Banded {
    /// Rows of blocks.
    rows: usize,
    /// Blocks in a row before that on the diagonal.
    reach: usize,
    /// `[rows, reach + 1]`.
    blocks: Vec<Block>,
}

impl Banded {
    /// A matrix of zeros for so many unknowns, whose rows reach that many columns beyond the diagonal.
    /// Rows that fill the last block are those of the identity.
    pub(super) fn new(unknowns: usize, reach: usize) -> Self {
        let (rows, reach) = (unknowns.div_ceil(SIDE), reach.div_ceil(SIDE));
        let mut matrix = Self {
            rows,
            reach,
            blocks: vec![[[0.0; SIDE]; SIDE]; rows * (reach + 1)],
        };
        for more in unknowns..rows * SIDE {
            matrix.add(more, more, 1.0);
        }
        matrix
    }

    /// Adds to an entry of the lower triangle within reach, and to its mirror image.
    pub(super) fn add(&mut self, row: usize, column: usize, value: f64) {
        let (r, c) = (row / SIDE, column / SIDE);
        let block = &mut self.blocks[r * (self.reach + 1) + self.reach + c - r];
        block[column % SIDE][row % SIDE] += value;
    }

    /// The Cholesky factor L of this = L·Lᵀ.
    pub(super) fn factorise(mut self) -> Factor {
        let mut inverse = vec![[0.0; SIDE]; self.rows];
        factorise(self.reach, &mut self.blocks, &mut inverse);
        Factor {
            matrix: self,
            inverse,
        }
    }
}

/// A row of blocks from the first that is in the matrix; `first` is the column of that.
#[inline(always)]
fn row(blocks: &[Block], reach: usize, row: usize) -> (usize, &[Block]) {
    let first = row.saturating_sub(reach);
    let stride = reach + 1;
    (
        first,
        &blocks[row * stride + first + reach - row..(row + 1) * stride],
    )
}

/// Puts the Cholesky factor in the place of a matrix; `inverse` gets one over its diagonal.
///
/// The vector instructions do not change a bit: the compiler neither reorders sums nor fuses
/// multiplications into them.
#[multiversion::multiversion(targets("x86_64+avx512f", "x86_64+avx2"))]
fn factorise(reach: usize, blocks: &mut [Block], inverse: &mut [[f64; SIDE]]) {
    let stride = reach + 1;
    for i in 0..inverse.len() {
        let (done, rest) = blocks.split_at_mut(i * stride);
        let first = i.saturating_sub(reach);
        let own = &mut rest[first + reach - i..stride];
        for j in first..i {
            let (start, above) = row(done, reach, j);
            let above = &above[first - start..];
            let (known, open) = own.split_at_mut(j - first);
            let block = &mut open[0];
            subtract_products(block, known, above);
            divide(block, &above[j - first], &inverse[j]);
        }
        let (known, diagonal) = own.split_at_mut(i - first);
        let block = &mut diagonal[0];
        let least = std::array::from_fn(|c| block[c][c] * LEAST_PIVOT);
        subtract_products(block, known, known);
        inverse[i] = cholesky(block, &least);
    }
}

/// `sum -= Σ a · bᵀ`.
#[inline(always)]
fn subtract_products(sum: &mut Block, a: &[Block], b: &[Block]) {
    /// Columns at once: with more, sums leave the registers.
    const COLUMNS: usize = 4;
    for (half, columns) in sum.as_chunks_mut::<COLUMNS>().0.iter_mut().enumerate() {
        let mut sums = *columns;
        for (a, b) in a.iter().zip(b) {
            for (a, b) in a.iter().zip(b) {
                for c in 0..COLUMNS {
                    let factor = b[half * COLUMNS + c];
                    for r in 0..SIDE {
                        sums[c][r] -= a[r] * factor;
                    }
                }
            }
        }
        *columns = sums;
    }
}

/// `x = x · (lᵀ)⁻¹` for a lower triangle with one over its diagonal.
#[inline(always)]
fn divide(x: &mut Block, l: &Block, inverse: &[f64; SIDE]) {
    for c in 0..SIDE {
        let mut column = x[c];
        for k in 0..c {
            for (value, known) in column.iter_mut().zip(&x[k]) {
                *value -= known * l[k][c];
            }
        }
        x[c] = column.map(|value| value * inverse[c]);
    }
}

/// The Cholesky factor of one block in its place, and one over its diagonal.
#[inline(always)]
fn cholesky(block: &mut Block, least: &[f64; SIDE]) -> [f64; SIDE] {
    let mut inverse = [0.0; SIDE];
    for c in 0..SIDE {
        let mut column = block[c];
        for known in &block[..c] {
            for (value, above) in column.iter_mut().zip(known) {
                *value -= above * known[c];
            }
        }
        let pivot = column[c].max(least[c]).max(f64::MIN_POSITIVE).sqrt();
        inverse[c] = 1.0 / pivot;
        block[c] = column.map(|value| value * inverse[c]);
        block[c][c] = pivot;
    }
    inverse
}

/// The Cholesky factor of a banded matrix.
pub(super) struct Factor {
    matrix: Banded,
    inverse: Vec<[f64; SIDE]>,
}

impl Factor {
    /// Solves for several right-hand sides at once.
    ///
    /// # Shapes
    ///
    /// `values`: `[unknowns, RIGHT]`, the right-hand sides before and the solutions after.
    pub(super) fn solve(&self, values: &mut [[f64; RIGHT]]) {
        let mut padded = vec![[[0.0; RIGHT]; SIDE]; self.matrix.rows];
        let unknowns = values.len();
        padded.as_flattened_mut()[..unknowns].copy_from_slice(values);
        let Banded { reach, blocks, .. } = &self.matrix;
        solve(*reach, blocks, &self.inverse, &mut padded);
        values.copy_from_slice(&padded.as_flattened()[..unknowns]);
    }
}

/// Solves with a factor forwards, then with its mirror image backwards.
#[multiversion::multiversion(targets("x86_64+avx2"))]
fn solve(
    reach: usize,
    blocks: &[Block],
    inverse: &[[f64; SIDE]],
    values: &mut [[[f64; RIGHT]; SIDE]],
) {
    for i in 0..values.len() {
        let (first, own) = row(blocks, reach, i);
        let (done, rest) = values.split_at_mut(i);
        let x = &mut rest[0];
        for (column, known) in own.as_flattened().iter().zip(done[first..].as_flattened()) {
            for (value, factor) in x.iter_mut().zip(column) {
                subtract(value, *factor, known);
            }
        }
        let triangle = &own[i - first];
        for c in 0..SIDE {
            x[c] = x[c].map(|value| value * inverse[i][c]);
            let known = x[c];
            for r in c + 1..SIDE {
                subtract(&mut x[r], triangle[c][r], &known);
            }
        }
    }
    for i in (0..values.len()).rev() {
        let (first, own) = row(blocks, reach, i);
        let (before, rest) = values.split_at_mut(i);
        let x = &mut rest[0];
        let triangle = &own[i - first];
        for c in (0..SIDE).rev() {
            for r in c + 1..SIDE {
                let known = x[r];
                subtract(&mut x[c], triangle[c][r], &known);
            }
            x[c] = x[c].map(|value| value * inverse[i][c]);
        }
        let open = before[first..].as_flattened_mut();
        for (column, value) in own.as_flattened().iter().zip(open) {
            for (factor, known) in column.iter().zip(&*x) {
                subtract(value, *factor, known);
            }
        }
    }
}

/// `sum -= factor · values`.
#[inline(always)]
fn subtract(sum: &mut [f64; RIGHT], factor: f64, values: &[f64; RIGHT]) {
    for (sum, value) in sum.iter_mut().zip(values) {
        *sum -= factor * value;
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::{DMatrix, DVector};
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::one(1, 0)]
    #[case::a_diagonal(11, 0)]
    #[case::within_a_block(7, 3)]
    #[case::a_band(70, 13)]
    #[case::full(40, 39)]
    fn it_solves_as_a_dense_factorisation_does(#[case] unknowns: usize, #[case] reach: usize) {
        let value = |i: usize, j: usize| ((i * 37 + j * 101) as f64).sin();
        let mut banded = Banded::new(unknowns, reach);
        let mut dense = DMatrix::zeros(unknowns, unknowns);
        for row in 0..unknowns {
            for column in row.saturating_sub(reach)..=row {
                // The diagonal outweighs the rest.
                let own = if row == column {
                    2.0 * reach as f64 + 2.0
                } else {
                    0.0
                };
                banded.add(row, column, value(row, column));
                banded.add(row, column, own);
                dense[(row, column)] = value(row, column) + own;
                dense[(column, row)] = dense[(row, column)];
            }
        }
        let right: Vec<[f64; RIGHT]> = (0..unknowns)
            .map(|i| std::array::from_fn(|k| value(i + 5, k)))
            .collect();
        let mut solved = right.clone();
        banded.factorise().solve(&mut solved);
        let factor = dense.cholesky().unwrap();
        for k in 0..RIGHT {
            let column = DVector::from_iterator(unknowns, right.iter().map(|row| row[k]));
            for (got, expected) in solved.iter().zip(&factor.solve(&column)) {
                assert!((got[k] - expected).abs() < 1e-13, "{} {expected}", got[k]);
            }
        }
    }

    #[test]
    fn a_matrix_that_is_not_quite_definite_gives_numbers() {
        let mut banded = Banded::new(3, 2);
        for (row, column) in [(0, 0), (1, 0), (1, 1), (2, 0), (2, 1), (2, 2)] {
            banded.add(row, column, 1.0);
        }
        let mut values = vec![[1.0; RIGHT]; 3];
        banded.factorise().solve(&mut values);
        assert!(values.as_flattened().iter().all(|value| value.is_finite()));
    }
}
