use super::*;
use crate::transfer::match_histogram;

const WIDTH: usize = 13;
const HEIGHT: usize = 11;

/// (sin(0.7x + phase + c) · cos(0.4y − c) + 1) / 2.
fn waves(phase: f64, c: f64) -> impl Fn(usize) -> f64 {
    move |i| {
        let (x, y) = ((i % WIDTH) as f64, (i / WIDTH) as f64);
        ((0.7 * x + phase + c).sin() * (0.4 * y - c).cos() + 1.0) / 2.0
    }
}

fn content() -> Rgb {
    let pixel = |i| [0.0, 1.0, 2.0].map(|c| 0.2 + 0.5 * waves(0.0, c)(i).powi(2));
    (0..WIDTH * HEIGHT).map(pixel).collect()
}

fn reference() -> Rgb {
    let pixel = |i| [0.0, 1.0, 2.0].map(|c| 0.1 * c + 0.7 * waves(1.5, c + 0.3)(i));
    (0..WIDTH * HEIGHT).map(pixel).collect()
}

fn statistics(image: &[[f64; 3]]) -> (Vector3<f64>, Matrix3<f64>) {
    Cloud::even(image).mean_and_covariance()
}

fn assert_near(got: &[f64], expected: &[f64], tolerance: f64) {
    for (got, expected) in got.iter().zip(expected) {
        assert!(
            (got - expected).abs() < tolerance,
            "{got} is not {expected}"
        );
    }
}

fn grey() -> Rgb {
    content().iter().map(|[r, ..]| [*r; 3]).collect()
}

// The numbers of the next three tests were printed by scikit-image 0.26.0 (match_histograms) and
// by the papers' formulas in NumPy 2.4 and SciPy 1.17 (sqrtm), for the same images.

#[test]
fn matching_is_scikit_images() {
    let levels = |image: Rgb, channel: usize, levels: f64| -> Vec<f32> {
        let level =
            |pixel: &[f64; 3]| ((pixel[channel] * levels).round_ties_even() / levels) as f32;
        image.iter().map(level).collect()
    };
    let matched = match_histogram(&levels(content(), 0, 20.0), &levels(reference(), 1, 30.0));
    let shown = [0, 1, 40, 77, 142].map(|i| f64::from(matched[i]));
    let expected = [
        0.453_333_348,
        0.655_555_546,
        0.530_555_606,
        0.361_111_104,
        0.294_444_442,
    ];
    assert_near(&shown, &expected, 1e-6);
}

#[test]
fn reinhard_is_the_papers() {
    let moved = reinhard(&content(), &reference());
    let shown = [moved[0], moved[77], moved[142]].concat();
    let expected = [
        0.260_317_033,
        0.588_900_742,
        0.348_750_576,
        0.204_199_861,
        0.389_589_937,
        0.277_424_434,
        0.161_735_107,
        0.363_387_921,
        0.664_509_457,
    ];
    assert_near(&shown, &expected, 1e-8);
}

#[test]
fn monge_kantorovich_is_the_papers() {
    let moved = monge_kantorovich(&content(), &reference());
    let shown = [moved[0], moved[77], moved[142]].concat();
    let expected = [
        0.299_868_115,
        0.556_368_537,
        0.375_657_027,
        0.197_133_153,
        0.389_566_772,
        0.311_308_717,
        0.178_741_190,
        0.371_374_721,
        0.618_992_274,
    ];
    assert_near(&shown, &expected, 1e-8);
}

#[test]
fn the_linear_map_gives_the_references_mean_and_covariance() {
    let (mean, covariance) = statistics(&monge_kantorovich(&content(), &reference()));
    let (to, spread) = statistics(&reference());
    assert_near(mean.as_slice(), to.as_slice(), 1e-12);
    assert_near(covariance.as_slice(), spread.as_slice(), 1e-12);
}

#[test]
fn an_image_moved_to_itself_stays() {
    let image = content();
    for moved in [reinhard(&image, &image), monge_kantorovich(&image, &image)] {
        assert_near(&moved.concat(), &image.concat(), 1e-9);
    }
    let plane: Vec<f32> = image.iter().map(|pixel| pixel[0] as f32).collect();
    assert_eq!(match_histogram(&plane, &plane), plane);
}

#[test]
fn grey_gets_the_references_mean_and_stays_on_a_line() {
    for moved in [
        reinhard(&grey(), &reference()),
        monge_kantorovich(&grey(), &reference()),
    ] {
        assert!(moved.concat().iter().all(|value| value.is_finite()));
    }
    let moved = monge_kantorovich(&grey(), &reference());
    let (mean, covariance) = statistics(&moved);
    assert_near(
        mean.as_slice(),
        statistics(&reference()).0.as_slice(),
        1e-12,
    );
    let spread = covariance.symmetric_eigenvalues();
    let largest = spread.max();
    let along = spread.iter().filter(|value| **value > 1e-9 * largest);
    assert_eq!(along.count(), 1, "{spread}");
}

#[test]
fn one_colour_becomes_the_references_mean() {
    let flat = vec![[0.25, 0.5, 0.75]; 20];
    let (mean, _) = statistics(&monge_kantorovich(&flat, &reference()));
    assert_near(mean.as_slice(), statistics(&reference()).0.as_slice(), 1e-9);
    let moved = reinhard(&flat, &reference());
    assert!(moved.iter().all(|pixel| *pixel == moved[0]));
    // Rounding is no spread.
    let matched = match_histogram(&[0.5, 0.5 + 1e-7, 0.5], &[0.0, 1.0, 0.25, 0.5]);
    assert_eq!(matched, [0.4375; 3]);
}
