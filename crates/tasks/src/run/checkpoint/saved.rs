//! A saved checkpoint, read back.

use std::path::{Path, PathBuf};

use burn::module::{AutodiffModule, Module};
use burn::optim::Optimizer;
use burn::record::{Record, Recorder};
use burn::tensor::backend::Backend;
use huenet_models::{Conditioning, Discriminator, Generator};

use super::layout::{
    AVERAGE, BytesRecorder, DISCRIMINATOR, DISCRIMINATOR_ADAM, GENERATOR, GENERATOR_ADAM, IMAGES,
    MANIFEST, POOL, SETTINGS,
};
use super::manifest::{Manifest, is_checkpoint};
use super::shelf::{Shelf, damaged};
use crate::run::images::{Fingerprints, ImageNames};
use crate::run::position::Position;
use crate::settings::{KEYS, Layer, Settings, Shapes};
use crate::step::average::{Averaged, WeightAverage};
use crate::step::backend::{TrackedBackend, TrainingBackend};
use crate::step::gan::Gan;
use crate::step::recipe::Recipe;
use crate::step::seeds::{Purpose, stream};
use crate::store::error::TaskError;
use crate::store::files::CONFIG;

/// A saved checkpoint whose manifest and settings have been read.
#[derive(Debug)]
pub struct Checkpoint {
    folder: PathBuf,
    manifest: Manifest,
    settings: Settings,
}

impl Checkpoint {
    /// The newest checkpoint of the run in `run`; or the one in `run` itself, if it is
    /// a checkpoint's folder.
    ///
    /// # Errors
    ///
    /// [`TaskError::NoCheckpoint`] if the run has saved none, [`TaskError::NotARun`] or
    /// [`TaskError::NoSuchRun`] if there is no run, and [`TaskError::DamagedCheckpoint`] if
    /// it cannot be read.
    pub fn newest(run: &Path) -> Result<Self, TaskError> {
        Self::find(run)?.ok_or_else(|| match run.join(CONFIG).is_file() {
            true => TaskError::NoCheckpoint {
                run: run.to_owned(),
            },
            false => TaskError::no_run(run),
        })
    }

    /// As [`newest`](Self::newest), with `None` for a run that has saved none yet.
    pub(crate) fn find(run: &Path) -> Result<Option<Self>, TaskError> {
        if is_checkpoint(run) {
            return Self::open(run).map(Some);
        }
        let newest = Shelf::of(run).list().pop();
        newest.map(|folder| Self::open(&folder)).transpose()
    }

    fn open(folder: &Path) -> Result<Self, TaskError> {
        let path = folder.join(MANIFEST);
        let manifest = Manifest::read(folder).map_err(|reason| damaged(&path, reason))?;
        let path = folder.join(SETTINGS);
        let settings = manifest
            .bytes_of(folder, SETTINGS)
            .and_then(|bytes| String::from_utf8(bytes).map_err(|error| error.to_string()))
            .map_err(|reason| damaged(&path, reason))?;
        let layer = Layer::from_toml(&path, &settings)?;
        if layer.text("task").is_none() {
            // Without one the demo would be meant.
            return Err(damaged(&path, "it names no task".to_owned()));
        }
        let settings = Settings::resolve(&[layer])?;
        Ok(Self {
            folder: folder.to_owned(),
            manifest,
            settings,
        })
    }

    /// The checkpoint's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The settings of the run when it was saved.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Where in its run it was saved.
    pub fn position(&self) -> Position {
        self.manifest.position
    }

    /// How many processes trained the run together when it was saved.
    pub fn processes(&self) -> usize {
        self.manifest.processes
    }

    /// The images that the run trains on, if it is saved which.
    pub(crate) fn image_names(&self) -> Option<ImageNames> {
        self.manifest.image_names
    }

