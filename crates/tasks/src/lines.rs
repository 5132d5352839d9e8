//! Files of one JSON object a line, appended to.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::TaskError;

/// Appends lines to a file.
pub(crate) struct LineWriter {
    path: PathBuf,
    file: File,
    /// The file's length up to the last whole line.
    length: u64,
    /// Lines that are not in the file yet.
    waiting: String,
}

impl LineWriter {
    /// Appends to the file at `path`, which is made if it is not there.
    pub(crate) fn append_to(path: &Path) -> Result<Self, TaskError> {
        let fault = |source| TaskError::write(path, source);
        let mut options = OpenOptions::new();
        let file = options
            .create(true)
            .append(true)
            .open(path)
            .map_err(fault)?;
        let length = file.metadata().map_err(fault)?.len();
        Ok(Self {
            path: path.to_owned(),
            file,
            length,
            waiting: String::new(),
        })
    }

    /// Adds a line. If it cannot be written it waits for the next attempt, and nothing
    /// of it is left in the file.
    pub(crate) fn append(&mut self, record: &impl Serialize) -> Result<(), TaskError> {
        let line = serde_json::to_string(record)
            .map_err(|error| TaskError::write(&self.path, std::io::Error::other(error)))?;
        self.waiting += &line;
        self.waiting.push('\n');
        self.write()
    }

    fn write(&mut self) -> Result<(), TaskError> {
        if let Err(source) = self.file.write_all(self.waiting.as_bytes()) {
            // A torn line that stays is left out when the file is read.
            let _ = self.file.set_len(self.length);
            return Err(TaskError::write(&self.path, source));
        }
        self.length += self.waiting.len() as u64;
        self.waiting.clear();
        Ok(())
    }

    /// Waits until all lines are on the disk.
    pub(crate) fn sync(&mut self) -> Result<(), TaskError> {
        self.write()?;
        let synced = self.file.sync_data();
        synced.map_err(|source| TaskError::write(&self.path, source))
    }
}
