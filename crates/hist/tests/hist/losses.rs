//! What the losses promise as distances and as information.

use crate::common::{Double, Tracked, assert_close, cases, tensor, values};
use burn::nn::loss::Reduction;
use burn::tensor::{DType, Tensor};
use huenet_hist::{
    Bins, Boundary, EarthMoversDistance, EarthMoversDistanceConfig, EmdKind, StructureKind,
    StructureLossConfig,
};
use proptest::prelude::*;
use rstest::rstest;

const COUNT: usize = 6;

fn emd(kind: EmdKind, cyclic: bool) -> EarthMoversDistance {
    let bins = Bins::new(COUNT, 0.0, 3.0).unwrap();
    EarthMoversDistanceConfig::new(bins)
        .with_kind(kind)
        .with_cyclic(cyclic)
        .init()
}

fn distance(emd: &EarthMoversDistance, p: &[f64], q: &[f64]) -> f64 {
    let [p, q] = [p, q].map(|p| tensor::<Double, 1>(p, [COUNT], DType::F64));
    values(emd.forward_no_reduction(p, q))[0]
}

fn distributions(entries: usize) -> impl Strategy<Value = Vec<f64>> {
    proptest::collection::vec(0.01..1.0, entries).prop_map(|mut p: Vec<f64>| {
        let mass: f64 = p.iter().sum();
        p.iter_mut().for_each(|p| *p /= mass);
        p
    })
}

fn measure(kind: StructureKind, joint: &[f64]) -> f64 {
    let count = joint.len().isqrt();
    let joint = tensor::<Double, 2>(joint, [count, count], DType::F64);
    values(
        StructureLossConfig::new()
            .with_kind(kind)
            .init()
            .forward_no_reduction(joint),
    )[0]
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn earth_movers_distances_are_metrics(
        p in distributions(COUNT),
        q in distributions(COUNT),
        r in distributions(COUNT),
        cyclic: bool,
    ) {
        for kind in [EmdKind::Rms, EmdKind::L1] {
            let emd = emd(kind, cyclic);
            prop_assert!(distance(&emd, &p, &p) == 0.0);
            prop_assert!(distance(&emd, &p, &q) > 0.0);
            prop_assert!((distance(&emd, &p, &q) - distance(&emd, &q, &p)).abs() < 1e-15);
            let detour = distance(&emd, &p, &r) + distance(&emd, &r, &q);
            prop_assert!(distance(&emd, &p, &q) <= detour + 1e-14);
        }
    }

    #[test]
    fn the_squared_distance_belongs_to_the_rms(p in distributions(COUNT), q in distributions(COUNT)) {
        for cyclic in [false, true] {
            let rms = distance(&emd(EmdKind::Rms, cyclic), &p, &q);
            let squared = distance(&emd(EmdKind::Squared, cyclic), &p, &q);
            prop_assert!((squared - rms * rms * COUNT as f64).abs() < 1e-14);
        }
    }

    #[test]
    fn a_circle_has_no_beginning(
        p in distributions(COUNT),
        q in distributions(COUNT),
        turn in 0..COUNT,
    ) {
        let turned = |p: &[f64]| {
            let mut p = p.to_vec();
            p.rotate_left(turn);
            p
        };
        for kind in [EmdKind::Rms, EmdKind::Squared, EmdKind::L1] {
            let around = distance(&emd(kind, true), &p, &q);
            let elsewhere = distance(&emd(kind, true), &turned(&p), &turned(&q));
            prop_assert!((around - elsewhere).abs() < 1e-14);
            prop_assert!(around <= distance(&emd(kind, false), &p, &q) + 1e-14);
        }
    }

    #[test]
    fn information_is_bounded(joint in distributions(COUNT * COUNT)) {
        let entropy = measure(StructureKind::ConditionalEntropy, &joint);
        prop_assert!((0.0..=(COUNT as f64).ln() + 1e-12).contains(&entropy));
        let relative = measure(StructureKind::RelativeMutualInformation, &joint);
        prop_assert!((0.0..=1.0 + 1e-12).contains(&relative));
        let normalised = measure(StructureKind::NormalisedMutualInformation, &joint);
        prop_assert!((0.0..=1.0 + 1e-12).contains(&normalised));
        let information = -measure(StructureKind::NegativeMutualInformation, &joint);
        prop_assert!((-1e-12..=(COUNT as f64).ln() + 1e-12).contains(&information));
    }

    #[test]
    fn independent_images_share_nothing(p in distributions(COUNT), q in distributions(COUNT)) {
        let joint: Vec<f64> = p.iter().flat_map(|p| q.iter().map(move |q| p * q)).collect();
        let entropy: f64 = p.iter().map(|p| -p * p.ln()).sum();
        let found = measure(StructureKind::ConditionalEntropy, &joint);
        prop_assert!((found - entropy).abs() < 1e-12, "{found} instead of {entropy}");
        prop_assert!(measure(StructureKind::NegativeMutualInformation, &joint).abs() < 1e-12);
        for kind in
            [StructureKind::RelativeMutualInformation, StructureKind::NormalisedMutualInformation]
        {
            prop_assert!((measure(kind, &joint) - 1.0).abs() < 1e-12);
        }
    }

    /// Each image determines the other, however the bins are permuted: most entries are 0.
    #[test]
    fn a_permutation_is_full_knowledge(p in distributions(COUNT), turn in 0..COUNT) {
        let mut joint = vec![0.0; COUNT * COUNT];
        for (k, p) in p.iter().enumerate() {
            joint[k * COUNT + (k + turn) % COUNT] = *p;
        }
        let entropy: f64 = p.iter().map(|p| -p * p.ln()).sum();
        prop_assert!(measure(StructureKind::ConditionalEntropy, &joint).abs() < 1e-12);
        prop_assert!(measure(StructureKind::RelativeMutualInformation, &joint).abs() < 1e-12);
        prop_assert!(measure(StructureKind::NormalisedMutualInformation, &joint).abs() < 1e-12);
        let information = -measure(StructureKind::NegativeMutualInformation, &joint);
        prop_assert!((information - entropy).abs() < 1e-12);
    }
}

