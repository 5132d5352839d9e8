//! Distributions of colours made equal, direction by direction.

use super::linear::LEAST_SPREAD;
use super::map::ColourMap;

/// How many rotations of the axes the method has.
pub(super) const ROTATIONS: usize = 20;

/// How many parts the values along an axis are counted in.
const PARTS: usize = 1024;

/// Three axes at right angles.
type Axes = [[f32; 3]; 3];

/// Colours with their weights, each component by itself.
pub(super) struct Planes {
    pub(super) colours: [Vec<f32>; 3],
    pub(super) weights: Vec<f32>,
    /// The sum of the weights.
    whole: f64,
}

impl Planes {
    pub(super) fn new(colours: impl IntoIterator<Item = ([f32; 3], f32)>) -> Self {
        let mut planes = Self {
            colours: [const { Vec::new() }; 3],
            weights: Vec::new(),
            whole: 0.0,
        };
        for (colour, weight) in colours {
            for (plane, value) in planes.colours.iter_mut().zip(colour) {
                plane.push(value);
            }
            planes.weights.push(weight);
            planes.whole += f64::from(weight);
        }
        planes
    }

    /// Writes the components along an axis to `values`, and counts them.
    fn count(&self, axis: [f32; 3], values: &mut [f32]) -> Counts {
        project(self.colours.each_ref().map(|plane| &**plane), axis, values);
        Counts::of(values, &self.weights, self.whole)
    }
}

/// The distributions of colours along the axes of several rotations.
pub(super) struct Marginals(Vec<(Axes, [Counts; 3])>);

