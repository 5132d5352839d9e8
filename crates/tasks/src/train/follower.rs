//! The processes of a group other than the first: they train with it, and leave everything else to it.

use std::path::PathBuf;

use huenet_data::{DataError, HostBatch, Loader};
use huenet_models::Generator;
use tracing::info;

use super::orders::{Answer, Met, Order, Start, message, reply, told_of, understood};
use super::shares::validate_share;
use super::training::begun;
use crate::group::members::Group;
use crate::group::share::Share;
use crate::measure::evaluation::evaluate_share;
use crate::run::checkpoint::Checkpoint;
use crate::run::images::Images;
use crate::run::position::Position;
use crate::settings::{Layer, Settings};
use crate::step::backend::TrackedBackend;
use crate::step::gan::Gan;
use crate::step::recipe::Recipe;
use crate::step::seeds::{Purpose, stream};
use crate::store::error::TaskError;

/// A process that trains a run together with the first of its group, which has the run's folder.
pub struct Follower {
    recipe: Recipe,
    images: Images,
    weights: Option<Checkpoint>,
    position: Position,
    planned: u64,
}

impl Follower {
    /// Learns from the first process which run it is, and finds its images and the checkpoint that it begins with.
    /// `None` if there is none to train, after an error that the first process tells of.
    ///
    /// Unless it gives `None`, the process has to [answer](super::answer) next, also after an error.
    ///
    /// # Errors
    ///
    /// Any [`TaskError`] of settings, images or the checkpoint.
    pub fn join(group: &dyn Group) -> Result<Option<Self>, TaskError> {
        let told = group.tell(&[]);
        let Some(start) = understood::<Option<Start>>(&told, 0)? else {
            return Ok(None);
        };
        let layer = Layer::from_toml(&PathBuf::from("the settings of process 0"), &start.settings)?;
        let recipe = Recipe::new(Settings::resolve(&[layer])?)?;
        let images = Images::open(&recipe)?;
        let weights = start.checkpoint.as_deref().map(Checkpoint::newest);
        let weights = weights.transpose()?;
        if let Some(weights) = &weights {
            weights.verify()?;
            if start.position.step > 0 {
                images.expect(&weights.fingerprints()?);
            }
        }
        Ok(Some(Self {
            recipe,
            images,
            weights,
            position: start.position,
            planned: start.planned,
        }))
    }

    /// The settings of the run, as the first process has them.
    pub fn settings(&self) -> &Settings {
        self.recipe.settings()
    }
}

/// Trains on `device` until the first process of `group` says that it is over. `wants_stop` is asked before each step;
/// the first process then saves what was done.
///
/// # Errors
///
/// [`TaskError`] if the networks of the checkpoint cannot be used, or the first process is not understood. A batch that
/// cannot be read is none: the first process is told, and ends training with this error.
pub fn follow<B: TrackedBackend>(
    follower: Follower,
    group: &dyn Group,
    device: &B::Device,
    wants_stop: &mut dyn FnMut() -> bool,
) -> Result<(), TaskError> {
    let Follower {
        recipe,
        images,
        weights,
        position,
        planned,
    } = follower;
    let gan = begun::<B>(&recipe, weights.as_ref(), position, device)?;
    drop(weights);
    let mut following = Following {
        batches: Batches::new(&recipe, images.train(), group),
        recipe,
        gan,
        planned,
        group,
        device,
    };
    info!(rank = group.rank(), size = group.size(), "training starts");
    loop {
        match understood::<Order>(&group.tell(&[]), 0)? {
            Order::Step(at) => {
                let read = following.batches.at(at);
                let own = match &read {
                    Err(error) => Answer::Failed(error.to_string()),
                    Ok(_) if wants_stop() => Answer::Stop,
                    Ok(_) => Answer::Ready,
                };
                // What another process says is for the first one to act upon.
                let go = reply(group, &own).unwrap_or(false);
                if let Ok(batch) = read
                    && go
                {
                    following.step(at, &batch);
                }
            }
            Order::Validate => {
                let count = following.recipe.settings().validation_images;
                let measured = following.measure(&images, |recipe, generator, held_out, share| {
                    validate_share(recipe, generator, held_out, count, share, device)
                });
                group.tell(&message(&told_of(&measured)));
            }
            Order::Evaluate => {
                let measured = following.measure(&images, |recipe, generator, held_out, share| {
                    evaluate_share(recipe, generator, held_out, share, device)
                });
                group.tell(&message(&told_of(&measured)));
            }
            Order::Meet => {
                let met = Met {
                    fingerprints: images.fingerprints(),
                    weights: following.gan.checksum(),
                };
                group.tell(&message(&met));
            }
            Order::End => return Ok(()),
        }
    }
}

