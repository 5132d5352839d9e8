use nalgebra::{DMatrix, DVector};

use super::*;
use crate::transfer::local::slice::{Place, luma};
use crate::transfer::tests::waves;

/// What a cell counts at a place along a side, in cells, and the slope of that.
fn hat(place: f64, cell: usize) -> [f64; 2] {
    let from = place - cell as f64;
    match from.abs() < 1.0 {
        true => [1.0 - from.abs(), -from.signum()],
        false => [0.0, 0.0],
    }
}

/// Gradients to the right and down, of values of the pixels, in units of 128 pixels.
fn slopes(sample: &Sample, value: impl Fn([f32; 3]) -> f32) -> Vec<[f64; 2]> {
    let (width, height) = (sample.width(), sample.height());
    let unit = width.max(height) as f64 / 128.0;
    let at = |x: usize, y: usize| value(sample.pixels()[y * width + x]);
    let pixel = |i: usize| {
        let (x, y) = (i % width, i / width);
        let [left, right] = [x.saturating_sub(1), (x + 1).min(width - 1)];
        let [above, below] = [y.saturating_sub(1), (y + 1).min(height - 1)];
        [
            f64::from(at(right, y) - at(left, y)) / (right - left) as f64 * unit,
            f64::from(at(x, below) - at(x, above)) / (below - above) as f64 * unit,
        ]
    };
    (0..width * height).map(pixel).collect()
}

/// The normal equations written out for every cell of the grid, and solved with a dense matrix.
fn dense(
    sample: &Sample,
    linear: &MongeKantorovich,
    grid: Grid,
    smoothness: f64,
    wanted: &[[f32; 3]],
) -> DMatrix<f64> {
    let (width, height) = (sample.width(), sample.height());
    let pixels = sample.pixels();
    let lumas = slopes(sample, luma);
    let own = [0, 1, 2].map(|c| slopes(sample, |rgb| rgb[c]));
    let moved = [0, 1, 2].map(|c| slopes(sample, |rgb| linear.at(rgb)[c]));
    let unknowns = 4 * grid.cells();
    let mut matrix = DMatrix::zeros(unknowns, unknowns);
    let mut right = DMatrix::zeros(unknowns, 3);
    let unit = width.max(height) as f64 / 128.0;
    let sides = [grid.levels(), grid.rows(), grid.columns()];
    let last = sides.map(|side| (side - 1) as f64);
    for (i, rgb) in pixels.iter().enumerate() {
        let place = [
            Place::of_luma(*rgb, sides[0]),
            Place::of_pixel(i / width, height, sides[1]),
            Place::of_pixel(i % width, width, sides[2]),
        ]
        .map(|place| place.first as f64 + f64::from(place.share));
        let inputs = [rgb[0], rgb[1], rgb[2], 1.0].map(f64::from);
        // Every coefficient's factor in the change, and in its gradients to the right and down.
        let mut rows = [(); 3].map(|()| DVector::<f64>::zeros(unknowns));
        for number in 0..grid.cells() {
            let at = [
                number / (sides[1] * sides[2]),
                number / sides[2] % sides[1],
                number % sides[2],
            ];
            let [l, r, c] = [0, 1, 2].map(|axis| hat(place[axis], at[axis]));
            let share = l[0] * r[0] * c[0];
            for k in 0..4 {
                rows[0][4 * number + k] = share * inputs[k];
                for d in 0..2 {
                    let along = if d == 0 {
                        l[0] * r[0] * c[1] * last[2] / width as f64 * unit
                    } else {
                        l[0] * r[1] * c[0] * last[1] / height as f64 * unit
                    };
                    let of_share = along + l[1] * r[0] * c[0] * lumas[i][d] * last[0];
                    let of_input = if k < 3 { own[k][i][d] } else { 0.0 };
                    rows[1 + d][4 * number + k] = share * of_input + of_share * inputs[k];
                }
            }
        }
        let weight = 1.0 / pixels.len() as f64;
        for (n, row) in rows.iter().enumerate() {
            let (weight, wanted) = match n.checked_sub(1) {
                None => (weight, [0, 1, 2].map(|c| f64::from(wanted[i][c]))),
                Some(d) => {
                    let [own, moved] = [&own, &moved].map(|of| [0, 1, 2].map(|c| of[c][i][d]));
                    let length = |of: [f64; 3]| of.map(|x| x * x).iter().sum::<f64>().sqrt();
                    let most = 1.3 * (length(own) + 0.02) - 0.02;
                    let share = (most / length(moved)).min(1.0) - 1.0;
                    let weight = weight * smoothness * 0.02 / (length(own).powi(2) + 0.0004);
                    (weight, moved.map(|value| value * share))
                }
            };
            matrix += row * row.transpose() * weight;
            for (c, wanted) in wanted.into_iter().enumerate() {
                let mut column = right.column_mut(c);
                column += row * (weight * wanted);
            }
        }
    }
    for a in 0..grid.cells() {
        for b in 0..a {
            let at = |n: usize| {
                [
                    n / (sides[1] * sides[2]),
                    n / sides[2] % sides[1],
                    n % sides[2],
                ]
            };
            let apart = at(a)
                .iter()
                .zip(at(b))
                .map(|(a, b)| a.abs_diff(b))
                .sum::<usize>();
            if apart == 1 {
                for k in 0..4 {
                    let (a, b) = (4 * a + k, 4 * b + k);
                    let weight = smoothness * 0.1 / grid.cells() as f64;
                    matrix[(a, a)] += weight;
                    matrix[(b, b)] += weight;
                    matrix[(a, b)] -= weight;
                    matrix[(b, a)] -= weight;
                }
            }
        }
    }
    matrix += DMatrix::identity(unknowns, unknowns) * 1e-7;
    matrix.cholesky().unwrap().solve(&right)
}

#[test]
fn the_solution_is_that_of_the_normal_equations() {
    for (columns, rows, levels) in [(3, 3, 2), (2, 4, 3), (4, 1, 2), (1, 1, 1)] {
        let grid = Grid::new(columns, rows, levels).unwrap();
        // No pixel lies on a cell, where slopes have two sides.
        let (content, reference) = (waves(14, 12, 0.0), waves(9, 10, 1.5));
        let linear = MongeKantorovich::of_samples(&content, &reference);
        let wanted: Vec<[f32; 3]> = (0..content.pixels().len())
            .map(|i| [0.1, 0.5, 0.9].map(|c| (i as f32 * c).sin() * 0.2))
            .collect();
        let expected = dense(&content, &linear, grid, 0.7, &wanted);
        let problem = Problem::new(&content, &linear, grid, 0.7);
        let got = problem.solve(wanted.iter().copied());
        for (cell, map) in got.iter().enumerate() {
            for k in 0..INPUTS {
                for c in 0..3 {
                    let (got, expected) = (map[k][c], expected[(INPUTS * cell + k, c)]);
                    assert!((got - expected).abs() < 1e-9, "{got} is not {expected}");
                }
            }
        }
    }
}

#[test]
fn the_places_of_a_grid_keep_its_longest_side_outermost() {
    let (places, reach) = places(Grid::new(2, 5, 3).unwrap());
    let mut sorted = places.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (0..30).collect::<Vec<_>>());
    // One row, one level, one column on: 6 + 2 + 1.
    assert_eq!(reach, 9);
    let [first, next] = [(0, 0, 0), (1, 1, 1)].map(|(l, r, c)| (l * 5 + r) * 2 + c);
    assert_eq!(places[next] - places[first], reach);
}
