//! The one-pass kernels against the dense formulas, and what users rely on in the histograms.

use crate::common::{Double, assert_close, binning, cases, problems, row, tensor, values};
use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{DType, Tensor, TensorPrimitive};
use burn_flex::Flex;
use burn_ndarray::NdArray;
use huenet_hist::{
    Binning, Boundary, HistogramBackend, JointHistogramConfig, SoftHistogramConfig, reference,
};
use proptest::prelude::*;
use rstest::rstest;

fn marginal<B: HistogramBackend>(x: Tensor<B, 2>, binning: &Binning) -> Tensor<B, 2> {
    SoftHistogramConfig::new(binning.bins, binning.kernel)
        .init()
        .forward(x)
}

fn joint<B: HistogramBackend>(x: Tensor<B, 2>, y: Tensor<B, 2>, binning: &Binning) -> Tensor<B, 3> {
    JointHistogramConfig::new(binning.bins, binning.kernel)
        .init()
        .forward(x, y)
}

fn histogram(x: &[f64], binning: &Binning) -> Vec<f64> {
    values(marginal(row::<Double>(x), binning))
}

fn primitive<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> FloatTensor<B> {
    tensor.into_primitive().tensor()
}

fn gradients<B: HistogramBackend>(
    x: &[f64],
    y: &[f64],
    binning: &Binning,
    dtype: DType,
) -> [Vec<f64>; 3] {
    let weights = |n: usize| (0..n).map(|k| (0.7 * k as f64).cos()).collect::<Vec<_>>();
    let (n, count) = (x.len(), binning.bins.count());
    let image = |values: &[f64]| primitive(tensor::<B, 2>(values, [1, n], dtype));
    let of_p = primitive(tensor::<B, 2>(&weights(count), [1, count], dtype));
    let of_joint = primitive(tensor::<B, 3>(
        &weights(count * count),
        [1, count, count],
        dtype,
    ));
    let marginal = B::marginal_backward(image(x), of_p, binning);
    let [of_x, of_y] = B::joint_backward(image(x), image(y), of_joint, binning, [true, true]);
    [Some(marginal), of_x, of_y].map(|gradient| {
        values(Tensor::<B, 2>::from_primitive(TensorPrimitive::Float(
            gradient.unwrap(),
        )))
    })
}

/// The default bodies: a backend that computes with another's tensors but has no kernel. They are
/// reached through the gradients of `Autodiff`, which keeps the defaults.
type Default64 = burn::backend::Autodiff<Double>;

fn agrees<B: HistogramBackend>(
    (binning, x, y): (Binning, Vec<f64>, Vec<f64>),
    dtype: DType,
    tolerance: f64,
) {
    let n = x.len();
    let [a, b] = [&x, &y].map(|values| tensor::<B, 2>(values, [1, n], dtype));
    let expected = values(reference::marginal(row::<Double>(&x), &binning));
    assert_close(&values(marginal(a.clone(), &binning)), &expected, tolerance);
    let expected = values(reference::joint(row::<Double>(&x), row(&y), &binning));
    assert_close(&values(joint(a, b, &binning)), &expected, tolerance);

    let expected = gradients::<Default64>(&x, &y, &binning, DType::F64);
    for (found, expected) in gradients::<B>(&x, &y, &binning, dtype)
        .iter()
        .zip(&expected)
    {
        assert_close(found, expected, 4.0 * tolerance);
    }
}

