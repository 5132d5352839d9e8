//! Both losses in one call are the two losses one by one.

use crate::common::{Double, Tracked, assert_close, binning, cases, problems, row, tensor, values};
use burn::backend::Autodiff;
use burn::nn::loss::Reduction;
use burn::tensor::{DType, Tensor};
use burn_flex::Flex;
use burn_ndarray::NdArray;
use huenet_hist::{
    Binning, Boundary, EarthMoversDistanceConfig, EmdKind, HistogramBackend, HistogramLoss,
    HistogramLossConfig, JointHistogramConfig, SoftHistogramConfig, StructureKind,
    StructureLossConfig,
};
use proptest::prelude::*;
use rstest::rstest;

const KINDS: [(EmdKind, StructureKind); 4] = [
    (EmdKind::Rms, StructureKind::ConditionalEntropy),
    (EmdKind::Squared, StructureKind::RelativeMutualInformation),
    (EmdKind::L1, StructureKind::NegativeMutualInformation),
    (EmdKind::Rms, StructureKind::NormalisedMutualInformation),
];

fn at_once(binning: &Binning, (distance, structure): (EmdKind, StructureKind)) -> HistogramLoss {
    HistogramLossConfig::new(binning.bins, binning.kernel)
        .with_distance(distance)
        .with_structure(structure)
        .init()
}

/// Distance and structure loss from the modules for one histogram and one loss each.
fn one_by_one<B: HistogramBackend>(
    binning: &Binning,
    (distance, structure): (EmdKind, StructureKind),
    [content, output, reference]: [Tensor<B, 2>; 3],
) -> [Tensor<B, 1>; 2] {
    let histogram = SoftHistogramConfig::new(binning.bins, binning.kernel).init();
    let joint = JointHistogramConfig::new(binning.bins, binning.kernel).init();
    let cyclic = binning.kernel.boundary() == Boundary::Wrap;
    let distance = EarthMoversDistanceConfig::new(binning.bins)
        .with_kind(distance)
        .with_cyclic(cyclic)
        .init();
    let structure = StructureLossConfig::new().with_kind(structure).init();
    let joint: Tensor<B, 3> = joint.forward(content, output.clone());
    let [p, q] = [output, reference].map(|image| histogram.forward(image));
    [
        distance.forward(p, q, Reduction::Mean),
        structure.forward(joint, Reduction::Mean),
    ]
}

proptest! {
    #![proptest_config(cases(32))]

    /// Values, and the gradients of each loss alone and of both with weights, with respect to output
    /// and content.
    #[test]
    fn both_losses_at_once_are_the_losses_one_by_one(
        (binning, content, output) in problems(12, 2..30),
        weights in (0.1..2.0, 0.1..2.0),
    ) {
        // Another image, so that no cumulative sums are equal by chance.
        let reference: Vec<f64> = content.iter().map(|x| 0.3 * x + 0.1 * binning.bins.max()).collect();
        for kinds in KINDS {
            let loss = at_once(&binning, kinds);
            for (first, second) in [(1.0, 0.0), (0.0, 1.0), weights] {
                let results = |fused: bool| {
                    let content = row::<Tracked>(&content).require_grad();
                    let output = row::<Tracked>(&output).require_grad();
                    let images = [content.clone(), output.clone(), row(&reference)];
                    let [distance, structure] = if fused {
                        let [content, output, reference] = images;
                        let target = loss.target(reference);
                        let losses = loss.forward(content, output, target, Reduction::Mean);
                        [losses.distances, losses.structures]
                    } else {
                        one_by_one(&binning, kinds, images)
                    };
                    let losses = [distance.clone(), structure.clone()].map(values).concat();
                    let total = distance.mul_scalar(first) + structure.mul_scalar(second);
                    let gradients = total.backward();
                    let of = |image: Tensor<Tracked, 2>| {
                        image.grad(&gradients).map_or_else(|| vec![0.0; image.dims()[1]], values)
                    };
                    (losses, of(content), of(output))
                };
                let (found, expected) = (results(true), results(false));
                assert_close(&found.0, &expected.0, 1e-10);
                let steepest = binning.kernel.ratio() / binning.bins.width();
                for (found, expected) in [(&found.1, &expected.1), (&found.2, &expected.2)] {
                    let largest = expected.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
                    let tolerance = 1e-9 * largest + 1e-12 * steepest;
                    for (found, expected) in found.iter().zip(expected) {
                        prop_assert!(
                            (found - expected).abs() <= tolerance,
                            "{kinds:?}: {found:e} instead of {expected:e}"
                        );
                    }
                }
            }
        }
    }
}

