//! A run under way.

mod looking;
mod pending;
mod saving;
mod stepping;

use std::path::PathBuf;
use std::time::Instant;

use huenet_data::{Batch, HostBatch, Loader};
use tracing::warn;

use super::job::Job;
use super::leader::Leader;
use super::observer::Observer;
use super::report::Report;
use super::writer::Writer;
use crate::run::checkpoint::{Checkpoint, Shelf};
use crate::run::folder::RunFolder;
use crate::run::images::Images;
use crate::run::plan::Plan;
use crate::run::position::Position;
use crate::run::state::StateRecord;
use crate::run::validation;
use crate::step::backend::TrackedBackend;
use crate::step::gan::Gan;
use crate::step::recipe::Recipe;
use crate::store::error::TaskError;
use crate::store::files;
use crate::view::{LivePage, View};
use pending::Pending;

/// A run under way.
pub(super) struct Training<'a, B: TrackedBackend> {
    recipe: &'a Recipe,
    run: &'a RunFolder,
    images: &'a Images,
    device: &'a B::Device,
    /// The other processes of the group, if there are any.
    leader: &'a Leader<'a>,
    observer: &'a mut dyn Observer,
    state: &'a mut StateRecord,
    shown_host: &'a HostBatch,
    shown: Batch<B::InnerBackend>,
    view: View,
    writer: Writer,
    gan: Gan<B>,
    position: Position,
    /// Steps when the run ends.
    planned: u64,
    shelf: Shelf,
    /// The newest checkpoint of this run.
    saved: Option<(Position, PathBuf)>,
    /// When that was saved, or this process started.
    saved_at: Instant,
    /// The best validation figure so far; less is better.
    best: Option<f64>,
    /// Steps skipped since the last that was not.
    skips: u32,
    /// Whether a skipped step was saved for inspection.
    inspectable: bool,
    /// Steps whose losses are still on the device.
    pending: Vec<Pending<B::InnerBackend>>,
    /// Whether there are steps that are not in the metrics and never will be.
    unlogged: bool,
}

/// The networks at `position`, the start or a place that was resumed, with what is saved of them.
pub(super) fn begun<B: TrackedBackend>(
    recipe: &Recipe,
    saved: Option<&Checkpoint>,
    position: Position,
    device: &B::Device,
) -> Result<Gan<B>, TaskError> {
    let gan = Gan::new(recipe, device);
    match saved {
        Some(saved) if position.step > 0 => saved.restore(recipe, gan, device),
        // Another run's earlier outputs are none of this run's.
        Some(saved) => saved.restore_weights(recipe, gan, device),
        None => Ok(gan),
    }
}

impl<'a, B: TrackedBackend> Training<'a, B> {
    pub(super) fn new(
        job: &'a Job,
        leader: &'a Leader<'a>,
        plan: &Plan,
        live: Option<LivePage>,
        device: &'a B::Device,
        observer: &'a mut dyn Observer,
        state: &'a mut StateRecord,
    ) -> Result<Self, TaskError> {
        let position = job.position;
        let gan = begun(&job.recipe, job.weights.as_ref(), position, device)?;
        validation::rewind(&job.run.validation(), position, plan.steps_per_epoch)?;
        let shelf = Shelf::of(job.run.path());
        let resumed = job.resumed();
        Ok(Self {
            recipe: &job.recipe,
            run: &job.run,
            images: &job.images,
            device,
            leader,
            observer,
            state,
            shown_host: &job.shown,
            shown: job.shown.to_tensors(device),
            writer: Writer::start(&job.run, position.step)?,
            view: View::start(&job.recipe, &job.run, plan, position, live)?,
            gan,
            position,
            planned: plan.total_steps,
            saved: resumed.map(|weights| (position, weights.folder().to_owned())),
            saved_at: Instant::now(),
            best: shelf.best().map(|(figure, _)| figure),
            shelf,
            skips: 0,
            inspectable: false,
            pending: Vec::new(),
            unlogged: false,
        })
    }

