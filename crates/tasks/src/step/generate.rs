//! What a generator makes of a batch.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use huenet_data::Batch;
use huenet_models::{Generator, NetworkBackend, Pass};

use crate::step::fitted_maps::fitted_maps;
use crate::step::recipe::Recipe;

/// What a generator made of a batch.
pub(crate) struct Generated<B: Backend> {
    /// The images, as far as a screen has their colours if the recipe says so.
    pub(crate) output: Tensor<B, 4>,
    /// The change to fitted maps, if the generator changes any.
    pub(crate) change: Option<Tensor<B, 5>>,
}

/// Gives `generator` what it needs of a batch.
pub(crate) fn generate<B: NetworkBackend>(
    recipe: &Recipe,
    generator: &Generator<B>,
    batch: &Batch<B>,
    pass: &mut Pass<'_>,
) -> Generated<B> {
    let (content, counts) = (batch.content.clone(), batch.counts.clone());
    let (output, change) = match recipe.maps_fit() {
        Some(fit) => {
            let fitted = fitted_maps(&fit, batch);
            let image = generator.mapped(content, counts, fitted, pass);
            (image.output, Some(image.change))
        }
        None => (generator.forward(content, counts, pass), None),
    };
    Generated {
        output: recipe.shown(output),
        change,
    }
}