/// All mass moved by four of six bins on a line is moved by two around the circle, in either
/// direction.
#[rstest]
#[case(EmdKind::L1, false, 2.0)]
#[case(EmdKind::L1, true, 1.0)]
#[case(EmdKind::Squared, false, 4.0)]
#[case(EmdKind::Squared, true, 4.0 / 3.0)]
#[case(EmdKind::Rms, false, (4.0_f64 / 6.0).sqrt())]
fn distances_known_by_hand(#[case] kind: EmdKind, #[case] cyclic: bool, #[case] expected: f64) {
    let p = [1.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    let q = [0.0, 0.0, 0.0, 0.0, 1.0, 0.0];
    let found = distance(&emd(kind, cyclic), &p, &q);
    assert!((found - expected).abs() < 1e-14, "{found}");
}

#[test]
fn entropies_known_by_hand() {
    let joint = [0.5, 0.25, 0.0, 0.25];
    // Given Y = 0 nothing is unknown of X, given Y = 1 one bit, and Y = 1 half of the time.
    let found = measure(StructureKind::ConditionalEntropy, &joint);
    assert!((found - 0.5 * 2.0_f64.ln()).abs() < 1e-15, "{found}");
}

/// What little is unknown keeps its digits, though the logarithms of nearly 1 are nearly 0.
#[test]
fn near_certainty_keeps_its_digits() {
    let rare = 1e-9_f64;
    let often = 1.0 - rare;
    let joint = [often / 2.0, rare / 2.0, rare / 2.0, often / 2.0];
    let expected = -often * (-rare).ln_1p() - rare * rare.ln();
    let found = measure(StructureKind::ConditionalEntropy, &joint);
    assert!(
        (found / expected - 1.0).abs() < 1e-14,
        "{found} instead of {expected}"
    );
}

/// The kink of the root: its gradient is 0, and the other histograms of the batch do not notice.
#[rstest]
#[case(EmdKind::Rms)]
#[case(EmdKind::Squared)]
#[case(EmdKind::L1)]
fn equal_histograms_have_no_gradient(#[case] kind: EmdKind) {
    let p = [0.1, 0.2, 0.3, 0.2, 0.1, 0.1, 0.3, 0.1, 0.1, 0.2, 0.1, 0.2];
    let q = [0.1, 0.2, 0.3, 0.2, 0.1, 0.1, 0.1, 0.2, 0.2, 0.1, 0.3, 0.1];
    for cyclic in [false, true] {
        let emd = emd(kind, cyclic);
        let gradient = |rows: std::ops::Range<usize>| {
            let span = rows.start * COUNT..rows.end * COUNT;
            let shape = [rows.len(), COUNT];
            let [p, q] =
                [&p, &q].map(|p| tensor::<Tracked, 2>(&p[span.clone()], shape, DType::F64));
            let p = p.require_grad();
            let gradients = emd.forward(p.clone(), q, Reduction::Sum).backward();
            values(p.grad(&gradients).unwrap())
        };
        let both = gradient(0..2);
        assert_eq!(both[..COUNT], [0.0; COUNT]);
        assert_eq!(both[COUNT..], gradient(1..2));
        assert!(both[COUNT..].iter().any(|value| *value != 0.0));
    }
}

/// Empty bins, and images that are constant, in both precisions.
#[rstest]
#[case(StructureKind::ConditionalEntropy, 0.0)]
#[case(StructureKind::RelativeMutualInformation, 0.0)]
#[case(StructureKind::NegativeMutualInformation, 0.0)]
#[case(StructureKind::NormalisedMutualInformation, 0.0)]
fn empty_bins_are_harmless(#[case] kind: StructureKind, #[case] of_constants: f64) {
    for dtype in [DType::F32, DType::F64] {
        let mut joint = vec![0.0; 2 * COUNT * COUNT];
        joint[7] = 1.0;
        joint[COUNT * COUNT..].copy_from_slice(&[1.0 / (COUNT * COUNT) as f64; COUNT * COUNT]);
        joint[COUNT * COUNT] = 1e-44;
        let joint = tensor::<Tracked, 3>(&joint, [2, COUNT, COUNT], dtype).require_grad();
        let measures = StructureLossConfig::new()
            .with_kind(kind)
            .init()
            .forward_no_reduction(joint.clone());
        assert_eq!(measures.dims(), [2, 1, 1]);
        assert_eq!(values(measures.clone())[0], of_constants);
        let gradients = measures.sum().backward();
        let gradient = values(joint.grad(&gradients).unwrap());
        assert!(
            gradient.iter().all(|value| value.is_finite()),
            "{gradient:?}"
        );
    }
}

/// The quotient of a common entry and a rare one is larger than any number of half precision.
#[rstest]
#[case(StructureKind::ConditionalEntropy)]
#[case(StructureKind::RelativeMutualInformation)]
#[case(StructureKind::NegativeMutualInformation)]
#[case(StructureKind::NormalisedMutualInformation)]
fn information_in_half_precision_is_computed_in_single(#[case] kind: StructureKind) {
    type Half = burn::backend::Autodiff<burn_flex::Flex>;
    let joint = [0.4, 1e-6, 0.4, 0.2];
    let of = |dtype| {
        let joint = tensor::<Half, 2>(&joint, [2, 2], dtype).require_grad();
        let measures = StructureLossConfig::new()
            .with_kind(kind)
            .init()
            .forward_no_reduction(joint.clone());
        assert_eq!(measures.dtype(), dtype);
        let gradients = measures.clone().backward();
        (values(measures), values(joint.grad(&gradients).unwrap()))
    };
    // The rare entry is rounded.
    let (found, expected) = (of(DType::F16), of(DType::F64));
    assert_close(&found.0, &expected.0, 2e-3);
    assert_close(&found.1, &expected.1, 2e-2);
}

/// Differences whose squares are less than any number of half precision.
#[test]
fn distances_in_half_precision_are_computed_in_single() {
    let p = [1e-5, 2e-4, 0.0, 0.0, 0.0, 0.0];
    for kind in [EmdKind::Rms, EmdKind::Squared, EmdKind::L1] {
        let of = |dtype| {
            let [p, q] =
                [p, [0.0; COUNT]].map(|p| tensor::<burn_flex::Flex, 1>(&p, [COUNT], dtype));
            values(emd(kind, true).forward_no_reduction(p, q))
        };
        let (found, expected) = (of(DType::F16), of(DType::F64));
        assert!(
            (found[0] - expected[0]).abs() <= 1e-2 * expected[0] + 2f64.powi(-25),
            "{kind:?}: {found:?} instead of {expected:?}"
        );
    }
}

/// A gradient step on the pixels brings the colours nearer.
#[test]
fn the_distance_leads_to_the_reference() {
    let bins = Bins::new(32, -1.0, 1.0).unwrap();
    let kernel = huenet_hist::Kernel::new(2.5, Boundary::Reflect).unwrap();
    let histogram = huenet_hist::SoftHistogramConfig::new(bins, kernel).init();
    let emd = EarthMoversDistanceConfig::new(bins).init();
    let n = 64;
    let ramp = |from: f64, to: f64| -> Vec<f64> {
        (0..n)
            .map(|i| from + (to - from) * f64::from(i) / f64::from(n))
            .collect()
    };
    let shape = [1, n as usize];
    let target = histogram.forward(tensor::<Tracked, 2>(&ramp(0.2, 0.9), shape, DType::F64));
    let mut x: Tensor<Tracked, 2> = tensor(&ramp(-0.8, 0.1), shape, DType::F64);
    let mut distances = Vec::new();
    for _ in 0..30 {
        x = x.detach().require_grad();
        let p = histogram.forward(x.clone());
        let distance = emd.forward(p, target.clone(), Reduction::Mean);
        distances.extend(values(distance.clone()));
        let gradients = distance.backward();
        x = Tensor::from_inner(x.clone().inner() - x.grad(&gradients).unwrap().mul_scalar(4.0));
    }
    assert!(distances[29] < 0.3 * distances[0], "{distances:?}");
    assert_close(
        &distances[..1],
        &[distances.iter().copied().fold(0.0, f64::max)],
        1e-12,
    );
}
