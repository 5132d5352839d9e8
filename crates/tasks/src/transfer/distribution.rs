//! Distributions of colours made equal, direction by direction.

use super::ColourMap;
use super::curve::Curve;
use super::linear::LEAST_SPREAD;

/// How many rotations of the axes there are.
const ROTATIONS: usize = 20;

/// How many parts the values along an axis are counted in.
const PARTS: usize = 1024;

/// Colours with their weights, each component by itself.
pub(super) struct Planes {
    pub(super) colours: [Vec<f32>; 3],
    pub(super) weights: Vec<f32>,
}

impl Planes {
    pub(super) fn new(colours: impl IntoIterator<Item = ([f32; 3], f32)>) -> Self {
        let mut planes = Self {
            colours: [const { Vec::new() }; 3],
            weights: Vec::new(),
        };
        for (colour, weight) in colours {
            for (plane, value) in planes.colours.iter_mut().zip(colour) {
                plane.push(value);
            }
            planes.weights.push(weight);
        }
        planes
    }

    /// The components along an axis.
    fn along(&self, axis: [f32; 3], values: &mut Vec<f32>) {
        let [r, g, b] = &self.colours;
        let colours = r.iter().zip(g).zip(b);
        values.clear();
        values.extend(colours.map(|((r, g), b)| r * axis[0] + g * axis[1] + b * axis[2]));
    }
}

/// Iterative distribution transfer: the axes are rotated, the values along each are moved to the
/// reference's distribution along it, and so again. The curves that were found are kept, so that any
/// colour can be moved.
///
/// A value goes to the mean of those values of the reference that have its rank. So the mean along
/// each axis becomes exactly the reference's.
///
/// Source: Pitié, Kokaram and Dahyot, "N-dimensional probability density function transfer and its
/// application to colour transfer", 2005. The rotations are a fixed, well-spread sequence in place of
/// random ones.
pub(super) struct IterativeDistributionTransfer {
    steps: Vec<([[f32; 3]; 3], [Curve; 3])>,
}

impl IterativeDistributionTransfer {
    /// Finds the curves, and moves the colours of `content`.
    pub(super) fn fit(content: &mut Planes, reference: &Planes) -> Self {
        let (mut from, mut to) = (Vec::new(), Vec::new());
        let steps = (0..ROTATIONS).map(|number| {
            let axes = rotation(number);
            let mut moved = [const { Vec::new() }; 3];
            let mut curves = [(); 3].map(|()| Curve::level(0.0));
            for ((axis, curve), moved) in axes.iter().zip(&mut curves).zip(&mut moved) {
                content.along(*axis, &mut from);
                reference.along(*axis, &mut to);
                *curve = curve_of(&from, &content.weights, &to, &reference.weights);
                moved.extend(from.iter().map(|value| curve.at(*value)));
            }
            for (c, plane) in content.colours.iter_mut().enumerate() {
                for (i, value) in plane.iter_mut().enumerate() {
                    *value = axes[0][c] * moved[0][i]
                        + axes[1][c] * moved[1][i]
                        + axes[2][c] * moved[2][i];
                }
            }
            (axes, curves)
        });
        Self {
            steps: steps.collect(),
        }
    }

    fn at(&self, mut rgb: [f32; 3]) -> [f32; 3] {
        for (axes, curves) in &self.steps {
            let mut moved = [0.0; 3];
            for (axis, curve) in axes.iter().zip(curves) {
                let value = curve.at(axis[0] * rgb[0] + axis[1] * rgb[1] + axis[2] * rgb[2]);
                for (sum, share) in moved.iter_mut().zip(axis) {
                    *sum += share * value;
                }
            }
            rgb = moved;
        }
        rgb
    }
}

impl ColourMap for IterativeDistributionTransfer {
    fn map_row(&self, _row: usize, _height: usize, pixels: &mut [[f32; 3]]) {
        pixels.iter_mut().for_each(|rgb| *rgb = self.at(*rgb));
    }
}

/// The sums of the weights and of the weighted values in equal parts of a range.
struct Counts {
    weights: Vec<f64>,
    sums: Vec<f64>,
}

