//! The table that gives one image the colours of another.

use super::Lut;
use crate::transfer::banded::{Banded, RIGHT};
use crate::transfer::cloud::counted;
use crate::transfer::distribution::{IterativeDistributionTransfer, Marginals, Planes, ROTATIONS};
use crate::transfer::linear::MongeKantorovich;
use crate::transfer::options::FitOptions;
use crate::transfer::sample::Sample;

/// Control points along each axis of colour space.
const POINTS: usize = 8;

/// Control points that a colour's value along one axis depends on.
const NEAR: usize = 4;

/// Cells between them along each axis.
const CELLS: usize = POINTS - NEAR + 1;

/// Parts of each axis in which colours are taken together before the fit. They are much finer than the
/// cells.
const PARTS: usize = 32;

/// What a smoothness of 1 weighs.
const WEIGHT: f64 = 2e-4;

/// The weights of the change itself and of its slopes, beside that of its bends. They let it fade within
/// a third of the way from black to white where nothing is wanted.
const VALUES: f64 = 100.0;
const SLOPES: f64 = 10.0;

impl Lut {
    /// The look that gives `content` the colours of `reference`: one smooth change of colours, the same
    /// everywhere in the image.
    ///
    /// It is the linear map of the whole image
    /// ([`monge_kantorovich`](crate::transfer::monge_kantorovich())) and a change d to it, a cubic
    /// spline of 8×8×8 control points. With the smoothness λ it minimises
    ///
    /// ```text
    /// mean of |d(x) − wanted|²  +  2 λ / 10⁴ · ∫ 100 |d|² + 10 |∇d|² + |∇∇d|²
    /// ```
    ///
    /// over the content's pixels x and the cube of all colours. Wanted is what iterative distribution
    /// transfer makes of the linear map's output. The larger λ is, the nearer is the look to the linear
    /// map. Where the content has no colours, the change goes on smoothly and fades. Colours of the
    /// table are clipped to [0, 1].
    ///
    /// Of the options, the smoothness, the working size and the table's size count.
    ///
    /// Source: Eilers and Marx, "Flexible smoothing with B-splines and penalties", 1996, for such fits;
    /// what is fitted is our own.
    pub fn fit(content: &Sample, reference: &Sample, options: &FitOptions) -> Self {
        let [content, reference] =
            [content, reference].map(|sample| sample.reduced(options.working_side()));
        let linear = MongeKantorovich::of_samples(&content, &reference);
        let moved = counted(&content).map(|(_, rgb, weight)| (linear.at(rgb), weight));
        let mut target = Planes::new(moved);
        let reference = Planes::new(counted(&reference).map(|(_, rgb, weight)| (rgb, weight)));
        let reference = Marginals::new(&reference, ROTATIONS);
        IterativeDistributionTransfer::fit(&mut target, &reference);

        let mut wishes = vec![Wish::default(); PARTS.pow(3)];
        for (i, (_, rgb, weight)) in counted(&content).enumerate() {
            let moved = linear.at(rgb);
            let wanted = [0, 1, 2].map(|c| target.colours[c][i] - moved[c]);
            wishes[part(rgb)].add(rgb, wanted, weight);
        }
        let mut changes = control_points(&wishes, options.smoothness());
        let size = options.lut_size();
        for _ in 0..3 {
            changes = last_axis_sampled(&changes, size);
        }
        let value = |i: usize| i as f32 / (size - 1) as f32;
        let entries = changes.iter().enumerate().map(|(i, change)| {
            let colour = [i % size, i / size % size, i / size / size].map(value);
            let moved = linear.at(colour);
            let [r, g, b] = [0, 1, 2].map(|c| (moved[c] + change[c] as f32).clamp(0.0, 1.0));
            [r, g, b, 0.0]
        });
        Self {
            size,
            entries: entries.collect(),
        }
    }
}

/// The change that is wanted of the colours of one part of colour space.
#[derive(Clone, Copy, Default)]
struct Wish {
    weight: f64,
    /// Weighted sums of the colours, and of their wanted changes.
    colour: [f64; 3],
    change: [f64; 3],
}

impl Wish {
    fn add(&mut self, colour: [f32; 3], change: [f32; 3], weight: f32) {
        let weight = f64::from(weight);
        self.weight += weight;
        for c in 0..3 {
            self.colour[c] += weight * f64::from(colour[c]);
            self.change[c] += weight * f64::from(change[c]);
        }
    }
}

/// The part of colour space that a colour belongs to.
fn part(colour: [f32; 3]) -> usize {
    let [r, g, b] = colour.map(|value| ((value * PARTS as f32) as usize).min(PARTS - 1));
    (b * PARTS + g) * PARTS + r
}

/// The first control point that a value in [0, 1] depends on, and the share of each: those of uniform
/// cubic B-splines.
fn shares(value: f64) -> (usize, [f64; NEAR]) {
    let at = value.clamp(0.0, 1.0) * CELLS as f64;
    let first = (at as usize).min(CELLS - 1);
    let t = at - first as f64;
    let s = 1.0 - t;
    let shares = [
        s * s * s,
        3.0 * t * t * (t - 2.0) + 4.0,
        3.0 * s * s * (s - 2.0) + 4.0,
        t * t * t,
    ];
    (first, shares.map(|share| share / 6.0))
}

