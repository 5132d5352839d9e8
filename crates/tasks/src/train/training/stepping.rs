//! Takes one step, reports it to the observer, and handles losses that are not finite.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use huenet_data::Batch;
use rand::Rng;
use tracing::{debug, warn};

use super::Training;
use super::pending::Pending;
use crate::run::metrics::StepRecord;
use crate::run::position::Position;
use crate::settings::NonFinite;
use crate::step::backend::TrackedBackend;
use crate::step::deferred::DeferredLosses;
use crate::step::loss_values::StepLosses;
use crate::step::recipe::LearningRates;
use crate::step::seeds::{Purpose, stream};
use crate::store::error::TaskError;
use crate::train::non_finite::NonFiniteStep;

/// After so many skipped steps in a row, no step is expected to be finite again.
const SKIPS: u32 = 20;

impl<B: TrackedBackend> Training<'_, B> {
    /// Trains on a batch of `images` images, for which the run has `waited`. Of a batch that is divided among several
    /// processes `batch` has this one's.
    pub(super) fn step(
        &mut self,
        batch: &Batch<B>,
        images: usize,
        waited: Duration,
    ) -> Result<(), TaskError> {
        let started = Instant::now();
        let settings = self.recipe.settings();
        let mut dropout = stream(settings.seed, Purpose::Dropout, self.position.step);
        let before = self.gan.before();
        let recipe = self.recipe;
        let (deferred, gradients) = match self.leader.group() {
            None => self.gan.gradients(recipe, batch, Some(&mut dropout)),
            Some(group) => {
                let (own, dropout) = (Some(batch), Some(&mut dropout as &mut (dyn Rng + Send)));
                self.gan
                    .shared_gradients(recipe, own, images, dropout, group, self.device)
            }
        };
        let rates = self.rates(self.position.epoch, self.position.step);
        if settings.log_every > 1 {
            // Weights that nobody else holds are updated in place.
            drop(before);
            self.gan.update(self.recipe, rates, gradients);
            self.pending.push(Pending {
                before: self.position,
                took: started.elapsed(),
                waited,
                ended: Instant::now(),
                deferred,
            });
            self.advance();
            return match self.pending.len() >= settings.log_every {
                true => self.settle(),
                false => Ok(()),
            };
        }
        let at = self.position;
        let computed = deferred.read();
        let losses = computed.losses;
        if computed.are_finite() {
            drop(before);
            self.gan.update(self.recipe, rates, gradients);
            self.skips = 0;
        } else {
            let found = NonFiniteStep::find(&self.gan, at, losses, Some(&gradients));
            self.gan.undo(before);
            self.skip(found, batch)?;
        }
        self.advance();
        let skipped = !computed.are_finite();
        let record = record(at, losses, started.elapsed(), waited, skipped);
        self.tell(record, Instant::now())
    }

    /// The learning rates of the step that follows so many.
    fn rates(&self, epoch: u64, steps: u64) -> LearningRates {
        self.recipe.learning_rates_at(epoch, steps, self.planned)
    }

    fn advance(&mut self) {
        self.position.step += 1;
        self.position.batch += 1;
    }

    /// Tells of the steps whose losses are still on the device.
    pub(super) fn settle(&mut self) -> Result<(), TaskError> {
        let mut steps = Vec::with_capacity(self.pending.len());
        let mut deferred = Vec::with_capacity(self.pending.len());
        for pending in std::mem::take(&mut self.pending) {
            steps.push((pending.before, pending.took, pending.waited, pending.ended));
            deferred.push(pending.deferred);
        }
        let computed = DeferredLosses::read_all(deferred);
        // The first fault is the one to tell of; it is no reason to lose the steps after it.
        let mut outcome = Ok(());
        for ((before, took, waited, ended), computed) in steps.into_iter().zip(computed) {
            if !computed.are_finite() {
                self.unlogged = true;
                let found = NonFiniteStep::find(&self.gan, before, computed.losses, None);
                warn!(step = found.step, found = %found, "a step is not finite");
                let what = format!("{found}; noticed after step {}", self.position.step);
                return outcome.and(Err(self.diverged(found.step, what, None)));
            }
            let record = record(before, computed.losses, took, waited, false);
            outcome = outcome.and(self.tell(record, ended));
        }
        outcome
    }

    /// That training ran away in a step, of which `saved` is for inspection.
    pub(super) fn diverged(&self, step: u64, what: String, saved: Option<PathBuf>) -> TaskError {
        TaskError::Diverged {
            step,
            what,
            run: self.run.path().to_owned(),
            saved,
            log_every: self.recipe.settings().log_every,
        }
    }

    /// Tells of a step that `ended` then.
    fn tell(&mut self, record: StepRecord, ended: Instant) -> Result<(), TaskError> {
        let losses = &record.losses;
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
        if !record.skipped {
            let rates = self.rates(record.epoch, record.step - 1);
            self.view.stepped(&record, rates, ended);
        }
        self.writer.step(&record)
    }

    /// Skips a step that is not finite, if the settings say so and it may help.
    fn skip(&mut self, mut found: NonFiniteStep, batch: &Batch<B>) -> Result<(), TaskError> {
        self.skips += 1;
        let skip = self.recipe.settings().non_finite == NonFinite::Skip;
        let stops = !skip || !found.weights.is_empty() || self.skips >= SKIPS;
        if stops || !self.inspectable {
            // That the step is not finite is the fault to tell of.
            let _ = found.save(self.run, &self.contents(None), batch);
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
        Err(self.diverged(found.step, what, found.saved))
    }
}

/// The record of the step that follows `before`.
fn record(
    before: Position,
    losses: StepLosses,
    took: Duration,
    waited: Duration,
    skipped: bool,
) -> StepRecord {
    StepRecord {
        step: before.step + 1,
        epoch: before.epoch,
        losses,
        step_seconds: took.as_secs_f64(),
        data_seconds: waited.as_secs_f64(),
        skipped,
    }
}
