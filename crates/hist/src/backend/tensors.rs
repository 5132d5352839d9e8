//! The default bodies, in ordinary tensor operations: windows are evaluated in the bands of the pixels alone, a
//! chunk of pixels at a time. Sums over pixels are those of matrix products and reductions: no two pixels write
//! to one place.
#![expect(
    clippy::disallowed_methods,
    reason = "CubeCL, which may round, has kernels for all that fits them"
)]

use burn::backend::Autodiff;
use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{DType, Tensor, TensorPrimitive};

use super::bands::Bands;
use super::{HistogramBackend, LossPass};
use crate::{Binning, HistogramLoss, reference};

pub(super) fn marginal<B: Backend>(x: FloatTensor<B>, binning: &Binning) -> FloatTensor<B> {
    let x = tensor::<B, 2>(x);
    let dtype = x.dtype();
    let x = widened(x);
    let sums =
        chunks(&x, binning).map(|chunk| Bands::of(chunk.of(&x), binning).windows().sum_dim(1));
    let p = mean(sums, &x).squeeze_dim::<2>(1);
    primitive(p, dtype)
}

pub(super) fn marginal_backward<B: Backend>(
    x: FloatTensor<B>,
    grad: FloatTensor<B>,
    binning: &Binning,
) -> FloatTensor<B> {
    let (x, grad) = (tensor::<B, 2>(x), tensor::<B, 2>(grad));
    let dtype = x.dtype();
    let (x, grad) = (widened(x), widened(grad));
    let slopes = chunks(&x, binning)
        .map(|chunk| Bands::of(chunk.of(&x), binning).slope_along_one(grad.clone()));
    primitive(per_pixel(slopes, &x), dtype)
}

pub(super) fn joint<B: Backend>(
    x: FloatTensor<B>,
    y: FloatTensor<B>,
    binning: &Binning,
) -> FloatTensor<B> {
    let (x, y) = (tensor::<B, 2>(x), tensor::<B, 2>(y));
    let dtype = x.dtype();
    let (x, y) = (widened(x), widened(y));
    let sums = chunks(&x, binning).map(|chunk| {
        let [x, y] = [&x, &y].map(|image| Bands::of(chunk.of(image), binning).windows());
        x.swap_dims(1, 2).matmul(y)
    });
    primitive(mean(sums, &x), dtype)
}

pub(super) fn joint_backward<B: Backend>(
    x: FloatTensor<B>,
    y: FloatTensor<B>,
    grad: FloatTensor<B>,
    binning: &Binning,
    needed: [bool; 2],
) -> [Option<FloatTensor<B>>; 2] {
    let (x, y, grad) = (tensor::<B, 2>(x), tensor::<B, 2>(y), tensor::<B, 3>(grad));
    let dtype = x.dtype();
    let (x, y, grad) = (widened(x), widened(y), widened(grad));
    let [mut of_x, mut of_y] = [Vec::new(), Vec::new()];
    for chunk in chunks(&x, binning) {
        let [x, y] = [&x, &y].map(|image| Bands::of(chunk.of(image), binning));
        if needed[0] {
            let seen = y.windows().matmul(grad.clone().swap_dims(1, 2));
            of_x.push(x.slope_along(seen));
        }
        if needed[1] {
            of_y.push(y.slope_along(x.windows().matmul(grad.clone())));
        }
    }
    [of_x, of_y].map(|slopes| {
        (!slopes.is_empty()).then(|| primitive(per_pixel(slopes.into_iter(), &x), dtype))
    })
}

pub(super) fn losses<B: HistogramBackend>(
    content: FloatTensor<B>,
    output: FloatTensor<B>,
    target: FloatTensor<B>,
    loss: &HistogramLoss,
    tracked: bool,
) -> LossPass<B> {
    let p = tensor::<B, 2>(B::marginal(output.clone(), &loss.binning));
    let joint = tensor::<B, 3>(B::joint(content, output, &loss.binning));
    let target = tensor::<B, 2>(target);
    let dtype = p.dtype();
    if !tracked {
        let values = values_of(loss, p, joint, target);
        return LossPass {
            values: primitive(values, dtype),
            of_histograms: None,
        };
    }
    // The histograms are small: their part of the graph is differentiated here and now.
    let p = Tensor::<Autodiff<B>, 2>::from_inner(p).require_grad();
    let joint = Tensor::<Autodiff<B>, 3>::from_inner(joint).require_grad();
    let values = values_of(loss, p.clone(), joint.clone(), Tensor::from_inner(target));
    // A row's loss depends on its own histograms alone, so that one pass gives all gradients.
    let gradients = values.clone().sum().backward();
    let of_p = p.grad(&gradients).unwrap_or_else(|| p.inner().zeros_like());
    let of_joint = joint
        .grad(&gradients)
        .unwrap_or_else(|| joint.inner().zeros_like());
    LossPass {
        values: primitive(values.inner(), dtype),
        of_histograms: Some([primitive(of_p, dtype), primitive(of_joint, dtype)]),
    }
}

/// The losses given the histograms, `[rows, 2]`.
fn values_of<B: Backend>(
    loss: &HistogramLoss,
    p: Tensor<B, 2>,
    joint: Tensor<B, 3>,
    target: Tensor<B, 2>,
) -> Tensor<B, 2> {
    let distances = loss.distance.distances(p, target);
    let structures = loss.structure.measures(joint).squeeze_dim::<2>(2);
    Tensor::cat(vec![distances, structures], 1)
}

