//! The gradients that a group of threads finds of a batch, beside those of one process.

use burn::tensor::{Int, Tensor};
use burn_autodiff::Autodiff;
use burn_flex::Flex;
use huenet_data::Batch;
use huenet_models::Normalization;
use rand::Rng;
use rstest::rstest;

use crate::group::share::Share;
use crate::group::threads;
use crate::run::images::Images;
use crate::settings::{Settings, Task};
use crate::step::gan::{Gan, StepGradients};
use crate::step::gradients::flatten;
use crate::step::recipe::{LearningRates, Recipe};
use crate::step::running_statistics;
use crate::step::seeds::{Purpose, stream};

type B = Autodiff<Flex>;

/// Apart by less, values differ by nothing but rounding.
const CLOSE: f64 = 1e-5;

/// With all that a group has to agree on, at the rates that the recipe trains with.
fn settings(task: Task, normalization: Normalization) -> Settings {
    Settings {
        img_h: 32,
        img_w: 32,
        depth: 4,
        base_width: 4,
        bin_num: 16,
        batch_size: 6,
        dis_batch_share: 0.5,
        image_pool: 4,
        dropout: true,
        normalization,
        dis_normalization: normalization,
        ..Settings::demo(task)
    }
}

fn first_batch(recipe: &Recipe) -> Batch<B> {
    let images = Images::open(recipe).unwrap();
    let batch = images.train().epoch(0).next().unwrap().unwrap();
    batch.to_tensors(&Default::default())
}

/// A member's images of a batch.
fn part(batch: &Batch<B>, share: Share, images: usize) -> Batch<B> {
    let own: Vec<i32> = share.of_each(0..images as i32).collect();
    let own = Tensor::<B, 1, Int>::from_data(&own[..], &batch.content.device());
    Batch {
        content: batch.content.clone().select(0, own.clone()),
        reference: batch.reference.clone().select(0, own.clone()),
        counts: batch.counts.clone().select(0, own.clone()),
        fitted: (batch.fitted.clone()).map(|fitted| fitted.select(0, own)),
    }
}

/// Networks that have trained for two steps, so that nothing in them is 0 any more. They do not depend on who makes them.
fn trained(recipe: &Recipe, batch: &Batch<B>) -> Gan<B> {
    let mut gan = Gan::new(recipe, &Default::default());
    let rates = LearningRates {
        generator: recipe.settings().gen_lr,
        discriminator: recipe.settings().dis_lr,
    };
    for step in 0..2 {
        let mut dropout = stream(0, Purpose::Dropout, step);
        gan.step(recipe, batch, rates, Some(&mut dropout));
    }
    gan
}

/// Generator's and discriminator's.
fn values(gan: &Gan<B>, gradients: &StepGradients) -> [Vec<f32>; 2] {
    let mut values = [Vec::new(), Vec::new()];
    flatten(&gan.generator, &gradients.generator, &mut values[0]);
    flatten(&gan.discriminator, &gradients.discriminator, &mut values[1]);
    values
}

/// |a − b| / |a|.
fn apart(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    let length = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>().sqrt();
    let pairs = a.iter().zip(b);
    let difference = length(&mut pairs.map(|(a, b)| f64::from(a - b)));
    difference / length(&mut a.iter().map(|a| f64::from(*a)))
}

#[rstest]
fn a_group_finds_the_gradients_of_the_whole_batch(
    #[values(Task::Edges2photos, Task::Colorization, Task::ColorTransfer)] task: Task,
    #[values(Normalization::Group, Normalization::Batch)] normalization: Normalization,
) {
    let recipe = Recipe::new(settings(task, normalization)).unwrap();
    let images = recipe.settings().batch_size;
    let batch = first_batch(&recipe);
    let mut gan = trained(&recipe, &batch);
    let mut dropout = stream(0, Purpose::Dropout, 2);
    let (_, alone) = gan.gradients(&recipe, &batch, Some(&mut dropout));
    let alone = values(&gan, &alone);
    for size in [2, 3] {
        let found = threads::run(size, |group| {
            let mut gan = trained(&recipe, &batch);
            let mut dropout = stream(0, Purpose::Dropout, 2);
            let dropout = Some(&mut dropout as &mut (dyn Rng + Send));
            let own = part(&batch, Share::of(group), images);
            let device = Default::default();
            let (_, found) =
                gan.shared_gradients(&recipe, Some(&own), images, dropout, group, &device);
            values(&gan, &found)
        });
        assert!(found.iter().all(|of_member| *of_member == found[0]));
        for (alone, found) in alone.iter().zip(&found[0]) {
            let apart = apart(alone, found);
            eprintln!("{task}, {normalization:?}, {size} processes: {apart:.1e}");
            assert!(apart < CLOSE, "{apart}");
        }
    }
}

#[rstest]
fn each_may_normalise_with_the_statistics_of_its_own_images(
    #[values(Task::Edges2photos, Task::Colorization)] task: Task,
) {
    const SIZE: usize = 3;
    let recipe = Recipe::new(Settings {
        sync_batch_norm: false,
        // So that a member alone does what it does in the group.
        dis_batch_share: 1.0,
        image_pool: 0,
        dropout: false,
        ..settings(task, Normalization::Batch)
    });
    let recipe = recipe.unwrap();
    let images = recipe.settings().batch_size;
    let batch = first_batch(&recipe);
    let all = |gan: &Gan<B>, gradients: &StepGradients| {
        let [generator, discriminator] = values(gan, gradients);
        let mut statistics = Vec::new();
        running_statistics::flatten(&gan.generator, 1.0, &mut statistics);
        running_statistics::flatten(&gan.discriminator, 1.0, &mut statistics);
        assert!(!statistics.is_empty());
        [generator, discriminator, statistics]
    };
    let alone = (0..SIZE).map(|rank| {
        let mut gan = trained(&recipe, &batch);
        let own = part(&batch, Share { rank, size: SIZE }, images);
        let (_, gradients) = gan.gradients(&recipe, &own, None);
        all(&gan, &gradients)
    });
    let alone: Vec<_> = alone.collect();
    let found = threads::run(SIZE, |group| {
        let mut gan = trained(&recipe, &batch);
        let own = part(&batch, Share::of(group), images);
        let device = Default::default();
        let (_, found) = gan.shared_gradients(&recipe, Some(&own), images, None, group, &device);
        all(&gan, &found)
    });
    assert!(found.iter().all(|of_member| *of_member == found[0]));
    for (i, found) in found[0].iter().enumerate() {
        let of_all = |at: usize| alone.iter().map(|of_member| of_member[i][at]).sum::<f32>();
        let mean: Vec<f32> = (0..found.len())
            .map(|at| of_all(at) / SIZE as f32)
            .collect();
        assert!(apart(&mean, found) < CLOSE, "{}", apart(&mean, found));
        // Each member's own are others.
        assert!(apart(&alone[0][i], found) > CLOSE);
    }
}
