//! What can go wrong in a run.

use std::io;
use std::path::{Path, PathBuf};

use huenet_data::DataError;

use crate::settings::SettingsError;

/// A run that cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// A setting is unknown, of the wrong kind, out of range or missing.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Images cannot be found or read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A file or folder of the run cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file or folder of the run cannot be written.
    #[error("cannot write {}: {source}; --output-dir chooses another folder", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file that the user named cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Unwritten {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The run's folder already holds a run.
    #[error("{} already exists: choose another --name, or go on with --resume {}",
            path.display(), path.display())]
    RunExists {
        /// The folder.
        path: PathBuf,
    },
    /// Another process is training the run.
    #[error("{} is being trained by process {pid}: stop that first, or wait for it", path.display())]
    RunInUse {
        /// The folder.
        path: PathBuf,
        /// The process; 0 if it has not said who it is.
        pid: u32,
    },
    /// A folder given as a run is none.
    #[error("{} is not a run of huenet: it has no {missing}", path.display())]
    NotARun {
        /// The folder.
        path: PathBuf,
        /// What a run has.
        missing: &'static str,
    },
    /// A file of pairs cannot be used.
    #[error("{}{}: {reason}; it needs the columns task, batch, index_in_batch, content and \
             reference, with paths below the data root", path.display(), at_line(*line))]
    Pairs {
        /// The file.
        path: PathBuf,
        /// The line, from 1; 0 for the whole file.
        line: u64,
        /// What is wrong.
        reason: String,
    },
    /// There are no images to evaluate on.
    #[error("{dataset} holds no images out: evaluate on --part train, or on --pairs")]
    NothingHeldOut {
        /// The dataset.
        dataset: String,
    },
    /// A checkpoint belongs to networks of another shape.
    #[error("the checkpoint {} is from another configuration: {differences}", path.display())]
    OtherConfiguration {
        /// The checkpoint's folder.
        path: PathBuf,
        /// Each setting that differs, with both values.
        differences: String,
    },
    /// A checkpoint's file cannot be read back.
    #[error("the checkpoint file {} cannot be used: {reason}; {}", path.display(),
            advice(previous.as_deref()))]
    DamagedCheckpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
        /// The newest older checkpoint of the run that is sound.
        previous: Option<PathBuf>,
    },
    /// The list of a run's steps cannot be read back.
    #[error("{}, line {line}, is not a step: {reason}; mend the line, or move the file away to \
             go on without the history", path.display())]
    DamagedMetrics {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What the parser says.
        reason: String,
    },
    /// A checkpoint's file cannot be written.
    #[error("cannot save the checkpoint file {}: {reason}", path.display())]
    UnsavedCheckpoint {
        /// The file.
        path: PathBuf,
        /// What the writer says.
        reason: String,
    },
    /// A run cannot go on exactly, since its images are not what they were.
    #[error("the training images of {} have changed ({steps_per_epoch} steps an epoch now): it \
             cannot go on where it was. Start a new run from its weights with \
             --output-pre-dir {}", run.display(), run.display())]
    OtherImages {
        /// The run's folder.
        run: PathBuf,
        /// Steps in an epoch with the images that are there.
        steps_per_epoch: u64,
    },
    /// The address of the live page cannot be taken.
    #[error(
        "cannot serve the live page at {address}: {source}; give --serve another address, \
             such as 127.0.0.1:0 for any free port"
    )]
    Serve {
        /// The address.
        address: std::net::SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// Training ran away.
    #[error("step {step}: {what}: training has diverged. {}. If it was good until then, --resume it with \
             --non-finite skip; else start again with a lower --gen-lr and --dis-lr, or with \
             --clip-gradients, from a checkpoint of {} if it has a sound one: --output-pre-dir",
            inspection(saved.as_deref()), run.display())]
    Diverged {
        /// The step.
        step: u64,
        /// What is not finite, and where.
        what: String,
        /// The run's folder.
        run: PathBuf,
        /// Where the networks, optimisers and images of the step are.
        saved: Option<PathBuf>,
    },
    /// An export would overwrite a file.
    #[error("{} already exists: choose another --output", path.display())]
    ExportExists {
        /// The file.
        path: PathBuf,
    },
}

impl TaskError {
    /// Whether the user asked for something that cannot be asked for, as opposed to a
    /// fault while doing it.
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::Settings(_)
                | Self::RunExists { .. }
                | Self::RunInUse { .. }
                | Self::NotARun { .. }
                | Self::NothingHeldOut { .. }
                | Self::ExportExists { .. }
                | Self::Serve { .. }
        )
    }

    pub(crate) fn read(path: &Path, source: io::Error) -> Self {
        Self::Read {
            path: path.to_owned(),
            source,
        }
    }

    pub(crate) fn write(path: &Path, source: io::Error) -> Self {
        Self::Write {
            path: path.to_owned(),
            source,
        }
    }
}

fn inspection(saved: Option<&Path>) -> String {
    match saved {
        Some(folder) => format!(
            "The networks, optimisers and images of that step are in {}",
            folder.display()
        ),
        None => "Nothing of that step is saved (with --log-every 1 it would be)".to_owned(),
    }
}

fn at_line(line: u64) -> String {
    match line {
        0 => String::new(),
        line => format!(", line {line}"),
    }
}

/// What to do about a damaged checkpoint.
fn advice(previous: Option<&Path>) -> String {
    match previous {
        Some(previous) => format!(
            "the checkpoint before it is sound, and this goes on from there: huenet train \
             --resume {0} (--output-pre-dir takes it too)",
            previous.display()
        ),
        None => "the run has no older checkpoint that is sound".to_owned(),
    }
}
