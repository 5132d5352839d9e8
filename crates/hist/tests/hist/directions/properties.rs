//! What the distances tell of colours.

use super::{distances, image, loss, with_gradient};
use crate::common::{Double, assert_close, binning, tensor, values};
use burn::backend::Autodiff;
use burn::nn::loss::Reduction;
use burn::tensor::DType;
use burn_flex::Flex;
use burn_ndarray::NdArray;
use huenet_hist::{Boundary, Directions, EmdKind, HistogramBackend};
use rstest::rstest;

/// Images whose channels have equal histograms, of other colours: red and green, yellow and black.
#[test]
fn colours_differ_where_channels_do_not() {
    let loss = loss(
        &binning(32, -1.0, 1.0, 2.5, Boundary::Reflect),
        EmdKind::Rms,
        7,
    );
    let red_and_green = [0.8, -0.8, -0.8, 0.8, -0.8, -0.8];
    let yellow_and_black = [0.8, -0.8, 0.8, -0.8, -0.8, -0.8];
    let [output, reference] =
        [red_and_green, yellow_and_black].map(|it| image::<Double>(&it, DType::F64));
    let found = values(distances(&loss, output, reference));
    assert_eq!(found[..3], [0.0; 3]);
    assert!(
        found[3..].iter().all(|&distance| distance > 0.1),
        "{found:?}"
    );
}

/// The Wasserstein distance of two colours along a direction is how far apart they lie along it.
#[test]
fn distances_have_the_units_of_the_colours() {
    let binning = binning(200, -1.0, 1.0, 2.5, Boundary::Reflect);
    let colours = [[0.3, -0.2, 0.5], [-0.4, 0.1, 0.2]];
    let [output, reference] = colours.map(|colour| image::<Double>(&colour, DType::F64));
    let found = values(distances(
        &loss(&binning, EmdKind::L1, 30),
        output,
        reference,
    ));
    let directions = Directions::spread(30).unwrap();
    let expected = directions.vectors().iter().map(|d| {
        let along = |colour: [f64; 3]| d.iter().zip(colour).map(|(d, x)| d * x).sum::<f64>();
        (along(colours[0]) - along(colours[1])).abs()
    });
    assert_close(&found, &expected.collect::<Vec<_>>(), 1e-3);
}

/// An image with the reference's colours is at the kink of the distance: no direction is better.
#[rstest]
#[case(DType::F32)]
#[case(DType::F64)]
fn equal_colours_pull_nowhere(#[case] dtype: DType) {
    let loss = loss(
        &binning(64, -1.0, 1.0, 2.5, Boundary::Reflect),
        EmdKind::Rms,
        12,
    );
    let plane = |turn: f64| (0..200).map(move |i| (turn * f64::from(i)).sin());
    let planes = [0.37, 0.61, 1.7].map(plane);
    let pixels: Vec<f64> = planes.clone().into_iter().flatten().collect();
    let turned: Vec<f64> = planes.into_iter().flat_map(Iterator::rev).collect();
    let output = image::<Autodiff<Flex>>(&pixels, dtype).require_grad();
    let found = distances(&loss, output.clone(), image(&turned, dtype));
    assert_eq!(values(found.clone()), [0.0; 12]);
    let gradient = output.grad(&found.sum().backward()).unwrap();
    assert_eq!(values(gradient), [0.0; 600]);
}