impl Counts {
    /// Of the range of the values; `None` if they have no spread.
    fn of(values: &[f32], weights: &[f32]) -> Option<Self> {
        let bounds = values.iter().fold((f32::MAX, f32::MIN), |(low, high), v| {
            (low.min(*v), high.max(*v))
        });
        let (low, high) = bounds;
        if f64::from(high) - f64::from(low) < LEAST_SPREAD {
            return None;
        }
        let scale = PARTS as f32 / (high - low);
        let mut counts = Self {
            weights: vec![0.0; PARTS],
            sums: vec![0.0; PARTS],
        };
        for (value, weight) in values.iter().zip(weights) {
            let part = (((value - low) * scale) as usize).min(PARTS - 1);
            let weight = f64::from(*weight);
            counts.weights[part] += weight;
            counts.sums[part] += weight * f64::from(*value);
        }
        Some(counts)
    }

    /// Weight and sum of the parts that have any.
    fn filled(&self) -> impl Iterator<Item = (f64, f64)> {
        let parts = self.weights.iter().copied().zip(self.sums.iter().copied());
        parts.filter(|(weight, _)| *weight > 0.0)
    }
}

/// The curve that takes the values `from` to the distribution of `to`.
fn curve_of(from: &[f32], of_from: &[f32], to: &[f32], of_to: &[f32]) -> Curve {
    let [whole, of_reference] =
        [of_from, of_to].map(|weights| weights.iter().copied().map(f64::from).sum::<f64>());
    let values = to.iter().zip(of_to);
    let mean = values
        .map(|(v, w)| f64::from(*v) * f64::from(*w))
        .sum::<f64>()
        / of_reference;
    let (Some(from), Some(to)) = (Counts::of(from, of_from), Counts::of(to, of_to)) else {
        return Curve::level(mean as f32);
    };
    // The reference's parts in turn: the share of its weight that is left of one, and its mean.
    let mut parts = to
        .filled()
        .map(|(weight, sum)| (weight / of_reference, sum / weight));
    let mut current = parts.next().unwrap_or((1.0, mean));
    let knots = from.filled().map(|(weight, sum)| {
        let share = weight / whole;
        let (mut wanted, mut total) = (share, 0.0);
        while wanted > current.0 {
            let Some(next) = parts.next() else {
                // Only a rounding is left to have.
                current.0 = wanted;
                break;
            };
            total += current.0 * current.1;
            wanted -= current.0;
            current = next;
        }
        total += wanted * current.1;
        current.0 -= wanted;
        ((sum / weight) as f32, (total / share) as f32)
    });
    // Means of neighbouring parts may round to one value.
    let mut knots: Vec<(f32, f32)> = knots.collect();
    knots.dedup_by_key(|(x, _)| *x);
    Curve::through(knots)
}

/// A rotation of the axes, from a sequence of well-spread ones.
///
/// Source: Shoemake, "Uniform random rotations", 1992, at the points of Roberts' additive recurrence
/// in three dimensions.
fn rotation(number: usize) -> [[f32; 3]; 3] {
    /// The real solution of x⁴ = x + 1.
    const RATIO: f64 = 1.220_744_084_605_759_5;
    let point = |power: i32| (0.5 + (number + 1) as f64 * RATIO.powi(-power)).fract();
    let (part, turn, other) = (
        point(1),
        point(2) * std::f64::consts::TAU,
        point(3) * std::f64::consts::TAU,
    );
    let (a, b) = ((1.0 - part).sqrt(), part.sqrt());
    let (x, y, z, w) = (
        a * turn.sin(),
        a * turn.cos(),
        b * other.sin(),
        b * other.cos(),
    );
    let rows = [
        [
            1.0 - 2.0 * (y * y + z * z),
            2.0 * (x * y - z * w),
            2.0 * (x * z + y * w),
        ],
        [
            2.0 * (x * y + z * w),
            1.0 - 2.0 * (x * x + z * z),
            2.0 * (y * z - x * w),
        ],
        [
            2.0 * (x * z - y * w),
            2.0 * (y * z + x * w),
            1.0 - 2.0 * (x * x + y * y),
        ],
    ];
    rows.map(|row| row.map(|value| value as f32))
}
