//! Colours compared along further directions than those of the channels.

mod definition;
mod properties;
mod refused;

use crate::common::{tensor, values};
use burn::backend::Autodiff;
use burn::tensor::{DType, Tensor};
use huenet_hist::{
    Binning, Directions, EmdKind, HistogramBackend, HistogramLoss, HistogramLossConfig,
};

fn loss(binning: &Binning, kind: EmdKind, directions: usize) -> HistogramLoss {
    HistogramLossConfig::new(binning.bins, binning.kernel)
        .with_distance(kind)
        .with_directions(Some(Directions::spread(directions).unwrap()))
        .init()
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
