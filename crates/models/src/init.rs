//! Initial weights, drawn on the host so that a seed means the same weights on every backend.

use burn::module::Param;
use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d, Conv2dConfig, ConvTranspose2d, ConvTranspose2dConfig};
use burn::tensor::backend::Backend;
use burn::tensor::{Element, Shape, Tensor, TensorData};
use rand::Rng;
use rand_distr::{Distribution, Normal, Uniform};

/// Standard deviation of the convolutions' initial weights (official code; pix2pix, 6.2).
const CONVOLUTION_STD: f32 = 0.02;

/// Half the width of the range of the embedding tables' initial entries (Keras' default).
const EMBEDDING_LIMIT: f32 = 0.05;

/// A tensor of the backend's own float type.
///
/// The type is passed on purpose: the device's default type is one global for all backends of
/// the process that share the device.
pub(crate) fn tensor<B: Backend, const D: usize>(
    values: Vec<f32>,
    shape: [usize; D],
    device: &B::Device,
) -> Tensor<B, D> {
    let data = TensorData::new(values, Shape::from(shape));
    Tensor::from_data(data, (device, <B::FloatElem as Element>::dtype()))
}

/// A constant parameter.
pub(crate) fn constant<B: Backend, const D: usize>(
    value: f32,
    shape: [usize; D],
    device: &B::Device,
) -> Param<Tensor<B, D>> {
    Param::from_tensor(tensor(vec![value; shape.iter().product()], shape, device))
}

fn drawn<B: Backend, const D: usize>(
    shape: [usize; D],
    distribution: impl Distribution<f32>,
    rng: &mut impl Rng,
    device: &B::Device,
) -> Param<Tensor<B, D>> {
    let count = shape.iter().product();
    let values = distribution.sample_iter(rng).take(count).collect();
    Param::from_tensor(tensor(values, shape, device))
}

fn normal() -> Normal<f32> {
    Normal::new(0.0, CONVOLUTION_STD).expect("a positive constant is a standard deviation")
}

fn symmetric(limit: f32) -> Uniform<f32> {
    Uniform::new(-limit, limit).expect("a positive limit spans a range")
}

/// A convolution with square kernel, weights N(0, 0.02), and bias 0 if it has one.
pub(crate) fn convolution<B: Backend>(
    channels: [usize; 2],
    kernel: usize,
    stride: usize,
    padding: usize,
    bias: bool,
    rng: &mut impl Rng,
    device: &B::Device,
) -> Conv2d<B> {
    let [input, output] = channels;
    let mut layer = Conv2dConfig::new(channels, [kernel; 2])
        .with_stride([stride; 2])
        .with_padding(PaddingConfig2d::Explicit(
            padding, padding, padding, padding,
        ))
        .with_bias(false)
        .init(device);
    layer.weight = drawn([output, input, kernel, kernel], normal(), rng, device);
    layer.bias = bias.then(|| constant(0.0, [output], device));
    layer
}

/// A 4×4 transposed convolution of stride 2 that doubles the sides, weights N(0, 0.02), bias 0.
pub(crate) fn doubling_convolution<B: Backend>(
    channels: [usize; 2],
    rng: &mut impl Rng,
    device: &B::Device,
) -> ConvTranspose2d<B> {
    let [input, output] = channels;
    let mut layer = ConvTranspose2dConfig::new(channels, [4; 2])
        .with_stride([2; 2])
        .with_padding([1; 2])
        .with_bias(false)
        .init(device);
    layer.weight = drawn([input, output, 4, 4], normal(), rng, device);
    layer.bias = Some(constant(0.0, [output], device));
    layer
}

/// Weights of a dense layer, Glorot uniform: ±sqrt(6 / (input + output)).
///
/// # Shapes
/// - output: `[input, output]`
pub(crate) fn dense<B: Backend>(
    [input, output]: [usize; 2],
    rng: &mut impl Rng,
    device: &B::Device,
) -> Param<Tensor<B, 2>> {
    let limit = (6.0 / (input + output) as f32).sqrt();
    drawn([input, output], symmetric(limit), rng, device)
}

/// Weights of a dense layer, N(0, 0.02): nearly nothing comes of it at first.
///
/// # Shapes
/// - output: `[input, output]`
pub(crate) fn small_dense<B: Backend>(
    shape: [usize; 2],
    rng: &mut impl Rng,
    device: &B::Device,
) -> Param<Tensor<B, 2>> {
    drawn(shape, normal(), rng, device)
}

/// Weights of a convolution, those into its first `count` channels a twentieth as large.
///
/// Output channels are counted along `side` of the weights.
pub(crate) fn shrunk<B: Backend>(
    weights: Param<Tensor<B, 4>>,
    side: usize,
    count: usize,
) -> Param<Tensor<B, 4>> {
    let weights = weights.val();
    let rest = weights.dims()[side] - count;
    let small = weights.clone().narrow(side, 0, count).div_scalar(20.0);
    let weights = match rest {
        0 => small,
        _ => Tensor::cat(vec![small, weights.narrow(side, count, rest)], side),
    };
    // A parameter that was computed keeps a past, and nothing trains it.
    Param::from_tensor(weights.detach())
}

/// An embedding table of scalars, uniform in ±0.05.
///
/// # Shapes
/// - output: `[rows]`
pub(crate) fn table<B: Backend>(
    rows: usize,
    rng: &mut impl Rng,
    device: &B::Device,
) -> Param<Tensor<B, 1>> {
    drawn([rows], symmetric(EMBEDDING_LIMIT), rng, device)
}
