//! What a trained generator makes of images.

use burn::tensor::Tensor;
use huenet_data::Batch;
use huenet_models::{Generator, Pass};
use rand::Rng;

use crate::settings::SampleMode;
use crate::step::backend::TrainingBackend;
use crate::step::generate::generate;
use crate::step::recipe::Recipe;
use crate::step::seeds::{Purpose, stream};

/// Translates a batch the way `recipe` draws samples. `index` numbers the batch, for the
/// dropout masks.
pub fn translate<B: TrainingBackend>(
    recipe: &Recipe,
    generator: &Generator<B>,
    batch: &Batch<B>,
    index: u64,
) -> Tensor<B, 4> {
    let mut dropout = stream(recipe.settings().seed, Purpose::SampleDropout, index);
    let mut pass = match recipe.settings().sample_mode {
        SampleMode::Batch => Pass::batch_statistics(Some(&mut dropout as &mut dyn Rng)),
        SampleMode::Running => Pass::inference(),
    };
    generate(recipe, generator, batch, &mut pass).output
}