impl Marginals {
    /// Of so many rotations.
    pub(super) fn new(colours: &Planes, rotations: usize) -> Self {
        let mut values = vec![0.0; colours.weights.len()];
        let rotations = (0..rotations).map(rotation);
        let counted =
            rotations.map(|axes| (axes, axes.map(|axis| colours.count(axis, &mut values))));
        Self(counted.collect())
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
    steps: Vec<(Axes, [Curve; 3])>,
}

impl IterativeDistributionTransfer {
    /// Finds the curves, and moves the colours of `content`.
    pub(super) fn fit(content: &mut Planes, reference: &Marginals) -> Self {
        let mut moved = [(); 3].map(|()| vec![0.0; content.weights.len()]);
        let steps = reference.0.iter().map(|(axes, targets)| {
            let curves = std::array::from_fn(|k| {
                let values = &mut moved[k];
                let curve = Curve::new(&content.count(axes[k], values), &targets[k]);
                values
                    .iter_mut()
                    .for_each(|value| *value = curve.at(*value));
                curve
            });
            let moved = moved.each_ref().map(|values| &**values);
            for (c, plane) in content.colours.iter_mut().enumerate() {
                project(moved, axes.map(|axis| axis[c]), plane);
            }
            (*axes, curves)
        });
        Self {
            steps: steps.collect(),
        }
    }
}

/// Writes the sum of three planes, each times a factor.
///
/// The vector instructions do not change a bit: the compiler neither reorders sums nor fuses
/// multiplications into them.
#[multiversion::multiversion(targets("x86_64+avx2"))]
fn project(planes: [&[f32]; 3], factors: [f32; 3], sums: &mut [f32]) {
    let [a, b, c] = planes;
    for (((sum, a), b), c) in sums.iter_mut().zip(a).zip(b).zip(c) {
        *sum = factors[0] * a + factors[1] * b + factors[2] * c;
    }
}

impl ColourMap for IterativeDistributionTransfer {
    fn map_row(&self, _row: usize, _height: usize, pixels: &mut [[f32; 3]]) {
        for (axes, curves) in &self.steps {
            for rgb in &mut *pixels {
                let [r, g, b] = *rgb;
                let mut moved = [0.0; 3];
                for (axis, curve) in axes.iter().zip(curves) {
                    let value = curve.at(axis[0] * r + axis[1] * g + axis[2] * b);
                    for (sum, share) in moved.iter_mut().zip(axis) {
                        *sum += share * value;
                    }
                }
                *rgb = moved;
            }
        }
    }
}

/// The share of the weight, and of the weighted values, in each of equal parts of a range.
struct Counts {
    low: f32,
    /// Parts for each unit; 0 if the values have no spread, and are all in the first part.
    scale: f32,
    parts: Vec<[f64; 2]>,
}

impl Counts {
    /// Of values whose weights have the sum `whole`.
    fn of(values: &[f32], weights: &[f32], whole: f64) -> Self {
        let (low, high) = range(values);
        let spread = f64::from(high) - f64::from(low) >= LEAST_SPREAD;
        let mut counts = Self {
            low,
            scale: if spread {
                PARTS as f32 / (high - low)
            } else {
                0.0
            },
            parts: vec![[0.0; 2]; PARTS],
        };
        for (value, weight) in values.iter().zip(weights) {
            let part = part(*value, counts.low, counts.scale);
            let weight = f64::from(*weight);
            counts.parts[part][0] += weight;
            counts.parts[part][1] += weight * f64::from(*value);
        }
        for sum in counts.parts.as_flattened_mut() {
            *sum /= whole;
        }
        counts
    }
}

/// The least and the largest of some values.
#[multiversion::multiversion(targets("x86_64+avx2"))]
fn range(values: &[f32]) -> (f32, f32) {
    /// Values at once: no order of comparisons gives other bits.
    const LANES: usize = 32;
    let (mut low, mut high) = ([f32::MAX; LANES], [f32::MIN; LANES]);
    for values in values.chunks(LANES) {
        for ((low, high), value) in low.iter_mut().zip(&mut high).zip(values) {
            *low = if value < low { *value } else { *low };
            *high = if value > high { *value } else { *high };
        }
    }
    let least = low.into_iter().fold(f32::MAX, f32::min);
    (least, high.into_iter().fold(f32::MIN, f32::max))
}

/// The part of a range that a value lies in, or is nearest to.
#[inline(always)]
fn part(value: f32, low: f32, scale: f32) -> usize {
    // A cast of what is below 0 or not a number gives 0.
    (((value - low) * scale) as usize).min(PARTS - 1)
}

/// A monotone curve through at most one point in each of equal parts of a range, and straight between
/// them. Beyond the ends it goes on with slope 1, so that colours which the fit did not see keep their
/// differences; a curve of one point is level.
struct Curve {
    low: f32,
    scale: f32,
    /// Before all parts and for each of them: x and y of its point, or of the last one before it, and
    /// the slope from there on.
    points: Vec<[f32; 3]>,
}

impl Curve {
    /// The curve that takes one distribution to another.
    fn new(from: &Counts, to: &Counts) -> Self {
        let mut points = vec![[0.0; 3]; PARTS + 1];
        // The parts of the target in turn: what share is left of one, and its mean.
        let mut parts = to.parts.iter().filter(|[share, _]| *share > 0.0);
        let mut next = || parts.next().map(|[share, sum]| (*share, sum / share));
        let mut current = next().unwrap_or((1.0, 0.0));
        let mut last: Option<usize> = None;
        for (i, [share, sum]) in from.parts.iter().enumerate() {
            let i = i + 1;
            points[i] = points[i - 1];
            if *share <= 0.0 {
                continue;
            }
            let (mut wanted, mut total) = (*share, 0.0);
            while wanted > current.0 {
                total += current.0 * current.1;
                wanted -= current.0;
                // After the last part, what is still wanted is a rounding.
                current = next().unwrap_or((f64::INFINITY, current.1));
            }
            total += wanted * current.1;
            current.0 -= wanted;
            let (x, y) = ((sum / share) as f32, (total / share) as f32);
            points[i] = [x, y, 1.0];
            match last {
                None => points[..i].fill([x, y, 1.0]),
                Some(last) => {
                    let [x0, y0, _] = points[last];
                    // Means of neighbouring parts may round to one value.
                    let slope = if x > x0 { (y - y0) / (x - x0) } else { 0.0 };
                    points[last..i]
                        .iter_mut()
                        .for_each(|point| point[2] = slope);
                }
            }
            last = Some(i);
        }
        if from.scale == 0.0 {
            points.iter_mut().for_each(|point| point[2] = 0.0);
        }
        Self {
            low: from.low,
            scale: from.scale,
            points,
        }
    }

    /// The value at `x`.
    #[inline(always)]
    fn at(&self, x: f32) -> f32 {
        let part = part(x, self.low, self.scale);
        let after = usize::from(x >= self.points[part + 1][0]);
        let [from, y, slope] = self.points[part + after];
        y + slope * (x - from)
    }
}

/// A rotation of the axes, from a sequence of well-spread ones.
///
/// Source: Shoemake, "Uniform random rotations", 1992, at the points of Roberts' additive recurrence
/// in three dimensions.
fn rotation(number: usize) -> Axes {
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
