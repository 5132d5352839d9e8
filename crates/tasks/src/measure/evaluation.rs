//! How well a generator does on images it was not trained on.

use huenet_data::Loader;
use huenet_models::Generator;
use serde::{Deserialize, Serialize};

use super::translate::translate;
use crate::step::backend::TrainingBackend;
use crate::step::recipe::Recipe;
use crate::store::error::TaskError;

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
    let loss = recipe.histogram_loss();
    let mut sums = [0.0; 4];
    let mut images = 0;
    for (index, batch) in held_out.epoch(0).enumerate() {
        if images >= recipe.settings().held_out_images {
            break;
        }
        let batch = batch?.to_tensors::<B>(device);
        let output = translate(recipe, generator, &batch, index as u64);
        let (content, reference) = (&batch.content, &batch.reference);
        let target = loss.target_of_images(reference.clone());
        let [of_output, of_content] = [output, content.clone()]
            .map(|image| loss.forward_images_no_reduction(content.clone(), image, target.clone()));
        let figures = [
            of_output.distances,
            of_content.distances,
            of_output.structures,
            of_content.structures,
        ];
        images += content.dims()[0];
        for (sum, figure) in sums.iter_mut().zip(figures) {
            *sum += figure.mean_dim(1).into_data().iter::<f64>().sum::<f64>();
        }
    }
    if images == 0 {
        return Ok(None);
    }
    let [
        emd,
        emd_doing_nothing,
        h_content_given_output,
        h_doing_nothing,
    ] = sums.map(|sum| sum / images as f64);
    Ok(Some(Evaluation {
        images,
        emd,
        emd_doing_nothing,
        h_content_given_output,
        h_doing_nothing,
    }))
}
