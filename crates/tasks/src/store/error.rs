//! What can go wrong in a run. Messages state facts; what to do about them is for the program that prints them to say.

use std::io;
use std::path::{Path, PathBuf};

use huenet_data::{DataError, ParameterError};

use crate::settings::SettingsError;

/// A run that cannot start or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
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
    #[error("cannot write {}: {source}", path.display())]
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
    #[error("{} already exists", path.display())]
    RunExists {
        /// The folder.
        path: PathBuf,
    },
    /// Another process is training the run.
    #[error("{} is being trained by {}", path.display(), process(*pid))]
    RunInUse {
        /// The folder.
        path: PathBuf,
        /// The process; 0 if it has not said who it is.
        pid: u32,
    },
    /// A folder that is given as a run has no settings in it.
    #[error("{} is not a run of huenet: it has no config.toml", path.display())]
    NotARun {
        /// The folder.
        path: PathBuf,
    },
    /// No run has the given path or name.
    #[error("there is no run {}{hint}", given.display())]
    NoSuchRun {
        /// The folder or the name.
        given: PathBuf,
        /// Where it was looked for, and what may be meant.
        hint: String,
    },
    /// A run has no weights to use yet.
    #[error("the run {} has saved no checkpoint yet", run.display())]
    NoCheckpoint {
        /// The run's folder.
        run: PathBuf,
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
    /// A run cannot go on from a checkpoint that was set aside.
    #[error("{} was set aside when its run went on from an earlier checkpoint", path.display())]
    Superseded {
        /// The checkpoint's folder.
        path: PathBuf,
        /// The name it had.
        name: String,
    },
    /// An evaluation on 0 images was asked for.
    #[error("there is nothing to evaluate on: 0 images are asked for")]
    NothingToEvaluate,
    /// The dataset holds no images out, so there are none to evaluate on.
    #[error("{dataset} holds no images out")]
    NothingHeldOut {
        /// The dataset.
        dataset: String,
    },
    /// The generators of two runs cannot be given the same pairs.
    #[error("{} and {} cannot be compared on the same pairs: {differences}", run.display(), other.display())]
    NotComparable {
        /// The run whose pairs they are.
        run: PathBuf,
        /// The other run.
        other: PathBuf,
        /// Each setting that differs, with both values.
        differences: String,
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
            older(previous.as_deref()))]
    DamagedCheckpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
        /// The newest older checkpoint of the run that is sound.
        previous: Option<PathBuf>,
        /// Whether the run was to go on from it.
        resuming: bool,
    },
    /// The list of a run's steps cannot be read back.
    #[error("{}, line {line}, is not a step: {reason}", path.display())]
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
    /// A run cannot go on exactly, since its images have changed.
    #[error("the images of {} have changed ({difference}): it cannot go on where it was", run.display())]
    OtherImages {
        /// The run's folder.
        run: PathBuf,
        /// What has changed.
        difference: String,
    },
    /// An image of a run that has begun cannot be read.
    #[error("{source}; the run {} cannot go on without this file", run.display())]
    LostImage {
        /// The run's folder.
        run: PathBuf,
        /// Which image, and why.
        source: DataError,
    },
    /// The address of the live page cannot be taken.
    #[error("cannot serve the live page at {address}: {source}")]
    Serve {
        /// The address.
        address: std::net::SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// A loss or a gradient is not a finite number.
    #[error("training diverged at step {step}: {what}. {}", inspection(saved.as_deref()))]
    Diverged {
        /// The step.
        step: u64,
        /// What is not finite, and where.
        what: String,
        /// The run's folder.
        run: PathBuf,
        /// Where the networks, optimisers and images of the step are.
        saved: Option<PathBuf>,
        /// The run's setting `log_every`.
        log_every: usize,
    },
    /// One of several processes that train a run together cannot go on.
    #[error("process {rank} of {size} cannot go on: {reason}")]
    Process {
        /// Its number, from 0.
        rank: usize,
        /// How many there are.
        size: usize,
        /// Why.
        reason: String,
    },
    /// Processes that train a run together have come to different weights.
    #[error(
        "the weights of process {rank} of {size} are no longer those of process 0, at step {step}"
    )]
    Apart {
        /// The number of the first one that differs.
        rank: usize,
        /// How many there are.
        size: usize,
        /// Steps done.
        step: u64,
    },
    /// An exported file cannot be read back.
    #[error("{} cannot be used: {reason}", path.display())]
    UnusableExport {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A network gave values that are not finite numbers.
    #[error("the network of {} gave values that are not finite numbers", model.display())]
    NonFiniteOutput {
        /// The run, the checkpoint or the file that the network is from.
        model: PathBuf,
    },
    /// The generator has a part that cannot be written as an ONNX model.
    #[error("the generator cannot be written as an ONNX model: {reason}")]
    NotInOnnx {
        /// What is in the way.
        reason: String,
    },
    /// A network has a number that is not finite in 16 bits.
    #[error("cannot write {} in 16 bits: {tensor} has the value {value}, and 16 bits hold -65504 to 65504",
            path.display())]
    NotInF16 {
        /// The file.
        path: PathBuf,
        /// The tensor's name in the file.
        tensor: String,
        /// The number.
        value: f32,
    },
    /// An export would overwrite a file.
    #[error("{} already exists", path.display())]
    ExportExists {
        /// The file.
        path: PathBuf,
    },
}