/// The number of a control point.
fn number([r, g, b]: [usize; 3]) -> usize {
    (b * POINTS + g) * POINTS + r
}

/// The control points of the change that comes nearest to what is wanted, and is smooth.
///
/// # Shapes
///
/// - `wishes`: one for each part of colour space; without weight where there are no pixels
/// - output: `[8, 8, 8]` of blue, green and red, each with what it adds to red, green and blue
fn control_points(wishes: &[Wish], smoothness: f64) -> Vec<[f64; RIGHT]> {
    let mut matrix = Banded::new(POINTS.pow(3), number([NEAR - 1; 3]));
    let mut sums = vec![[0.0; RIGHT]; POINTS.pow(3)];

    let total: f64 = wishes.iter().map(|wish| wish.weight).sum();
    for wish in wishes.iter().filter(|wish| wish.weight > 0.0) {
        let [r, g, b] = wish.colour.map(|sum| shares(sum / wish.weight));
        let near: [(usize, f64); NEAR.pow(3)] = std::array::from_fn(|i| {
            let [i, j, k] = [i % NEAR, i / NEAR % NEAR, i / NEAR / NEAR];
            let share = r.1[i] * g.1[j] * b.1[k];
            (number([r.0 + i, g.0 + j, b.0 + k]), share)
        });
        for (i, (row, of_row)) in near.iter().enumerate() {
            for (column, of_column) in &near[..=i] {
                matrix.add(*row, *column, of_row * of_column * wish.weight / total);
            }
            for (sum, change) in sums[*row].iter_mut().zip(wish.change) {
                *sum += of_row * change / total;
            }
        }
    }

    let roughness = Roughness::new();
    let point = |i: usize| [i % POINTS, i / POINTS % POINTS, i / POINTS / POINTS];
    for row in 0..POINTS.pow(3) {
        for column in 0..=row {
            let value = roughness.between(point(row), point(column));
            if value != 0.0 {
                matrix.add(row, column, WEIGHT * smoothness * value);
            }
        }
    }

    matrix.factorise().solve(&mut sums);
    sums
}

/// The integral ∫ 100 |d|² + 10 |∇d|² + |∇∇d|² over the cube of all colours as a matrix of control
/// points, with differences of these in the place of derivatives.
struct Roughness {
    /// Products of values, of differences, and of second differences of two points along an axis.
    orders: [[[f64; POINTS]; POINTS]; 3],
}

impl Roughness {
    fn new() -> Self {
        let mut orders = [[[0.0; POINTS]; POINTS]; 3];
        let differences: [&[f64]; 3] = [&[1.0], &[-1.0, 1.0], &[1.0, -2.0, 1.0]];
        for (order, (products, factors)) in orders.iter_mut().zip(differences).enumerate() {
            let scale = (CELLS as f64).powi(2 * order as i32);
            for first in 0..=POINTS - factors.len() {
                for (i, a) in factors.iter().enumerate() {
                    for (j, b) in factors.iter().enumerate() {
                        products[first + i][first + j] += scale * a * b;
                    }
                }
            }
        }
        Self { orders }
    }

    /// The matrix's value for two points.
    fn between(&self, a: [usize; 3], b: [usize; 3]) -> f64 {
        let along = |axis: usize, order: usize| self.orders[order][a[axis]][b[axis]];
        let product = |r, g, b| along(0, r) * along(1, g) * along(2, b);
        let values = product(0, 0, 0);
        let slopes = product(1, 0, 0) + product(0, 1, 0) + product(0, 0, 1);
        let bends = product(2, 0, 0) + product(0, 2, 0) + product(0, 0, 2);
        let twists = product(1, 1, 0) + product(1, 0, 1) + product(0, 1, 1);
        (VALUES * values + SLOPES * slopes + bends + 2.0 * twists) / (CELLS as f64).powi(3)
    }
}

/// The spline's values at `size` places along its first axis, which becomes the last.
///
/// # Shapes
///
/// - `points`: `[8, …]`
/// - output: `[…, size]`
fn last_axis_sampled(points: &[[f64; RIGHT]], size: usize) -> Vec<[f64; RIGHT]> {
    let others = points.len() / POINTS;
    let places: Vec<_> = (0..size)
        .map(|i| shares(i as f64 / (size - 1) as f64))
        .collect();
    let at = |other: usize, (first, shares): &(usize, [f64; NEAR])| {
        let mut sum = [0.0; RIGHT];
        for (k, share) in shares.iter().enumerate() {
            for (sum, value) in sum.iter_mut().zip(points[(first + k) * others + other]) {
                *sum += share * value;
            }
        }
        sum
    };
    (0..others)
        .flat_map(|other| places.iter().map(move |place| at(other, place)))
        .collect()
}

#[cfg(test)]
#[path = "fit_tests.rs"]
mod tests;
