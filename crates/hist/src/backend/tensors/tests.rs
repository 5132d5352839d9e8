//! Every backend here overrides the default bodies: they are called by name.

use burn::tensor::TensorData;
use burn_ndarray::NdArray;
use rstest::rstest;

use super::*;
use crate::HistogramBackend;
use crate::backend::passes;
use crate::{Bins, Boundary, EmdKind, HistogramLossConfig, Kernel, StructureKind};

type B = NdArray<f64>;

fn rows(columns: usize, number: impl Fn(usize) -> f64) -> FloatTensor<B> {
    let entries = (0..2 * columns).map(number).collect::<Vec<_>>();
    let data = TensorData::new(entries, [2, columns]);
    let tensor = Tensor::<B, 2>::from_data(data, (&Default::default(), DType::F64));
    tensor.into_primitive().tensor()
}

fn numbers<const D: usize>(primitive: FloatTensor<B>) -> Vec<f64> {
    tensor::<B, D>(primitive).into_data().into_vec().unwrap()
}

#[track_caller]
fn assert_close(found: Vec<f64>, expected: Vec<f64>) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.into_iter().zip(expected) {
        assert!(
            (found - expected).abs() <= 1e-11 * (1.0 + expected.abs()),
            "{found} instead of {expected}"
        );
    }
}

/// In the range, on its borders and on edges of bins, outside it nearby and far away.
const PIXELS: [f64; 16] = [
    -0.93, 0.71, 0.2, -0.4, -1.0, 1.0, 0.0, 0.5, 1.02, -1.3, 1.9, -2.9, 3.1, 40.0, -1024.0,
    0.999999,
];

#[rstest]
fn histograms_of_a_backend_without_a_kernel_are_those_of_the_kernel(
    #[values(Boundary::Reflect, Boundary::Wrap, Boundary::Open)] boundary: Boundary,
    #[values(2, 3, 64, 256)] count: usize,
    #[values(0.25, 2.5, 64.0)] ratio: f64,
) {
    let binning = Binning {
        bins: Bins::new(count, -1.0, 1.0).unwrap(),
        kernel: Kernel::new(ratio, boundary).unwrap(),
    };
    let x = || rows(16, |i| PIXELS[i % 16] * (1.0 - 2.0 * (i / 16) as f64));
    let y = || rows(16, |i| PIXELS[(5 * i + 3) % 16]);
    let grad = || rows(count, |k| (1.3 * k as f64).sin());
    let table = || rows(count * count, |k| (0.7 * k as f64).cos());
    let table = || {
        let table = tensor::<B, 2>(table()).reshape([2, count, count]);
        table.into_primitive().tensor()
    };

    assert_close(
        numbers::<2>(marginal::<B>(x(), &binning)),
        numbers::<2>(B::marginal(x(), &binning)),
    );
    assert_close(
        numbers::<2>(marginal_backward::<B>(x(), grad(), &binning)),
        numbers::<2>(B::marginal_backward(x(), grad(), &binning)),
    );
    assert_close(
        numbers::<3>(joint::<B>(x(), y(), &binning)),
        numbers::<3>(B::joint(x(), y(), &binning)),
    );
    for needed in [[true, true], [true, false], [false, true]] {
        let found = joint_backward::<B>(x(), y(), table(), &binning, needed);
        let expected = B::joint_backward(x(), y(), table(), &binning, needed);
        assert_eq!(found.each_ref().map(Option::is_some), needed);
        for (found, expected) in found.into_iter().zip(expected) {
            let [found, expected] = [found, expected].map(|it| it.map(numbers::<2>));
            assert_close(found.unwrap_or_default(), expected.unwrap_or_default());
        }
    }
}

#[rstest]
fn histograms_along_directions_without_a_kernel_are_those_of_the_kernel(
    #[values(Boundary::Reflect, Boundary::Wrap, Boundary::Open)] boundary: Boundary,
    #[values(4, 17)] directions: usize,
    #[values((3, 64.0), (64, 2.5), (20, 0.25))] binning: (usize, f64),
) {
    let (count, ratio) = binning;
    let binning = Binning {
        bins: Bins::new(count, -1.0, 1.2).unwrap(),
        kernel: Kernel::new(ratio, boundary).unwrap(),
    };
    let directions = Directions::spread(directions).unwrap();
    let further = directions.further_count();
    let images = |columns, number: &dyn Fn(usize) -> f64| {
        let images = tensor::<B, 2>(rows(columns, number));
        let [_, columns] = images.dims();
        (images, columns)
    };
    // No multiple of anything, several of them outside the range.
    let x = || {
        let (images, columns) = images(3 * 37, &|i| PIXELS[(5 * i + i / 16) % 16]);
        let images = images.reshape([2, 3, columns / 3]);
        images.into_primitive().tensor()
    };
    let grad = || {
        let (grad, _) = images(further * count, &|i| (0.7 * i as f64).cos());
        let grad = grad.reshape([2, further, count]);
        grad.into_primitive().tensor()
    };
    assert_close(
        numbers::<3>(directional::<B>(x(), &directions, &binning, B::marginal)),
        numbers::<3>(B::directional(x(), &directions, &binning)),
    );
    let of_marginal = B::marginal_backward;
    assert_close(
        numbers::<3>(directional_backward::<B>(
            x(),
            grad(),
            &directions,
            &binning,
            of_marginal,
        )),
        numbers::<3>(B::directional_backward(x(), grad(), &directions, &binning)),
    );
}

