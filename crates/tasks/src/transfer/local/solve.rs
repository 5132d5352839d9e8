//! The maps that come nearest to wanted colours, keep the image's gradients, and differ little from
//! cell to cell.

use super::read::{CORNERS, Combination, Gradient, Read, gradients, reads, steps};
use super::slice::{INPUTS, cell};
use crate::transfer::banded::{Banded, Factor, RIGHT};
use crate::transfer::linear::MongeKantorovich;
use crate::transfer::options::Grid;
use crate::transfer::sample::Sample;

/// A cell's map: of each input what it adds to red, green and blue.
pub(super) type Map = [[f64; RIGHT]; INPUTS];

/// The weight of the differences of neighbouring cells at a smoothness of 1.
const CELLS: f64 = 0.1;

/// The weight of the gradients at a smoothness of 1.
const GRADIENTS: f64 = 0.02;

/// Gradients below this one are hardly seen.
const UNSEEN: f64 = 0.02;

/// How many times the content's a gradient should be at most.
const MOST: f64 = 1.3;

/// Keeps the maps of cells that no pixel decides on from growing.
const RIDGE: f64 = 1e-7;

/// Pixels whose squares are summed at once: what is known of them stays in the first cache.
const AT_ONCE: usize = 32;

/// The sums of the products of the coefficients around the pixels between eight cells: of each two
/// inputs, those of each two corners.
type Squares = [[[[f64; CORNERS]; CORNERS]; INPUTS]; INPUTS];

/// The least squares problem of one image: which change d of the linear map, an affine one in each
/// cell, gives the pixels wanted changes of their colours. It minimises
///
/// ```text
/// mean of |d(x) − wanted|²  +  s · 0.02 · mean of |∇(linear + d)(x) − calm ∇|² / (|∇x|² + 0.02²)
///     +  s · 0.1 / cells · Σ |differences of neighbouring cells|²  +  ridge · |d|²
/// ```
///
/// for the smoothness s. The calm gradient is the linear map's, made shorter where it is more than 1.3
/// times the content's. So the change is small inside a surface, where a difference is seen, and may
/// be large across an edge.
///
/// The problem is the same for each channel of the output: one factorisation solves for all.
pub(super) struct Problem {
    grid: Grid,
    /// The place of each cell in the order of the factorisation.
    places: Vec<usize>,
    reads: Vec<Read>,
    /// What the wanted gradients add to the right-hand sides.
    of_gradients: Vec<Map>,
    factor: Factor,
}

impl Problem {
    /// Of the pixels that count of a sample.
    pub(super) fn new(
        sample: &Sample,
        linear: &MongeKantorovich,
        grid: Grid,
        smoothness: f64,
    ) -> Self {
        let (places, reach) = places(grid);
        let reads = reads(sample, grid);
        let mut matrix = Banded::new(grid.cells() * INPUTS, (reach + 1) * INPUTS - 1);
        let mut of_gradients = vec![[[0.0; RIGHT]; INPUTS]; grid.cells()];
        let steps = steps(grid);
        // Cell by cell, so that the sums of a cell stay in the processor's cache.
        let mut by_cell: Vec<&Read> = reads.iter().collect();
        by_cell.sort_by_key(|read| read.first);
        let mut combinations = Vec::new();
        for reads in by_cell.chunk_by(|a, b| a.first == b.first) {
            let mut squares: Squares = [[[[0.0; CORNERS]; CORNERS]; INPUTS]; INPUTS];
            for reads in reads.chunks(AT_ONCE) {
                combinations.clear();
                for read in reads {
                    combinations.push(times(&read.value(), read.weight.sqrt()));
                    for gradient in gradients(sample, grid, read, |rgb| linear.at(rgb)) {
                        let (weight, wanted) = calm(&gradient);
                        let weight = weight * smoothness * read.weight;
                        let wanted = wanted.map(|value| value * weight);
                        let combination = &gradient.combination;
                        add_wanted(&mut of_gradients, read, &steps, combination, wanted);
                        combinations.push(times(combination, weight.sqrt()));
                    }
                }
                add_squares(&mut squares, &combinations);
            }
            let around = steps.map(|step| places[reads[0].first + step]);
            add_to_matrix(&mut matrix, &squares, &around);
        }
        add_differences(&mut matrix, grid, &places, smoothness);
        Self {
            grid,
            places,
            reads,
            of_gradients,
            factor: matrix.factorise(),
        }
    }

    /// The change of maps for the wanted changes of the pixels that count.
    ///
    /// # Shapes
    ///
    /// - `wanted`: `[pixels]`
    /// - output: `[levels, rows, columns]`
    pub(super) fn solve(&self, wanted: impl Iterator<Item = [f32; 3]>) -> Vec<Map> {
        let mut sums = self.of_gradients.clone();
        let steps = steps(self.grid);
        for (read, [r, g, b]) in self.reads.iter().zip(wanted) {
            let wanted = [r, g, b, 0.0].map(|value| f64::from(value) * read.weight);
            add_wanted(&mut sums, read, &steps, &read.value(), wanted);
        }
        let mut values = vec![[[0.0; RIGHT]; INPUTS]; self.grid.cells()];
        for (place, sums) in self.places.iter().zip(sums) {
            values[*place] = sums;
        }
        self.factor.solve(values.as_flattened_mut());
        self.places.iter().map(|place| values[*place]).collect()
    }

