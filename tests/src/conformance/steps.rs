//! Training steps and outputs like those of the default backend.

use burn::module::AutodiffModule;
use burn::tensor::backend::Backend;
use burn::tensor::{DType, Tensor, TensorData};
use burn_autodiff::Autodiff;
use burn_flex::Flex;
use huenet_data::Batch;
use huenet_models::{Pass, Prediction};
use huenet_tasks::settings::RecipeChoice;
use huenet_tasks::{Gan, Recipe, Settings, Task, TrainingBackend};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::compare::{assert_close, assert_close_scalar};
use crate::device::device;

/// Relative difference allowed between losses of the first step, which rounding alone makes.
const LOSS: f64 = 1e-4;
/// The same after a step: Adam turns the rounding of the smallest gradients into steps.
const LOSS_LATER: f64 = 2e-2;
/// Relative l2 difference allowed between images.
const IMAGE: f64 = 1e-3;

/// Both recipes: their networks have few layers in common.
const RECIPES: [RecipeChoice; 2] = [RecipeChoice::Official, RecipeChoice::Recommended];

/// Two steps of each task by each recipe from the same weights with the same dropout, with a batch of two and of
/// one: there the bottleneck is a single value a channel. Two steps of a generator that changes local maps.
///
/// # Panics
///
/// If the losses differ from those on Flex.
pub fn agree<B: TrainingBackend>() {
    let recipes = RECIPES.into_iter().flat_map(|choice| {
        let tasks = Task::ALL.into_iter();
        tasks.flat_map(move |task| [1, 2].map(|batch| recipe(choice, task, batch)))
    });
    for recipe in recipes.chain([local_maps()]) {
        let found = losses::<B>(&recipe);
        let expected = losses::<Flex>(&recipe);
        for (step, (found, expected)) in found.into_iter().zip(expected).enumerate() {
            let allowed = match step {
                0 => LOSS,
                _ => LOSS_LATER,
            };
            for ((what, found), expected) in found.into_iter().zip(expected) {
                let step = step + 1;
                let Settings {
                    recipe,
                    task,
                    batch_size,
                    ..
                } = recipe.settings();
                let place = format!("{recipe:?}, {task}, batch {batch_size}, step {step}: {what}");
                assert_close_scalar(&place, found, expected.1, allowed);
            }
        }
    }
}

/// The generator's image, with its batch's statistics and dropout and with running statistics.
///
/// # Panics
///
/// If it differs from that on Flex.
pub fn outputs_agree<B: TrainingBackend>() {
    for choice in RECIPES {
        let recipe = recipe(choice, Task::ColorTransfer, 2);
        for running in [false, true] {
            let found = output::<B>(&recipe, running);
            let expected = output::<Flex>(&recipe, running);
            let place = format!("{choice:?}, running statistics: {running}");
            assert_close(&place, &found, &expected, IMAGE);
        }
    }
}

/// Images of color_transfer in batches of two are higher than wide, the others are small squares. The recommended
/// recipes paint: what changes local maps is a recipe of its own.
fn recipe(choice: RecipeChoice, task: Task, batch_size: usize) -> Recipe {
    let high = task == Task::ColorTransfer && batch_size == 2;
    let defaults = Settings::of(choice, task);
    let prediction = match (choice, task) {
        (RecipeChoice::Recommended, Task::ColorTransfer) => Prediction::Blend,
        (RecipeChoice::Recommended, _) => Prediction::Palette,
        _ => defaults.prediction,
    };
    Recipe::new(Settings {
        dataroot: Some("unused".into()),
        img_h: if high { 64 } else { 32 },
        img_w: 32,
        depth: 5,
        base_width: 4,
        bin_num: 16,
        batch_size,
        prediction,
        ..defaults
    })
    .expect("these settings are valid")
}

/// The recommended recipe with another prediction, which has layers of its own.
fn local_maps() -> Recipe {
    let recipe = recipe(RecipeChoice::Recommended, Task::ColorTransfer, 2);
    Recipe::new(Settings {
        prediction: Prediction::LocalMaps,
        ..recipe.settings().clone()
    })
    .expect("these settings are valid")
}

type Named = Vec<(&'static str, f64)>;

fn losses<B: TrainingBackend>(recipe: &Recipe) -> [Named; 2] {
    let device = device::<B>();
    let mut gan = Gan::<Autodiff<B>>::new(recipe, &device);
    let batch = batch::<Autodiff<B>>(recipe);
    let mut dropout = ChaCha8Rng::seed_from_u64(5);
    std::array::from_fn(|_| {
        let losses = gan.step(recipe, &batch, recipe.learning_rates(0), Some(&mut dropout));
        losses.named().collect()
    })
}

fn output<B: TrainingBackend>(recipe: &Recipe, running: bool) -> Vec<f64> {
    let gan = Gan::<Autodiff<B>>::new(recipe, &device::<B>());
    let generator = gan.generator.valid();
    let batch = batch::<B>(recipe);
    let mut dropout = ChaCha8Rng::seed_from_u64(7);
    let mut pass = match running {
        true => Pass::inference(),
        false => Pass::batch_statistics(Some(&mut dropout)),
    };
    let image = generator.forward(batch.content, batch.counts, &mut pass);
    image.into_data().iter::<f64>().collect()
}

/// Waves of colour.
fn batch<B: Backend>(recipe: &Recipe) -> Batch<B> {
    let s = recipe.settings();
    let device = device::<B>();
    let image = |phase: f64| {
        let shape = [s.batch_size, s.img_c, s.img_h, s.img_w];
        let count = shape.iter().product();
        let values: Vec<f32> = (0..count)
            .map(|i: usize| ((i as f64 * 0.37 + phase).sin() * (i as f64 * 0.011).cos()) as f32)
            .collect();
        Tensor::from_data(TensorData::new(values, shape), (&device, DType::F32))
    };
    let shape = [s.batch_size, s.img_c, s.bin_num];
    let counts: Vec<i32> = (0..shape.iter().product())
        .map(|i: usize| (i * 37 % (s.img_h * s.img_w)) as i32)
        .collect();
    Batch {
        content: image(0.2),
        reference: image(1.9),
        counts: Tensor::from_data(TensorData::new(counts, shape), &device),
        fitted: None,
    }
}
