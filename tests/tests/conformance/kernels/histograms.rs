//! The tests, on the `Device` of the module above.

use burn::backend::Autodiff;
use burn::nn::loss::Reduction;
use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{DType, Tensor, TensorData, TensorPrimitive};
use burn_ndarray::NdArray;
use huenet_hist::{
    Binning, Bins, Boundary, HistogramBackend, HistogramLossConfig, JointHistogramConfig, Kernel,
    SoftHistogramConfig, reference,
};
use huenet_models::NetworkBackend;
use rstest::rstest;

use super::Device;

/// The networks do without products of matrices here, through whatever wraps the backend.
const _: () = assert!(<Autodiff<Device> as NetworkBackend>::ROUNDS_PRODUCTS);

fn tensor<B: Backend, const D: usize>(
    values: &[f64],
    shape: [usize; D],
    dtype: DType,
) -> Tensor<B, D> {
    let data = TensorData::new(values.to_vec(), shape).convert_dtype(dtype);
    Tensor::from_data(data, (&B::Device::default(), dtype))
}

fn values<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> Vec<f64> {
    tensor.into_data().convert::<f64>().into_vec().unwrap()
}

fn binning(count: usize, min: f64, max: f64, ratio: f64, boundary: Boundary) -> Binning {
    Binning {
        bins: Bins::new(count, min, max).unwrap(),
        kernel: Kernel::new(ratio, boundary).unwrap(),
    }
}

/// Panics unless all numbers agree to `tolerance` times the largest of the expected ones, or `least`
/// if they are smaller.
#[track_caller]
fn assert_close(name: &str, found: &[f64], expected: &[f64], tolerance: f64, least: f64) {
    assert_eq!(found.len(), expected.len());
    let largest = expected
        .iter()
        .fold(least, |most, value| most.max(value.abs()));
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(
            (found - expected).abs() <= tolerance * largest,
            "{name}: entry {i} is {found:e} instead of {expected:e} (largest {largest:e})"
        );
    }
}

/// Whether the machine has a device.
fn ready() -> bool {
    static READY: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    *READY.get_or_init(|| {
        let ready = std::panic::catch_unwind(|| {
            values(tensor::<Device, 1>(&[1.0, 2.0], [2], DType::F32) + 1.0)
        });
        let ready = ready.is_ok_and(|found| found == [2.0, 3.0]);
        assert!(
            ready || std::env::var_os("HUENET_NEED_DEVICE").is_none(),
            "no device for the backend under test"
        );
        if !ready {
            eprintln!("skipped: no device for the backend under test");
        }
        ready
    })
}

