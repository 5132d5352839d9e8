//! Checkpoints: both networks, both optimisers and the place in the run, in a folder
//! that either exists whole or not at all.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::optim::Optimizer;
use burn::record::{FullPrecisionSettings, NamedMpkFileRecorder, Record, Recorder};
use burn::tensor::backend::AutodiffBackend;
use serde::{Deserialize, Serialize};

use crate::error::TaskError;
use crate::files::{self, PARTIAL};
use crate::gan::{DiscriminatorAdam, Gan, GeneratorAdam};
use crate::recipe::Recipe;
use crate::settings::Settings;

/// The version of the folder's layout.
const FORMAT: u32 = 1;

const MANIFEST: &str = "manifest.json";
const GENERATOR: &str = "generator.mpk";
const DISCRIMINATOR: &str = "discriminator.mpk";
const GENERATOR_ADAM: &str = "generator_adam.mpk";
const DISCRIMINATOR_ADAM: &str = "discriminator_adam.mpk";
const FILES: [&str; 4] = [GENERATOR, DISCRIMINATOR, GENERATOR_ADAM, DISCRIMINATOR_ADAM];

type FileRecorder = NamedMpkFileRecorder<FullPrecisionSettings>;

/// A place in a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Steps done.
    pub step: u64,
    /// The epoch under way, from 0.
    pub epoch: u64,
    /// Batches of that epoch done.
    pub batch: usize,
}

#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    format: u32,
    huenet: String,
    position: Position,
    settings: Settings,
    /// Length and CRC-32 of each file.
    files: BTreeMap<String, (u64, u32)>,
}

/// A saved checkpoint whose manifest has been read.
#[derive(Debug)]
pub struct Checkpoint {
    folder: PathBuf,
    manifest: Manifest,
}

impl Checkpoint {
    /// The newest checkpoint of the run in `run`; or the one in `run` itself, if it is
    /// a checkpoint's folder.
    ///
    /// # Errors
    ///
    /// [`TaskError::NotARun`] if there is none, and if the manifest cannot be read.
    pub fn newest(run: &Path) -> Result<Self, TaskError> {
        let missing = TaskError::NotARun {
            path: run.to_owned(),
            missing: "checkpoints",
        };
        Self::find(run)?.ok_or(missing)
    }

    /// As [`newest`](Self::newest), with `None` for a run that has saved none yet.
    pub(crate) fn find(run: &Path) -> Result<Option<Self>, TaskError> {
        if is_checkpoint(run) {
            return Self::open(run).map(Some);
        }
        let newest = list(&checkpoints_of(run)).into_iter().next_back();
        newest.map(|folder| Self::open(&folder)).transpose()
    }

    fn open(folder: &Path) -> Result<Self, TaskError> {
        let path = folder.join(MANIFEST);
        let text = fs::read_to_string(&path).map_err(|source| TaskError::read(&path, source))?;
        let manifest: Manifest =
            serde_json::from_str(&text).map_err(|error| damaged(&path, error.to_string()))?;
        if manifest.format != FORMAT {
            let reason = format!(
                "its format is {}, this huenet reads {FORMAT}",
                manifest.format
            );
            return Err(damaged(&path, reason));
        }
        if let Some(name) = FILES
            .into_iter()
            .find(|name| !manifest.files.contains_key(*name))
        {
            return Err(damaged(&path, format!("it does not list {name}")));
        }
        Ok(Self {
            folder: folder.to_owned(),
            manifest,
        })
    }

    /// The checkpoint's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The settings of the run when it was saved.
    pub fn settings(&self) -> &Settings {
        &self.manifest.settings
    }

    /// Where in its run it was saved.
    pub fn position(&self) -> Position {
        self.manifest.position
    }