    /// Trains until all steps are done, or the observer wants to stop.
    pub(super) fn run(mut self) -> Result<Report, TaskError> {
        let images = self.leader.share_of(self.images.train());
        let outcome = match self.steps(&images) {
            Ok(true) => self.finish(),
            Ok(false) => self.stop(),
            Err(error) => {
                self.rescue(&error);
                Err(error)
            }
        };
        if outcome.is_err() {
            self.view.fail();
        }
        outcome
    }

    /// Trains; gives whether all steps were done.
    fn steps(&mut self, images: &Loader) -> Result<bool, TaskError> {
        if self.position.step == 0 {
            self.draw(&self.run.sample(0), self.position)?;
        }
        while self.position.step < self.planned || self.position.batch == images.len() {
            let mut batches = images
                .epoch(self.position.epoch)
                .skip_batches(self.position.batch);
            while self.position.step < self.planned {
                if self.observer.wants_stop() {
                    return Ok(false);
                }
                let waited = Instant::now();
                let Some(batch) = batches.next().transpose()? else {
                    break;
                };
                if !self.leader.others_are_ready(self.position)? {
                    return Ok(false);
                }
                let images = images.batch_len(self.position.batch);
                let batch = batch.to_tensors::<B>(self.device);
                self.step(&batch, images, waited.elapsed())?;
                self.save_if_due()?;
            }
            if self.position.batch == images.len() {
                self.end_epoch()?;
            }
        }
        Ok(!self.observer.wants_stop())
    }

    /// What follows the last batch of an epoch. The epoch is over when all of it is done: a
    /// run that was stopped in the middle of this does it again.
    fn end_epoch(&mut self) -> Result<(), TaskError> {
        let next = Position {
            epoch: self.position.epoch + 1,
            batch: 0,
            ..self.position
        };
        self.settle()?;
        self.draw(&self.run.sample(next.epoch), next)?;
        let figure = self.validate(next)?;
        self.writer.flush()?;
        self.position = next;
        let every = self.recipe.settings().cp_freq as u64;
        let due = next.epoch.is_multiple_of(every);
        if due || figure.is_some_and(|figure| self.is_best(figure)) {
            self.save(figure)?;
        }
        self.note()?;
        self.view.epoch_ended();
        self.tell_fault();
        Ok(())
    }

    /// Writes down where the run is.
    fn note(&mut self) -> Result<(), TaskError> {
        self.state.position = self.position;
        self.state.write(self.run.path())
    }

    fn tell_fault(&mut self) {
        if let Some(fault) = self.view.fault() {
            warn!(%fault, "something beside the run could not be written");
            self.observer.warned(&fault);
        }
    }

    /// Saves where the run was stopped.
    fn stop(&mut self) -> Result<Report, TaskError> {
        let checkpoint = self.save(None)?;
        self.state.position = self.position;
        Report::of_stopped(self.run, self.position, checkpoint)
    }

    /// Measures and shows what all the steps came to.
    fn finish(&mut self) -> Result<Report, TaskError> {
        let mut checkpoint = self.save(None)?;
        self.state.position = self.position;
        if self.position.batch > 0 {
            // The last epoch, cut short.
            let figure = self.validate(self.position)?;
            checkpoint = self.save(figure)?;
        }
        let sample = self.run.last_sample();
        self.draw(&sample, self.position)?;
        self.writer.flush()?;
        let wanted = self.recipe.settings().held_out_images > 0;
        let evaluation = match self.images.held_out().filter(|_| wanted) {
            Some(held_out) => {
                self.observer.evaluating();
                self.evaluate(held_out)?
            }
            None => None,
        };
        if let Some(evaluation) = &evaluation {
            let path = self.run.evaluation();
            let text = serde_json::to_string_pretty(evaluation)
                .map_err(|error| TaskError::write(&path, std::io::Error::other(error)))?;
            files::write_atomically(&path, text.as_bytes())?;
            self.view.evaluated(*evaluation);
        }
        self.view.finish();
        self.tell_fault();
        Ok(Report {
            finished: true,
            sample: Some(sample),
            evaluation,
            ..Report::of_stopped(self.run, self.position, checkpoint)?
        })
    }
}