pub(super) fn losses_backward<B: HistogramBackend>(
    content: FloatTensor<B>,
    output: FloatTensor<B>,
    [of_p, of_joint]: [FloatTensor<B>; 2],
    grad: FloatTensor<B>,
    loss: &HistogramLoss,
    needed: [bool; 2],
) -> [Option<FloatTensor<B>>; 2] {
    let grad = tensor::<B, 2>(grad);
    let dtype = grad.dtype();
    let of_p = tensor::<B, 2>(of_p) * grad.clone().narrow(1, 0, 1);
    let of_joint = tensor::<B, 3>(of_joint) * grad.narrow(1, 1, 1).unsqueeze_dim::<3>(2);
    let of_joint = primitive(of_joint, dtype);
    let [of_content, of_output] =
        B::joint_backward(content, output.clone(), of_joint, &loss.binning, needed);
    let of_output = of_output.map(|of_output| {
        let through_p = B::marginal_backward(output, primitive(of_p, dtype), &loss.binning);
        primitive(tensor::<B, 2>(of_output) + tensor::<B, 2>(through_p), dtype)
    });
    [of_content, of_output]
}

/// The most pixels of a row that are worked through together.
pub(super) const LONGEST: usize = 1 << 14;

/// The pixels of a row that are worked through together.
struct Chunk {
    start: usize,
    length: usize,
}

impl Chunk {
    fn of<B: Backend>(&self, image: &Tensor<B, 2>) -> Tensor<B, 2> {
        image.clone().narrow(1, self.start, self.length)
    }
}

/// The chunks of a row: bounded, so that memory is.
///
/// Longer than those of the dense formulas: a graphics card takes as long to start an operation on a few
/// thousand pixels as to do it.
fn chunks<B: Backend>(x: &Tensor<B, 2>, binning: &Binning) -> impl Iterator<Item = Chunk> + use<B> {
    const MAP_ENTRIES: usize = 1 << 24;
    reference::chunks_within(x, binning, MAP_ENTRIES, LONGEST)
        .map(|(start, length)| Chunk { start, length })
}

/// The sum over all pixels, given those of the chunks, divided by their number.
fn mean<B: Backend>(sums: impl Iterator<Item = Tensor<B, 3>>, x: &Tensor<B, 2>) -> Tensor<B, 3> {
    let sum = sums.reduce(|sum, chunk| sum + chunk);
    sum.expect("an image has pixels")
        .mul_scalar(1.0 / x.dims()[1] as f64)
}

/// What every pixel has, given the chunks' pixels, divided by their number.
fn per_pixel<B: Backend>(
    chunks: impl Iterator<Item = Tensor<B, 2>>,
    x: &Tensor<B, 2>,
) -> Tensor<B, 2> {
    Tensor::cat(chunks.collect(), 1).mul_scalar(1.0 / x.dims()[1] as f64)
}

fn tensor<B: Backend, const D: usize>(primitive: FloatTensor<B>) -> Tensor<B, D> {
    Tensor::from_primitive(TensorPrimitive::Float(primitive))
}

fn primitive<B: Backend, const D: usize>(tensor: Tensor<B, D>, dtype: DType) -> FloatTensor<B> {
    let tensor = if tensor.dtype() == dtype {
        tensor
    } else {
        tensor.cast(dtype)
    };
    tensor.into_primitive().tensor()
}

/// Half precision cannot tell the bins of a fine histogram apart: compute in single precision.
fn widened<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> Tensor<B, D> {
    match tensor.dtype() {
        DType::F16 | DType::BF16 => tensor.cast(DType::F32),
        _ => tensor,
    }
}

/// Every backend here overrides the default bodies: they are called by name.
#[cfg(all(test, feature = "ndarray"))]
mod tests {
    use burn::tensor::TensorData;
    use burn_ndarray::NdArray;
    use rstest::rstest;

    use super::*;
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
                .init();
            let content = || rows(40, |i| (0.9 * i as f64).sin());
            let output = || rows(40, |i| (0.37 * i as f64).cos() * 0.8);
            let target = || rows(9, |i| (1.0 + (i % 9) as f64) / 45.0);
            let grad = || rows(2, |i| 1.0 - 0.3 * i as f64);

            let untracked = losses::<B>(content(), output(), target(), &loss, false);
            assert!(untracked.of_histograms.is_none());
            let found = losses::<B>(content(), output(), target(), &loss, true);
            let expected = B::losses(content(), output(), target(), &loss, true);
            let values = numbers::<2>(expected.values.clone());
            assert_close(numbers::<2>(untracked.values), values.clone());
            assert_close(numbers::<2>(found.values.clone()), values);

            let [found, expected] = [found, expected].map(|pass| pass.of_histograms.unwrap());
            let needed = [true, true];
            let expected = B::losses_backward(content(), output(), expected, grad(), &loss, needed);
            let found = losses_backward::<B>(content(), output(), found, grad(), &loss, needed);
            for (found, expected) in found.into_iter().zip(expected) {
                assert_close(
                    numbers::<2>(found.unwrap()),
                    numbers::<2>(expected.unwrap()),
                );
            }
        }
    }
}