    /// Whether the saved networks are those of `recipe`.
    ///
    /// # Errors
    ///
    /// [`TaskError::OtherConfiguration`], naming each setting that gives weights other
    /// shapes.
    pub fn check_configuration(&self, recipe: &Recipe) -> Result<(), TaskError> {
        let (saved, wanted) = (&self.manifest.settings, recipe.settings());
        let pairs = [
            ("img_h", saved.img_h, wanted.img_h),
            ("img_w", saved.img_w, wanted.img_w),
            ("img_c", saved.img_c, wanted.img_c),
            ("base_width", saved.base_width, wanted.base_width),
            ("depth", saved.depth, wanted.depth),
            ("bin_num", saved.bin_num, wanted.bin_num),
        ];
        let mut differences: Vec<String> = pairs
            .into_iter()
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

    /// Puts the saved weights and optimiser states into `gan`.
    ///
    /// # Errors
    ///
    /// [`TaskError::OtherConfiguration`] if the networks of `recipe` have other shapes
    /// than the saved ones; [`TaskError::DamagedCheckpoint`] if a file is not what was
    /// saved.
    pub fn restore<B: AutodiffBackend>(
        &self,
        recipe: &Recipe,
        gan: Gan<B>,
        device: &B::Device,
    ) -> Result<Gan<B>, TaskError> {
        self.check_configuration(recipe)?;
        for (name, expected) in &self.manifest.files {
            let path = self.folder.join(name);
            let found = fingerprint(&path).map_err(|source| TaskError::read(&path, source))?;
            if found != *expected {
                return Err(damaged(
                    &path,
                    "its checksum has changed since it was saved".into(),
                ));
            }
        }
        Ok(Gan {
            generator: gan
                .generator
                .load_record(self.load::<B, _>(GENERATOR, device)?),
            discriminator: gan
                .discriminator
                .load_record(self.load::<B, _>(DISCRIMINATOR, device)?),
            generator_adam: gan
                .generator_adam
                .load_record(self.load::<B, _>(GENERATOR_ADAM, device)?),
            discriminator_adam: gan
                .discriminator_adam
                .load_record(self.load::<B, _>(DISCRIMINATOR_ADAM, device)?),
        })
    }

    fn load<B: AutodiffBackend, R: Record<B>>(
        &self,
        name: &str,
        device: &B::Device,
    ) -> Result<R, TaskError> {
        let path = self.folder.join(name);
        FileRecorder::new()
            .load(path.clone(), device)
            .map_err(|error| damaged(&path, error.to_string()))
    }
}

/// Saves `gan` at `position` in the run's folder; gives the checkpoint's folder. One
/// that was saved at that step before is replaced.
pub(crate) fn save<B: AutodiffBackend>(
    gan: &Gan<B>,
    position: Position,
    recipe: &Recipe,
    run: &Path,
) -> Result<PathBuf, TaskError> {
    let checkpoints = checkpoints_of(run);
    files::create_folder(&checkpoints)?;
    let folder = checkpoints.join(format!("step-{:08}", position.step));
    let aside = tempfile::Builder::new()
        .prefix(PARTIAL)
        .tempdir_in(&checkpoints)
        .map_err(|source| TaskError::write(&checkpoints, source))?;
    let generator_adam: <GeneratorAdam<B> as Optimizer<_, B>>::Record =
        gan.generator_adam.to_record();
    let discriminator_adam: <DiscriminatorAdam<B> as Optimizer<_, B>>::Record =
        gan.discriminator_adam.to_record();
    let files = [
        store::<B, _>(aside.path(), GENERATOR, gan.generator.clone().into_record())?,
        store::<B, _>(
            aside.path(),
            DISCRIMINATOR,
            gan.discriminator.clone().into_record(),
        )?,
        store::<B, _>(aside.path(), GENERATOR_ADAM, generator_adam)?,
        store::<B, _>(aside.path(), DISCRIMINATOR_ADAM, discriminator_adam)?,
    ];
    let manifest = Manifest {
        format: FORMAT,
        huenet: env!("CARGO_PKG_VERSION").to_owned(),
        position,
        settings: recipe.settings().clone(),
        files: files.into_iter().collect(),
    };
    let path = aside.path().join(MANIFEST);
    let text = serde_json::to_string_pretty(&manifest)
        .map_err(|error| unsaved(&path, error.to_string()))?;
    files::write_atomically(&path, text.as_bytes())?;
    let replaced = checkpoints.join(format!("{PARTIAL}replaced-{}", position.step));
    let rename = || {
        if folder.exists() {
            fs::rename(&folder, &replaced)?;
        }
        fs::rename(aside.path(), &folder)?;
        share(&folder)?;
        // A folder's own entries need not survive a power cut before this; where folders
        // cannot be synced (Windows) they need no syncing.
        #[cfg(unix)]
        File::open(&checkpoints)?.sync_all()?;
        Ok(())
    };
    rename().map_err(|source| TaskError::write(&folder, source))?;
    // The folder has its final name: there is nothing left to remove.
    let _ = aside.keep();
    // If it stays, a later sweep removes it.
    let _ = fs::remove_dir_all(replaced);
    Ok(folder)
}

/// Removes what an interrupted save left behind.
pub(crate) fn sweep(run: &Path) {
    files::sweep(&checkpoints_of(run));
}

fn store<B: AutodiffBackend, R: Record<B>>(
    folder: &Path,
    name: &str,
    record: R,
) -> Result<(String, (u64, u32)), TaskError> {
    let path = folder.join(name);
    FileRecorder::new()
        .record(record, path.clone())
        .map_err(|error| unsaved(&path, error.to_string()))?;
    let sync = || {
        File::open(&path)?.sync_all()?;
        fingerprint(&path)
    };
    let fingerprint = sync().map_err(|source| TaskError::write(&path, source))?;
    Ok((name.to_owned(), fingerprint))
}

fn fingerprint(path: &Path) -> std::io::Result<(u64, u32)> {
    let mut hasher = crc32fast::Hasher::new();
    let length = std::io::copy(&mut File::open(path)?, &mut Checksum(&mut hasher))?;
    Ok((length, hasher.finalize()))
}

struct Checksum<'a>(&'a mut crc32fast::Hasher);

impl std::io::Write for Checksum<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Temporary folders are private to the user; checkpoints are as open as the run.
fn share(folder: &Path) -> std::io::Result<()> {
    let like = folder.parent().unwrap_or(folder);
    fs::set_permissions(folder, fs::metadata(like)?.permissions())
}

fn checkpoints_of(run: &Path) -> PathBuf {
    run.join("checkpoints")
}

/// Whether a folder is a checkpoint.
pub(crate) fn is_checkpoint(folder: &Path) -> bool {
    folder.join(MANIFEST).is_file()
}

/// The checkpoints in a folder, oldest first.
fn list(checkpoints: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(checkpoints).into_iter().flatten().flatten();
    let mut found: Vec<(u64, PathBuf)> = entries
        .filter_map(|entry| {
            let step = entry
                .file_name()
                .to_str()?
                .strip_prefix("step-")?
                .parse()
                .ok()?;
            is_checkpoint(&entry.path()).then(|| (step, entry.path()))
        })
        .collect();
    found.sort();
    found.into_iter().map(|(_, folder)| folder).collect()
}

fn damaged(path: &Path, reason: String) -> TaskError {
    TaskError::DamagedCheckpoint {
        path: path.to_owned(),
        reason,
    }
}

fn unsaved(path: &Path, reason: String) -> TaskError {
    TaskError::UnsavedCheckpoint {
        path: path.to_owned(),
        reason,
    }
}
