//! Symmetric, positive definite systems whose matrix is a band of small blocks.

/// Unknowns of a block.
pub(super) const BLOCK: usize = 4;

/// Four columns of four values each.
pub(super) type Block = [[f64; BLOCK]; BLOCK];

/// The smallest share of a diagonal entry that is left of it as a pivot. What is smaller is rounding.
const LEAST_PIVOT: f64 = 1e-14;

/// The lower triangle of a symmetric matrix of blocks that is 0 beyond a number of blocks from its
/// diagonal.
pub(super) struct Banded {
    rows: usize,
    reach: usize,
    /// `[rows, reach + 1]`: of each row of blocks those from `reach` before the diagonal to it.
    blocks: Vec<Block>,
}

impl Banded {
    /// A matrix of zeros.
    pub(super) fn new(rows: usize, reach: usize) -> Self {
        Self {
            rows,
            reach,
            blocks: vec![[[0.0; BLOCK]; BLOCK]; rows * (reach + 1)],
        }
    }

    /// A block of the lower triangle, `column <= row <= column + reach`.
    pub(super) fn block_mut(&mut self, row: usize, column: usize) -> &mut Block {
        &mut self.blocks[row * (self.reach + 1) + self.reach + column - row]
    }

    /// The Cholesky factor L of this = L·Lᵀ.
    pub(super) fn factorise(mut self) -> Factor {
        let mut inverse = vec![[0.0; BLOCK]; self.rows];
        factorise(self.reach, &mut self.blocks, &mut inverse);
        Factor {
            matrix: self,
            inverse,
        }
    }
}

/// The blocks of a row of the matrix, from the first that is stored.
#[inline(always)]
fn row(blocks: &[Block], reach: usize, row: usize) -> &[Block] {
    &blocks[row * (reach + 1)..(row + 1) * (reach + 1)]
}

/// Puts the Cholesky factor in the place of a matrix; `inverse` gets one over its diagonal.
///
/// The vector instructions do not change a bit: the compiler neither reorders sums nor fuses
/// multiplications into them.
#[multiversion::multiversion(targets("x86_64+avx2"))]
fn factorise(reach: usize, blocks: &mut [Block], inverse: &mut [[f64; BLOCK]]) {
    let stride = reach + 1;
    for i in 0..inverse.len() {
        let (done, rest) = blocks.split_at_mut(i * stride);
        let own = &mut rest[..stride];
        let first = i.saturating_sub(reach);
        // The place of a column's block in this row, and of the blocks before it in the column's own.
        let place = |column: usize| column + reach - i;
        let before = |j: usize| {
            let from = first + reach - j;
            &row(done, reach, j)[from..reach]
        };
        let mut j = first;
        while j < i {
            let (known, open) = own.split_at_mut(place(j));
            let known = &known[place(first)..];
            if j + 1 < i {
                // Two at once keep the processor's units busy.
                let (a, b) = (before(j), before(j + 1));
                let (mut left, mut right) = (open[0], open[1]);
                for ((of_row, of_a), of_b) in known.iter().zip(a).zip(b) {
                    subtract_product(&mut left, of_row, of_a);
                    subtract_product(&mut right, of_row, of_b);
                }
                divide(&mut left, &row(done, reach, j)[reach], &inverse[j]);
                subtract_product(&mut right, &left, &b[b.len() - 1]);
                divide(&mut right, &row(done, reach, j + 1)[reach], &inverse[j + 1]);
                (open[0], open[1]) = (left, right);
                j += 2;
            } else {
                let mut left = open[0];
                for (of_row, of_a) in known.iter().zip(before(j)) {
                    subtract_product(&mut left, of_row, of_a);
                }
                divide(&mut left, &row(done, reach, j)[reach], &inverse[j]);
                open[0] = left;
                j += 1;
            }
        }
        let (known, diagonal) = own.split_at_mut(reach);
        let mut pivots = diagonal[0];
        let least: [f64; BLOCK] = std::array::from_fn(|c| pivots[c][c] * LEAST_PIVOT);
        for block in &known[place(first)..] {
            subtract_product(&mut pivots, block, block);
        }
        inverse[i] = cholesky(&mut pivots, &least);
        diagonal[0] = pivots;
    }
}

