//! What one process of a group measures of held-out images.

use huenet_data::Loader;
use huenet_models::Generator;

use crate::group::share::Share;
use crate::measure::figures::ExactFigures;
use crate::run::validation::measure_share;
use crate::step::backend::TrainingBackend;
use crate::step::recipe::Recipe;
use crate::store::error::TaskError;

/// The figures of validation of the batches that a process has, with their numbers, as they are told to another.
pub(super) fn validate_share<B: TrainingBackend>(
    recipe: &Recipe,
    generator: &Generator<B>,
    held_out: &Loader,
    count: usize,
    share: Share,
    device: &B::Device,
) -> Result<Vec<(usize, Vec<ExactFigures>)>, TaskError> {
    let measured = measure_share(recipe, generator, held_out, count, share, device)?;
    let exact = |(index, figures): (usize, Vec<_>)| {
        (index, figures.iter().map(ExactFigures::from).collect())
    };
    Ok(measured.into_iter().map(exact).collect())
}
