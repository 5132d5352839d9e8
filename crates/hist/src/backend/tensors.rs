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
use burn::tensor::{DType, Tensor, TensorData, TensorMetadata, TensorPrimitive};

use super::bands::Bands;
use crate::directions::Projection;
use crate::precision::{widened, with_type};
use crate::{Binning, Directions, LossTerms, reference};

/// What [`HistogramBackend::losses`](super::HistogramBackend::losses) finds.
#[derive(Debug, Clone)]
pub struct LossPass<B: Backend> {
    /// The earth mover's distance and the structure loss of every row, `[rows, 2]`.
    pub values: FloatTensor<B>,
    /// If they were wanted, and then always, the gradients of the earth mover's distances with respect to
    /// the outputs' histograms, `[rows, K]`, and of the structure losses with respect to the joint
    /// histograms, `[rows, K, K]`.
    pub of_histograms: Option<[FloatTensor<B>; 2]>,
}

/// The histograms of a backend, and their gradients, by whichever way it has.
pub(super) struct Passes<B: Backend> {
    pub(super) marginal: fn(FloatTensor<B>, &Binning) -> FloatTensor<B>,
    pub(super) marginal_backward: fn(FloatTensor<B>, FloatTensor<B>, &Binning) -> FloatTensor<B>,
    pub(super) joint: fn(FloatTensor<B>, FloatTensor<B>, &Binning) -> FloatTensor<B>,
    pub(super) joint_backward: JointBackward<B>,
}

/// As [`HistogramBackend::joint_backward`](super::HistogramBackend::joint_backward).
type JointBackward<B> = fn(
    FloatTensor<B>,
    FloatTensor<B>,
    FloatTensor<B>,
    &Binning,
    [bool; 2],
) -> [Option<FloatTensor<B>>; 2];

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
    assert_one_type([x.dtype(), grad.dtype()]);
    let slopes = chunks(&x, binning)
        .map(|chunk| Bands::of(chunk.of(&x), binning).slope_along_one(grad.clone()));
    primitive(per_pixel(slopes, &x), dtype)
}

/// The colours of images along the directions beyond the channels, `[images, M, N]`.
fn along<B: Backend>(x: &Tensor<B, 3>, directions: &Directions, binning: &Binning) -> Tensor<B, 3> {
    let offsets = per_direction(x, directions, binning, |projection| projection.offset);
    // Not a product of matrices: those of CubeCL may round.
    (0..Directions::CHANNELS).fold(offsets, |sum, channel| {
        let weights = per_direction(x, directions, binning, |it| it.weights[channel]);
        sum + x.clone().narrow(1, channel, 1) * weights
    })
}

/// A number for each direction beyond the channels, `[1, M, 1]`.
fn per_direction<B: Backend>(
    like: &Tensor<B, 3>,
    directions: &Directions,
    binning: &Binning,
    number: impl Fn(&Projection) -> f64,
) -> Tensor<B, 3> {
    let projections = directions.further(&binning.bins);
    let numbers: Vec<f64> = projections.iter().map(number).collect();
    let (device, dtype, count) = (like.device(), like.dtype(), numbers.len());
    let data = TensorData::new(numbers, [1, count, 1]).convert_dtype(dtype);
    Tensor::from_data(data, (&device, dtype))
}

pub(super) fn directional<B: Backend>(
    x: FloatTensor<B>,
    directions: &Directions,
    binning: &Binning,
    marginal: fn(FloatTensor<B>, &Binning) -> FloatTensor<B>,
) -> FloatTensor<B> {
    let x = tensor::<B, 3>(x);
    let dtype = x.dtype();
    let along = along(&widened(x), directions, binning);
    let [images, further, pixels] = along.dims();
    let rows = along.reshape([images * further, pixels]);
    let p = tensor::<B, 2>(marginal(rows.into_primitive().tensor(), binning));
    primitive(p.reshape([images, further, binning.bins.count()]), dtype)
}

pub(super) fn directional_backward<B: Backend>(
    x: FloatTensor<B>,
    grad: FloatTensor<B>,
    directions: &Directions,
    binning: &Binning,
    marginal_backward: fn(FloatTensor<B>, FloatTensor<B>, &Binning) -> FloatTensor<B>,
) -> FloatTensor<B> {
    let x = tensor::<B, 3>(x);
    let dtype = x.dtype();
    let along = along(&widened(x), directions, binning);
    let [images, further, pixels] = along.dims();
    let grad = widened(tensor::<B, 3>(grad)).reshape([images * further, binning.bins.count()]);
    let rows = along.reshape([images * further, pixels]);
    let [rows, grad] = [rows, grad].map(|tensor| tensor.into_primitive().tensor());
    let slopes = tensor::<B, 2>(marginal_backward(rows, grad, binning));
    let slopes = slopes.reshape([images, further, pixels]);
    let of_channels = (0..Directions::CHANNELS).map(|channel| {
        let weights = per_direction(&slopes, directions, binning, |it| it.weights[channel]);
        (slopes.clone() * weights).sum_dim(1)
    });
    primitive(Tensor::cat(of_channels.collect(), 1), dtype)
}

