//! The losses of the two players.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use huenet_hist::{Bins, HistogramBackend, HistogramLoss, HistogramLossConfig, Kernel};

use crate::step::recipe::Recipe;

/// The two histogram losses of an image batch.
pub struct HistogramLosses {
    loss: HistogramLoss,
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
        }
    }

    /// The bins of the histograms.
    pub fn bins(&self) -> Bins {
        self.loss.terms().binning.bins
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
        self.loss.forward_images(image, output, target)
    }

    /// The soft histogram of every channel, a constant.
    ///
    /// # Shapes
    ///
    /// - images: `[batch, channels, height, width]`
    /// - output: `[batch, channels, K]`
    pub fn histograms<B: HistogramBackend>(&self, images: Tensor<B, 4>) -> Tensor<B, 3> {
        self.loss.target_of_images(images)
    }
}

/// Differences of no more than a few roundings, which count as none.
pub(crate) const ROUNDINGS: f64 = 1e-6;

/// The mean absolute difference between `output` and `reference`, over all their elements, less 10⁻⁶ of
/// each.
///
/// An output that is clipped to white paper is the reference's white but for a rounding. The sign
/// of that would pull all of the paper one way.
///
/// # Shapes
///
/// `[batch, channels, height, width]` each; the result is `[1]`.
pub fn reconstruction_loss<B: Backend>(
    output: Tensor<B, 4>,
    reference: Tensor<B, 4>,
) -> Tensor<B, 1> {
    let differences = (output - reference).abs().sub_scalar(ROUNDINGS);
    differences.clamp_min(0.0).mean()
}

#[cfg(test)]
mod tests {
    use burn::tensor::DType;
    use burn_autodiff::Autodiff;
    use burn_flex::Flex;

    use super::*;

    #[test]
    fn reconstruction_is_the_mean_absolute_difference() {
        let images = |values: [f32; 4]| {
            Tensor::<Flex, 1>::from_data(values, (&Default::default(), DType::F32))
                .reshape([2, 1, 1, 2])
        };
        let [output, reference] = [[0.5, -1.0, 0.0, 1.0], [0.0, 1.0, 0.0, 0.5]].map(images);
        let loss = reconstruction_loss(output, reference).into_scalar();
        assert!((loss - 0.75).abs() < 2e-6, "{loss}");
    }

    #[test]
    fn what_is_equal_but_for_roundings_pulls_nowhere() {
        let device = Default::default();
        let values = [1.0 + f32::EPSILON, 1.0 - f32::EPSILON, 3e-8, 0.5];
        let image = |values: [f32; 4]| {
            Tensor::<Autodiff<Flex>, 1>::from_data(values, (&device, DType::F32))
                .reshape([1, 1, 2, 2])
        };
        let output = image(values).require_grad();
        let loss = reconstruction_loss(output.clone(), image([1.0, 1.0, 0.0, 0.75]));
        let gradient = output.grad(&loss.backward()).unwrap();
        let gradient: Vec<f32> = gradient.into_data().to_vec().unwrap();
        assert_eq!(gradient, [0.0, 0.0, 0.0, -0.25]);
    }
}
