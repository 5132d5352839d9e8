//! How well a generator does on images it was not trained on.

use burn::tensor::Tensor;
use huenet_data::{Batch, ImageSize, Loader};
use huenet_models::Generator;
use serde::{Deserialize, Serialize};

use super::figures::values;
use super::roughness::{cliffs, noise};
use super::screen::clipped_rgb;
use super::sliced::sliced_wasserstein;
use super::translate::translate;
use crate::group::share::Share;
use crate::step::backend::TrainingBackend;
use crate::step::recipe::Recipe;
use crate::store::error::TaskError;
use crate::store::numbers::bits;

/// Means over held-out images.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// How many images.
    pub images: usize,
    /// Earth mover's distance (RMS of cumulative histograms, mean over channels)
    /// between output and reference.
    pub emd: f64,
    /// The same between content and reference: what doing nothing reaches.
    pub emd_doing_nothing: f64,
    /// H(content | output), mean over channels, in nats.
    pub h_content_given_output: f64,
    /// H(content | content): what doing nothing reaches.
    pub h_doing_nothing: f64,
    /// The sliced 1-Wasserstein distance between the colours of output and reference, clipped to
    /// those of a screen. `None` in files that were written before there was this figure, as those
    /// that follow.
    #[serde(default)]
    pub swd: Option<f64>,
    /// The same between content and reference.
    #[serde(default)]
    pub swd_doing_nothing: Option<f64>,
    /// How much steeper the output is than its content ([`cliffs`]); doing nothing reaches 1. Only
    /// where the content is a photograph.
    #[serde(default)]
    pub cliffs: Option<f64>,
    /// How noisy the output is beside its content ([`noise`]); doing nothing reaches 1. Only where
    /// the content is a photograph.
    #[serde(default)]
    pub noise: Option<f64>,
}

/// What is measured of the colours of a screen, of each image.
#[derive(Debug, Default, Serialize, Deserialize)]
struct OnScreen {
    #[serde(with = "bits")]
    swd: Vec<f64>,
    #[serde(with = "bits")]
    swd_doing_nothing: Vec<f64>,
    #[serde(with = "bits")]
    cliffs: Vec<f64>,
    #[serde(with = "bits")]
    noise: Vec<f64>,
}

impl OnScreen {
    /// Adds the figures of further images.
    fn extend(&mut self, other: &Self) {
        self.swd.extend(&other.swd);
        self.swd_doing_nothing.extend(&other.swd_doing_nothing);
        self.cliffs.extend(&other.cliffs);
        self.noise.extend(&other.noise);
    }

    /// Measures the images of a batch: content, reference and output, `[batch, channels, height,
    /// width]` each.
    fn measure(&mut self, recipe: &Recipe, images: [&[f32]; 3], size: ImageSize) {
        let colour = recipe.colour();
        let [contents, references, outputs] =
            images.map(|planes| planes.chunks_exact(colour.channels() * size.pixels()));
        for ((content, reference), output) in contents.zip(references).zip(outputs) {
            let [content, reference, output] =
                [content, reference, output].map(|image| clipped_rgb(colour, image));
            self.swd.push(sliced_wasserstein(&output, &reference));
            self.swd_doing_nothing
                .push(sliced_wasserstein(&content, &reference));
            if recipe.task().content_is_photograph() {
                self.cliffs.extend(cliffs(&output, &content, size));
                self.noise.extend(noise(&output, &content, size));
            }
        }
    }
}

/// What is measured of one batch.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct OfBatch {
    images: usize,
    /// The sums over the images of the distances of output and content, and of their conditional entropies.
    #[serde(with = "bits")]
    sums: Vec<f64>,
    on_screen: OnScreen,
}

/// Evaluates `generator` on the first images of `held_out`, as many as the recipe says;
/// `None` if it says none.
///
/// # Errors
///
/// [`TaskError::Data`] if an image cannot be read.
pub fn evaluate<B: TrainingBackend>(
    recipe: &Recipe,
    generator: &Generator<B>,
    held_out: &Loader,
    device: &B::Device,
) -> Result<Option<Evaluation>, TaskError> {
    let count = batches(recipe, held_out);
    let measured = held_out.epoch(0).take(count).enumerate();
    let measured: Result<Vec<_>, _> = measured
        .map(|(index, batch)| measure_batch(recipe, generator, &batch?.to_tensors(device), index))
        .collect();
    Ok(Evaluation::of(&measured?))
}