pub(super) fn joint<B: Backend>(
    x: FloatTensor<B>,
    y: FloatTensor<B>,
    binning: &Binning,
) -> FloatTensor<B> {
    let (x, y) = (tensor::<B, 2>(x), tensor::<B, 2>(y));
    let dtype = x.dtype();
    let (x, y) = (widened(x), widened(y));
    assert_one_type([x.dtype(), y.dtype()]);
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
    assert_one_type([x.dtype(), y.dtype(), grad.dtype()]);
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

pub(super) fn losses<B: Backend>(
    passes: &Passes<B>,
    [content, output]: [FloatTensor<B>; 2],
    target: FloatTensor<B>,
    loss: &LossTerms,
    tracked: bool,
) -> LossPass<B> {
    let dtype = output.dtype();
    let target = widened(tensor::<B, 2>(target));
    let [content, output] = [content, output].map(in_single_at_least::<B>);
    let p = tensor::<B, 2>((passes.marginal)(output.clone(), &loss.binning));
    let joint = tensor::<B, 3>((passes.joint)(content, output, &loss.binning));
    assert_one_type([p.dtype(), target.dtype()]);
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
        // In half precision they would lose digits on the way to the backward pass.
        of_histograms: Some([
            of_p.into_primitive().tensor(),
            of_joint.into_primitive().tensor(),
        ]),
    }
}

/// The losses given the histograms, `[rows, 2]`.
fn values_of<B: Backend>(
    loss: &LossTerms,
    p: Tensor<B, 2>,
    joint: Tensor<B, 3>,
    target: Tensor<B, 2>,
) -> Tensor<B, 2> {
    let distances = loss
        .earth_movers_distance()
        .distances_beyond_rounding(p, target);
    let structures = loss
        .structure_loss()
        .forward_no_reduction(joint)
        .squeeze_dim::<2>(2);
    Tensor::cat(vec![distances, structures], 1)
}

pub(super) fn losses_backward<B: Backend>(
    passes: &Passes<B>,
    [content, output]: [FloatTensor<B>; 2],
    [of_p, of_joint]: [FloatTensor<B>; 2],
    grad: FloatTensor<B>,
    loss: &LossTerms,
    needed: [bool; 2],
) -> [Option<FloatTensor<B>>; 2] {
    let dtype = output.dtype();
    let [content, output] = [content, output].map(in_single_at_least::<B>);
    let grad = widened(tensor::<B, 2>(grad));
    let of_p = widened(tensor::<B, 2>(of_p)) * grad.clone().narrow(1, 0, 1);
    let of_joint = widened(tensor::<B, 3>(of_joint)) * grad.narrow(1, 1, 1).unsqueeze_dim::<3>(2);
    let of_joint = of_joint.into_primitive().tensor();
    let [of_content, of_output] =
        (passes.joint_backward)(content, output.clone(), of_joint, &loss.binning, needed);
    let of_output = of_output.map(|of_output| {
        let of_p = of_p.into_primitive().tensor();
        let through_p = (passes.marginal_backward)(output, of_p, &loss.binning);
        primitive(tensor::<B, 2>(of_output) + tensor::<B, 2>(through_p), dtype)
    });
    let of_content = of_content.map(|of_content| primitive(tensor::<B, 2>(of_content), dtype));
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

/// The chunks of a row: bounded, so that memory does not grow with the number of pixels. It does with that of
/// rows, which are worked through together.
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
    with_type(tensor, dtype).into_primitive().tensor()
}

/// Rows of pixels, in single precision if they were in half.
fn in_single_at_least<B: Backend>(image: FloatTensor<B>) -> FloatTensor<B> {
    widened(tensor::<B, 2>(image)).into_primitive().tensor()
}

/// # Panics
///
/// If the types differ: not every backend notices, and the numbers would be nonsense.
fn assert_one_type<const N: usize>(types: [DType; N]) {
    assert!(
        types.iter().all(|dtype| *dtype == types[0]),
        "the tensors of a histogram have one element type, not {types:?}"
    );
}

#[cfg(all(test, feature = "ndarray"))]
mod tests;
