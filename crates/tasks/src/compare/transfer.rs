//! Colour transfer without training: what a network has to be better than.

use nalgebra::{Matrix3, SymmetricEigen, Vector3};

/// An image's pixels: red, green and blue in [0, 1].
pub type Rgb = Vec<[f64; 3]>;

/// With a standard deviation below this share of the largest, a direction of colour space has no
/// spread: dividing by it would make colours out of rounding.
const NO_SPREAD: f64 = 1e-3;

/// Nor has it one with a standard deviation below this.
const LEAST_SPREAD: f64 = 1e-5;

/// The values of `plane`, moved so that their histogram becomes that of `reference`: each goes to
/// the quantile of `reference` that it is of `plane`, with linear interpolation between values.
/// Equal values stay equal. A plane without spread becomes the mean of `reference`: it has no
/// quantiles.
///
/// Source: `skimage.exposure.match_histograms`, one channel of it.
pub fn match_histogram(plane: &[f32], reference: &[f32]) -> Vec<f32> {
    let (low, high) = plane
        .iter()
        .fold((f32::MAX, f32::MIN), |(low, high), &value| {
            (low.min(value), high.max(value))
        });
    if f64::from(high) - f64::from(low) < LEAST_SPREAD {
        let sum: f64 = reference.iter().copied().map(f64::from).sum();
        return vec![(sum / reference.len().max(1) as f64) as f32; plane.len()];
    }
    let mut order: Vec<usize> = (0..plane.len()).collect();
    order.sort_by(|&i, &j| plane[i].total_cmp(&plane[j]));
    let mut sorted = reference.to_vec();
    sorted.sort_by(f32::total_cmp);
    // The distinct values of the reference, and the share of its pixels up to each.
    let mut values: Vec<f64> = Vec::new();
    let mut shares: Vec<f64> = Vec::new();
    for (i, value) in sorted.iter().copied().map(f64::from).enumerate() {
        let share = (i + 1) as f64 / sorted.len() as f64;
        match values.last() == Some(&value) {
            true => *shares.last_mut().unwrap_or(&mut 0.0) = share,
            false => {
                values.push(value);
                shares.push(share);
            }
        }
    }
    let mut matched = vec![0.0; plane.len()];
    let mut done = 0;
    for group in order.chunk_by(|&i, &j| plane[i] == plane[j]) {
        done += group.len();
        let value = interpolate(done as f64 / plane.len() as f64, &shares, &values);
        group.iter().for_each(|&i| matched[i] = value as f32);
    }
    matched
}

/// The value at `x` of the line through the points `(xs, ys)`, level beyond its ends; `xs` ascend.
fn interpolate(x: f64, xs: &[f64], ys: &[f64]) -> f64 {
    let after = xs.partition_point(|&known| known < x);
    match (after.checked_sub(1), xs.get(after)) {
        (None, _) => ys.first().copied().unwrap_or(x),
        (Some(before), None) => ys[before],
        (Some(before), Some(&end)) => {
            let share = (x - xs[before]) / (end - xs[before]);
            ys[before] + share * (ys[after] - ys[before])
        }
    }
}

/// Moves mean and standard deviation of each channel of lαβ to those of `reference`. A channel
/// without spread is only moved.
///
/// Colours may end outside [0, 1]. Before the logarithm, values are at least half a grey level.
///
/// Source: Reinhard, Ashikhmin, Gooch and Shirley, "Color transfer between images", 2001.
pub fn reinhard(content: &[[f64; 3]], reference: &[[f64; 3]]) -> Rgb {
    let space = Lab::new();
    let [content, reference] = [content, reference].map(|image| {
        let pixels = image.iter().map(|rgb| space.of_rgb(*rgb));
        pixels.collect::<Vec<_>>()
    });
    let [(from, from_spread), (to, to_spread)] =
        [&content, &reference].map(|image| mean_and_covariance(image));
    let deviation = |covariance: &Matrix3<f64>, c: usize| covariance[(c, c)].max(0.0).sqrt();
    let largest = (0..3)
        .map(|c| deviation(&from_spread, c))
        .fold(0.0, f64::max);
    let least = (NO_SPREAD * largest).max(LEAST_SPREAD);
    let scale = Vector3::from_fn(|c, _| match deviation(&from_spread, c) {
        none if none <= least => 0.0,
        spread => deviation(&to_spread, c) / spread,
    });
    content
        .iter()
        .map(|pixel| space.to_rgb((pixel - from).component_mul(&scale) + to))
        .collect()
}

