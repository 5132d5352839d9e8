//! What a run looks at between steps: a sample grid, and held-out images.

use std::path::Path;
use std::time::Instant;

use huenet_data::Loader;
use tracing::info;

use super::super::leader::Leader;
use super::super::orders::Order;
use super::super::shares::validate_share;
use super::Training;
use crate::measure::evaluation::{Evaluation, evaluate, evaluate_share};
use crate::measure::figures::Figures;
use crate::measure::samples;
use crate::measure::translate::translate;
use crate::run::position::Position;
use crate::run::validation::{ValidationRecord, validate};
use crate::step::backend::TrackedBackend;
use crate::store::error::TaskError;
use crate::view::Distributions;

impl<B: TrackedBackend> Training<'_, B> {
    /// Draws the sample grid of the place `at`.
    pub(super) fn draw(&mut self, path: &Path, at: Position) -> Result<(), TaskError> {
        let generator = self.gan.trained_generator();
        let output = translate(self.recipe, &generator, &self.shown, 0);
        let grid = samples::grid(self.recipe, &self.shown, output.clone())?;
        self.writer.picture(grid.clone(), path)?;
        let distributions = Distributions::new(self.recipe, self.shown_host, &self.shown, output);
        self.view.drew(at, grid, distributions);
        self.observer.drew(path);
        Ok(())
    }

    /// Measures the trained generator on held-out images, at the end.
    pub(super) fn evaluate(&self, held_out: &Loader) -> Result<Option<Evaluation>, TaskError> {
        let (recipe, device) = (self.recipe, self.device);
        let generator = self.gan.trained_generator();
        match self.leader.group() {
            None => evaluate(recipe, &generator, held_out, device),
            Some(group) => {
                let own = |share| evaluate_share(recipe, &generator, held_out, share, device);
                let all = Leader::measured(group, Order::Evaluate, own)?;
                Ok(Evaluation::of(&all))
            }
        }
    }

    /// Looks at held-out images, if there are any and the settings say so. Gives the figure
    /// that tells the best weights; less is better.
    pub(super) fn validate(&mut self, at: Position) -> Result<Option<f64>, TaskError> {
        let count = self.recipe.settings().validation_images;
        let Some(held_out) = self.images.held_out().filter(|_| count > 0) else {
            return Ok(None);
        };
        let generator = self.gan.trained_generator();
        let record = match self.leader.group() {
            None => validate(self.recipe, &generator, held_out, count, at, self.device)?,
            Some(group) => {
                let started = Instant::now();
                let own = |share| {
                    validate_share(self.recipe, &generator, held_out, count, share, self.device)
                };
                let all = Leader::measured(group, Order::Validate, own)?;
                let all: Vec<Figures> = all.into_iter().flatten().map(Figures::from).collect();
                ValidationRecord::of(&all, at, started)
            }
        };
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
}