/// Large enough for several chunks of an image, on NdArray and Flex.
#[test]
fn any_number_of_threads_gives_the_same_bits() {
    fn all<B: HistogramBackend>() -> [Vec<f64>; 2] {
        let pixels = 40_001_usize;
        let pixels: Vec<f64> = (0..2 * 3 * pixels)
            .map(|i| (i as f64 * 0.37).sin() * (0.3 + 0.7 * (i as f64 * 1e-4).cos()))
            .collect();
        let shape = [2, 3, pixels.len() / 6];
        let output = tensor::<Autodiff<B>, 3>(&pixels, shape, DType::F32).require_grad();
        let loss = loss(
            &binning(32, -1.0, 1.0, 2.5, Boundary::Reflect),
            EmdKind::Rms,
            12,
        );
        let reference = tensor(&pixels, shape, DType::F32).mul_scalar(0.8);
        let found = distances(&loss, output.clone(), reference);
        let gradients = found.clone().sum().backward();
        [values(found), values(output.grad(&gradients).unwrap())]
    }
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let pool = pool.build().unwrap();
        pool.install(|| (all::<NdArray<f32>>(), all::<Flex>()))
    };
    let expected = with(1);
    for threads in [2, 3, 8] {
        assert!(with(threads) == expected, "{threads} threads");
    }
}

#[rstest]
#[case(Reduction::Mean)]
#[case(Reduction::Sum)]
#[case(Reduction::BatchMean)]
fn losses_of_images_are_reduced_over_all_directions(#[case] reduction: Reduction) {
    let loss = loss(
        &binning(8, -1.0, 1.0, 2.5, Boundary::Reflect),
        EmdKind::Rms,
        9,
    );
    let image = |seed: f64| {
        let pixels: Vec<f64> = (0..72).map(|i| (f64::from(i) * seed).sin()).collect();
        tensor::<Double, 4>(&pixels, [2, 3, 4, 3], DType::F64)
    };
    let target = loss.target_of_images(image(0.37));
    assert_eq!(target.dims(), [2, 9, 8]);
    let all = loss.forward_images_no_reduction(image(0.9), image(1.9), target.clone());
    assert_eq!(all.distances.dims(), [2, 9, 1]);
    assert_eq!(all.structures.dims(), [2, 3, 1]);
    let (each, divisor) = (
        values(all.distances),
        match reduction {
            Reduction::Sum => 1.0,
            Reduction::BatchMean => 2.0,
            _ => 18.0,
        },
    );
    let found = loss.forward_images(image(0.9), image(1.9), target, reduction);
    let expected = each.iter().sum::<f64>() / divisor;
    assert!((values(found.distances)[0] - expected).abs() < 1e-14);
}

/// All directions of an image with a pixel that is not a number are undefined, those of others are not.
#[test]
fn what_is_not_a_number_leaves_no_finite_distance() {
    let loss = loss(
        &binning(8, 0.0, 1.0, 2.5, Boundary::Reflect),
        EmdKind::Rms,
        6,
    );
    let pixels = [
        0.2,
        0.3,
        0.4,
        0.5,
        0.6,
        0.7,
        0.2,
        0.3,
        f64::NAN,
        0.5,
        0.6,
        0.7,
    ];
    let output = tensor::<Double, 3>(&pixels, [2, 3, 2], DType::F64);
    let reference = tensor::<Double, 3>(&[0.4; 12], [2, 3, 2], DType::F64);
    let finite: Vec<bool> = values(distances(&loss, output, reference))
        .into_iter()
        .map(f64::is_finite)
        .collect();
    let of_second = [true, false, true, false, false, false];
    assert_eq!(finite, [[true; 6], of_second].concat());
}

#[test]
fn half_precision_is_compared_in_single() {
    let loss = loss(
        &binning(16, -1.0, 1.0, 2.5, Boundary::Reflect),
        EmdKind::Rms,
        8,
    );
    let pixels = |turn: f64| -> Vec<f64> {
        let value = |i: i32| ((turn * f64::from(i)).sin() * 64.0).round() / 128.0;
        (0..300).map(value).collect()
    };
    let of = |dtype| {
        let output = image::<Autodiff<Flex>>(&pixels(0.37), dtype).require_grad();
        let found = distances(&loss, output.clone(), image(&pixels(0.9), dtype));
        assert_eq!(found.dtype(), dtype);
        with_gradient(&output, found)
    };
    let (found, expected) = (of(DType::F16), of(DType::F32));
    assert_close(&found[0], &expected[0], 1e-2);
    assert_close(&found[1], &expected[1], 3e-2);
}