/// Histograms, losses and the gradients of all of them with respect to both images.
///
/// # Shapes
///
/// - images: `[rows, N]`
fn numbers<B: HistogramBackend>(
    binning: &Binning,
    [x, y]: [&[f64]; 2],
    rows: usize,
    dtype: DType,
) -> Vec<(&'static str, Vec<f64>)> {
    let pixels = x.len() / rows;
    let count = binning.bins.count();
    let image = |pixels_of: &[f64]| {
        tensor::<Autodiff<B>, 2>(pixels_of, [rows, pixels], dtype).require_grad()
    };
    let weights = |n: usize| {
        let numbers: Vec<f64> = (0..n).map(|k| (0.7 * k as f64).cos()).collect();
        numbers
    };
    let target: Vec<f64> = vec![1.0 / count as f64; rows * count];
    let target = tensor::<Autodiff<B>, 2>(&target, [rows, count], dtype);
    let mut found = Vec::new();
    let mut add = |names: [&'static str; 3],
                   numbers: Tensor<Autodiff<B>, 2>,
                   [x, y]: [&Tensor<Autodiff<B>, 2>; 2]| {
        found.push((names[0], values(numbers.clone())));
        let n = numbers.dims()[1];
        let weights = tensor::<Autodiff<B>, 2>(&weights(rows * n), [rows, n], dtype);
        let gradients = (numbers * weights).sum().backward();
        for (name, image) in [(names[1], x), (names[2], y)] {
            if let Some(gradient) = image.grad(&gradients) {
                found.push((name, values(gradient)));
            }
        }
    };

    let [a, b] = [image(x), image(y)];
    let p = SoftHistogramConfig::new(binning.bins, binning.kernel)
        .init()
        .forward(a.clone());
    add(["marginal", "gradient of marginal", ""], p, [&a, &b]);

    let [a, b] = [image(x), image(y)];
    let joint: Tensor<Autodiff<B>, 3> = JointHistogramConfig::new(binning.bins, binning.kernel)
        .init()
        .forward(a.clone(), b.clone());
    let names = ["joint", "gradient of joint, x", "gradient of joint, y"];
    add(names, joint.flatten(1, 2), [&a, &b]);

    let [a, b] = [image(x), image(y)];
    let losses = HistogramLossConfig::new(binning.bins, binning.kernel)
        .init()
        .forward_no_reduction(a.clone(), b.clone(), target);
    let losses = Tensor::cat(vec![losses.distances, losses.structures], 1);
    let names = ["losses", "gradient of losses, x", "gradient of losses, y"];
    add(names, losses, [&a, &b]);
    found
}

/// What a pixel can change of an entry of a histogram: gradients are sums of such slopes, which may
/// cancel.
fn slope(binning: &Binning, pixels: usize) -> f64 {
    binning.kernel.ratio() / binning.bins.width() / 4.0 / pixels as f64
}

/// Panics unless the kernels agree with those of a CPU in double precision.
fn agrees(binning: &Binning, x: &[f64], y: &[f64], rows: usize, tolerance: f64) {
    let found = numbers::<Device>(binning, [x, y], rows, DType::F32);
    let expected = numbers::<NdArray<f64>>(binning, [x, y], rows, DType::F64);
    assert_eq!(found.len(), expected.len());
    for ((name, found), (_, expected)) in found.iter().zip(&expected) {
        let least = match name.starts_with("gradient") {
            true => slope(binning, x.len() / rows),
            false => 0.0,
        };
        assert_close(
            &format!("{name}, {binning}"),
            found,
            expected,
            tolerance,
            least,
        );
    }
}

#[rstest]
fn few_pixels_and_few_bins(
    #[values(Boundary::Reflect, Boundary::Wrap, Boundary::Open)] boundary: Boundary,
    #[values(0.25, 0.7, 2.5, 8.0, 64.0)] ratio: f64,
) {
    if ready() {
        for (count, size) in [(2, 1), (3, 7), (20, 40)] {
            let binning = binning(count, -1.0, 1.0, ratio, boundary);
            agrees(&binning, &pixels(size, 3), &pixels(size, 1 << 20), 1, 2e-5);
        }
    }
}

/// Numbers that have nothing to do with one another, a little out of the range too.
fn pixels(count: usize, seed: u32) -> Vec<f64> {
    (0..count as u32)
        .map(|i| {
            let mut z = (i + seed).wrapping_mul(0x9e37_79b9);
            z = (z ^ (z >> 16)).wrapping_mul(0x85eb_ca6b);
            f64::from(2.2 * ((z ^ (z >> 13)) as f32 / u32::MAX as f32) - 1.1)
        })
        .collect()
}

#[rstest]
fn several_images_with_many_bins(
    #[values(Boundary::Reflect, Boundary::Wrap, Boundary::Open)] boundary: Boundary,
) {
    if ready() {
        let binning = binning(300, -1.0, 1.0, 2.5, boundary);
        let (x, y) = (pixels(3 * 700, 0), pixels(3 * 700, 1 << 20));
        agrees(&binning, &x, &y, 3, 5e-5);
    }
}

/// More pixels than one cube adds up, and more than a group adds before it hands its sums on.
#[test]
fn large_images_are_cut_into_chunks() {
    if ready() {
        let binning = binning(5, -1.0, 1.0, 2.5, Boundary::Reflect);
        let tile = [pixels(1000, 0), pixels(1000, 1 << 20)];
        let tiles = 140;
        let images = tile.each_ref().map(|tile| tile.repeat(tiles));
        let [x, y] = images.each_ref().map(Vec::as_slice);
        let found = numbers::<Device>(&binning, [x, y], 1, DType::F32);
        let [x, y] = tile.each_ref().map(Vec::as_slice);
        let expected = numbers::<NdArray<f64>>(&binning, [x, y], 1, DType::F64);
        for ((name, found), (_, expected)) in found.iter().zip(&expected) {
            if name.starts_with("gradient") {
                let of_tile: Vec<f64> = expected.iter().map(|g| g / tiles as f64).collect();
                found
                    .chunks(1000)
                    .for_each(|found| assert_close(name, found, &of_tile, 2e-5, 0.0));
            } else {
                assert_close(name, found, expected, 1e-5, 0.0);
            }
        }
    }
}

/// Rounding always the same way would add up.
#[test]
fn many_pixels_of_one_value_are_as_exact_as_one() {
    if ready() {
        let binning = binning(64, -1.0, 1.0, 2.5, Boundary::Reflect);
        let (x, y) = (0.123_f32.into(), (-0.3_f32).into());
        let pixels = 300_000;
        let joint = |x: &[f64], y: &[f64]| {
            let [x, y] = [x, y].map(|image| tensor::<Device, 2>(image, [1, pixels], DType::F32));
            let joint = JointHistogramConfig::new(binning.bins, binning.kernel).init();
            values::<Device, 3>(joint.forward(x, y))
        };
        let found = joint(&vec![x; pixels], &vec![y; pixels]);
        let [x, y] = [x, y].map(|value| tensor::<NdArray<f64>, 2>(&[value], [1, 1], DType::F64));
        let expected = values(reference::joint(x, y, &binning));
        assert_close("joint", &found, &expected, 2e-6, 0.0);
    }
}

#[test]
fn the_same_bits_every_time() {
    if ready() {
        let binning = binning(64, -1.0, 1.0, 2.5, Boundary::Reflect);
        let (x, y) = (pixels(100_000, 0), pixels(100_000, 1 << 20));
        let once = || numbers::<Device>(&binning, [&x, &y], 1, DType::F32);
        let first = once();
        for _ in 0..3 {
            assert!(first == once());
        }
    }
}

#[rstest]
#[case(Boundary::Reflect, f64::NAN, true)]
#[case(Boundary::Reflect, f64::INFINITY, false)]
#[case(Boundary::Wrap, f64::NAN, true)]
#[case(Boundary::Wrap, f64::NEG_INFINITY, true)]
#[case(Boundary::Open, f64::NAN, true)]
#[case(Boundary::Open, f64::NEG_INFINITY, false)]
fn a_pixel_without_a_place_is_noticed_or_lost(
    #[case] boundary: Boundary,
    #[case] pixel: f64,
    #[case] noticed: bool,
) {
    if !ready() {
        return;
    }
    let binning = binning(8, 0.0, 1.0, 2.5, boundary);
    // The second image has it, the first not.
    let images = tensor::<Device, 2>(&[0.2, 0.5, 0.7, 0.4, pixel, 0.6], [2, 3], DType::F32);
    let others = tensor::<Device, 2>(&[0.5; 6], [2, 3], DType::F32);
    let p = SoftHistogramConfig::new(binning.bins, binning.kernel)
        .init()
        .forward(images.clone());
    let joint = JointHistogramConfig::new(binning.bins, binning.kernel).init();
    let tables = [
        values(p),
        values::<Device, 3>(joint.forward(images.clone(), others.clone())),
        values::<Device, 3>(joint.forward(others, images)),
    ];
    for table in tables {
        let (without, with) = table.split_at(table.len() / 2);
        let sum: f64 = without.iter().sum();
        assert!(sum.is_finite(), "{without:?}");
        if noticed {
            assert!(with.iter().all(|entry| entry.is_nan()), "{with:?}");
        } else {
            let part = with.iter().sum::<f64>() / sum;
            assert!((part - 2.0 / 3.0).abs() < 0.01, "{part}");
        }
    }
}

/// Every pixel of an image that is not a number is on the way back what it is on a CPU: nothing that
/// could be taken for a gradient.
#[test]
fn gradients_of_a_pixel_that_is_not_a_number_are_none() {
    if ready() {
        let binning = binning(8, 0.0, 1.0, 2.5, Boundary::Reflect);
        let images = [0.2, f64::NAN, 0.7];
        let found = numbers::<Device>(&binning, [&images, &[0.5; 3]], 1, DType::F32);
        for (name, numbers) in found.iter().filter(|(name, _)| name.contains("marginal")) {
            assert!(
                numbers.iter().any(|number| number.is_nan()),
                "{name}: {numbers:?}"
            );
        }
    }
}

/// Ranges whose borders and edges are not numbers of single precision, some with few digits left to
/// tell the pixels of a bin apart, and a circle several turns of which are seen.
#[rstest]
fn edges_that_are_no_numbers_of_single_precision(
    #[values(Boundary::Reflect, Boundary::Wrap, Boundary::Open)] boundary: Boundary,
    #[values((256, 273.15, 313.15), (256, 1000.1, 1001.1), (300, -0.1, 0.7), (4000, -1.0, 1.1))]
    range: (usize, f64, f64),
) {
    if ready() {
        let (count, min, max) = range;
        let binning = binning(count, min, max, 2.5, boundary);
        let beyond = if boundary == Boundary::Wrap { 3.0 } else { 1.0 };
        let image = |seed| -> Vec<f64> {
            let place = |t: f64| min + (0.5 + 0.5 * beyond * t) * (max - min);
            let pixels = pixels(400, seed).into_iter();
            pixels.map(|t| f64::from(place(t) as f32)).collect()
        };
        let (x, y) = (image(0), image(1 << 20));
        if count > 1000 {
            // A joint histogram of so many bins takes a software device minutes.
            let found = marginal::<Device>(&x, &binning, DType::F32);
            let expected = marginal::<NdArray<f64>>(&x, &binning, DType::F64);
            assert_close("marginal", &found, &expected, 2e-6, 0.0);
        } else {
            agrees(&binning, &x, &y, 1, 5e-6);
        }
    }
}

fn marginal<B: HistogramBackend>(x: &[f64], binning: &Binning, dtype: DType) -> Vec<f64> {
    let histogram = SoftHistogramConfig::new(binning.bins, binning.kernel).init();
    values(histogram.forward(tensor::<B, 2>(x, [1, x.len()], dtype)))
}

/// The kernels read single precision alone. Numbers of another type take the tensor operations.
#[test]
fn tensors_of_other_types_are_not_read_as_single_precision() {
    fn of<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> FloatTensor<B> {
        tensor.into_primitive().tensor()
    }
    fn to<B: Backend, const D: usize>(primitive: FloatTensor<B>) -> Vec<f64> {
        values(Tensor::<B, D>::from_primitive(TensorPrimitive::Float(
            primitive,
        )))
    }
    fn all<B: HistogramBackend>(x: DType, other: DType) -> Vec<(&'static str, Vec<f64>)> {
        const SHAPE: [usize; 2] = [2, 40];
        let binning = binning(5, -1.0, 1.0, 2.5, Boundary::Reflect);
        // Numbers of either type.
        let image = |seed, dtype| {
            let pixels = pixels(80, seed).into_iter();
            let pixels: Vec<f64> = pixels.map(|x| (x * 64.0).round() / 64.0).collect();
            of(tensor::<B, 2>(&pixels, SHAPE, dtype))
        };
        let weights: Vec<f64> = (0..50).map(|k| f64::from(k % 7) / 8.0 - 0.5).collect();
        let of_p = of(tensor::<B, 2>(&weights[..10], [2, 5], other));
        let of_joint = of(tensor::<B, 3>(&weights, [2, 5, 5], other));
        let (x, y) = (|| image(0, x), || image(1 << 20, other));
        let [of_x, of_y] = B::joint_backward(x(), y(), of_joint, &binning, [true; 2]);
        vec![
            ("joint", to::<B, 3>(B::joint(x(), y(), &binning))),
            (
                "gradient of marginal",
                to::<B, 2>(B::marginal_backward(x(), of_p, &binning)),
            ),
            ("gradient of joint, x", to::<B, 2>(of_x.unwrap())),
            ("gradient of joint, y", to::<B, 2>(of_y.unwrap())),
        ]
    }
    if ready() {
        let expected = all::<NdArray<f64>>(DType::F64, DType::F64);
        for (x, other) in [(DType::F32, DType::F16), (DType::F16, DType::F32)] {
            for ((name, found), (_, expected)) in all::<Device>(x, other).iter().zip(&expected) {
                let name = format!("{name}, {x:?} and {other:?}");
                assert_close(&name, found, expected, 2e-3, 0.0);
            }
        }
    }
}

/// An image whose colours are the reference's is at the kink of the distance: no direction is better.
#[test]
fn equal_colours_pull_nowhere() {
    if ready() {
        let binning = binning(64, -1.0, 1.0, 2.5, Boundary::Reflect);
        let loss = HistogramLossConfig::new(binning.bins, binning.kernel).init();
        let x = pixels(500, 0);
        let turned: Vec<f64> = x.iter().rev().copied().collect();
        let [content, reference] =
            [&x, &turned].map(|x| tensor::<Autodiff<Device>, 2>(x, [1, 500], DType::F32));
        let output = content.clone().require_grad();
        let target = loss.target(reference);
        let losses = loss.forward(content, output.clone(), target, Reduction::Sum);
        assert_eq!(values(losses.distances.clone()), [0.0]);
        let gradient = output.grad(&losses.distances.backward()).unwrap();
        assert_eq!(values(gradient), [0.0; 500]);
    }
}

/// What the kernels were not made for takes the tensor operations.
#[test]
fn more_bins_than_fit_are_counted_all_the_same() {
    if ready() {
        let binning = binning(5000, -1.0, 1.0, 2.5, Boundary::Reflect);
        let x = pixels(30, 0);
        let p = SoftHistogramConfig::new(binning.bins, binning.kernel)
            .init()
            .forward(tensor::<Device, 2>(&x, [1, 30], DType::F32));
        let expected =
            reference::marginal(tensor::<NdArray<f64>, 2>(&x, [1, 30], DType::F64), &binning);
        assert_close("marginal", &values(p), &values(expected), 2e-3, 0.0);
    }
}
