//! Steps in which something is not a finite number.

use std::fmt;
use std::path::{Path, PathBuf};

use burn::module::AutodiffModule;
use burn::tensor::Tensor;
use huenet_data::Batch;
use serde::Serialize;

use crate::measure::samples;
use crate::measure::translate::translate;
use crate::run::checkpoint::{Contents, Shelf};
use crate::run::folder::RunFolder;
use crate::run::position::Position;
use crate::step::backend::TrackedBackend;
use crate::step::gan::{Gan, StepGradients};
use crate::step::gradients::NonFiniteValues;
use crate::step::loss_values::StepLosses;
use crate::store::error::TaskError;
use crate::store::files;

/// What of a step is not finite, and where.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NonFiniteStep {
    /// The step, as it would have been counted.
    pub step: u64,
    /// Its epoch, from 0.
    pub epoch: u64,
    /// Its batch in the epoch, from 0.
    pub batch: usize,
    /// All its losses; those that are not finite are `null` in JSON.
    pub losses: StepLosses,
    /// The losses that are not finite, with their values in words.
    pub non_finite_losses: Vec<(&'static str, String)>,
    /// The weights whose gradients are not finite.
    pub gradients: NonFiniteValues,
    /// The weights that were not finite already.
    pub weights: NonFiniteValues,
    /// Where the networks, optimisers and images of the step were saved, if they were.
    pub saved: Option<PathBuf>,
}

impl NonFiniteStep {
    /// Looks for what is not finite in the step that follows `position`. `gradients` are those
    /// of the step, if they are still there.
    pub(super) fn find<B: TrackedBackend>(
        gan: &Gan<B>,
        position: Position,
        losses: StepLosses,
        gradients: Option<&StepGradients>,
    ) -> Self {
        let named = losses.non_finite();
        Self {
            step: position.step + 1,
            epoch: position.epoch,
            batch: position.batch,
            losses,
            non_finite_losses: named
                .map(|(name, value)| (name, value.to_string()))
                .collect(),
            gradients: gradients.map_or_else(NonFiniteValues::default, |gradients| {
                gan.non_finite_gradients(gradients)
            }),
            weights: gan.non_finite_weights(),
            saved: None,
        }
    }

    /// Saves for inspection: `before`, which is what there was before the step, its images, and
    /// what was found.
    pub(super) fn save<B: TrackedBackend>(
        &mut self,
        run: &RunFolder,
        before: &Contents<'_, B>,
        batch: &Batch<B>,
    ) -> Result<(), TaskError> {
        let folder = Shelf::at(run.non_finite()).save(self.step, before)?;
        self.saved = Some(folder.clone());
        self.describe(&folder.join("found.json"))?;
        let batch = Batch {
            content: batch.content.clone().inner(),
            reference: batch.reference.clone().inner(),
            counts: batch.counts.clone().inner(),
            fitted: batch.fitted.clone().map(Tensor::inner),
        };
        let generator = before.gan.generator.valid();
        let output = translate(before.recipe, &generator, &batch, before.position.step);
        let grid = samples::grid(before.recipe, &batch, output)?;
        samples::save(&grid, &folder.join("batch.png"))
    }

    fn describe(&self, path: &Path) -> Result<(), TaskError> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| TaskError::write(path, std::io::Error::other(error)))?;
        files::write_atomically(path, text.as_bytes())
    }
}

impl fmt::Display for NonFiniteStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let losses = self.non_finite_losses.iter();
        let mut found: Vec<String> = losses
            .map(|(name, value)| format!("{name} is {value}"))
            .collect();
        if !self.weights.is_empty() {
            found.push(format!("weights are not finite: {}", self.weights));
        } else if !self.gradients.is_empty() {
            found.push(format!("gradients are not finite: {}", self.gradients));
        } else if found.is_empty() {
            found.push("the sum of the gradients is not finite".to_owned());
        }
        f.write_str(&found.join("; "))
    }
}
