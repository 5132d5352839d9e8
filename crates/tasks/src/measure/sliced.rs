//! How far the colours of two images are apart, all three channels together and wherever they are in the image.
//!
//! Histograms of single channels do not tell which red goes with which blue. Along a direction of colour space colours
//! are numbers, and the earth mover's distance of numbers is the mean difference of what has the same rank.

use std::f64::consts::PI;

/// Along how many directions colours are compared.
pub const DIRECTIONS: usize = 64;

/// Projections are whole numbers of such parts of 1. So sums do not depend on their order, and sorting takes two
/// passes.
const PARTS: f32 = (1 << 20) as f32;

/// Bits that a pass of sorting looks at. Projections of colours in [0, 1] lie within ±√3. Moved up by 2 they are
/// below 4, which is 2²² parts: two passes.
const DIGIT: u32 = 11;

/// The sliced 1-Wasserstein distance of the colours of two images: the earth mover's distance of their projections
/// onto a direction, the mean over [`DIRECTIONS`] fixed ones. 0 for the same colours, wherever they are. An image
/// whose colours are all moved by a vector is about half its length away (⅟₆₄ Σ |direction · vector|).
///
/// - Along one direction it is the area between the two quantile functions, of projections rounded to 2⁻²⁰. Between
///   images with equally many pixels that is the mean absolute difference of the sorted projections.
/// - Direction k is (√(1 − z²) cos φ, √(1 − z²) sin φ, z) with z = (k + ½) / 64 and φ = k · π (3 − √5): half a sphere,
///   evenly covered. The other half would give the same distances.
///
/// NaN if a colour is no number.
///
/// Source: Rabin, Peyré, Delon, Bernot, "Wasserstein barycenter and its application to texture mixing", 2011; the
/// directions: González, "Measurement of areas on a sphere using Fibonacci and latitude–longitude lattices", 2010.
///
/// # Shapes
///
/// `[3, pixels]` each: red, green and blue in [0, 1]. The numbers of pixels may differ.
///
/// # Panics
///
/// If an image has no pixels, or not three planes.
pub fn sliced_wasserstein(a: &[f32], b: &[f32]) -> f64 {
    if a.iter().chain(b).any(|value| value.is_nan()) {
        return f64::NAN;
    }
    let (mut a, mut b) = (Slices::of(a), Slices::of(b));
    let along = |direction| distance(a.along(direction), b.along(direction));
    directions().map(along).sum::<f64>() / DIRECTIONS as f64
}

/// Directions that cover half a sphere evenly.
fn directions() -> impl Iterator<Item = [f32; 3]> {
    let turn = PI * (3.0 - 5.0_f64.sqrt());
    (0..DIRECTIONS).map(move |k| {
        let z = (k as f64 + 0.5) / DIRECTIONS as f64;
        let (radius, angle) = ((1.0 - z * z).sqrt(), k as f64 * turn);
        [radius * angle.cos(), radius * angle.sin(), z].map(|part| part as f32)
    })
}

/// An image's colours, and the memory in which their projections are sorted.
struct Slices<'a> {
    planes: [&'a [f32]; 3],
    keys: Vec<u32>,
    spare: Vec<u32>,
}

impl<'a> Slices<'a> {
    fn of(image: &'a [f32]) -> Self {
        let pixels = image.len() / 3;
        assert!(
            pixels > 0 && image.len() == 3 * pixels,
            "three planes with pixels"
        );
        let (red, others) = image.split_at(pixels);
        let (green, blue) = others.split_at(pixels);
        Self {
            planes: [red, green, blue],
            keys: vec![0; pixels],
            spare: vec![0; pixels],
        }
    }

    /// The projections onto a direction in whole parts, each 2 higher than it is, ascending.
    fn along(&mut self, [x, y, z]: [f32; 3]) -> &[u32] {
        let [red, green, blue] = self.planes;
        let colours = red.iter().zip(green).zip(blue);
        for (key, ((r, g), b)) in self.keys.iter_mut().zip(colours) {
            // Rounded: what is cut off is the part behind the point, of a positive number.
            *key = ((r * x + g * y + b * z + 2.0) * PARTS + 0.5) as i32 as u32;
        }
        sort(&mut self.keys, &mut self.spare);
        &self.keys
    }
}

/// Sorts numbers below 2²² by their lower, then by their upper digits.
fn sort(keys: &mut Vec<u32>, spare: &mut Vec<u32>) {
    for shift in [0, DIGIT] {
        let digit = |key: u32| (key >> shift) as usize % (1 << DIGIT);
        // Where the next number with each digit goes.
        let mut places = [0_u32; 1 << DIGIT];
        keys.iter().for_each(|key| places[digit(*key)] += 1);
        let mut before = 0;
        for place in &mut places {
            before += std::mem::replace(place, before);
        }
        for key in &*keys {
            let place = &mut places[digit(*key)];
            spare[*place as usize] = *key;
            *place += 1;
        }
        std::mem::swap(keys, spare);
    }
}

