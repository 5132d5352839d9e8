//! The maps that come nearest to wanted colours and differ little from cell to cell.

use super::slice::{Place, cell};
use crate::transfer::banded::{BLOCK, Banded, Factor};
use crate::transfer::cloud::counted;
use crate::transfer::options::Grid;
use crate::transfer::sample::Sample;

/// Keeps the maps of cells that no pixel decides on from growing.
const RIDGE: f64 = 1e-7;

/// What a pixel reads from a grid.
struct Read {
    /// The cells around it, and the share of each.
    corners: [(usize, f64); 8],
    /// Red, green, blue and 1.
    colour: [f64; BLOCK],
    /// Its weight, of all pixels' together.
    weight: f64,
}

/// The least squares problem of one image: which change of maps, an affine one in each cell, gives the
/// pixels wanted changes of their colours. The change d minimises
///
/// ```text
/// mean of |d(x) − wanted|²  +  λ / cells · Σ |differences of neighbouring cells|²  +  ridge · |d|²
/// ```
///
/// It is the same for each channel of the output, so that one factorisation solves for all.
pub(super) struct Problem {
    grid: Grid,
    /// Cells in the order of the factorisation.
    order: Vec<usize>,
    reads: Vec<Read>,
    factor: Factor,
}

impl Problem {
    /// Of the pixels that count of a sample.
    pub(super) fn new(sample: &Sample, grid: Grid, smoothness: f64) -> Self {
        let (order, reach) = order(grid);
        let reads = reads(sample, grid);
        let mut matrix = Banded::new(grid.cells(), reach);
        for read in &reads {
            let products: [[f64; BLOCK]; BLOCK] = read
                .colour
                .map(|a| read.colour.map(|b| a * b * read.weight));
            for (i, (a, of_a)) in read.corners.iter().enumerate() {
                for (b, of_b) in &read.corners[..=i] {
                    let (a, b) = (order[*a], order[*b]);
                    let share = of_a * of_b;
                    let block = matrix.block_mut(a.max(b), a.min(b));
                    for (column, products) in block.iter_mut().zip(&products) {
                        for (value, product) in column.iter_mut().zip(products) {
                            *value += share * product;
                        }
                    }
                }
            }
        }
        let penalty = smoothness / grid.cells() as f64;
        for (a, b) in neighbours(grid) {
            let (a, b) = (order[a], order[b]);
            for k in 0..BLOCK {
                matrix.block_mut(a, a)[k][k] += penalty;
                matrix.block_mut(b, b)[k][k] += penalty;
                matrix.block_mut(a.max(b), a.min(b))[k][k] -= penalty;
            }
        }
        for cell in 0..grid.cells() {
            for k in 0..BLOCK {
                matrix.block_mut(cell, cell)[k][k] += RIDGE;
            }
        }
        Self {
            grid,
            order,
            reads,
            factor: matrix.factorise(),
        }
    }

    /// The change of maps for the wanted changes of the pixels that count.
    ///
    /// # Shapes
    ///
    /// - `wanted`: `[pixels]`
    /// - output: `[levels, rows, columns]`, of each cell what multiplies red, green, blue and 1
    pub(super) fn solve(&self, wanted: impl Iterator<Item = [f32; 3]>) -> Vec<[[f64; 3]; BLOCK]> {
        let mut values = vec![[[0.0; 3]; BLOCK]; self.grid.cells()];
        for (read, wanted) in self.reads.iter().zip(wanted) {
            let wanted = wanted.map(|value| f64::from(value) * read.weight);
            for (cell, share) in read.corners {
                for (row, input) in values[self.order[cell]].iter_mut().zip(read.colour) {
                    for (value, wanted) in row.iter_mut().zip(wanted) {
                        *value += share * input * wanted;
                    }
                }
            }
        }
        self.factor.solve(&mut values);
        self.order.iter().map(|place| values[*place]).collect()
    }

    /// What a change of maps does to the pixels that count.
    pub(super) fn changes(&self, maps: &[[[f64; 3]; BLOCK]]) -> impl Iterator<Item = [f32; 3]> {
        self.reads.iter().map(|read| {
            let mut sum = [0.0; 3];
            for (cell, share) in read.corners {
                for (row, input) in maps[cell].iter().zip(read.colour) {
                    for (sum, value) in sum.iter_mut().zip(row) {
                        *sum += share * input * value;
                    }
                }
            }
            sum.map(|value| value as f32)
        })
    }
}

/// Where the pixels that count of a sample read from a grid.
fn reads(sample: &Sample, grid: Grid) -> Vec<Read> {
    let total: f64 = counted(sample).map(|(.., weight)| f64::from(weight)).sum();
    counted(sample)
        .map(|(pixel, rgb, weight)| {
            let (row, column) = (pixel / sample.width(), pixel % sample.width());
            let level = Place::of_luma(rgb, grid.levels());
            let row = Place::of_pixel(row, sample.height(), grid.rows());
            let column = Place::of_pixel(column, sample.width(), grid.columns());
            let corners = std::array::from_fn(|corner| {
                let [l, r, c] = [corner >> 2 & 1, corner >> 1 & 1, corner & 1];
                let cell = cell(grid, level.cells[l], row.cells[r], column.cells[c]);
                let shares = [level.shares[l], row.shares[r], column.shares[c]];
                (cell, shares.map(f64::from).iter().product())
            });
            let [r, g, b] = rgb.map(f64::from);
            Read {
                corners,
                colour: [r, g, b, 1.0],
                weight: f64::from(weight) / total,
            }
        })
        .collect()
}

/// All pairs of neighbouring cells.
fn neighbours(grid: Grid) -> impl Iterator<Item = (usize, usize)> {
    let (columns, rows, levels) = (grid.columns(), grid.rows(), grid.levels());
    let all = (0..levels)
        .flat_map(move |l| (0..rows).flat_map(move |r| (0..columns).map(move |c| (l, r, c))));
    all.flat_map(move |(l, r, c)| {
        let next = [
            (l + 1 < levels).then(|| cell(grid, l + 1, r, c)),
            (r + 1 < rows).then(|| cell(grid, l, r + 1, c)),
            (c + 1 < columns).then(|| cell(grid, l, r, c + 1)),
        ];
        let own = cell(grid, l, r, c);
        next.into_iter().flatten().map(move |other| (own, other))
    })
}

/// For each cell its place in the order that makes the matrix's band least, the longest side
/// outermost; and how far apart two cells around one pixel can be in it.
fn order(grid: Grid) -> (Vec<usize>, usize) {
    let sides = [grid.levels(), grid.rows(), grid.columns()];
    let mut axes = [0, 1, 2];
    axes.sort_by_key(|axis| std::cmp::Reverse(sides[*axis]));
    let mut strides = [0; 3];
    let mut stride = 1;
    for axis in axes.into_iter().rev() {
        strides[axis] = stride;
        stride *= sides[axis];
    }
    let reach = (0..3)
        .filter(|axis| sides[*axis] > 1)
        .map(|axis| strides[axis])
        .sum();
    let places = (0..grid.cells()).map(|cell| {
        let column = cell % grid.columns();
        let row = cell / grid.columns() % grid.rows();
        let level = cell / grid.columns() / grid.rows();
        level * strides[0] + row * strides[1] + column * strides[2]
    });
    (places.collect(), reach)
}