/// What needs no gradient gets none.
#[test]
fn a_gradient_is_computed_for_the_images_that_need_one() {
    let binning = binning(8, 0.0, 1.0, 2.5, Boundary::Reflect);
    let loss = at_once(&binning, KINDS[0]);
    let of = |content_tracked: bool, output_tracked: bool| {
        let content = row::<Tracked>(&[0.1, 0.7, 0.4]).set_require_grad(content_tracked);
        let output = row::<Tracked>(&[0.3, 0.9, 0.2]).set_require_grad(output_tracked);
        let target = loss.target(row::<Tracked>(&[0.5, 0.6, 0.1]));
        let losses = loss.forward(content.clone(), output.clone(), target, Reduction::Sum);
        let gradients = (losses.distances + losses.structures).backward();
        [content, output].map(|image| image.grad(&gradients).map(values))
    };
    let [content, output] = of(true, true);
    assert!(content.is_some() && output.is_some());
    assert_eq!(of(false, true), [None, output]);
    assert_eq!(of(true, false), [content, None]);
}

/// An image whose colours are the reference's is at the kink of the distance: no direction is better.
#[rstest]
#[case(DType::F32)]
#[case(DType::F64)]
fn equal_colours_pull_nowhere(#[case] dtype: DType) {
    fn gradient<B: HistogramBackend>(dtype: DType) -> Vec<f64> {
        let binning = binning(64, -1.0, 1.0, 2.5, Boundary::Reflect);
        let loss = at_once(&binning, KINDS[0]);
        let x: Vec<f64> = (0..500).map(|i| (0.37 * f64::from(i)).sin()).collect();
        let turned: Vec<f64> = x.iter().rev().copied().collect();
        let [content, reference] =
            [&x, &turned].map(|x| tensor::<Autodiff<B>, 2>(x, [1, 500], dtype));
        let output = content.clone().require_grad();
        let target = loss.target(reference);
        let losses = loss.forward(content, output.clone(), target, Reduction::Sum);
        assert_eq!(values(losses.distances.clone()), [0.0]);
        values(output.grad(&losses.distances.backward()).unwrap())
    }
    let gradient = match dtype {
        DType::F32 => gradient::<NdArray<f32>>(dtype),
        _ => gradient::<Double>(dtype),
    };
    assert_eq!(gradient, [0.0; 500]);
}

/// The rows of undefined images are, the others are not.
#[test]
fn what_is_not_a_number_leaves_no_finite_loss() {
    let binning = binning(8, 0.0, 1.0, 2.5, Boundary::Reflect);
    let loss = at_once(&binning, KINDS[0]);
    let images = |values: [f64; 6]| tensor::<Double, 2>(&values, [3, 2], DType::F64);
    let content = images([0.3, 0.5, f64::NAN, 0.2, 0.4, 0.6]);
    let output = images([0.2, f64::NAN, 0.8, 0.1, 0.7, 0.3]);
    let target = loss.target(images([0.5; 6]));
    let losses = loss.forward_no_reduction(content, output, target);
    let finite = |tensor| {
        values::<Double, 2>(tensor)
            .into_iter()
            .map(f64::is_finite)
            .collect::<Vec<_>>()
    };
    assert_eq!(finite(losses.distances), [false, true, true]);
    assert_eq!(finite(losses.structures), [false, false, true]);
}

/// The gradients of both losses come from one pass: where a loss is undefined there are none.
#[test]
fn where_one_loss_is_not_a_number_the_other_has_no_gradient() {
    let binning = binning(8, 0.0, 1.0, 2.5, Boundary::Reflect);
    let loss = at_once(&binning, KINDS[0]);
    let images = |values: [f64; 4]| tensor::<Tracked, 2>(&values, [2, 2], DType::F64);
    let output = images([0.2, 0.1, 0.7, 0.3]).require_grad();
    let target = loss.target(images([0.5; 4]));
    let content = images([0.3, f64::NAN, 0.4, 0.6]);
    let losses = loss.forward(content, output.clone(), target, Reduction::Sum);
    let gradient = values(output.grad(&losses.distances.backward()).unwrap());
    let finite: Vec<bool> = gradient.into_iter().map(f64::is_finite).collect();
    assert_eq!(finite, [false, false, true, true]);
}

type Twice = Autodiff<Tracked>;

