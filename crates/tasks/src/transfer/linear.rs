//! Maps of closed form that move mean and spread.

use nalgebra::{Matrix3, SymmetricEigen, Vector3};

use super::cloud::Cloud;
use super::map::ColourMap;
use super::sample::Sample;

/// An image's pixels: red, green and blue in [0, 1].
pub type Rgb = Vec<[f64; 3]>;

/// With a standard deviation below this share of the largest, a direction of colour space has no
/// spread: dividing by it would make colours out of rounding.
const NO_SPREAD: f64 = 1e-3;

/// Nor has it one with a standard deviation below this.
pub(super) const LEAST_SPREAD: f64 = 1e-5;

/// Moves mean and standard deviation of each channel of lαβ to those of `reference`. A channel
/// without spread is only moved.
///
/// Colours may end outside [0, 1]. Before the logarithm, values are at least half a grey level.
///
/// Source: Reinhard, Ashikhmin, Gooch and Shirley, "Color transfer between images", 2001.
pub fn reinhard(content: &[[f64; 3]], reference: &[[f64; 3]]) -> Rgb {
    let moved = Reinhard::fit(&Cloud::even(content), &Cloud::even(reference));
    content.iter().map(|rgb| moved.at(*rgb)).collect()
}

/// [`reinhard()`], fitted.
pub(super) struct Reinhard {
    space: Lab,
    from: Vector3<f64>,
    scale: Vector3<f64>,
    to: Vector3<f64>,
}

impl Reinhard {
    pub(super) fn of_samples(content: &Sample, reference: &Sample) -> Self {
        Self::fit(&Cloud::of(content), &Cloud::of(reference))
    }

    fn fit(content: &Cloud, reference: &Cloud) -> Self {
        let space = Lab::new();
        let [(from, from_spread), (to, to_spread)] = [content, reference].map(|image| {
            let image = image.map(|rgb| space.of_rgb((*rgb).into()));
            image.mean_and_covariance()
        });
        let deviation = |covariance: &Matrix3<f64>, c: usize| covariance[(c, c)].max(0.0).sqrt();
        let largest = (0..3)
            .map(|c| deviation(&from_spread, c))
            .fold(0.0, f64::max);
        let least = (NO_SPREAD * largest).max(LEAST_SPREAD);
        let scale = Vector3::from_fn(|c, _| match deviation(&from_spread, c) {
            none if none <= least => 0.0,
            spread => deviation(&to_spread, c) / spread,
        });
        Self {
            space,
            from,
            scale,
            to,
        }
    }

    fn at(&self, rgb: [f64; 3]) -> [f64; 3] {
        let moved = (self.space.of_rgb(rgb) - self.from).component_mul(&self.scale) + self.to;
        self.space.to_rgb(moved)
    }
}

impl ColourMap for Reinhard {
    fn map_row(&self, _row: usize, _height: usize, pixels: &mut [[f32; 3]]) {
        for rgb in pixels {
            *rgb = self.at(rgb.map(f64::from)).map(|value| value as f32);
        }
    }
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
    let moved = MongeKantorovich::fit(&Cloud::even(content), &Cloud::even(reference));
    content
        .iter()
        .map(|rgb| (moved.map * (Vector3::from(*rgb) - moved.from) + moved.to).into())
        .collect()
}

/// [`monge_kantorovich()`], fitted.
pub(super) struct MongeKantorovich {
    map: Matrix3<f64>,
    from: Vector3<f64>,
    to: Vector3<f64>,
    /// The same map, for many pixels: what multiplies red, green, blue and 1.
    affine: [[f32; 3]; 4],
}

impl MongeKantorovich {
    pub(super) fn of_samples(content: &Sample, reference: &Sample) -> Self {
        Self::fit(&Cloud::of(content), &Cloud::of(reference))
    }

    fn fit(content: &Cloud, reference: &Cloud) -> Self {
        let (from, a) = content.mean_and_covariance();
        let (to, b) = reference.mean_and_covariance();
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
        let offset = to - map * from;
        let columns = [
            map.column(0),
            map.column(1),
            map.column(2),
            offset.column(0),
        ];
        Self {
            affine: columns.map(|column| [0, 1, 2].map(|c| column[c] as f32)),
            map,
            from,
            to,
        }
    }

    /// What multiplies red, green, blue and 1.
    pub(super) fn affine(&self) -> [[f32; 3]; 4] {
        self.affine
    }

    pub(super) fn at(&self, [r, g, b]: [f32; 3]) -> [f32; 3] {
        let [of_r, of_g, of_b, one] = &self.affine;
        std::array::from_fn(|c| of_r[c] * r + of_g[c] * g + of_b[c] * b + one[c])
    }
}

impl ColourMap for MongeKantorovich {
    fn map_row(&self, _row: usize, _height: usize, pixels: &mut [[f32; 3]]) {
        pixels.iter_mut().for_each(|rgb| *rgb = self.at(*rgb));
    }
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
#[path = "classical_tests.rs"]
mod tests;
