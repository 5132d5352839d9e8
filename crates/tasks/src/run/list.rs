//! The runs in an output folder: what each is doing and how far it came.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::measure::evaluation::Evaluation;
use crate::run::checkpoint::{Checkpoint, Shelf};
use crate::run::folder::RunFolder;
use crate::run::metrics::StepRecord;
use crate::run::position::Position;
use crate::run::state::{RunState, StateRecord};
use crate::settings::{Layer, Settings, SettingsError, Task};
use crate::step::loss_values::StepLosses;
use crate::store::error::TaskError;

/// How many of the last steps are averaged.
const AVERAGED: usize = 20;

/// How much of a file's end is read to find them.
const TAIL: u64 = 16 * 1024;

/// What a run is doing, and how far it came.
#[derive(Clone, Debug, Serialize)]
pub struct RunSummary {
    /// The name of its folder.
    pub name: String,
    /// Its folder.
    pub path: PathBuf,
    /// What is trained.
    pub task: Task,
    /// On which images.
    pub dataset: String,
    /// What it is doing, or how it ended.
    pub state: RunState,
    /// The process that trains or trained it.
    pub pid: Option<u32>,
    /// When that process began with it, in UTC.
    pub started: Option<String>,
    /// When its state was last written, in UTC.
    pub updated: Option<String>,
    /// Steps done.
    pub step: u64,
    /// Epochs done.
    pub epochs_done: u64,
    /// Epochs it is to have.
    pub epochs: u64,
    /// Steps when it is finished.
    pub total_steps: Option<u64>,
    /// Means over the last steps, without skipped ones.
    pub last_losses: Option<StepLosses>,
    /// The best validation figure among its checkpoints (the earth mover's distance
    /// between outputs and references of held-out images; less is better).
    pub best_figure: Option<f64>,
    /// The checkpoint that has it.
    pub best_checkpoint: Option<PathBuf>,
    /// Figures on held-out images at the end.
    pub evaluation: Option<Evaluation>,
    /// Why it failed.
    pub error: Option<String>,
}

/// The runs in an output folder.
#[derive(Debug, Default)]
pub struct RunList {
    /// In the order of their start.
    pub runs: Vec<RunSummary>,
    /// The folders of those whose settings cannot be read, and why.
    pub unreadable: Vec<(PathBuf, SettingsError)>,
}

impl RunList {
    /// The runs in `output_dir`; what is no run is left out.
    ///
    /// # Errors
    ///
    /// [`TaskError::Read`] if there is no such folder.
    pub fn read(output_dir: &Path) -> Result<Self, TaskError> {
        let entries = output_dir
            .read_dir()
            .map_err(|source| TaskError::read(output_dir, source))?;
        let mut folders: Vec<PathBuf> = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.is_dir() && !path.is_symlink())
            .collect();
        folders.sort();
        let mut list = Self::default();
        for path in folders {
            match RunSummary::read(&path) {
                Some(Ok(run)) => list.runs.push(run),
                Some(Err(error)) => list.unreadable.push((path, error)),
                None => {}
            }
        }
        list.runs
            .sort_by(|a, b| (&a.started, &a.name).cmp(&(&b.started, &b.name)));
        Ok(list)
    }
}

impl RunSummary {
    /// The run in a folder, if it is one.
    ///
    /// # Errors
    ///
    /// Those of its settings.
    pub fn read(path: &Path) -> Option<Result<Self, SettingsError>> {
        let run = RunFolder::look(path)?;
        let settings = Layer::from_file(&run.config());
        let settings = settings.and_then(|layer| Settings::resolve(&[layer]));
        Some(settings.map(|settings| Self::of(&run, settings)))
    }