/// The area between the quantile functions of two ascending lists of parts.
fn distance(a: &[u32], b: &[u32]) -> f64 {
    let mean = match a.len() == b.len() {
        true => {
            let differences = a.iter().zip(b).map(|(a, b)| u64::from(a.abs_diff(*b)));
            differences.sum::<u64>() as f64 / a.len() as f64
        }
        false => between(a, b),
    };
    mean / f64::from(PARTS)
}

/// The same, in parts, of lists of different lengths. Each of n values is as wide as m of n·m places, and each of m as
/// n of them.
fn between(a: &[u32], b: &[u32]) -> f64 {
    let [n, m] = [a, b].map(|keys| keys.len() as u64);
    let (mut i, mut j, mut place, mut sum) = (0, 0, 0, 0.0);
    while place < n * m {
        let [end_a, end_b] = [(i + 1) * m, (j + 1) * n];
        let end = end_a.min(end_b);
        sum += (end - place) as f64 * f64::from(a[i as usize].abs_diff(b[j as usize]));
        i += u64::from(end == end_a);
        j += u64::from(end == end_b);
        place = end;
    }
    sum / (n * m) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `[3, pixels]`, of an image of so many rows and columns.
    fn image(phase: f64, height: usize, width: usize) -> Vec<f32> {
        let value = |c: usize, y: usize, x: usize| {
            let (x, y, c) = (x as f64, y as f64, c as f64);
            (((0.7 * x + phase + c).sin() * (0.4 * y - c).cos() + 1.0) / 2.0) as f32
        };
        let pixels = height * width;
        let at = |i: usize| value(i / pixels, i % pixels / width, i % width);
        (0..3 * pixels).map(at).collect()
    }

    // The numbers were printed by scipy 1.17.1 for the same images: the mean of
    // scipy.stats.wasserstein_distance(a @ d, b @ d) over the directions d.

    #[test]
    fn the_distance_is_scipys() {
        let a = image(0.0, 11, 13);
        let b: Vec<f32> = image(1.0, 11, 13).iter().map(|v| 0.3 + 0.5 * v).collect();
        let got = sliced_wasserstein(&a, &b);
        assert!((got - 0.111_158_352).abs() < 1e-6, "{got}");
        assert_eq!(sliced_wasserstein(&b, &a), got);
    }

    #[test]
    fn images_of_different_sizes_are_compared_too() {
        let a = image(0.0, 11, 13);
        let got = sliced_wasserstein(&a, &image(0.5, 5, 7));
        assert!((got - 0.061_662_903).abs() < 1e-6, "{got}");
        // Each pixel twice: the same colours.
        let twice: Vec<f32> = a.iter().flat_map(|value| [*value; 2]).collect();
        assert_eq!(sliced_wasserstein(&a, &twice), 0.0);
    }

    #[test]
    fn places_do_not_matter() {
        let a = image(0.0, 11, 13);
        let turned: Vec<f32> = a
            .chunks(143)
            .flat_map(|plane| plane.iter().rev().copied())
            .collect();
        assert_ne!(a, turned);
        assert_eq!(sliced_wasserstein(&a, &turned), 0.0);
    }

    #[test]
    fn a_shift_is_half_its_length_in_any_direction() {
        let plain = |rgb: [f32; 3]| rgb.iter().flat_map(|value| [*value; 6]).collect::<Vec<_>>();
        let from = [0.5, 0.25, 0.375];
        for shift in [
            [0.4, 0.0, 0.0],
            [0.0, 0.0, 0.4],
            [0.3, -0.2, 0.4],
            [-0.5, 0.5, -0.3],
        ] {
            let to = [0, 1, 2].map(|c| from[c] + shift[c]);
            let got = sliced_wasserstein(&plain(from), &plain(to));
            let half = shift.iter().map(|s| f64::from(s * s)).sum::<f64>().sqrt() / 2.0;
            assert!(
                (got / half - 1.0).abs() < 0.02,
                "{shift:?}: {got} and {half}"
            );
        }
    }

    #[test]
    fn the_ends_of_the_range_are_in_it_and_what_is_no_number_gives_none() {
        let (black, white) = ([0.0; 3], [1.0; 3]);
        let got = sliced_wasserstein(&black, &white);
        assert!((got - 3.0_f64.sqrt() / 2.0).abs() < 0.01, "{got}");
        assert!(sliced_wasserstein(&black, &[0.5, f32::NAN, 0.5]).is_nan());
    }
}
