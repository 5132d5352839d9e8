//! A run under way.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use burn::tensor::backend::AutodiffBackend;
use huenet_data::{Batch, HostBatch, Loader};
use huenet_hist::HistogramBackend;
use tracing::{debug, info, warn};

use super::non_finite::NonFiniteStep;
use super::writer::Writer;
use super::{Observer, Report, report};
use crate::checkpoint::{Contents, Position, Shelf};
use crate::error::TaskError;
use crate::evaluation::{evaluate, translate};
use crate::files;
use crate::gan::Gan;
use crate::job::{Job, Plan};
use crate::losses::HistogramLosses;
use crate::metrics::{StepLosses, StepRecord};
use crate::recipe::Recipe;
use crate::run::RunFolder;
use crate::samples;
use crate::seeds::{Purpose, stream};
use crate::settings::NonFinite;
use crate::state::StateRecord;
use crate::validation::{self, ValidationRecord, validate};
use crate::view::{Distributions, LivePage, View};

/// After so many skipped steps in a row, no step is expected to be finite again.
const SKIPS: u32 = 20;

/// A run under way.
pub(super) struct Training<'a, B: AutodiffBackend> {
    recipe: &'a Recipe,
    run: &'a RunFolder,
    held_out: Option<&'a Loader>,
    device: &'a B::Device,
    observer: &'a mut dyn Observer,
    state: &'a mut StateRecord,
    shown_host: &'a HostBatch,
    shown: Batch<B::InnerBackend>,
    losses: HistogramLosses,
    view: View,
    writer: Writer,
    gan: Gan<B>,
    position: Position,
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
}