#[rstest]
#[case(Boundary::Reflect, f64::NAN, true)]
#[case(Boundary::Open, f64::NAN, true)]
#[case(Boundary::Wrap, f64::NAN, true)]
#[case(Boundary::Wrap, f64::INFINITY, true)]
#[case(Boundary::Reflect, f64::INFINITY, false)]
#[case(Boundary::Open, f64::NEG_INFINITY, false)]
fn histograms_of_pixels_that_are_no_numbers_are_undefined(
    #[case] boundary: Boundary,
    #[case] pixel: f64,
    #[case] undefined: bool,
) {
    let binning = Binning {
        bins: Bins::new(40, -1.0, 1.0).unwrap(),
        kernel: Kernel::new(2.5, boundary).unwrap(),
    };
    let x = || rows(3, |i| if i == 4 { pixel } else { 0.1 });
    let p = numbers::<2>(marginal::<B>(x(), &binning));
    assert!(p[..40].iter().all(|p| p.is_finite()));
    assert!(p[40..].iter().all(|p| p.is_nan() == undefined), "{p:?}");
    let joint = numbers::<3>(joint::<B>(x(), x(), &binning));
    assert!(joint[1600..].iter().all(|p| p.is_nan() == undefined));
}

#[test]
fn the_losses_of_a_backend_without_a_kernel_are_those_of_the_kernel() {
    let kinds = [
        (
            Boundary::Reflect,
            EmdKind::Rms,
            StructureKind::ConditionalEntropy,
        ),
        (
            Boundary::Wrap,
            EmdKind::Squared,
            StructureKind::RelativeMutualInformation,
        ),
        (
            Boundary::Open,
            EmdKind::L1,
            StructureKind::NegativeMutualInformation,
        ),
    ];
    for (boundary, distance, structure) in kinds {
        let bins = Bins::new(9, -1.0, 1.0).unwrap();
        let loss = HistogramLossConfig::new(bins, Kernel::new(2.5, boundary).unwrap())
            .with_distance(distance)
            .with_structure(structure)
            .init()
            .terms();
        let content = || rows(40, |i| (0.9 * i as f64).sin());
        let output = || rows(40, |i| (0.37 * i as f64).cos() * 0.8);
        let target = || rows(9, |i| (1.0 + (i % 9) as f64) / 45.0);
        let grad = || rows(2, |i| 1.0 - 0.3 * i as f64);

        let untracked = losses(
            &passes::<B>(),
            [content(), output()],
            target(),
            &loss,
            false,
        );
        assert!(untracked.of_histograms.is_none());
        let found = losses(&passes::<B>(), [content(), output()], target(), &loss, true);
        let expected = B::losses(content(), output(), target(), &loss, true);
        let values = numbers::<2>(expected.values.clone());
        assert_close(numbers::<2>(untracked.values), values.clone());
        assert_close(numbers::<2>(found.values.clone()), values);

        let [found, expected] = [found, expected].map(|pass| pass.of_histograms.unwrap());
        let needed = [true, true];
        let expected = B::losses_backward(content(), output(), expected, grad(), &loss, needed);
        let found = losses_backward(
            &passes::<B>(),
            [content(), output()],
            found,
            grad(),
            &loss,
            needed,
        );
        for (found, expected) in found.into_iter().zip(expected) {
            assert_close(
                numbers::<2>(found.unwrap()),
                numbers::<2>(expected.unwrap()),
            );
        }
    }
}

/// The distance is at its kink however the sums were rounded.
#[rstest]
#[case(DType::F32)]
#[case(DType::F64)]
fn equal_colours_pull_nowhere_without_a_kernel(#[case] dtype: DType) {
    let bins = Bins::new(64, -1.0, 1.0).unwrap();
    let loss = HistogramLossConfig::new(bins, Kernel::default())
        .init()
        .terms();
    let x: Vec<f64> = (0..500).map(|i| (0.37 * f64::from(i)).sin()).collect();
    let turned = x.iter().rev().copied().collect();
    let [p, target] = [x, turned].map(|pixels: Vec<f64>| {
        let data = TensorData::new(pixels, [1, 500]).convert_dtype(dtype);
        let pixels = Tensor::<B, 2>::from_data(data, (&Default::default(), dtype));
        tensor::<B, 2>(marginal::<B>(
            pixels.into_primitive().tensor(),
            &loss.binning,
        ))
    });
    let unequal = p.clone().into_data() != target.clone().into_data();
    assert!(unequal, "not rounded differently: nothing to test");
    let p = Tensor::<Autodiff<B>, 2>::from_inner(p).require_grad();
    let joint =
        Tensor::<Autodiff<B>, 3>::from_inner(Tensor::ones([1, 64, 64], &Default::default()));
    let values = values_of(
        &loss,
        p.clone(),
        joint.cast(dtype),
        Tensor::from_inner(target),
    );
    let distance = values.narrow(1, 0, 1);
    assert_eq!(
        distance
            .clone()
            .into_data()
            .convert::<f64>()
            .to_vec::<f64>()
            .unwrap(),
        [0.0]
    );
    let gradient = p.grad(&distance.backward()).unwrap().into_data();
    assert_eq!(
        gradient.convert::<f64>().to_vec::<f64>().unwrap(),
        [0.0; 64]
    );
}
