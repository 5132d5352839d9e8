//! A small image's change of colours at full size: the fast guided filter.

use nalgebra::{Matrix3, Vector3};

use super::small_image::{Linear, SmallImage};

/// Pixels around the middle one of a window, at the small size.
const RADIUS: usize = 2;

/// How far a window's colours have to vary before it has an affine map of its own: a variance, of
/// colours in [0, 1].
const EPSILON: f64 = 1e-3;

/// Keeps the map of the whole image defined if its colours do not vary.
const EPSILON_OF_ALL: f64 = 1e-6;

/// Coefficients of an affine map of colours: a row of three factors for red, green and blue each, then
/// what is added.
type Affine = [f32; 12];

/// Affine maps of colours, one at each pixel of a small image, that turn the guide into the target
/// around there. Read between its pixels they turn a larger guide into a larger target, whose edges are the
/// guide's.
///
/// At each pixel, a map q = a·I + b is fitted to the window of 5×5 pixels around: a = (cov(p, I) + ε·A)
/// (Σ + εE)⁻¹, b = p̄ − a·Ī, with guide I, its covariance Σ, target p, and ε = 10⁻³. The maps of all windows in
/// which a pixel lies are averaged.
///
/// A is the map of the whole image, scaled down if it would make some difference of colours larger. Where the
/// guide is flat, A alone says what becomes of texture that is too fine for the small image: it stays, in the new
/// colours, and noise does not grow. In the literature A is 0, and such texture is lost.
///
/// Source: He, Sun and Tang, "Guided Image Filtering" (2013); He and Sun, "Fast Guided Filter" (2015).
pub(super) struct Guided(SmallImage<12>);

impl Guided {
    /// Fits the maps.
    ///
    /// # Panics
    ///
    /// If both images do not have the same size.
    pub(super) fn fit(guide: &SmallImage<3>, target: &SmallImage<3>) -> Self {
        let (width, height) = (guide.width(), guide.height());
        assert_eq!([width, height], [target.width(), target.height()]);
        let pixels = guide.values().iter().zip(target.values());
        let products: Vec<Moments> = pixels
            .map(|(guide, target)| moments(guide, target))
            .collect();
        let (of_all, _) = map_of(&mean(&products), EPSILON_OF_ALL, &Matrix3::identity());
        let of_all = of_all / of_all.singular_values().max().max(1.0);
        let maps = box_means(&products, width, height)
            .into_iter()
            .map(|window| {
                let (factors, added) = map_of(&window, EPSILON, &of_all);
                let row = |i: usize| [factors[(i, 0)], factors[(i, 1)], factors[(i, 2)], added[i]];
                let [r, g, b] = [row(0), row(1), row(2)];
                std::array::from_fn(|i| [r, g, b][i / 4][i % 4])
            });
        let maps: Vec<[f64; 12]> = maps.collect();
        let maps = box_means(&maps, width, height);
        let maps = maps.iter().map(|map| map.map(|value| value as f32));
        Self(SmallImage::new(width, height, maps.collect()))
    }

    /// The maps along a row between those of the small image, at its columns.
    pub(super) fn row(&self, tap: Linear) -> Vec<Affine> {
        self.0.row(tap)
    }
}

/// A colour, mapped.
#[inline(always)]
pub(super) fn mapped(map: &Affine, [r, g, b]: [f32; 3]) -> [f32; 3] {
    let row = |i: usize| map[i] * r + map[i + 1] * g + map[i + 2] * b + map[i + 3];
    [row(0), row(4), row(8)]
}

/// Means over some pixels: of the guide (3), of the target (3), of the products of the guide's channels
/// with each other (3×3) and with the target's (3×3).
type Moments = [f64; 24];

fn moments(guide: &[f32; 3], target: &[f32; 3]) -> Moments {
    let [guide, target] = [guide, target].map(|colour| colour.map(f64::from));
    std::array::from_fn(|i| match i {
        0..3 => guide[i],
        3..6 => target[i - 3],
        6..15 => guide[(i - 6) / 3] * guide[(i - 6) % 3],
        _ => guide[(i - 15) / 3] * target[(i - 15) % 3],
    })
}

fn mean<const N: usize>(all: &[[f64; N]]) -> [f64; N] {
    let mut sums = [0.0; N];
    for each in all {
        add(&mut sums, each);
    }
    sums.map(|sum| sum / all.len().max(1) as f64)
}

/// The affine map from guide to target, drawn to the factors `usual` as strongly as `epsilon` says.
fn map_of(moments: &Moments, epsilon: f64, usual: &Matrix3<f64>) -> (Matrix3<f64>, Vector3<f64>) {
    let guide = Vector3::from_column_slice(&moments[..3]);
    let target = Vector3::from_column_slice(&moments[3..6]);
    let spread = Matrix3::from_row_slice(&moments[6..15]) - guide * guide.transpose();
    let joint = Matrix3::from_row_slice(&moments[15..]) - guide * target.transpose();
    let inverse = (spread + Matrix3::identity() * epsilon).try_inverse();
    let factors = match inverse {
        Some(inverse) => (joint.transpose() + usual * epsilon) * inverse,
        None => *usual,
    };
    (factors, target - factors * guide)
}