proptest! {
    #![proptest_config(cases(40))]

    #[test]
    fn ndarray_in_double_precision_is_the_dense_formula(problem in problems(20, 1..40)) {
        agrees::<Double>(problem, DType::F64, 1e-12);
    }

    #[test]
    fn ndarray_in_single_precision_is_the_dense_formula(problem in problems(20, 1..40)) {
        agrees::<NdArray<f32>>(problem, DType::F32, 2e-6);
    }

    #[test]
    fn flex_in_double_precision_is_the_dense_formula(problem in problems(20, 1..40)) {
        agrees::<Flex>(problem, DType::F64, 1e-12);
    }

    #[test]
    fn flex_in_single_precision_is_the_dense_formula(problem in problems(20, 1..40)) {
        agrees::<Flex>(problem, DType::F32, 2e-6);
    }

    /// The closed form of the reference is the difference of logistic functions that defines it.
    #[test]
    fn the_reference_is_the_definition((binning, x, _) in problems(12, 1..8)) {
        let sigmoid = |t: f64| 1.0 / (1.0 + (-t).exp());
        let (bins, boundary) = (binning.bins, binning.kernel.boundary());
        let (length, width) = (bins.width(), bins.width() / binning.kernel.ratio());
        let range = bins.max() - bins.min();
        let window = |from_centre: f64| {
            sigmoid((from_centre + length / 2.0) / width)
                - sigmoid((from_centre - length / 2.0) / width)
        };
        let expected: Vec<f64> = x.iter().flat_map(|&x| {
            bins.centres().into_iter().map(move |centre| match boundary {
                Boundary::Open => window(x - centre),
                Boundary::Reflect => window(x - centre)
                    + window(x + centre - 2.0 * bins.min())
                    + window(x + centre - 2.0 * bins.max()),
                Boundary::Wrap => {
                    (-80..=80).map(|turn| window(x - centre + f64::from(turn) * range)).sum()
                }
                other => unreachable!("no formula for {other}"),
            })
        }).collect();
        assert_close(&values(reference::windows(row::<Double>(&x), &binning)), &expected, 1e-11);
    }

    #[test]
    fn no_mass_is_lost_on_a_circle((binning, x, y) in problems(12, 1..30)) {
        prop_assume!(binning.kernel.boundary() == Boundary::Wrap);
        let mass: f64 = histogram(&x, &binning).iter().sum();
        prop_assert!((mass - 1.0).abs() < 1e-12, "{mass}");
        let mass: f64 = values(joint(row::<Double>(&x), row(&y), &binning)).iter().sum();
        prop_assert!((mass - 1.0).abs() < 1e-12, "{mass}");
    }

    /// All but the tails of the window beyond the farther ends of the mirror images, at `a − (b − a)`
    /// and `b + (b − a)`, for pixels up to a range's length outside.
    #[test]
    fn mirrored_mass_is_kept_as_far_as_the_first_mirror_images_reach(
        (count, ratio) in (2..40_usize, 0.5..8.0),
        (min, length) in (-3.0..3.0, 0.5..4.0),
        pixels in proptest::collection::vec((-1.0..2.0, -1.0..2.0), 1..30),
    ) {
        let binning = binning(count, min, min + length, ratio, Boundary::Reflect);
        // The windows of all bins of a stretch add up to a difference of two logistic functions.
        let sigmoid = |t: f64| 1.0 / (1.0 + (-t).exp());
        let per_length = ratio * count as f64;
        let kept = |at: f64| sigmoid((at + 1.0) * per_length) - sigmoid((at - 2.0) * per_length);
        let place = |at: f64| min + at * length;
        let (x, y): (Vec<f64>, Vec<f64>) =
            pixels.iter().map(|&(x, y)| (place(x), place(y))).unzip();
        let n = pixels.len() as f64;

        let expected = pixels.iter().map(|&(x, _)| kept(x)).sum::<f64>() / n;
        let mass: f64 = histogram(&x, &binning).iter().sum();
        prop_assert!((mass - expected).abs() < 1e-12, "{mass} instead of {expected}");
        let expected = pixels.iter().map(|&(x, y)| kept(x) * kept(y)).sum::<f64>() / n;
        let mass: f64 = values(joint(row::<Double>(&x), row(&y), &binning)).iter().sum();
        prop_assert!((mass - expected).abs() < 1e-12, "{mass} instead of {expected}");
    }

    /// Nothing is lost of a pixel whose window ends before the mirror images do.
    #[test]
    fn no_mass_is_lost_near_the_borders(
        (count, ratio) in (32..80_usize, 1.0..8.0),
        pixels in proptest::collection::vec(-0.1..1.1, 1..30),
    ) {
        let binning = binning(count, 0.0, 1.0, ratio, Boundary::Reflect);
        let mass: f64 = histogram(&pixels, &binning).iter().sum();
        prop_assert!((mass - 1.0).abs() < 1e-12, "{mass}");
    }

    #[test]
    fn the_order_of_the_pixels_does_not_matter(
        (binning, x, y) in problems(12, 2..30),
        shift in 1..30_usize,
    ) {
        let (mut x_moved, mut y_moved) = (x.clone(), y.clone());
        for image in [&mut x_moved, &mut y_moved] {
            let by = shift % image.len();
            image.rotate_left(by);
            image.swap(0, 1);
        }
        let before = values(joint(row::<Double>(&x), row(&y), &binning));
        let after = values(joint(row::<Double>(&x_moved), row(&y_moved), &binning));
        assert_close(&after, &before, 1e-14);
    }

    #[test]
    fn a_shift_by_whole_bins_turns_the_circle((_, x, _) in problems(12, 1..20), bins in 0..9_usize) {
        let binning = binning(9, 0.0, 4.5, 1.7, Boundary::Wrap);
        let shifted: Vec<f64> = x.iter().map(|x| x + 0.5 * bins as f64).collect();
        let mut expected = histogram(&x, &binning);
        expected.rotate_right(bins);
        assert_close(&histogram(&shifted, &binning), &expected, 1e-11);
    }

    #[test]
    fn a_row_is_counted_the_same_in_any_company((binning, x, y) in problems(8, 1..20)) {
        let both = [x.clone(), y.clone()].concat();
        let rows = tensor::<Double, 4>(&both, [1, 2, 1, x.len()], DType::F64);
        let module = SoftHistogramConfig::new(binning.bins, binning.kernel).init();
        let expected = [histogram(&x, &binning), histogram(&y, &binning)].concat();
        let found = module.forward(rows);
        prop_assert_eq!(found.dims(), [1, 2, 1, binning.bins.count()]);
        prop_assert_eq!(values(found), expected);
    }
}