/// `sum -= a · bᵀ`.
#[inline(always)]
fn subtract_product(sum: &mut Block, a: &Block, b: &Block) {
    for k in 0..BLOCK {
        for c in 0..BLOCK {
            for r in 0..BLOCK {
                sum[c][r] -= a[k][r] * b[k][c];
            }
        }
    }
}

/// `x = x · (lᵀ)⁻¹` for a lower triangle with one over its diagonal.
#[inline(always)]
fn divide(x: &mut Block, l: &Block, inverse: &[f64; BLOCK]) {
    for c in 0..BLOCK {
        for k in 0..c {
            for r in 0..BLOCK {
                x[c][r] -= x[k][r] * l[k][c];
            }
        }
        for r in 0..BLOCK {
            x[c][r] *= inverse[c];
        }
    }
}

/// The Cholesky factor of one block in its place, and one over its diagonal.
#[inline(always)]
fn cholesky(block: &mut Block, least: &[f64; BLOCK]) -> [f64; BLOCK] {
    let mut inverse = [0.0; BLOCK];
    for c in 0..BLOCK {
        for k in 0..c {
            for r in c..BLOCK {
                block[c][r] -= block[k][r] * block[k][c];
            }
        }
        let pivot = block[c][c].max(least[c]).max(f64::MIN_POSITIVE).sqrt();
        inverse[c] = 1.0 / pivot;
        block[c][c] = pivot;
        for r in c + 1..BLOCK {
            block[c][r] *= inverse[c];
        }
    }
    inverse
}

/// The Cholesky factor of a banded matrix.
pub(super) struct Factor {
    matrix: Banded,
    inverse: Vec<[f64; BLOCK]>,
}

impl Factor {
    /// Solves for several right-hand sides at once, in their place.
    ///
    /// # Shapes
    ///
    /// `values`: `[rows, BLOCK, right-hand sides]`
    pub(super) fn solve<const N: usize>(&self, values: &mut [[[f64; N]; BLOCK]]) {
        let Banded {
            rows,
            reach,
            ref blocks,
        } = self.matrix;
        for i in 0..rows {
            let first = i.saturating_sub(reach);
            let own = &row(blocks, reach, i)[first + reach - i..];
            let (done, rest) = values.split_at_mut(i);
            let x = &mut rest[0];
            for (block, known) in own.iter().zip(&done[first..]) {
                for (column, known) in block.iter().zip(known) {
                    for (value, factor) in x.iter_mut().zip(column) {
                        subtract(value, *factor, known);
                    }
                }
            }
            let triangle = &own[own.len() - 1];
            for c in 0..BLOCK {
                x[c] = x[c].map(|value| value * self.inverse[i][c]);
                let known = x[c];
                for r in c + 1..BLOCK {
                    subtract(&mut x[r], triangle[c][r], &known);
                }
            }
        }
        for i in (0..rows).rev() {
            let first = i.saturating_sub(reach);
            let own = &row(blocks, reach, i)[first + reach - i..];
            let (before, rest) = values.split_at_mut(i);
            let x = &mut rest[0];
            let triangle = &own[own.len() - 1];
            for c in (0..BLOCK).rev() {
                for r in c + 1..BLOCK {
                    let known = x[r];
                    subtract(&mut x[c], triangle[c][r], &known);
                }
                x[c] = x[c].map(|value| value * self.inverse[i][c]);
            }
            for (block, open) in own.iter().zip(&mut before[first..]) {
                for (column, value) in block.iter().zip(open) {
                    for (factor, known) in column.iter().zip(&*x) {
                        subtract(value, *factor, known);
                    }
                }
            }
        }
    }
}

/// `sum -= factor · values`.
#[inline(always)]
fn subtract<const N: usize>(sum: &mut [f64; N], factor: f64, values: &[f64; N]) {
    for (sum, value) in sum.iter_mut().zip(values) {
        *sum -= factor * value;
    }
}