/// Gradients in a graph of a graph are those of the graph, and can themselves be differentiated.
#[test]
fn gradients_of_gradients() {
    let binning = binning(6, 0.0, 1.0, 2.5, Boundary::Reflect);
    let images = [[0.1, 0.7, 0.42, 0.9], [0.3, 0.85, 0.2, 0.55]];
    for kinds in KINDS {
        let loss = at_once(&binning, kinds);
        fn total<B: HistogramBackend>(
            loss: &HistogramLoss,
            [content, output]: [Tensor<B, 2>; 2],
        ) -> Tensor<B, 1> {
            let target = loss.target(row::<B>(&[0.5, 0.6, 0.15]));
            let losses = loss.forward(content, output, target, Reduction::Sum);
            losses.distances + losses.structures
        }
        let once = |images: [&[f64]; 2]| {
            let [content, output] = images.map(|image| row::<Tracked>(image).require_grad());
            let gradients = total(&loss, [content.clone(), output.clone()]).backward();
            [content, output].map(|image| values(image.grad(&gradients).unwrap()))
        };
        // The gradient of the sum of squares of a gradient.
        let inner = images.map(|image| row::<Tracked>(&image).require_grad());
        let outer = inner
            .clone()
            .map(|image| Tensor::<Twice, 2>::from_inner(image).require_grad());
        let gradients = total(&loss, outer.clone()).backward();
        let [of_content, of_output] = outer.map(|image| image.grad(&gradients).unwrap());
        let [content, output] = images.each_ref().map(|image| &image[..]);
        let expected = once([content, output]);
        assert_close(&values(of_content.clone()), &expected[0], 1e-9);
        assert_close(&values(of_output.clone()), &expected[1], 1e-9);

        let square = of_content.square().sum() + of_output.square().sum();
        let gradients = square.backward();
        let square_at =
            |moved: &[f64]| -> f64 { once([content, moved]).iter().flatten().map(|g| g * g).sum() };
        let step = 1e-5;
        let differences: Vec<f64> = (0..output.len())
            .map(|i| {
                let [mut up, mut down] = [output.to_vec(), output.to_vec()];
                up[i] += step;
                down[i] -= step;
                (square_at(&up) - square_at(&down)) / (2.0 * step)
            })
            .collect();
        let [_, output] = inner;
        let found = values(output.grad(&gradients).unwrap());
        assert_close(&found, &differences, 1e-5);
    }
}

/// Nothing on the way is too large or too small for half precision.
#[rstest]
#[case(DType::F16, 2e-3)]
#[case(DType::BF16, 2e-2)]
fn losses_in_half_precision_are_computed_in_single(#[case] dtype: DType, #[case] tolerance: f64) {
    let binning = binning(64, -1.0, 1.0, 2.5, Boundary::Reflect);
    let images: [Vec<f64>; 3] = [0.37, 0.9, 1.7].map(|turn| {
        // Eighths of a sixteenth: numbers of both half types.
        let value = |i: i32| ((turn * f64::from(i)).sin() * 64.0).round() / 128.0;
        (0..300).map(value).collect()
    });
    for kinds in KINDS {
        let loss = at_once(&binning, kinds);
        // One target for both: its rounding can turn the direction of a gradient.
        let [content, output, reference] = images
            .each_ref()
            .map(|image| tensor::<Autodiff<Flex>, 2>(image, [1, 300], dtype));
        let target = loss.target(reference);
        let of = |dtype| {
            let [content, output, target] =
                [&content, &output, &target].map(|tensor| tensor.clone().cast(dtype));
            let output = output.require_grad();
            let losses = loss.forward_no_reduction(content, output.clone(), target);
            let both = Tensor::cat(vec![losses.distances, losses.structures], 1);
            assert_eq!(both.dtype(), dtype);
            let gradient = output.grad(&both.clone().sum().backward()).unwrap();
            assert_eq!(gradient.dtype(), dtype);
            (values(both), values(gradient))
        };
        let (found, expected) = (of(dtype), of(DType::F64));
        assert_close(&found.0, &expected.0, tolerance);
        assert_close(&found.1, &expected.1, tolerance);
    }
}

