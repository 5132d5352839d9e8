//! When a run saves checkpoints, and which it keeps.

use std::path::PathBuf;
use std::time::Instant;

use tracing::info;

use super::Training;
use crate::run::checkpoint::Contents;
use crate::step::backend::TrackedBackend;
use crate::store::error::TaskError;

impl<B: TrackedBackend> Training<'_, B> {
    /// Saves a checkpoint if so many steps or minutes have gone by.
    pub(super) fn save_if_due(&mut self) -> Result<(), TaskError> {
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

    /// Saves a checkpoint, unless the last one is of this very step. `figure` is the
    /// validation figure of these weights, if they were validated; less is better.
    pub(super) fn save(&mut self, figure: Option<f64>) -> Result<PathBuf, TaskError> {
        self.settle()?;
        if let Some((position, folder)) = self.saved.clone()
            && position.step == self.position.step
        {
            return self.amend(folder, figure);
        }
        let broken = self.gan.non_finite_weights();
        if !broken.is_empty() {
            let what = format!("weights are not finite: {broken}");
            return Err(self.diverged(self.position.step, what, None));
        }
        let started = Instant::now();
        self.leader
            .meet(self.images, || self.gan.checksum(), self.position.step)?;
        // A checkpoint whose steps are not written down would leave a gap in the history.
        self.writer.sync()?;
        self.view.flush();
        let step = self.position.step;
        let folder = self.shelf.save(step, &self.contents(figure))?;
        let seconds = started.elapsed().as_secs_f64();
        info!(step, folder = %folder.display(), seconds, figure, "saved a checkpoint");
        self.observer.saved(&folder);
        self.saved_at = Instant::now();
        self.keep(folder, figure)
    }

    /// What a checkpoint is made of now.
    pub(super) fn contents(&self, figure: Option<f64>) -> Contents<'_, B> {
        Contents {
            gan: &self.gan,
            recipe: self.recipe,
            position: self.position,
            images: self.images,
            figure,
            processes: self.leader.size(),
        }
    }

    /// Adds to a checkpoint of these weights what was not known when it was saved.
    pub(super) fn amend(
        &mut self,
        folder: PathBuf,
        figure: Option<f64>,
    ) -> Result<PathBuf, TaskError> {
        self.writer.sync()?;
        self.view.flush();
        self.shelf.amend(&folder, self.position, figure)?;
        self.keep(folder, figure)
    }

    /// Keeps the checkpoint in `folder` as the newest; removes those that are too many.
    pub(super) fn keep(
        &mut self,
        folder: PathBuf,
        figure: Option<f64>,
    ) -> Result<PathBuf, TaskError> {
        self.saved = Some((self.position, folder.clone()));
        let figures = self.best.into_iter().chain(figure);
        self.best = figures.min_by(f64::total_cmp);
        self.shelf.prune(self.recipe.settings().keep_checkpoints);
        Ok(folder)
    }

    pub(super) fn is_best(&self, figure: f64) -> bool {
        self.best.is_none_or(|best| figure < best)
    }

    /// Saves what was done before an error, if the error leaves anything to save and a
    /// way to do it.
    pub(super) fn rescue(&mut self, error: &TaskError) {
        self.state.position = self.position;
        let hopeless = self.unlogged || matches!(error, TaskError::UnsavedCheckpoint { .. });
        if !hopeless && self.position.step > 0 {
            // The first error is the one to tell of.
            let _ = self.save(None);
        }
    }
}