/// A follower's part of a run under way.
struct Following<'a, B: TrackedBackend> {
    recipe: Recipe,
    gan: Gan<B>,
    batches: Batches,
    planned: u64,
    group: &'a dyn Group,
    device: &'a B::Device,
}

impl<B: TrackedBackend> Following<'_, B> {
    /// Measures the trained generator on held-out images, of which there are some if the first process says so.
    fn measure<T>(
        &self,
        images: &Images,
        measure: impl FnOnce(
            &Recipe,
            &Generator<B::InnerBackend>,
            &Loader,
            Share,
        ) -> Result<Vec<(usize, T)>, TaskError>,
    ) -> Result<Vec<(usize, T)>, TaskError> {
        let Some(held_out) = images.held_out() else {
            return Ok(Vec::new());
        };
        let generator = self.gan.trained_generator();
        measure(&self.recipe, &generator, held_out, Share::of(self.group))
    }

    /// Takes a step as the first process does, which alone tells of it.
    fn step(&mut self, at: Position, batch: &HostBatch) {
        let (recipe, device) = (&self.recipe, self.device);
        let settings = recipe.settings();
        let mut dropout = stream(settings.seed, Purpose::Dropout, at.step);
        let own = (!batch.is_empty()).then(|| batch.to_tensors::<B>(device));
        let before = (settings.log_every == 1).then(|| self.gan.before());
        let (deferred, gradients) = self.gan.shared_gradients(
            recipe,
            own.as_ref(),
            self.batches.images.batch_len(at.batch),
            Some(&mut dropout),
            self.group,
            device,
        );
        let rates = recipe.learning_rates_at(at.epoch, at.step, self.planned);
        match before {
            Some(before) if !deferred.read().are_finite() => self.gan.undo(before),
            _ => self.gan.update(recipe, rates, gradients),
        }
    }
}

/// A process's batches, in whatever order they are asked for; read ahead if it is the usual one.
struct Batches {
    images: Loader,
    /// The images of all processes, if a process without images of its own passes some: batch normalisation needs all.
    others: Option<Loader>,
    /// The epoch under way, the number of its next batch, and the batches from there on.
    ahead: Option<(u64, usize, huenet_data::Epoch)>,
}

impl Batches {
    fn new(recipe: &Recipe, images: &Loader, group: &dyn Group) -> Self {
        Self {
            images: images.shared(group.rank(), group.size()),
            others: recipe.shares_statistics().then(|| images.clone()),
            ahead: None,
        }
    }

    /// The batch at a place in the run.
    fn at(&mut self, at: Position) -> Result<HostBatch, DataError> {
        let there = |(epoch, next, _): &(u64, usize, _)| (*epoch, *next) == (at.epoch, at.batch);
        if !self.ahead.as_ref().is_some_and(there) {
            let batches = self.images.epoch(at.epoch).skip_batches(at.batch);
            self.ahead = Some((at.epoch, at.batch, batches));
        }
        let Some((_, next, batches)) = &mut self.ahead else {
            return Ok(HostBatch::default());
        };
        *next += 1;
        let own = batches.next().transpose()?.unwrap_or_default();
        match &self.others {
            Some(others) if own.is_empty() => {
                let mut whole = others.epoch(at.epoch).skip_batches(at.batch);
                Ok(whole.next().transpose()?.unwrap_or_default())
            }
            _ => Ok(own),
        }
    }
}
