//! A trained generator on the disk or in memory.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use huenet_models::Generator;

use crate::run::checkpoint::Checkpoint;
use crate::run::exported::Exported;
use crate::run::folder::RunFolder;
use crate::settings::Settings;
use crate::step::backend::TrainingBackend;
use crate::step::recipe::Recipe;
use crate::store::error::TaskError;

/// The name of a generator's file in the folder of an export.
const GENERATOR: &str = "generator.safetensors";

/// A trained generator on the disk or in memory, whose settings have been read.
pub struct Model {
    /// Of bytes, the name.
    path: PathBuf,
    weights: Weights,
}

/// Where the weights are.
enum Weights {
    Checkpoint(Box<Checkpoint>),
    Exported(Box<Exported>),
}

impl Model {
    /// The generator at a path: of a run's newest checkpoint, of a checkpoint, or of what
    /// [`export`](crate::export) wrote, a folder or its `generator.safetensors`.
    ///
    /// # Errors
    ///
    /// Those of [`Checkpoint::newest`]; for an exported file [`TaskError::Read`], [`TaskError::Settings`] and
    /// [`TaskError::UnusableExport`].
    pub fn open(path: &Path) -> Result<Self, TaskError> {
        let exported = |file: &Path| -> Result<Weights, TaskError> {
            Ok(Weights::Exported(Box::new(Exported::open(file)?)))
        };
        let weights = match Checkpoint::newest(path) {
            Ok(checkpoint) => Weights::Checkpoint(Box::new(checkpoint)),
            Err(TaskError::NotARun { .. }) if path.is_file() => exported(path)?,
            Err(TaskError::NotARun { .. }) if path.join(GENERATOR).is_file() => {
                exported(&path.join(GENERATOR))?
            }
            Err(error) => return Err(error),
        };
        Ok(Self {
            path: path.to_owned(),
            weights,
        })
    }

    /// The generator in the bytes of a `generator.safetensors` that [`export`](crate::export) wrote. `name` is what
    /// messages and [`description`](Self::description) call it; no file of this name is read.
    ///
    /// # Errors
    ///
    /// [`TaskError::Settings`], and [`TaskError::UnusableExport`] if the bytes are no such file, or their header has
    /// no settings.
    pub fn from_bytes(name: &str, bytes: impl Into<Cow<'static, [u8]>>) -> Result<Self, TaskError> {
        let exported = Exported::from_bytes(name, bytes.into())?;
        Ok(Self {
            path: name.into(),
            weights: Weights::Exported(Box::new(exported)),
        })
    }

    /// Where it is; of bytes, their name.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The settings of its run.
    pub fn settings(&self) -> &Settings {
        match &self.weights {
            Weights::Checkpoint(checkpoint) => checkpoint.settings(),
            Weights::Exported(exported) => exported.settings(),
        }
    }

    /// What it is, in a few words: the task, the recipe, the name of the run or of the file, and the step.
    pub fn description(&self) -> String {
        let settings = self.settings();
        let run = RunFolder::of(&self.path);
        let name = run.file_name().unwrap_or(run.as_os_str()).to_string_lossy();
        let step = match &self.weights {
            Weights::Checkpoint(checkpoint) => Some(checkpoint.position().step),
            Weights::Exported(exported) => exported.step(),
        };
        let step = step.map(|step| format!(", step {step}"));
        let (task, recipe, step) = (
            settings.task,
            settings.recipe.name(),
            step.unwrap_or_default(),
        );
        format!("{task}, {recipe} recipe, model {name}{step}")
    }

    /// The generator of `recipe`, which is made of the model's settings.
    pub(super) fn generator<B: TrainingBackend>(
        &self,
        recipe: &Recipe,
        device: &B::Device,
    ) -> Result<Generator<B>, TaskError> {
        match &self.weights {
            Weights::Checkpoint(checkpoint) => checkpoint.generator(recipe, device),
            Weights::Exported(exported) => exported.generator(recipe, device),
        }
    }
}
