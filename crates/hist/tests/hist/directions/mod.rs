//! Colours compared along further directions than those of the channels.

use crate::common::{Double, Tracked, assert_close, binning, binnings, cases, row, tensor, values};
use burn::backend::Autodiff;
use burn::nn::loss::Reduction;
use burn::tensor::{DType, Tensor};
use burn_flex::Flex;
use burn_ndarray::NdArray;
use huenet_hist::{
    Binning, Boundary, Directions, EarthMoversDistanceConfig, EmdKind, HistogramBackend,
    HistogramLoss, HistogramLossConfig, reference,
};
use proptest::prelude::*;
use rstest::rstest;

const KINDS: [EmdKind; 3] = [EmdKind::Rms, EmdKind::Squared, EmdKind::L1];

fn loss(binning: &Binning, kind: EmdKind, directions: usize) -> HistogramLoss {
    HistogramLossConfig::new(binning.bins, binning.kernel)
        .with_distance(kind)
        .with_directions(Some(Directions::spread(directions).unwrap()))
        .init()
}

/// Images of three channels whose pixels reach a little out of the range, as single precision has them.
fn images() -> impl Strategy<Value = (Binning, [Vec<f64>; 2])> {
    let colours = || proptest::collection::vec(-0.1..1.1, 3 * 2..3 * 12);
    (binnings(12), colours(), colours()).prop_map(|(binning, x, y)| {
        let (min, max) = (binning.bins.min(), binning.bins.max());
        let place = |t: f64| f64::from((min + t * (max - min)) as f32);
        let image = |all: Vec<f64>| {
            let whole = all.len() / 3 * 3;
            all[..whole].iter().map(|&t| place(t)).collect()
        };
        (binning, [image(x), image(y)])
    })
}

fn image<B: HistogramBackend>(pixels: &[f64], dtype: DType) -> Tensor<B, 3> {
    tensor(pixels, [1, 3, pixels.len() / 3], dtype)
}

/// The distances between output and reference.
fn distances<B: HistogramBackend>(
    loss: &HistogramLoss,
    output: Tensor<B, 3>,
    reference: Tensor<B, 3>,
) -> Tensor<B, 3> {
    let target = loss.target(reference);
    loss.forward_no_reduction(output.clone().detach(), output, target)
        .distances
}

/// The same from the definition: each image is projected onto the unit vector, and the dense formula counts
/// in bins over the direction's own range.
fn by_definition<B: HistogramBackend>(
    binning: &Binning,
    kind: EmdKind,
    directions: usize,
    images: [Tensor<B, 3>; 2],
) -> Tensor<B, 3> {
    let directions = Directions::spread(directions).unwrap();
    let ranges = directions.ranges(&binning.bins);
    let along = directions
        .vectors()
        .iter()
        .zip(ranges)
        .map(|(d, [min, max])| {
            let own = crate::common::binning(
                binning.bins.count(),
                min,
                max,
                binning.kernel.ratio(),
                binning.kernel.boundary(),
            );
            let [p, q] = images.clone().map(|image| {
                let channels = d.iter().enumerate().map(|(channel, d)| {
                    let plane: Tensor<B, 2> = image.clone().narrow(1, channel, 1).squeeze_dim(1);
                    plane.mul_scalar(*d)
                });
                let projected = channels.reduce(|sum, channel| sum + channel).unwrap();
                reference::marginal(projected, &own)
            });
            EarthMoversDistanceConfig::new(own.bins)
                .with_kind(kind)
                .with_cyclic(own.kernel.boundary() == Boundary::Wrap)
                .init()
                .forward_no_reduction(p, q.detach())
                .unsqueeze_dim::<3>(1)
        });
    Tensor::cat(along.collect(), 1)
}

/// Distances, and the gradient of a sum that each enters differently.
fn with_gradient<B: HistogramBackend>(
    output: &Tensor<Autodiff<B>, 3>,
    distances: Tensor<Autodiff<B>, 3>,
) -> [Vec<f64>; 2] {
    let count = distances.dims()[1];
    let weights: Vec<f64> = (0..count).map(|i| (1.3 * i as f64 + 0.4).sin()).collect();
    let weights = tensor(&weights, [1, count, 1], distances.dtype());
    let gradients = (distances.clone() * weights).sum().backward();
    [values(distances), values(output.grad(&gradients).unwrap())]
}