    /// What the image files held that the run had read.
    ///
    /// # Errors
    ///
    /// [`TaskError::DamagedCheckpoint`] if their file is not what was saved.
    pub(crate) fn fingerprints(&self) -> Result<Fingerprints, TaskError> {
        if !self.manifest.files.contains_key(IMAGES) {
            return Ok(Fingerprints::new());
        }
        let bytes = self.manifest.bytes_of(&self.folder, IMAGES);
        let read = bytes
            .and_then(|bytes| serde_json::from_slice(&bytes).map_err(|error| error.to_string()));
        read.map_err(|reason| damaged(&self.folder.join(IMAGES), reason))
    }

    /// The validation figure of the saved weights, if they were validated; less is
    /// better.
    pub fn figure(&self) -> Option<f64> {
        self.manifest.figure
    }

    /// Reads every file and compares it with its checksum.
    ///
    /// # Errors
    ///
    /// [`TaskError::DamagedCheckpoint`], naming the file, and an older checkpoint of the
    /// run that is sound.
    pub fn verify(&self) -> Result<(), TaskError> {
        match self.manifest.damage(&self.folder) {
            Some((name, reason)) => Err(damaged(&self.folder.join(name), reason)),
            None => Ok(()),
        }
    }

    /// Whether the saved networks are those of `recipe`.
    ///
    /// # Errors
    ///
    /// [`TaskError::OtherConfiguration`], naming each setting that gives weights other
    /// shapes or another meaning.
    pub fn check_configuration(&self, recipe: &Recipe) -> Result<(), TaskError> {
        let (saved, wanted) = (&self.settings, recipe.settings());
        // Grey images are the same in both colour spaces.
        let grey = (saved.img_c, wanted.img_c) == (1, 1);
        let counted = saved.conditioning == Conditioning::Counts;
        let of_sides = counted || other_levels(saved, recipe);
        let shaping = KEYS.iter().filter(|key| match key.shapes {
            Shapes::Networks => !(grey && key.name == "yuv"),
            Shapes::NetworksOfSides => of_sides,
            Shapes::Nothing => false,
        });
        let mut differences: Vec<String> = shaping
            .filter_map(|key| Some((key.name, saved.value(key)?, wanted.value(key)?)))
            .filter(|(_, saved, wanted)| saved != wanted)
            .map(|(key, saved, wanted)| format!("{key} is {saved} there and {wanted} here"))
            .collect();
        if saved.task.is_paired() != wanted.task.is_paired() {
            differences.push(format!(
                "task is {} there and {} here",
                saved.task, wanted.task
            ));
        }
        if differences.is_empty() {
            return Ok(());
        }
        Err(TaskError::OtherConfiguration {
            path: self.folder.clone(),
            differences: differences.join(", "),
        })
    }

    /// Puts all that was saved into `gan`: weights, optimiser states and, if the settings keep
    /// some, earlier outputs.
    ///
    /// # Errors
    ///
    /// As [`restore_weights`](Self::restore_weights).
    pub fn restore<B: TrackedBackend>(
        &self,
        recipe: &Recipe,
        gan: Gan<B>,
        device: &B::Device,
    ) -> Result<Gan<B>, TaskError> {
        let gan = self.restore_weights(recipe, gan, device)?;
        if !self.has_pool_of(recipe) {
            return Ok(gan);
        }
        let kept = self.load::<B::InnerBackend, _>(POOL, device)?;
        Ok(Gan {
            pool: gan.pool.load(kept),
            ..gan
        })
    }

