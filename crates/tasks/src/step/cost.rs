//! What a training step costs, measured on made-up images before a run starts, and what a run keeps.

use std::time::{Duration, Instant};

use burn::nn::loss::Reduction;
use burn::tensor::backend::{Backend, ExecutionError};
use burn::tensor::{Tensor, TensorData};
use huenet_data::Batch;
use huenet_models::MAPS_GRID;
use rand::{Rng, RngExt};

use crate::step::backend::TrackedBackend;
use crate::step::gan::Gan;
use crate::step::recipe::Recipe;
use crate::step::seeds::{Purpose, stream};
use crate::transfer::LocalMaps;

/// How long the first training step takes, and the parts of a later one, each the median over the steps measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepCost {
    /// The first step: it makes what the following ones reuse. On a graphics card it compiles their kernels.
    pub first: Duration,
    /// The whole step.
    pub step: Duration,
    /// The histogram losses, forward and backward, by themselves.
    pub losses: Duration,
    /// Both optimisers' updates.
    pub optimisers: Duration,
}

impl StepCost {
    /// The networks, forward and backward: what the other parts leave of a step.
    pub fn networks(&self) -> Duration {
        self.step
            .saturating_sub(self.losses)
            .saturating_sub(self.optimisers)
    }
}

/// Runs training steps of `recipe` on images of noise, and throws their results away.
///
/// The first step is measured by itself. Of the later ones at least one is counted, at most `counted`; none is begun
/// after `patience`.
///
/// # Errors
///
/// What the device reports, an exhausted memory for example.
pub fn step_cost<B: TrackedBackend>(
    recipe: &Recipe,
    device: &B::Device,
    counted: usize,
    patience: Duration,
) -> Result<StepCost, ExecutionError> {
    let settings = recipe.settings();
    let mut rng = stream(settings.seed, Purpose::Dropout, 0);
    let batch = noise::<B>(recipe, &mut rng, device);
    let loss = recipe.training_loss();
    let mut gan = Gan::<B>::new(recipe, device);
    let mut parts: [Vec<Duration>; 3] = Default::default();
    let mut first = Duration::ZERO;
    let begun = Instant::now();
    for round in 0..=counted.max(1) {
        if round > 1 && begun.elapsed() > patience {
            break;
        }
        let start = Instant::now();
        let (_, gradients) = gan.gradients(recipe, &batch, Some(&mut rng));
        B::sync(device)?;
        let computed = start.elapsed();
        gan.update(recipe, recipe.learning_rates(0), gradients);
        B::sync(device)?;
        let step = start.elapsed();

        let start = Instant::now();
        let output = batch.reference.clone().require_grad();
        let content = batch.content.clone();
        let target = loss.target_of_images(content.clone());
        let found = loss.forward_images(content, output.clone(), target, Reduction::Mean);
        let total = found.distances + found.structures;
        let gradient = output.grad(&total.backward());
        B::sync(device)?;
        drop(gradient);
        let alone = start.elapsed();
        if round == 0 {
            first = step;
        } else {
            for (part, duration) in parts.iter_mut().zip([step, alone, step - computed]) {
                part.push(duration);
            }
        }
    }
    let [step, losses, optimisers] = parts.map(median);
    Ok(StepCost {
        first,
        step,
        losses,
        optimisers,
    })
}

/// Bytes of a number in single precision.
const BYTES: u64 = 4;

/// About how many bytes a checkpoint of `recipe` takes on a disk: both networks, Adam's two moments of each
/// weight, the average of the generator's weights, and the [image pool](pool_bytes) once it is full.
pub fn checkpoint_bytes(recipe: &Recipe) -> u64 {
    let generator = recipe.generator().parameter_count() as u64;
    let discriminator = recipe.discriminator().parameter_count() as u64;
    let averaged = match recipe.settings().average_decay > 0.0 {
        true => generator,
        false => 0,
    };
    BYTES * (3 * (generator + discriminator) + averaged) + pool_bytes(recipe)
}

/// How many bytes the image pool of `recipe` takes once it is full: as many images as it keeps, and in a paired
/// task the content image of each. On the device, and in a checkpoint.
pub fn pool_bytes(recipe: &Recipe) -> u64 {
    let s = recipe.settings();
    let images = s.image_pool * if s.task.is_paired() { 2 } else { 1 };
    BYTES * (images * s.img_c * s.img_h * s.img_w) as u64
}

fn median(mut durations: Vec<Duration>) -> Duration {
    durations.sort_unstable();
    durations
        .get(durations.len() / 2)
        .copied()
        .unwrap_or_default()
}

/// A batch of the recipe's shapes.
fn noise<B: Backend>(recipe: &Recipe, rng: &mut impl Rng, device: &B::Device) -> Batch<B> {
    let s = recipe.settings();
    let mut image = || {
        let shape = [s.batch_size, s.img_c, s.img_h, s.img_w];
        let values = (0..shape.iter().product()).map(|_| rng.random_range(-1.0f32..1.0));
        Tensor::from_data(TensorData::new(values.collect(), shape), device)
    };
    let (content, reference) = (image(), image());
    // Noise fills the bins evenly.
    let count = (s.img_h * s.img_w / s.bin_num) as i32;
    let shape = [s.batch_size, s.img_c, s.bin_num];
    let counts = vec![count; shape.iter().product()];
    Batch {
        content,
        reference,
        counts: Tensor::from_data(TensorData::new(counts, shape), device),
        // What is fitted is fitted by the loader's threads, and costs the step nothing.
        fitted: recipe.pair_fit().map(|_| {
            let values = LocalMaps::VALUES * MAPS_GRID.iter().product::<usize>();
            Tensor::zeros([s.batch_size, values], device)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    #[test]
    fn the_parts_are_of_the_step() {
        let settings = Settings {
            img_h: 32,
            img_w: 32,
            depth: 4,
            base_width: 2,
            bin_num: 8,
            batch_size: 2,
            ..Settings::resolve(&[]).unwrap()
        };
        let recipe = Recipe::new(settings).unwrap();
        type B = burn_autodiff::Autodiff<burn_flex::Flex>;
        let patience = Duration::from_secs(60);
        let cost = step_cost::<B>(&recipe, &Default::default(), 3, patience).unwrap();
        assert!(cost.losses > Duration::ZERO && cost.optimisers > Duration::ZERO);
        assert!(cost.networks() < cost.step);
        assert!(cost.first > Duration::ZERO);
    }
}