    fn of(run: &RunFolder, settings: Settings) -> Self {
        let path = run.path();
        let record = StateRecord::read(path);
        let last = tail(&run.metrics());
        let saved = || Some(Checkpoint::find(path).ok()??.position());
        let position = match &record {
            Some(record) if record.state != RunState::Crashed => record.position,
            // What came after the last checkpoint is lost.
            _ => saved().unwrap_or_default(),
        };
        let position = match (&record, last.last()) {
            // A running process writes steps down at once, and its state now and then.
            (Some(record), Some(step)) if record.state == RunState::Running => Position {
                step: step.step.max(position.step),
                epoch: step.epoch.max(position.epoch),
                ..position
            },
            _ => position,
        };
        let best = Shelf::of(path).best();
        let evaluation = std::fs::read(run.evaluation()).ok();
        let name = path.file_name().unwrap_or_default();
        Self {
            name: name.to_string_lossy().into_owned(),
            path: path.to_owned(),
            task: settings.task,
            dataset: settings.dataset,
            state: record
                .as_ref()
                .map_or(RunState::Crashed, |record| record.state),
            pid: record.as_ref().map(|record| record.pid),
            started: record.as_ref().map(|record| record.started.clone()),
            updated: record.as_ref().map(|record| record.updated.clone()),
            step: position.step,
            epochs_done: position.epoch,
            epochs: settings.epochs.saturating_add(settings.epochs_decay) as u64,
            total_steps: record.as_ref().map(|record| record.total_steps),
            last_losses: last_losses(&last),
            best_figure: best.as_ref().map(|(figure, _)| *figure),
            best_checkpoint: best.map(|(_, folder)| folder),
            evaluation: evaluation.and_then(|bytes| serde_json::from_slice(&bytes).ok()),
            error: record.and_then(|record| record.error),
        }
    }
}

/// The means over the last steps that something was learnt from.
fn last_losses(records: &[StepRecord]) -> Option<StepLosses> {
    let learnt = records.iter().rev().filter(|record| !record.skipped);
    let last: Vec<&StepLosses> = learnt.take(AVERAGED).map(|record| &record.losses).collect();
    (!last.is_empty()).then(|| StepLosses::mean(last.into_iter()))
}

/// The last steps in a `metrics.jsonl`, however long it is.
fn tail(path: &Path) -> Vec<StepRecord> {
    let read = || {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
        let mut bytes = Vec::new();
        file.take(TAIL).read_to_end(&mut bytes)?;
        Ok::<_, std::io::Error>(bytes)
    };
    let bytes = read().unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    // The first line may be half of one, and so may the last.
    text.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_whose_settings_cannot_be_read_is_listed_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let sound = Settings::official(Task::Colorization).to_toml().unwrap();
        let odd = format!("bach_size = 3\n{sound}");
        for (name, settings) in [("sound", &sound), ("odd", &odd)] {
            let run = folder.path().join(name);
            std::fs::create_dir(&run).unwrap();
            std::fs::write(run.join("config.toml"), settings).unwrap();
        }
        std::fs::create_dir(folder.path().join("no-run")).unwrap();
        let list = RunList::read(folder.path()).unwrap();
        let names: Vec<&str> = list.runs.iter().map(|run| run.name.as_str()).collect();
        assert_eq!(names, ["sound"]);
        let [(path, error)] = list.unreadable.as_slice() else {
            panic!("{:?}", list.unreadable)
        };
        assert_eq!(*path, folder.path().join("odd"));
        assert!(error.to_string().contains("bach_size"), "{error}");
    }

    #[test]
    fn steps_that_were_skipped_are_in_no_mean() {
        let record = |step, loss, skipped| StepRecord {
            step,
            epoch: 0,
            losses: StepLosses::from_array([loss; 5]),
            step_seconds: 0.5,
            data_seconds: 0.0,
            skipped,
        };
        let records = [
            record(1, 1.0, false),
            record(2, f64::NAN, true),
            record(3, 3.0, false),
        ];
        let mean = StepLosses::from_array([2.0; 5]);
        assert_eq!(last_losses(&records), Some(mean));
        assert_eq!(last_losses(&records[1..2]), None);
    }
}
