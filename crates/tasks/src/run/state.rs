//! What a run is doing: `state.json`, and the lock that tells whether its process lives.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::run::position::Position;
use crate::settings::word;
use crate::store::error::TaskError;
use crate::store::files;

const STATE: &str = "state.json";
const LOCK: &str = ".lock";

/// How often a lock is tried that another process may hold for a moment, to look.
const TRIES: u32 = 10;
const BETWEEN_TRIES: Duration = Duration::from_millis(30);

/// What a run is doing, or how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunState {
    /// A process is training it.
    Running,
    /// It has done all its steps.
    Finished,
    /// It was asked to stop, and saved where it was.
    Stopped,
    /// It ended with an error.
    Failed,
    /// Its process is gone and did not say why: it was killed, or the machine went down.
    Crashed,
}

impl RunState {
    /// The state as a word.
    pub fn name(self) -> &'static str {
        word::<Self>(self as usize)
    }
}

/// The content of `state.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StateRecord {
    /// As the process last wrote it.
    pub state: RunState,
    /// The process that trains or trained the run.
    pub pid: u32,
    /// When that process began with it, in UTC.
    pub started: String,
    /// When this was written, in UTC.
    pub updated: String,
    /// Where the run is.
    pub position: Position,
    /// Steps when it is finished.
    pub total_steps: u64,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl StateRecord {
    /// The record of the run in `run`, if it has one that can be read. A state of
    /// [`Running`](RunState::Running) has been compared with the run's lock.
    pub fn read(run: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(run.join(STATE)).ok()?;
        let mut record: Self = serde_json::from_str(&text).ok()?;
        if record.state == RunState::Running && !Lock::is_held(run) {
            record.state = RunState::Crashed;
        }
        Some(record)
    }

    /// The record of this process, which starts now.
    pub(crate) fn begin(position: Position, total_steps: u64) -> Self {
        let now = now();
        Self {
            state: RunState::Running,
            pid: std::process::id(),
            started: now.clone(),
            updated: now,
            position,
            total_steps,
            error: None,
        }
    }

    pub(crate) fn write(&mut self, run: &Path) -> Result<(), TaskError> {
        self.updated = now();
        let path = run.join(STATE);
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| TaskError::write(&path, std::io::Error::other(error)))?;
        files::write_atomically(&path, text.as_bytes())
    }
}

fn now() -> String {
    let now = jiff::Timestamp::now();
    now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A run's lock: held by the operating system for as long as the process lives, however
/// that ends, so that a process number used again cannot be mistaken for it.
#[derive(Clone, Debug)]
pub(crate) struct Lock {
    _file: Option<Arc<File>>,
}

impl Lock {
    /// Takes the lock of the run in `run`. On a file system without locks, there is
    /// nothing to take.
    pub(crate) fn take(run: &Path) -> Result<Self, TaskError> {
        let path = run.join(LOCK);
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false);
        let file = file
            .open(&path)
            .map_err(|source| TaskError::write(&path, source))?;
        for _ in 0..TRIES {
            match file.try_lock() {
                Ok(()) => {
                    return Ok(Self {
                        _file: Some(Arc::new(file)),
                    });
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(BETWEEN_TRIES),
                Err(TryLockError::Error(_)) => return Ok(Self { _file: None }),
            }
        }
        Err(TaskError::RunInUse {
            path: run.to_owned(),
            pid: StateRecord::read(run).map_or(0, |record| record.pid),
        })
    }

    /// No lock, for those who only look.
    pub(crate) fn none() -> Self {
        Self { _file: None }
    }

    /// Whether a process holds it, as far as can be told.
    fn is_held(run: &Path) -> bool {
        let Ok(file) = File::open(run.join(LOCK)) else {
            return false;
        };
        // Another process that looks at the same moment is no holder.
        let free = |_| {
            let free = file.try_lock_shared().is_ok();
            if !free {
                std::thread::sleep(BETWEEN_TRIES);
            }
            free
        };
        !(0..2).any(free)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_running_only_while_its_lock_is_held() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path();
        let mut record = StateRecord::begin(Position::default(), 7);
        record.write(run).unwrap();
        let state = || StateRecord::read(run).unwrap().state;
        assert_eq!(state(), RunState::Crashed);
        let lock = Lock::take(run).unwrap();
        assert_eq!(state(), RunState::Running);
        assert!(matches!(
            Lock::take(run),
            Err(TaskError::RunInUse { pid, .. }) if pid == std::process::id()
        ));
        drop(lock);
        assert_eq!(state(), RunState::Crashed);
        record.state = RunState::Finished;
        record.write(run).unwrap();
        assert_eq!(state(), RunState::Finished);
    }
}
