//! Writing a checkpoint: aside, synced, renamed.

use std::fs;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::optim::Optimizer;
use burn::record::{Record, Recorder};
use burn::tensor::backend::Backend;

use super::layout::{
    AVERAGE, BytesRecorder, DISCRIMINATOR, DISCRIMINATOR_ADAM, FORMAT, GENERATOR, GENERATOR_ADAM,
    IMAGES, MANIFEST, POOL, SETTINGS,
};
use super::manifest::{Manifest, fingerprint};
use super::shelf::{Shelf, damaged};
use crate::run::images::Images;
use crate::run::position::Position;
use crate::step::backend::TrackedBackend;
use crate::step::gan::{DiscriminatorAdam, Gan, GeneratorAdam};
use crate::step::recipe::Recipe;
use crate::store::error::TaskError;
use crate::store::files::{self, PARTIAL};

/// What a checkpoint is made of.
pub(crate) struct Contents<'a, B: TrackedBackend> {
    pub(crate) gan: &'a Gan<B>,
    pub(crate) recipe: &'a Recipe,
    pub(crate) position: Position,
    /// The images of the run.
    pub(crate) images: &'a Images,
    /// The validation figure of these weights, if there is one; less is better.
    pub(crate) figure: Option<f64>,
    /// The processes that train together.
    pub(crate) processes: usize,
}

impl Shelf {
    /// Saves a checkpoint; gives its folder, which is named by `step`. It is on the disk, whole, when
    /// this returns.
    ///
    /// A folder that has its name already is set aside.
    pub(crate) fn save<B: TrackedBackend>(
        &self,
        step: u64,
        contents: &Contents<'_, B>,
    ) -> Result<PathBuf, TaskError> {
        let checkpoints = self.path();
        files::create_folder(checkpoints)?;
        let aside = tempfile::Builder::new()
            .prefix(PARTIAL)
            .tempdir_in(checkpoints)
            .map_err(|source| TaskError::write(checkpoints, source))?;
        let mut writer = Writer {
            folder: aside.path(),
            files: Vec::new(),
        };
        let gan = contents.gan;
        writer.settings(contents.recipe)?;
        writer.record::<B, _>(GENERATOR, gan.generator.clone().into_record())?;
        writer.record::<B, _>(DISCRIMINATOR, gan.discriminator.clone().into_record())?;
        let adam: <GeneratorAdam<B> as Optimizer<_, B>>::Record = gan.generator_adam.to_record();
        writer.record::<B, _>(GENERATOR_ADAM, adam)?;
        let adam: <DiscriminatorAdam<B> as Optimizer<_, B>>::Record =
            gan.discriminator_adam.to_record();
        writer.record::<B, _>(DISCRIMINATOR_ADAM, adam)?;
        if let Some(pool) = gan.pool.record() {
            writer.record::<B::InnerBackend, _>(POOL, pool)?;
        }
        if let Some(average) = &gan.average {
            writer.record::<B::InnerBackend, _>(AVERAGE, average.record())?;
        }
        writer.fingerprints(contents.images)?;
        let manifest = Manifest {
            format: FORMAT,
            huenet: env!("CARGO_PKG_VERSION").to_owned(),
            position: contents.position,
            figure: contents.figure,
            processes: contents.processes,
            image_names: Some(contents.images.names()),
            files: writer.files.into_iter().collect(),
        };
        manifest.write(aside.path())?;

        let folder = self.folder_of(step);
        if folder.exists() {
            self.set_aside(&folder)?;
        }
        let rename = || {
            share(aside.path(), checkpoints)?;
            fs::rename(aside.path(), &folder)?;
            files::sync_folder(checkpoints)
        };
        rename().map_err(|source| TaskError::write(&folder, source))?;
        // The folder has its final name: there is nothing left to remove.
        let _ = aside.keep();
        Ok(folder)
    }

    /// Adds to a checkpoint what was not known when it was saved: that its epoch is over, and
    /// the validation figure of its weights.
    pub(crate) fn amend(
        &self,
        folder: &Path,
        position: Position,
        figure: Option<f64>,
    ) -> Result<(), TaskError> {
        let path = folder.join(MANIFEST);
        let before = Manifest::read(folder).map_err(|reason| damaged(&path, reason))?;
        let manifest = Manifest {
            position,
            figure: figure.or(before.figure),
            ..before.clone()
        };
        if (manifest.position, manifest.figure) == (before.position, before.figure) {
            return Ok(());
        }
        manifest.write(folder)
    }
}

impl Manifest {
    fn write(&self, folder: &Path) -> Result<(), TaskError> {
        let path = folder.join(MANIFEST);
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| TaskError::write(&path, std::io::Error::other(error)))?;
        files::write_atomically(&path, text.as_bytes())
    }
}

/// Writes files and keeps what identifies them.
struct Writer<'a> {
    folder: &'a Path,
    files: Vec<(String, (u64, u32))>,
}

impl Writer<'_> {
    fn settings(&mut self, recipe: &Recipe) -> Result<(), TaskError> {
        let text = recipe.settings().to_toml()?;
        self.write(SETTINGS, text.as_bytes())
    }

    fn fingerprints(&mut self, images: &Images) -> Result<(), TaskError> {
        let fingerprints = images.fingerprints();
        if fingerprints.is_empty() {
            return Ok(());
        }
        let text = serde_json::to_string(&fingerprints);
        let text = text.map_err(|error| TaskError::UnsavedCheckpoint {
            path: self.folder.join(IMAGES),
            reason: error.to_string(),
        })?;
        self.write(IMAGES, text.as_bytes())
    }

    fn record<B: Backend, R: Record<B>>(&mut self, name: &str, record: R) -> Result<(), TaskError> {
        // Made in memory first: Burn's own file recorder does not notice when the last
        // part of a file finds no room.
        let bytes = Recorder::<B>::record(&BytesRecorder::default(), record, ());
        let bytes = bytes.map_err(|error| TaskError::UnsavedCheckpoint {
            path: self.folder.join(name),
            reason: error.to_string(),
        })?;
        self.write(name, &bytes)
    }

    fn write(&mut self, name: &str, bytes: &[u8]) -> Result<(), TaskError> {
        let path = self.folder.join(name);
        files::write_synced(&path, bytes).map_err(|source| TaskError::UnsavedCheckpoint {
            path,
            reason: source.to_string(),
        })?;
        self.files.push((name.to_owned(), fingerprint(bytes)));
        Ok(())
    }
}

/// Temporary folders are private to the user; checkpoints are as open as the run.
fn share(folder: &Path, like: &Path) -> std::io::Result<()> {
    fs::set_permissions(folder, fs::metadata(like)?.permissions())
}