    /// What a change of maps does to the pixels that count.
    pub(super) fn changes(&self, maps: &[Map]) -> impl Iterator<Item = [f32; 3]> {
        let steps = steps(self.grid);
        self.reads.iter().map(move |read| {
            let mut sum = [0.0; RIGHT];
            let parts = read.value();
            for (corner, step) in steps.iter().enumerate() {
                for (values, parts) in maps[read.first + step].iter().zip(&parts) {
                    for (sum, value) in sum.iter_mut().zip(values) {
                        *sum += parts[corner] * value;
                    }
                }
            }
            [0, 1, 2].map(|c| sum[c] as f32)
        })
    }
}

/// The weight of a gradient at a smoothness of 1, and what the change should add to the linear map's.
fn calm(gradient: &Gradient) -> (f64, [f64; RIGHT]) {
    let length = |of: &[f64; 3]| of.iter().map(|value| value * value).sum::<f64>().sqrt();
    let (own, moved) = (length(&gradient.own), length(&gradient.moved));
    let most = MOST * own + (MOST - 1.0) * UNSEEN;
    let shorter = if moved > most {
        most / moved - 1.0
    } else {
        0.0
    };
    let [r, g, b] = gradient.moved.map(|value| value * shorter);
    (GRADIENTS / (own * own + UNSEEN * UNSEEN), [r, g, b, 0.0])
}

/// A combination times a factor.
#[inline(always)]
fn times(combination: &Combination, factor: f64) -> Combination {
    combination.map(|parts| parts.map(|part| part * factor))
}

/// Adds the squares of combinations: the products of each input with those before it and itself.
///
/// The vector instructions do not change a bit: the compiler neither reorders sums nor fuses
/// multiplications into them.
#[multiversion::multiversion(targets("x86_64+avx512f", "x86_64+avx2"))]
fn add_squares(squares: &mut Squares, combinations: &[Combination]) {
    /// Corners at once: with more, sums leave the registers.
    const ROWS: usize = 4;
    for (i, squares) in squares.iter_mut().enumerate() {
        for (j, square) in squares[..=i].iter_mut().enumerate() {
            for (half, rows) in square.as_chunks_mut::<ROWS>().0.iter_mut().enumerate() {
                let mut sums = *rows;
                for combination in combinations {
                    let (a, b) = (&combination[i], &combination[j]);
                    for r in 0..ROWS {
                        for c in 0..CORNERS {
                            sums[r][c] += a[half * ROWS + r] * b[c];
                        }
                    }
                }
                *rows = sums;
            }
        }
    }
}

/// Adds a combination times what is wanted of it.
#[inline(always)]
fn add_wanted(
    sums: &mut [Map],
    read: &Read,
    steps: &[usize; CORNERS],
    combination: &Combination,
    wanted: [f64; RIGHT],
) {
    for (corner, step) in steps.iter().enumerate() {
        for (sums, parts) in sums[read.first + step].iter_mut().zip(combination) {
            for (sum, wanted) in sums.iter_mut().zip(wanted) {
                *sum += parts[corner] * wanted;
            }
        }
    }
}

/// Adds the sums of the pixels between the cells at some places.
fn add_to_matrix(matrix: &mut Banded, squares: &Squares, places: &[usize; CORNERS]) {
    for (i, squares) in squares.iter().enumerate() {
        for (j, square) in squares[..=i].iter().enumerate() {
            for (a, sums) in square.iter().enumerate() {
                // An input's square has each product twice.
                let once = if i == j { a + 1 } else { CORNERS };
                for (b, sum) in sums[..once].iter().enumerate() {
                    if *sum != 0.0 {
                        let [x, y] = [(i, a), (j, b)].map(|(k, c)| places[c] * INPUTS + k);
                        matrix.add(x.max(y), x.min(y), *sum);
                    }
                }
            }
        }
    }
}

/// Adds the squares of the differences of neighbouring cells, and the ridge.
fn add_differences(matrix: &mut Banded, grid: Grid, places: &[usize], smoothness: f64) {
    let weight = smoothness * CELLS / grid.cells() as f64;
    for (a, b) in neighbours(grid) {
        for k in 0..INPUTS {
            let [a, b] = [a, b].map(|cell| places[cell] * INPUTS + k);
            matrix.add(a, a, weight);
            matrix.add(b, b, weight);
            matrix.add(a.max(b), a.min(b), -weight);
        }
    }
    (0..grid.cells() * INPUTS).for_each(|i| matrix.add(i, i, RIDGE));
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
fn places(grid: Grid) -> (Vec<usize>, usize) {
    let sides = [grid.levels(), grid.rows(), grid.columns()];
    let mut axes = [0, 1, 2];
    axes.sort_by_key(|axis| sides[*axis]);
    let mut strides = [0; 3];
    let mut stride = 1;
    for axis in axes {
        strides[axis] = stride;
        stride *= sides[axis];
    }
    let several = (0..3).filter(|axis| sides[*axis] > 1);
    let reach = several.map(|axis| strides[axis]).sum();
    let place = |cell: usize| {
        let column = cell % grid.columns();
        let row = cell / grid.columns() % grid.rows();
        let level = cell / grid.columns() / grid.rows();
        level * strides[0] + row * strides[1] + column * strides[2]
    };
    ((0..grid.cells()).map(place).collect(), reach)
}

#[cfg(test)]
#[path = "solve_tests.rs"]
mod tests;
