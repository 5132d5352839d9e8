//! The losses of the two players.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use huenet_hist::{Bins, HistogramBackend, HistogramLoss, HistogramLossConfig, Kernel};

use crate::recipe::Recipe;

/// The two histogram losses of an image batch.
pub struct HistogramLosses {
    loss: HistogramLoss,
    bins: Bins,
}

/// The histogram losses of every image of a batch, each averaged over its channels.
pub struct ImageLosses<B: Backend> {
    /// The earth mover's distance between the histograms of output and reference, `[batch]`.
    pub distances: Tensor<B, 1>,
    /// H(image | output) in nats, how much of an image the output does not tell, `[batch]`.
    pub structures: Tensor<B, 1>,
}

impl HistogramLosses {
    /// The official losses in the bins of `recipe`: RMS of the difference of cumulative
    /// histograms, and conditional entropy.
    pub fn new(recipe: &Recipe) -> Self {
        Self::with_bins(recipe.bins(), recipe.kernel())
    }

    /// The official losses in other bins.
    pub fn with_bins(bins: Bins, kernel: Kernel) -> Self {
        Self {
            loss: HistogramLossConfig::new(bins, kernel).init(),
            bins,
        }
    }

    /// The bins of the histograms.
    pub fn bins(&self) -> Bins {
        self.bins
    }

    /// The losses of `output`: of its colours beside those of `reference`, and of its structure
    /// beside that of `image`. The reference is a constant.
    ///
    /// # Shapes
    ///
    /// `[batch, channels, height, width]` each.
    pub fn losses<B: HistogramBackend>(
        &self,
        image: Tensor<B, 4>,
        output: Tensor<B, 4>,
        reference: Tensor<B, 4>,
    ) -> ImageLosses<B> {
        let target = self.histograms(reference);
        let losses = self.of_channels(image, output, target);
        ImageLosses {
            distances: losses.distances.mean_dim(1).flatten(0, 2),
            structures: losses.structures.mean_dim(1).flatten(0, 2),
        }
    }

    /// As [`losses`](Self::losses), of every channel by itself, from the reference's
    /// [`histograms`](Self::histograms).
    ///
    /// # Shapes
    ///
    /// - image, output: `[batch, channels, height, width]`
    /// - target: `[batch, channels, K]`
    /// - output: `[batch, channels, 1]` each
    pub fn of_channels<B: HistogramBackend>(
        &self,
        image: Tensor<B, 4>,
        output: Tensor<B, 4>,
        target: Tensor<B, 3>,
    ) -> huenet_hist::HistogramLosses<B, 3> {
        self.loss.forward(pixels(image), pixels(output), target)
    }

    /// The soft histogram of every channel, a constant.
    ///
    /// # Shapes
    ///
    /// - images: `[batch, channels, height, width]`
    /// - output: `[batch, channels, K]`
    pub fn histograms<B: HistogramBackend>(&self, images: Tensor<B, 4>) -> Tensor<B, 3> {
        self.loss.target(pixels(images))
    }
}

/// Binary cross-entropy of logits against "all real" (1), the mean over all elements.
///
/// # Shapes
///
/// Any; the result is `[1]`.
pub fn real_loss<B: Backend, const D: usize>(logits: Tensor<B, D>) -> Tensor<B, 1> {
    softplus(logits.neg()).mean()
}

/// Binary cross-entropy of logits against targets of 1 − `smoothing`, the mean over all elements.
///
/// # Shapes
///
/// Any; the result is `[1]`.
pub(crate) fn smoothed_real_loss<B: Backend, const D: usize>(
    logits: Tensor<B, D>,
    smoothing: f64,
) -> Tensor<B, 1> {
    if smoothing == 0.0 {
        return real_loss(logits);
    }
    real_loss(logits.clone()).mul_scalar(1.0 - smoothing)
        + generated_loss(logits).mul_scalar(smoothing)
}

/// Binary cross-entropy of logits against "all generated" (0), the mean over all
/// elements.
///
/// # Shapes
///
/// Any; the result is `[1]`.
pub fn generated_loss<B: Backend, const D: usize>(logits: Tensor<B, D>) -> Tensor<B, 1> {
    softplus(logits).mean()
}

/// ln(1 + eˣ) without overflow: Burn's own is infinite above 88 in f32.
fn softplus<B: Backend, const D: usize>(x: Tensor<B, D>) -> Tensor<B, D> {
    let magnitude = x.clone().abs();
    burn::tensor::activation::relu(x) + magnitude.neg().exp().log1p()
}

/// `[batch, channels, height, width]` to `[batch, channels, pixels]`.
fn pixels<B: Backend>(images: Tensor<B, 4>) -> Tensor<B, 3> {
    images.flatten(2, 3)
}

#[cfg(test)]
mod tests {
    use burn_flex::Flex;

    use super::*;

    #[test]
    fn cross_entropy_is_right_and_finite_far_out() {
        let logits =
            Tensor::<Flex, 1>::from_floats([-200.0, -1.0, 0.0, 3.0, 200.0], &Default::default());
        let value = |tensor: Tensor<Flex, 1>| tensor.into_data().to_vec::<f32>().unwrap()[0];
        let soft = |x: f64| if x > 30.0 { x } else { x.exp().ln_1p() };
        let mean = |sign: f64| {
            [-200.0, -1.0, 0.0, 3.0, 200.0]
                .iter()
                .map(|x| soft(sign * x))
                .sum::<f64>()
                / 5.0
        };
        assert!((f64::from(value(real_loss(logits.clone()))) - mean(-1.0)).abs() < 1e-5);
        assert!((f64::from(value(generated_loss(logits.clone()))) - mean(1.0)).abs() < 1e-5);
        let smoothed = f64::from(value(smoothed_real_loss(logits, 0.1)));
        assert!((smoothed - 0.9 * mean(-1.0) - 0.1 * mean(1.0)).abs() < 1e-5);
    }
}