/// Large enough for several chunks of a row.
#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let (rows, pixels) = (2_usize, 70_000_usize);
    let image = |seed: f64| -> Vec<f64> {
        let value = |i: usize| (i as f64 * seed).sin() * (0.3 + 0.7 * (i as f64 * 1e-4).cos());
        (0..rows * pixels).map(value).collect()
    };
    let images = [image(0.37), image(1.93), image(0.71)];
    let binning = binning(32, -1.0, 1.0, 2.5, Boundary::Reflect);
    let loss = at_once(&binning, KINDS[0]);
    let all = || {
        let [content, output, reference] = images
            .each_ref()
            .map(|image| tensor::<Autodiff<NdArray<f32>>, 2>(image, [rows, pixels], DType::F32));
        let output = output.require_grad();
        let target = loss.target(reference);
        let losses = loss.forward_no_reduction(content, output.clone(), target);
        let found = [losses.distances.clone(), losses.structures.clone()].map(values);
        let gradients = (losses.distances.sum() + losses.structures.sum()).backward();
        (found, values(output.grad(&gradients).unwrap()))
    };
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(all)
    };
    let expected = with(1);
    for threads in [2, 3, 8] {
        assert!(with(threads) == expected, "{threads} threads");
    }
    huenet_hist::release_memory();
    assert!(with(2) == expected, "in new memory");
}

#[test]
fn losses_of_images_are_those_of_their_channels() {
    let image = |seed: f64| -> Vec<f64> { (0..72).map(|i| (f64::from(i) * seed).sin()).collect() };
    let images = [image(0.37), image(1.93), image(0.71)];
    let loss = at_once(&binning(8, -1.0, 1.0, 2.5, Boundary::Reflect), KINDS[0]);
    let [content, output, reference] = images
        .each_ref()
        .map(|image| tensor::<Double, 4>(image, [2, 3, 4, 3], DType::F64));
    let of_images = loss.target_of_images(reference);
    let found =
        loss.forward_images_no_reduction(content.clone(), output.clone(), of_images.clone());
    let [rows, output_rows, reference] = images
        .each_ref()
        .map(|image| tensor::<Double, 3>(image, [2, 3, 12], DType::F64));
    let target = loss.target(reference);
    let expected = loss.forward_no_reduction(rows.clone(), output_rows.clone(), target.clone());
    assert_eq!(found.distances.dims(), [2, 3, 1]);
    assert_eq!(values(found.distances), values(expected.distances));
    assert_eq!(values(found.structures), values(expected.structures));

    let found = loss.forward_images(content, output, of_images, Reduction::Sum);
    let expected = loss.forward(rows, output_rows, target, Reduction::Sum);
    assert_eq!(values(found.distances), values(expected.distances));
    assert_eq!(values(found.structures), values(expected.structures));
}

/// The losses of two images with three channels each.
#[rstest]
#[case(Reduction::Mean, 6.0)]
#[case(Reduction::Auto, 6.0)]
#[case(Reduction::Sum, 1.0)]
#[case(Reduction::BatchMean, 2.0)]
fn reductions_are_of_all_rows(#[case] reduction: Reduction, #[case] divisor: f64) {
    let image = |seed: f64| {
        let values: Vec<f64> = (0..72).map(|i| (f64::from(i) * seed).sin()).collect();
        tensor::<Double, 3>(&values, [2, 3, 12], DType::F64)
    };
    let binning = binning(8, -1.0, 1.0, 2.5, Boundary::Reflect);
    let assert_reduced = |found: Tensor<Double, 1>, losses: Vec<f64>| {
        assert_eq!(losses.len(), 6);
        let expected = losses.iter().sum::<f64>() / divisor;
        assert_close(&values(found), &[expected], 1e-14);
    };

    let loss = at_once(&binning, KINDS[0]);
    let images = || (image(0.37), image(1.93), loss.target(image(0.71)));
    let (content, output, target) = images();
    let losses = loss.forward_no_reduction(content, output, target);
    let (content, output, target) = images();
    let found = loss.forward(content, output, target, reduction.clone());
    assert_reduced(found.distances, values(losses.distances));
    assert_reduced(found.structures, values(losses.structures));

    let histogram = SoftHistogramConfig::new(binning.bins, binning.kernel).init();
    let [p, q] = [0.37, 0.71].map(|seed| histogram.forward(image(seed)));
    let distance = EarthMoversDistanceConfig::new(binning.bins).init();
    let found = distance.forward(p.clone(), q.clone(), reduction.clone());
    assert_reduced(found, values(distance.forward_no_reduction(p, q)));

    let joint = JointHistogramConfig::new(binning.bins, binning.kernel).init();
    let joint: Tensor<Double, 4> = joint.forward(image(0.37), image(1.93));
    let structure = StructureLossConfig::new().init();
    let found = structure.forward(joint.clone(), reduction);
    assert_reduced(found, values(structure.forward_no_reduction(joint)));
}