/// The linear map of RGB that gives `content` mean and covariance of `reference` and moves its
/// colours least: `T = A^(−½) (A^½ B A^½)^½ A^(−½)` for covariances `A` and `B`. Along directions
/// in which the content has no spread it makes none.
///
/// Colours may end outside [0, 1].
///
/// Source: Pitié and Kokaram, "The linear Monge–Kantorovitch linear colour mapping for
/// example-based colour transfer", 2007.
pub fn monge_kantorovich(content: &[[f64; 3]], reference: &[[f64; 3]]) -> Rgb {
    let [content, reference] =
        [content, reference].map(|image| image.iter().copied().map(Vector3::from).collect());
    let content: Vec<Vector3<f64>> = content;
    let (from, a) = mean_and_covariance(&content);
    let (to, b) = mean_and_covariance(&reference);
    let root = by_eigenvalues(a, |variance, _| variance.max(0.0).sqrt());
    let inverse = by_eigenvalues(a, |variance, largest| {
        let least = (NO_SPREAD * NO_SPREAD * largest).max(LEAST_SPREAD * LEAST_SPREAD);
        match variance > least {
            true => 1.0 / variance.sqrt(),
            false => 0.0,
        }
    });
    let middle = by_eigenvalues(root * b * root, |product, _| product.max(0.0).sqrt());
    let map = inverse * middle * inverse;
    content
        .iter()
        .map(|pixel| (map * (pixel - from) + to).into())
        .collect()
}

/// A function of a symmetric matrix, by each of its eigenvalues and the largest.
fn by_eigenvalues(matrix: Matrix3<f64>, function: impl Fn(f64, f64) -> f64) -> Matrix3<f64> {
    let SymmetricEigen {
        eigenvalues,
        eigenvectors,
    } = matrix.symmetric_eigen();
    let largest = eigenvalues.max();
    let values = eigenvalues.map(|value| function(value, largest));
    eigenvectors * Matrix3::from_diagonal(&values) * eigenvectors.transpose()
}

/// Mean and covariance, divided by the number of pixels.
fn mean_and_covariance(pixels: &[Vector3<f64>]) -> (Vector3<f64>, Matrix3<f64>) {
    let count = pixels.len().max(1) as f64;
    let mean = pixels.iter().sum::<Vector3<f64>>() / count;
    let spread = pixels.iter().map(|pixel| pixel - mean);
    let covariance = spread.map(|d| d * d.transpose()).sum::<Matrix3<f64>>() / count;
    (mean, covariance)
}

/// Ruderman's lαβ of RGB, and back.
struct Lab {
    lms_of_rgb: Matrix3<f64>,
    rgb_of_lms: Matrix3<f64>,
    lab_of_lms: Matrix3<f64>,
}

impl Lab {
    fn new() -> Self {
        let lms_of_rgb = Matrix3::new(
            0.3811, 0.5783, 0.0402, //
            0.1967, 0.7244, 0.0782, //
            0.0241, 0.1288, 0.8444,
        );
        let scale = Vector3::new(3.0_f64.sqrt(), 6.0_f64.sqrt(), 2.0_f64.sqrt()).map(|x| 1.0 / x);
        let mix = Matrix3::new(
            1.0, 1.0, 1.0, //
            1.0, 1.0, -2.0, //
            1.0, -1.0, 0.0,
        );
        Self {
            lms_of_rgb,
            // The published inverse has four digits; a colour should come back as it was.
            rgb_of_lms: lms_of_rgb.try_inverse().unwrap_or_else(Matrix3::identity),
            lab_of_lms: Matrix3::from_diagonal(&scale) * mix,
        }
    }

    fn of_rgb(&self, rgb: [f64; 3]) -> Vector3<f64> {
        let rgb = Vector3::from(rgb).map(|x| x.max(0.5 / 255.0));
        self.lab_of_lms * (self.lms_of_rgb * rgb).map(f64::log10)
    }

    fn to_rgb(&self, lab: Vector3<f64>) -> [f64; 3] {
        // The rows are orthogonal and of unit length.
        let lms = (self.lab_of_lms.transpose() * lab).map(|x| 10.0_f64.powf(x));
        (self.rgb_of_lms * lms).into()
    }
}

#[cfg(test)]
#[path = "transfer_tests.rs"]
mod tests;