fn agrees<B: HistogramBackend>(
    (binning, [output, reference]): (Binning, [Vec<f64>; 2]),
    directions: usize,
    dtype: DType,
    tolerance: f64,
) {
    for kind in KINDS {
        let expected = {
            let output = image::<Tracked>(&output, DType::F64).require_grad();
            let images = [output.clone(), image(&reference, DType::F64)];
            with_gradient(&output, by_definition(&binning, kind, directions, images))
        };
        let output = image::<Autodiff<B>>(&output, dtype).require_grad();
        let loss = loss(&binning, kind, directions);
        let found = distances(&loss, output.clone(), image(&reference, dtype));
        assert_eq!(found.dims(), [1, directions, 1]);
        let found = with_gradient(&output, found);
        assert_close(&found[0], &expected[0], tolerance);
        // Signs of differences that are nearly 0 are those of rounding.
        if kind != EmdKind::L1 || dtype == DType::F64 {
            assert_close(&found[1], &expected[1], 30.0 * tolerance);
        }
    }
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn ndarray_in_double_precision_is_the_definition(images in images(), directions in 3..20_usize) {
        agrees::<Double>(images, directions, DType::F64, 1e-9);
    }

    #[test]
    fn flex_in_double_precision_is_the_definition(images in images(), directions in 3..20_usize) {
        agrees::<Flex>(images, directions, DType::F64, 1e-9);
    }

    #[test]
    fn flex_in_single_precision_is_the_definition(images in images(), directions in 3..20_usize) {
        agrees::<Flex>(images, directions, DType::F32, 2e-4);
    }

    /// Central differences of the sum of all distances, in double precision.
    #[test]
    fn gradients_are_derivatives((binning, [output, reference]) in images(), directions in 4..14_usize) {
        for kind in KINDS {
            let loss = loss(&binning, kind, directions);
            let total = |output: &[f64]| -> f64 {
                let images = [output, &reference].map(|pixels| image::<Double>(pixels, DType::F64));
                let [output, reference] = images;
                values(distances(&loss, output, reference)).iter().sum()
            };
            let tracked = image::<Tracked>(&output, DType::F64).require_grad();
            let found = distances(&loss, tracked.clone(), image(&reference, DType::F64));
            let found = values(tracked.grad(&found.sum().backward()).unwrap());
            let step = 1e-4 * binning.bins.width() / binning.kernel.ratio();
            let differences: Vec<f64> = (0..output.len())
                .map(|i| {
                    let [mut up, mut down] = [output.clone(), output.clone()];
                    up[i] += step;
                    down[i] -= step;
                    (total(&up) - total(&down)) / (2.0 * step)
                })
                .collect();
            let steepest = binning.kernel.ratio() / binning.bins.width();
            let largest = differences.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
            for (found, expected) in found.iter().zip(&differences) {
                prop_assert!(
                    (found - expected).abs() <= 2e-6 * largest + 1e-8 * steepest,
                    "{kind:?}: {found:e} instead of {expected:e}"
                );
            }
        }
    }

    #[test]
    fn the_order_of_the_pixels_does_not_matter((binning, [output, reference]) in images(), shift in 1..9_usize) {
        let moved: Vec<f64> = output
            .chunks(output.len() / 3)
            .flat_map(|plane| {
                let mut plane = plane.to_vec();
                let by = shift % plane.len();
                plane.rotate_left(by);
                plane
            })
            .collect();
        let loss = loss(&binning, EmdKind::Rms, 12);
        let [before, after] = [&output, &moved].map(|output| {
            let [output, reference] = [output, &reference].map(|it| image::<Double>(it, DType::F64));
            values(distances(&loss, output, reference))
        });
        assert_close(&after, &before, 1e-12);
    }

    /// With the channels alone, all numbers are those of the loss without directions.
    #[test]
    fn the_axes_are_the_channels((binning, [output, reference]) in images()) {
        let plain = HistogramLossConfig::new(binning.bins, binning.kernel);
        let axes = plain.clone().with_directions(Some(Directions::axes()));
        let twelve = plain.clone().with_directions(Some(Directions::spread(12).unwrap()));
        let of = |config: &HistogramLossConfig| {
            let loss = config.init();
            let output = image::<Tracked>(&output, DType::F64).require_grad();
            let distances = distances(&loss, output.clone(), image(&reference, DType::F64));
            let gradient = output.grad(&distances.clone().sum().backward()).unwrap();
            (values(distances), values(gradient))
        };
        prop_assert_eq!(of(&plain), of(&axes));
        prop_assert_eq!(&of(&plain).0, &of(&twelve).0[..3]);
    }
}

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

#[rstest]
#[should_panic(expected = "images of three channels")]
#[case::two_channels([1, 2, 6], 7)]
#[should_panic(expected = "at least one pixel")]
#[case::no_pixels([2, 3, 0], 7)]
#[should_panic(expected = "a target histogram for each")]
#[case::targets_of_channels([1, 3, 4], 3)]
fn what_has_no_colours_is_refused(#[case] shape: [usize; 3], #[case] targets: usize) {
    let loss = loss(
        &binning(4, 0.0, 1.0, 2.5, Boundary::Reflect),
        EmdKind::Rms,
        7,
    );
    let output = tensor::<Double, 3>(&vec![0.3; shape.iter().product()], shape, DType::F64);
    let target = tensor(
        &vec![0.25; shape[0] * targets * 4],
        [shape[0], targets, 4],
        DType::F64,
    );
    loss.forward_no_reduction(output.clone(), output, target);
}

#[test]
#[should_panic(expected = "images of three channels")]
fn rows_of_pixels_are_no_colours() {
    let binning = binning(4, 0.0, 1.0, 2.5, Boundary::Reflect);
    loss(&binning, EmdKind::Rms, 7).target(row::<Double>(&[0.3; 9]));
}

#[rstest]
#[case(0)]
#[case(2)]
#[case(65)]
fn fewer_or_more_directions_than_possible_are_refused(#[case] count: usize) {
    let message = Directions::spread(count).unwrap_err().to_string();
    let expected = format!("{count} directions of colour space are not possible");
    assert!(message.starts_with(&expected), "{message}");
    assert!(
        message.contains("between 3 (the channels) and 64"),
        "{message}"
    );
}