/// The batches of [`evaluate`] that a member of a group has, with their numbers.
pub(crate) fn evaluate_share<B: TrainingBackend>(
    recipe: &Recipe,
    generator: &Generator<B>,
    held_out: &Loader,
    share: Share,
    device: &B::Device,
) -> Result<Vec<(usize, OfBatch)>, TaskError> {
    let size = held_out.config().batch_size();
    let mut measured = Vec::new();
    for index in share.of_each(0..batches(recipe, held_out)) {
        let positions: Vec<usize> = (index * size..(index + 1) * size).collect();
        for batch in held_out.at(0, &positions) {
            let batch = batch?.to_tensors(device);
            measured.push((index, measure_batch(recipe, generator, &batch, index)?));
        }
    }
    Ok(measured)
}

/// How many batches of `held_out` an evaluation looks at.
fn batches(recipe: &Recipe, held_out: &Loader) -> usize {
    let images = recipe.settings().held_out_images;
    images
        .div_ceil(held_out.config().batch_size())
        .min(held_out.len())
}

/// Measures the batch of number `index`.
fn measure_batch<B: TrainingBackend>(
    recipe: &Recipe,
    generator: &Generator<B>,
    batch: &Batch<B>,
    index: usize,
) -> Result<OfBatch, TaskError> {
    let loss = recipe.histogram_loss();
    let output = translate(recipe, generator, batch, index as u64);
    let (content, reference) = (&batch.content, &batch.reference);
    let target = loss.target_of_images(reference.clone());
    let [images, _, height, width] = content.dims();
    let host = [content, reference, &output].map(|images| values(images.clone()));
    let mut on_screen = OnScreen::default();
    on_screen.measure(
        recipe,
        host.each_ref().map(Vec::as_slice),
        ImageSize::new(height, width)?,
    );
    let [of_output, of_content] = [output, content.clone()]
        .map(|image| loss.forward_images_no_reduction(content.clone(), image, target.clone()));
    let figures = [
        of_output.distances,
        of_content.distances,
        of_output.structures,
        of_content.structures,
    ];
    let sum = |figure: Tensor<B, 3>| figure.mean_dim(1).into_data().iter::<f64>().sum::<f64>();
    Ok(OfBatch {
        images,
        sums: figures.into_iter().map(sum).collect(),
        on_screen,
    })
}

impl Evaluation {
    /// The means over all batches, in their order; `None` of no images.
    pub(crate) fn of(batches: &[OfBatch]) -> Option<Self> {
        let images: usize = batches.iter().map(|batch| batch.images).sum();
        if images == 0 {
            return None;
        }
        let mut sums = [0.0; 4];
        let mut on_screen = OnScreen::default();
        for batch in batches {
            for (sum, of_batch) in sums.iter_mut().zip(&batch.sums) {
                *sum += of_batch;
            }
            on_screen.extend(&batch.on_screen);
        }
        let [
            emd,
            emd_doing_nothing,
            h_content_given_output,
            h_doing_nothing,
        ] = sums.map(|sum| sum / images as f64);
        Some(Self {
            images,
            emd,
            emd_doing_nothing,
            h_content_given_output,
            h_doing_nothing,
            swd: mean(&on_screen.swd),
            swd_doing_nothing: mean(&on_screen.swd_doing_nothing),
            cliffs: mean(&on_screen.cliffs),
            noise: mean(&on_screen.noise),
        })
    }
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_the_figures_that_came_later_is_read() {
        let text = r#"{ "images": 4, "emd": 0.1, "emd_doing_nothing": 0.2,
            "h_content_given_output": 1.0, "h_doing_nothing": 0.5 }"#;
        let evaluation: Evaluation = serde_json::from_str(text).unwrap();
        assert_eq!((evaluation.emd, evaluation.swd), (0.1, None));
        let again = serde_json::to_string(&evaluation).unwrap();
        assert_eq!(
            serde_json::from_str::<Evaluation>(&again).unwrap(),
            evaluation
        );
    }
}