/// The mean of each window of a small image: of those of its pixels that the image has.
fn box_means<const N: usize>(values: &[[f64; N]], width: usize, height: usize) -> Vec<[f64; N]> {
    let across = values
        .chunks_exact(width.max(1))
        .flat_map(|row| (0..width).map(|x| mean(&row[window(x, width)])));
    let across: Vec<[f64; N]> = across.collect();
    let mut means = Vec::with_capacity(values.len());
    for y in 0..height {
        let rows = window(y, height);
        let share = 1.0 / rows.len() as f64;
        let mut line = vec![[0.0; N]; width];
        for row in across[rows.start * width..rows.end * width].chunks_exact(width) {
            for (sum, value) in line.iter_mut().zip(row) {
                add(sum, value);
            }
        }
        means.extend(line.into_iter().map(|sum| sum.map(|sum| sum * share)));
    }
    means
}

/// The pixels of a line that are in the window around one of them.
fn window(middle: usize, length: usize) -> std::ops::Range<usize> {
    middle.saturating_sub(RADIUS)..(middle + RADIUS + 1).min(length)
}

fn add<const N: usize>(sum: &mut [f64; N], value: &[f64; N]) {
    for (sum, value) in sum.iter_mut().zip(value) {
        *sum += value;
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::super::small_image::between;
    use super::*;

    fn noise(width: usize, height: usize, seed: u64) -> SmallImage<3> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let colours = (0..width * height).map(|_| [0; 3].map(|_| random.random::<f32>()));
        SmallImage::new(width, height, colours.collect())
    }

    fn each(image: &SmallImage<3>, map: impl Fn([f32; 3]) -> [f32; 3]) -> SmallImage<3> {
        let values = image.values().iter().map(|colour| map(*colour));
        SmallImage::new(image.width(), image.height(), values.collect())
    }

    /// `guided` on a larger image.
    fn large(guided: &Guided, image: &SmallImage<3>) -> Vec<[f32; 3]> {
        let (width, height, from) = (image.width(), image.height(), guided.0.width());
        let rows = image.values().chunks_exact(width).enumerate();
        rows.flat_map(|(y, row)| {
            let maps = guided.row(Linear::linear(y, guided.0.height(), height));
            row.iter()
                .enumerate()
                .map(|(x, colour)| mapped(&between(&maps, Linear::linear(x, from, width)), *colour))
                .collect::<Vec<_>>()
        })
        .collect()
    }

    fn assert_near(found: &[[f32; 3]], expected: &[[f32; 3]], most: f32) {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
            assert!((found - expected).abs() < most, "{found} for {expected}");
        }
    }

    #[test]
    fn an_affine_relation_is_the_same_at_full_size() {
        let affine = |[r, g, b]: [f32; 3]| {
            [
                0.2 + 0.5 * r - 0.1 * g,
                0.9 - 0.7 * b,
                0.3 * r + 0.3 * g + 0.3 * b,
            ]
        };
        let small = noise(11, 7, 1);
        let guided = Guided::fit(&small, &each(&small, affine));
        let full = noise(90, 64, 2);
        assert_near(&large(&guided, &full), each(&full, affine).values(), 1e-4);
    }

    #[test]
    fn one_colour_becomes_one_colour() {
        for (width, height) in [(1, 1), (1, 9), (6, 5)] {
            let small = each(&noise(width, height, 1), |_| [0.25, 0.5, 0.75]);
            let target = each(&small, |_| [0.5, 0.125, 1.0]);
            let guided = Guided::fit(&small, &target);
            let full = each(&noise(40, 30, 2), |_| [0.25, 0.5, 0.75]);
            assert_near(&large(&guided, &full), &[[0.5, 0.125, 1.0]; 1200], 1e-5);
        }
    }

    #[test]
    fn edges_stay_where_the_guide_has_them() {
        // Dark on the left, light on the right, each with another change.
        let small = SmallImage::new(
            20,
            10,
            (0..200)
                .map(|i| [if i % 20 < 10 { 0.2 } else { 0.8 }; 3])
                .collect(),
        );
        let target = each(&small, |[v, ..]| {
            if v < 0.5 {
                [0.5, 0.1, 0.0]
            } else {
                [0.6, 0.9, 1.0]
            }
        });
        let guided = Guided::fit(&small, &target);
        let full = SmallImage::new(
            200,
            10,
            (0..2000)
                .map(|i| [if i % 200 < 100 { 0.2 } else { 0.8 }; 3])
                .collect(),
        );
        let expected = each(&full, |[v, ..]| {
            if v < 0.5 {
                [0.5, 0.1, 0.0]
            } else {
                [0.6, 0.9, 1.0]
            }
        });
        // A step of 0.8 that is blurred over the small pixels would be off by 0.4. Next to the edge, one of the five
        // windows that are averaged is flat and does not know the other side: that costs less than a tenth of it.
        assert_near(&large(&guided, &full), expected.values(), 0.04);
    }
}