impl TaskError {
    /// Whether the request was wrong, such as a setting or a name, as opposed to a fault while carrying it
    /// out.
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::Settings(_)
                | Self::RunExists { .. }
                | Self::RunInUse { .. }
                | Self::NotARun { .. }
                | Self::NoSuchRun { .. }
                | Self::NoCheckpoint { .. }
                | Self::Superseded { .. }
                | Self::NothingToEvaluate
                | Self::NothingHeldOut { .. }
                | Self::NotComparable { .. }
                | Self::ExportExists { .. }
                | Self::NotInOnnx { .. }
                | Self::NotInF16 { .. }
                | Self::Serve { .. }
        )
    }

    /// As the error of one who wants to go on with a run.
    pub(crate) fn of_resuming(self) -> Self {
        match self {
            Self::DamagedCheckpoint {
                path,
                reason,
                previous,
                ..
            } => Self::DamagedCheckpoint {
                path,
                reason,
                previous,
                resuming: true,
            },
            other => other,
        }
    }

    /// As the error of a run in a folder. One that has saved a checkpoint goes on with all its images
    /// or not at all.
    pub(crate) fn of_run(self, run: &Path, has_checkpoint: bool) -> Self {
        let run = run.to_owned();
        match self {
            Self::Data(DataError::Changed { path }) => Self::OtherImages {
                run,
                difference: format!("{} holds other bytes", path.display()),
            },
            Self::Data(source) if has_checkpoint => Self::LostImage { run, source },
            other => other,
        }
    }

    /// That a folder given as a run is none, or is not there.
    pub(crate) fn no_run(folder: &Path) -> Self {
        let path = folder.to_owned();
        match folder.exists() {
            true => Self::NotARun { path },
            false => Self::NoSuchRun {
                given: path,
                hint: ": the folder does not exist".to_owned(),
            },
        }
    }

    /// As the error of a file that the user named: it is not below a run's output folder, as a
    /// run's own files are.
    pub(crate) fn of_named_file(self) -> Self {
        match self {
            Self::Write { path, source } => Self::Unwritten { path, source },
            other => other,
        }
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

impl From<ParameterError> for TaskError {
    fn from(error: ParameterError) -> Self {
        Self::Data(error.into())
    }
}

/// What there is to look at of a step.
fn inspection(saved: Option<&Path>) -> String {
    match saved {
        Some(folder) => format!(
            "The networks, optimisers and images of that step are in {}",
            folder.display()
        ),
        None => "Nothing of that step is saved".to_owned(),
    }
}

fn process(pid: u32) -> String {
    match pid {
        0 => "another process".to_owned(),
        pid => format!("process {pid}"),
    }
}

fn at_line(line: u64) -> String {
    match line {
        0 => String::new(),
        line => format!(", line {line}"),
    }
}

/// Which older checkpoint there is beside a damaged one.
fn older(previous: Option<&Path>) -> String {
    match previous {
        Some(previous) => format!(
            "the newest older one that is sound is {}",
            previous.display()
        ),
        None => "the run has no older checkpoint that is sound".to_owned(),
    }
}