#[rstest]
#[case::half_lost(&[0.2, 7.0], 0.5)]
#[case::all_lost(&[-9.0, 1e30], 0.0)]
fn mass_beyond_the_mirror_images_is_lost(#[case] x: &[f64], #[case] expected: f64) {
    let binning = binning(32, -1.0, 1.0, 2.5, Boundary::Reflect);
    let mass: f64 = histogram(x, &binning).iter().sum();
    assert!((mass - expected).abs() < 1e-12, "{mass}");
}

#[test]
fn a_mirrored_pixel_counts_as_its_image() {
    let binning = binning(64, 0.0, 1.0, 2.5, Boundary::Reflect);
    let (outside, inside) = (
        histogram(&[-0.23, 1.31], &binning),
        histogram(&[0.23, 0.69], &binning),
    );
    assert_close(&outside, &inside, 1e-13);
}

#[test]
fn a_pixel_in_the_centre_of_a_bin_counts_as_the_formula_says() {
    let binning = binning(9, 0.0, 9.0, 2.5, Boundary::Open);
    let p = histogram(&[4.5], &binning);
    // φ = sinh(h)/(cosh(m) + cosh(h)) at distances of whole bins, h = ρ/2.
    let h = 1.25_f64;
    let expected: Vec<f64> = (-4..=4)
        .map(|d| h.sinh() / ((2.5 * f64::from(d)).cosh() + h.cosh()))
        .collect();
    assert_close(&p, &expected, 1e-14);
}

/// Large enough for several chunks of a row.
#[rstest]
#[case(1)]
#[case(2)]
#[case(3)]
#[case(8)]
fn any_number_of_threads_gives_the_same_bits(#[case] threads: usize) {
    let n = 70_000;
    let pixels = |seed: f64| -> Vec<f64> {
        (0..n)
            .map(|i| (f64::from(i) * seed).sin() * (0.3 + 0.7 * (f64::from(i) * 1e-4).cos()))
            .collect()
    };
    let (x, y) = (pixels(0.37), pixels(1.93));
    let binning = binning(32, -1.0, 1.0, 2.5, Boundary::Reflect);
    let all = || {
        let [a, b] = [&x, &y].map(|v| tensor::<NdArray<f32>, 2>(v, [1, v.len()], DType::F32));
        let p = values(marginal(a.clone(), &binning));
        let joint = values(joint(a, b, &binning));
        (
            p,
            joint,
            gradients::<NdArray<f32>>(&x, &y, &binning, DType::F32),
        )
    };
    let with = |threads| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap()
            .install(all)
    };
    assert!(with(threads) == with(4));
}