    /// Puts the saved weights and optimiser states into `gan`.
    ///
    /// # Errors
    ///
    /// [`TaskError::OtherConfiguration`] if the networks of `recipe` have other shapes
    /// than the saved ones; [`TaskError::DamagedCheckpoint`] if a file is not what was
    /// saved.
    pub fn restore_weights<B: TrackedBackend>(
        &self,
        recipe: &Recipe,
        gan: Gan<B>,
        device: &B::Device,
    ) -> Result<Gan<B>, TaskError> {
        self.check_configuration(recipe)?;
        let generator = gan
            .generator
            .load_record(self.load::<B, _>(GENERATOR, device)?);
        // Without a saved one, an average begins with the weights that training goes on from.
        let average = WeightAverage::new(recipe.settings().average_decay, generator.valid());
        Ok(Gan {
            average: match average {
                Some(average) if self.has_average() => {
                    let saved = self.load::<B::InnerBackend, _>(AVERAGE, device)?;
                    Some(average.load(saved))
                }
                average => average,
            },
            generator,
            discriminator: gan
                .discriminator
                .load_record(self.load::<B, _>(DISCRIMINATOR, device)?),
            generator_adam: gan
                .generator_adam
                .load_record(self.load::<B, _>(GENERATOR_ADAM, device)?),
            discriminator_adam: gan
                .discriminator_adam
                .load_record(self.load::<B, _>(DISCRIMINATOR_ADAM, device)?),
            pool: gan.pool,
        })
    }

    fn has_pool_of(&self, recipe: &Recipe) -> bool {
        let size = recipe.settings().image_pool;
        size > 0 && self.settings.image_pool == size && self.manifest.files.contains_key(POOL)
    }

    fn has_average(&self) -> bool {
        self.manifest.files.contains_key(AVERAGE)
    }

    /// Both networks, without what training needs beside them; the generator with the average of
    /// its weights, if one was kept.
    ///
    /// # Errors
    ///
    /// [`TaskError::Settings`] if the saved settings do not fit this version, and
    /// [`TaskError::DamagedCheckpoint`] if a file is not what was saved.
    pub fn networks<B: TrainingBackend>(
        &self,
        device: &B::Device,
    ) -> Result<(Generator<B>, Discriminator<B>), TaskError> {
        let recipe = Recipe::new(self.settings.for_application())?;
        // The weights are replaced by the saved ones.
        let mut random = stream(0, Purpose::DiscriminatorWeights, 0);
        let discriminator = recipe.discriminator().init(&mut random, device);
        Ok((
            self.generator(&recipe, device)?,
            discriminator.load_record(self.load::<B, _>(DISCRIMINATOR, device)?),
        ))
    }

    /// The generator of `recipe`, which is made of the saved settings, with the average of its weights, if one
    /// was kept.
    ///
    /// # Errors
    ///
    /// [`TaskError::DamagedCheckpoint`] if a file is not what was saved.
    pub(crate) fn generator<B: TrainingBackend>(
        &self,
        recipe: &Recipe,
        device: &B::Device,
    ) -> Result<Generator<B>, TaskError> {
        // The weights are replaced by the saved ones.
        let mut random = stream(0, Purpose::GeneratorWeights, 0);
        let generator = recipe.generator().init(&mut random, device);
        let weights = match self.has_average() {
            true => self.load::<B, Averaged<B>>(AVERAGE, device)?.generator,
            false => self.load::<B, _>(GENERATOR, device)?,
        };
        Ok(generator.load_record(weights))
    }

    fn load<B: Backend, R: Record<B>>(
        &self,
        name: &str,
        device: &B::Device,
    ) -> Result<R, TaskError> {
        let record = self.manifest.bytes_of(&self.folder, name);
        record
            .and_then(|bytes| {
                let recorder = BytesRecorder::default();
                let record = Recorder::<B>::load(&recorder, bytes, device);
                record.map_err(|error| error.to_string())
            })
            .map_err(|reason| damaged(&self.folder.join(name), reason))
    }
}

/// Whether a generator of the saved size has other levels than the wanted one. Those of local maps end at the size of
/// their grid.
fn other_levels(saved: &Settings, wanted: &Recipe) -> bool {
    let sized = Recipe::new(Settings {
        img_h: saved.img_h,
        img_w: saved.img_w,
        ..wanted.settings().clone()
    });
    let doublings = |recipe: Recipe| recipe.generator().doublings();
    sized.map(doublings).ok() != Some(wanted.generator().doublings())
}
