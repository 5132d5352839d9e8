//! Every gradient against central finite differences, in double precision.

use crate::common::{Double, Tracked, cases, problems, row, tensor, values};
use burn::nn::loss::Reduction;
use burn::tensor::{DType, Tensor};
use huenet_hist::{
    Binning, EarthMoversDistanceConfig, EmdKind, HistogramBackend, JointHistogramConfig,
    SoftHistogramConfig, StructureKind, StructureLossConfig,
};
use proptest::prelude::*;

/// Panics unless the derivatives agree as far as differences can tell: relative to the largest of
/// them, and beside the derivative that the steepest window would have.
#[track_caller]
fn assert_derivative(found: &[f64], differences: &[f64], binning: &Binning) {
    let steepest = binning.kernel.ratio() / binning.bins.width() / found.len() as f64;
    let largest = differences
        .iter()
        .fold(0.0_f64, |most, value| most.max(value.abs()));
    let tolerance = 2e-6 * largest + 2e-9 * steepest;
    for (i, (found, expected)) in found.iter().zip(differences).enumerate() {
        assert!(
            (found - expected).abs() <= tolerance,
            "derivative {i} is {found:e} instead of {expected:e} (±{tolerance:.0e})"
        );
    }
}

/// The derivatives of a function of a row of pixels that is evaluated on many rows at once.
fn differences(
    x: &[f64],
    binning: &Binning,
    f: impl Fn(Tensor<Double, 2>) -> Tensor<Double, 1>,
) -> Vec<f64> {
    let step = 1e-4 * binning.bins.width() / binning.kernel.ratio();
    let moved = |sign: f64| {
        let rows: Vec<f64> = (0..x.len())
            .flat_map(|moved| {
                x.iter()
                    .enumerate()
                    .map(move |(i, x)| if i == moved { x + sign * step } else { *x })
            })
            .collect();
        values(f(tensor(&rows, [x.len(), x.len()], DType::F64)))
    };
    let (up, down) = (moved(1.0), moved(-1.0));
    up.iter()
        .zip(down)
        .map(|(up, down)| (up - down) / (2.0 * step))
        .collect()
}

fn gradient(x: &[f64], f: impl Fn(Tensor<Tracked, 2>) -> Tensor<Tracked, 1>) -> Vec<f64> {
    let x = row::<Tracked>(x).require_grad();
    let gradients = f(x.clone()).sum().backward();
    values(x.grad(&gradients).unwrap())
}

/// A weighted sum of the entries of each row, with weights that no symmetry can hide behind.
fn weighted<B: HistogramBackend>(p: Tensor<B, 2>) -> Tensor<B, 1> {
    let weights: Vec<f64> = (0..p.dims()[1])
        .map(|k| (1.3 * k as f64 + 0.4).sin())
        .collect();
    (p * row(&weights)).sum_dim(1).squeeze_dim(1)
}

fn marginal<B: HistogramBackend>(x: Tensor<B, 2>, binning: &Binning) -> Tensor<B, 2> {
    SoftHistogramConfig::new(binning.bins, binning.kernel)
        .init()
        .forward(x)
}

/// The joint histograms of each row of `x` with the same row `y`, or the other way round.
fn joint<B: HistogramBackend>(
    x: Tensor<B, 2>,
    y: &[f64],
    swapped: bool,
    binning: &Binning,
) -> Tensor<B, 3> {
    let y = row::<B>(y).repeat_dim(0, x.dims()[0]);
    let (x, y) = if swapped { (y, x) } else { (x, y) };
    JointHistogramConfig::new(binning.bins, binning.kernel)
        .init()
        .forward(x, y)
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn of_the_histogram((binning, x, _) in problems(12, 1..10)) {
        let expected = differences(&x, &binning, |x| weighted(marginal(x, &binning)));
        let found = gradient(&x, |x| weighted(marginal(x, &binning)));
        assert_derivative(&found, &expected, &binning);
    }

    #[test]
    fn of_the_joint_histogram((binning, x, y) in problems(8, 1..10), swapped: bool) {
        let count = binning.bins.count().pow(2);
        let expected = differences(&x, &binning, |x| {
            let rows = x.dims()[0];
            weighted(joint(x, &y, swapped, &binning).reshape([rows, count]))
        });
        let found = gradient(&x, |x| weighted(joint(x, &y, swapped, &binning).reshape([1, count])));
        assert_derivative(&found, &expected, &binning);
    }

    #[test]
    fn of_both_images_at_once((binning, x, y) in problems(8, 2..10)) {
        let joint = JointHistogramConfig::new(binning.bins, binning.kernel).init();
        let loss = StructureLossConfig::new().init();
        let of = |x_tracked: bool, y_tracked: bool| {
            let x = row::<Tracked>(&x).set_require_grad(x_tracked);
            let y = row::<Tracked>(&y).set_require_grad(y_tracked);
            let measure: Tensor<Tracked, 3> = joint.forward(x.clone(), y.clone());
            let gradients = loss.forward(measure, Reduction::Mean).backward();
            [x.grad(&gradients).map(values), y.grad(&gradients).map(values)]
        };
        let [x_alone, none] = of(true, false);
        prop_assert!(none.is_none());
        let [none, y_alone] = of(false, true);
        prop_assert!(none.is_none());
        prop_assert_eq!(of(true, true), [x_alone, y_alone]);
    }

    #[test]
    fn of_the_earth_movers_distances((binning, x, y) in problems(12, 2..10), cyclic: bool) {
        for kind in [EmdKind::Rms, EmdKind::Squared, EmdKind::L1] {
            let emd = EarthMoversDistanceConfig::new(binning.bins)
                .with_kind(kind)
                .with_cyclic(cyclic)
                .init();
            let expected = differences(&x, &binning, |x| {
                let q = marginal(row(&y), &binning).repeat_dim(0, x.dims()[0]);
                emd.forward_no_reduction(marginal(x, &binning), q).squeeze_dim(1)
            });
            let found = gradient(&x, |x| {
                let q = marginal(row(&y), &binning);
                emd.forward(marginal(x, &binning), q, Reduction::Mean)
            });
            assert_derivative(&found, &expected, &binning);
        }
    }

    #[test]
    fn of_the_structure_losses((binning, x, y) in problems(8, 2..10), swapped: bool) {
        for kind in [
            StructureKind::ConditionalEntropy,
            StructureKind::RelativeMutualInformation,
            StructureKind::NegativeMutualInformation,
            StructureKind::NormalisedMutualInformation,
        ] {
            let loss = StructureLossConfig::new().with_kind(kind).init();
            let expected = differences(&x, &binning, |x| {
                let losses = loss.forward_no_reduction(joint(x, &y, swapped, &binning));
                losses.squeeze_dims(&[1, 2])
            });
            let found = gradient(&x, |x| {
                loss.forward(joint(x, &y, swapped, &binning), Reduction::Mean)
            });
            assert_derivative(&found, &expected, &binning);
        }
    }
}