impl<'a, B> Training<'a, B>
where
    B: AutodiffBackend + HistogramBackend,
    B::InnerBackend: HistogramBackend,
{
    pub(super) fn new(
        job: &'a Job,
        plan: &Plan,
        live: Option<LivePage>,
        device: &'a B::Device,
        observer: &'a mut dyn Observer,
        state: &'a mut StateRecord,
    ) -> Result<Self, TaskError> {
        let gan = Gan::new(&job.recipe, device);
        let gan = match &job.weights {
            Some(weights) => weights.restore(&job.recipe, gan, device)?,
            None => gan,
        };
        let position = job.position;
        validation::rewind(&job.run.validation(), position, plan.steps_per_epoch)?;
        let shelf = Shelf::of(job.run.path());
        let resumed = job.weights.as_ref().filter(|_| position.step > 0);
        Ok(Self {
            recipe: &job.recipe,
            run: &job.run,
            held_out: job.images.held_out(),
            device,
            observer,
            state,
            shown_host: &job.shown,
            shown: job.shown.to_tensors(device),
            losses: HistogramLosses::new(&job.recipe),
            writer: Writer::start(&job.run, position.step)?,
            view: View::start(&job.recipe, &job.run, plan, position, live)?,
            gan,
            position,
            saved: resumed.map(|weights| (position, weights.folder().to_owned())),
            saved_at: Instant::now(),
            best: shelf.best().map(|(figure, _)| figure),
            shelf,
            skips: 0,
            inspectable: false,
        })
    }

    /// Trains on `images` until `total_steps` are done, or the observer wants to stop.
    pub(super) fn run(mut self, images: &Loader, total_steps: u64) -> Result<Report, TaskError> {
        match self.steps(images, total_steps) {
            Ok(true) => self.finish(),
            Ok(false) => self.stop(),
            Err(error) => {
                self.rescue(&error);
                Err(error)
            }
        }
    }

    /// Trains; gives whether all steps were done.
    fn steps(&mut self, images: &Loader, total_steps: u64) -> Result<bool, TaskError> {
        if self.position.step == 0 {
            self.draw(&self.run.sample(0), self.position)?;
        }
        while self.position.step < total_steps || self.position.batch == images.len() {
            let mut batches = images
                .epoch(self.position.epoch)
                .skip_batches(self.position.batch);
            while self.position.step < total_steps {
                if self.observer.wants_stop() {
                    return Ok(false);
                }
                let waited = Instant::now();
                let Some(batch) = batches.next().transpose()? else {
                    break;
                };
                let batch = batch.to_tensors::<B>(self.device);
                self.step(&batch, waited.elapsed())?;
                self.save_if_due()?;
            }
            if self.position.batch == images.len() {
                self.end_epoch()?;
            }
        }
        Ok(!self.observer.wants_stop())
    }

    fn step(&mut self, batch: &Batch<B>, waited: Duration) -> Result<(), TaskError> {
        let started = Instant::now();
        let seed = self.recipe.settings().seed;
        let mut dropout = stream(seed, Purpose::Dropout, self.position.step);
        let before = self.gan.before();
        let (losses, gradients) =
            self.gan
                .gradients(self.recipe, &self.losses, batch, Some(&mut dropout));
        let found = NonFiniteStep::find(&self.gan, self.position, losses, &gradients);
        let skipped = found.is_some();
        match found {
            None => {
                // Weights that nobody else holds are updated in place.
                drop(before);
                let rates = self.recipe.learning_rates(self.position.epoch);
                self.gan.update(self.recipe, rates, gradients);
                self.skips = 0;
            }
            Some(found) => {
                self.gan.undo(before);
                self.skip(found, batch)?;
            }
        }
        self.stepped(losses, started.elapsed(), waited, skipped)
    }

    /// Tells of a step that is done.
    fn stepped(
        &mut self,
        losses: StepLosses,
        took: Duration,
        waited: Duration,
        skipped: bool,
    ) -> Result<(), TaskError> {
        self.position.step += 1;
        self.position.batch += 1;
        let record = StepRecord {
            step: self.position.step,
            epoch: self.position.epoch,
            losses,
            step_seconds: took.as_secs_f64(),
            data_seconds: waited.as_secs_f64(),
            skipped,
        };
        debug!(
            step = record.step,
            epoch = record.epoch,
            total = losses.gen_total_loss,
            gan = losses.gen_gan_loss,
            structure = losses.gen_mi_loss,
            emd = losses.gen_hist_loss,
            disc = losses.disc_loss,
            seconds = record.step_seconds,
            waited = record.data_seconds,
            "step"
        );
        self.observer.stepped(&record);
        if !skipped {
            let rates = self.recipe.learning_rates(record.epoch);
            self.view.stepped(&record, rates);
        }
        self.writer.step(&record)
    }

    /// Skips a step that is not finite, if the settings say so and it may help.
    fn skip(&mut self, mut found: NonFiniteStep, batch: &Batch<B>) -> Result<(), TaskError> {
        self.skips += 1;
        let skip = self.recipe.settings().non_finite == NonFinite::Skip;
        let stops = !skip || !found.weights.is_empty() || self.skips >= SKIPS;
        if stops || !self.inspectable {
            let saved = found.save(self.run, self.recipe, &self.gan, self.position, batch);
            // That the step is not finite is the fault to tell of.
            found.saved = saved.ok();
            self.inspectable = true;
        }
        warn!(step = found.step, found = %found, skipped = !stops, "a step is not finite");
        if !stops {
            self.observer.skipped(&found);
            return Ok(());
        }
        let mut what = found.to_string();
        if skip && self.skips >= SKIPS {
            what += &format!("; the {SKIPS}th step in a row");
        }
        Err(TaskError::Diverged {
            step: found.step,
            what,
            run: self.run.path().to_owned(),
            saved: found.saved,
        })
    }

    /// What follows the last batch of an epoch. The epoch is over when all of it is done: a
    /// run that was stopped in the middle of this does it again.
    fn end_epoch(&mut self) -> Result<(), TaskError> {
        let next = Position {
            epoch: self.position.epoch + 1,
            batch: 0,
            ..self.position
        };
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

    /// Saves a checkpoint if so many steps or minutes have gone by.
    fn save_if_due(&mut self) -> Result<(), TaskError> {
        let settings = self.recipe.settings();
        let steps = settings.save_every_steps as u64;
        let minutes = settings.save_every_minutes as u64;
        let by_steps = steps > 0 && self.position.step.is_multiple_of(steps);
        let by_time = minutes > 0 && self.saved_at.elapsed().as_secs() / 60 >= minutes;
        if by_steps || by_time {
            self.save(None)?;
            self.note()?;
        }
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

    /// Draws the sample grid of the place `at`.
    fn draw(&mut self, path: &Path, at: Position) -> Result<(), TaskError> {
        let generator = self.gan.trained_generator();
        let output = translate(self.recipe, &generator, &self.shown, 0);
        let grid = samples::grid(self.recipe, &self.shown, output.clone())?;
        self.writer.picture(grid.clone(), path)?;
        let distributions = Distributions::new(
            self.recipe,
            &self.losses,
            self.shown_host,
            &self.shown,
            output,
        );
        self.view.drew(at, grid, distributions);
        self.observer.drew(path);
        Ok(())
    }

    /// Looks at held-out images, if there are any and the settings say so. Gives the figure
    /// that tells the best weights; less is better.
    fn validate(&mut self, at: Position) -> Result<Option<f64>, TaskError> {
        let count = self.recipe.settings().validation_images;
        let Some(held_out) = self.held_out.filter(|_| count > 0) else {
            return Ok(None);
        };
        let generator = self.gan.trained_generator();
        let record = validate(self.recipe, &generator, held_out, count, at, self.device)?;
        if let Some(record) = &record {
            info!(
                step = record.step,
                epoch = record.epoch,
                emd = record.figures.emd,
                h_content_given_output = record.figures.h_content_given_output,
                ssim_luma = record.figures.ssim_luma,
                seconds = record.seconds,
                "validated"
            );
            self.writer.validation(record)?;
            self.observer.validated(record);
            self.view.validated(record);
        }
        Ok(record.and_then(|record: ValidationRecord| {
            let emd = record.figures.emd;
            emd.is_finite().then_some(emd)
        }))
    }

    /// Saves a checkpoint, unless the last one is of this very step. `figure` is the
    /// validation figure of these weights, if they were validated; less is better.
    fn save(&mut self, figure: Option<f64>) -> Result<PathBuf, TaskError> {
        if let Some((position, folder)) = self.saved.clone()
            && position.step == self.position.step
        {
            return self.amend(folder, figure);
        }
        let broken = self.gan.non_finite_weights();
        if !broken.is_empty() {
            return Err(TaskError::Diverged {
                step: self.position.step,
                what: format!("weights are not finite: {broken}"),
                run: self.run.path().to_owned(),
                saved: None,
            });
        }
        let started = Instant::now();
        // A checkpoint whose steps are not written down would leave a gap in the history.
        self.writer.sync()?;
        self.view.flush();
        let folder = self.shelf.save(&Contents {
            gan: &self.gan,
            recipe: self.recipe,
            position: self.position,
            figure,
        })?;
        let seconds = started.elapsed().as_secs_f64();
        let step = self.position.step;
        info!(step, folder = %folder.display(), seconds, figure, "saved a checkpoint");
        self.observer.saved(&folder);
        self.saved_at = Instant::now();
        self.keep(folder, figure)
    }

    /// Adds to a checkpoint of these weights what was not known when it was saved.
    fn amend(&mut self, folder: PathBuf, figure: Option<f64>) -> Result<PathBuf, TaskError> {
        self.writer.sync()?;
        self.view.flush();
        self.shelf.amend(&folder, self.position, figure)?;
        self.keep(folder, figure)
    }

    /// Keeps the checkpoint in `folder` as the newest; removes those that are too many.
    fn keep(&mut self, folder: PathBuf, figure: Option<f64>) -> Result<PathBuf, TaskError> {
        self.saved = Some((self.position, folder.clone()));
        let figures = self.best.into_iter().chain(figure);
        self.best = figures.min_by(f64::total_cmp);
        self.shelf.prune(self.recipe.settings().keep_checkpoints);
        Ok(folder)
    }

    fn is_best(&self, figure: f64) -> bool {
        self.best.is_none_or(|best| figure < best)
    }

    /// Saves what was done before an error, if the error leaves anything to save and a
    /// way to do it.
    fn rescue(&mut self, error: &TaskError) {
        self.state.position = self.position;
        let hopeless = matches!(error, TaskError::UnsavedCheckpoint { .. });
        if !hopeless && self.position.step > 0 {
            // The first error is the one to tell of.
            let _ = self.save(None);
        }
    }

    /// Saves where the run was stopped.
    fn stop(mut self) -> Result<Report, TaskError> {
        let checkpoint = self.save(None)?;
        self.state.position = self.position;
        report(self.run, self.position, checkpoint)
    }

    /// Measures and shows what all the steps came to.
    fn finish(mut self) -> Result<Report, TaskError> {
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
        self.observer.evaluating();
        let generator = self.gan.trained_generator();
        let evaluation = match self.held_out {
            Some(held_out) => evaluate(self.recipe, &generator, held_out, self.device)?,
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
            ..report(self.run, self.position, checkpoint)?
        })
    }
}