/// The same window added very often: single precision would be off by a ten-thousandth.
#[test]
fn a_constant_image_is_counted_to_the_last_digit() {
    let binning = binning(64, -1.0, 1.0, 2.5, Boundary::Reflect);
    let x = vec![f64::from(0.123_f32); 60_000];
    let expected = values(reference::marginal(row::<Double>(&x[..1]), &binning));
    let image = tensor::<NdArray<f32>, 2>(&x, [1, x.len()], DType::F32);
    assert_close(&values(marginal(image, &binning)), &expected, 3e-7);
}

#[test]
fn half_precision_is_counted_in_single() {
    let binning = binning(64, -1.0, 1.0, 2.5, Boundary::Reflect);
    let x = [-0.5, 0.25, 0.125, 0.75];
    let image = tensor::<Flex, 2>(&x, [1, 4], DType::F16);
    let p = marginal(image, &binning);
    assert_eq!(p.dtype(), DType::F16);
    assert_close(&values(p), &histogram(&x, &binning), 1e-3);
}

#[rstest]
#[case(Boundary::Reflect)]
#[case(Boundary::Wrap)]
#[case(Boundary::Open)]
fn what_is_not_a_number_is_never_counted(#[case] boundary: Boundary) {
    let binning = binning(8, 0.0, 1.0, 2.5, boundary);
    let rows = [0.3, f64::NAN, 0.5, 0.6];
    let rows = tensor::<Double, 2>(&rows, [2, 2], DType::F64);
    let p = values(marginal(rows.clone(), &binning));
    assert!(p[..8].iter().all(|p| p.is_nan()));
    assert_eq!(p[8..], histogram(&[0.5, 0.6], &binning));
    let p = values(joint(
        rows.clone().flip([1]),
        tensor(&[0.1; 4], [2, 2], DType::F64),
        &binning,
    ));
    assert!(p[..64].iter().all(|p| p.is_nan()) && p[64..].iter().all(|p| p.is_finite()));

    let found = gradients::<Double>(
        &[0.3, f64::NAN, 0.6],
        &[0.2, 0.4, 0.9],
        &binning,
        DType::F64,
    );
    for gradient in found {
        let defined: Vec<bool> = gradient.iter().map(|value| value.is_finite()).collect();
        assert_eq!(defined, [true, false, true]);
    }
    assert!(
        histogram(&[f64::NAN; 3], &binning)
            .iter()
            .all(|p| p.is_nan())
    );
}

#[rstest]
#[case(Boundary::Reflect, f64::INFINITY)]
#[case(Boundary::Reflect, f64::NEG_INFINITY)]
#[case(Boundary::Reflect, 1e300)]
#[case(Boundary::Open, f64::INFINITY)]
#[case(Boundary::Open, -1e300)]
fn what_is_far_outside_is_lost(#[case] boundary: Boundary, #[case] far: f64) {
    let binning = binning(8, 0.0, 1.0, 2.5, boundary);
    let near = histogram(&[0.3], &binning);
    let halved: Vec<f64> = near.iter().map(|p| p / 2.0).collect();
    assert_close(&histogram(&[0.3, far], &binning), &halved, 1e-14);
    let [marginal, of_x, of_y] =
        gradients::<Double>(&[0.3, far], &[0.1, 0.2], &binning, DType::F64);
    assert_eq!([marginal[1], of_x[1], of_y[1]], [0.0; 3]);
}

#[test]
fn infinity_has_no_place_on_a_circle() {
    let binning = binning(8, 0.0, 1.0, 2.5, Boundary::Wrap);
    assert!(
        histogram(&[0.3, f64::INFINITY], &binning)
            .iter()
            .all(|p| p.is_nan())
    );
    let mass: f64 = histogram(&[0.3, 1e18, -7e5], &binning).iter().sum();
    assert!((mass - 1.0).abs() < 1e-12);
}
