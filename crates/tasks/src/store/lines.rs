//! Files of one JSON object a line, appended to.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::store::error::TaskError;

/// Appends lines to a file.
pub(crate) struct LineWriter {
    path: PathBuf,
    file: File,
    /// The file's length up to the last whole line.
    length: u64,
    /// Lines that are not in the file yet.
    waiting: String,
    /// Whether the file may end with a part of a line.
    torn: bool,
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
            torn: false,
        })
    }

    /// Adds a line. If it cannot be written it waits for the next attempt. What there is of it in
    /// the file is taken out at once or, if that fails too, before anything else is written.
    pub(crate) fn append(&mut self, record: &impl Serialize) -> Result<(), TaskError> {
        let line = serde_json::to_string(record)
            .map_err(|error| TaskError::write(&self.path, std::io::Error::other(error)))?;
        self.waiting += &line;
        self.waiting.push('\n');
        self.write()
    }

    fn write(&mut self) -> Result<(), TaskError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let written = self.mend().and_then(|()| {
            self.torn = true;
            self.file.write_all(self.waiting.as_bytes())
        });
        if let Err(source) = written {
            // The first fault is the one to tell of.
            let _ = self.mend();
            return Err(TaskError::write(&self.path, source));
        }
        self.torn = false;
        self.length += self.waiting.len() as u64;
        self.waiting.clear();
        Ok(())
    }

    /// Takes out of the file what it has beyond the last whole line.
    fn mend(&mut self) -> std::io::Result<()> {
        if self.torn {
            self.file.set_len(self.length)?;
            self.torn = false;
        }
        Ok(())
    }

    /// Waits until all lines are on the disk.
    pub(crate) fn sync(&mut self) -> Result<(), TaskError> {
        self.write()?;
        let synced = self.file.sync_data();
        synced.map_err(|source| TaskError::write(&self.path, source))
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_torn_line_that_could_not_be_taken_out_is_before_the_next_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines.jsonl");
        let mut lines = LineWriter::append_to(&path).unwrap();
        lines.append(&1).unwrap();
        // There is no room on this device, and it cannot be shortened either.
        let full = OpenOptions::new().append(true).open("/dev/full").unwrap();
        let file = std::mem::replace(&mut lines.file, full);
        assert!(lines.append(&23).is_err());
        // As if half of the line had found room on a disk.
        std::fs::write(&path, "1\n2").unwrap();
        lines.file = file;
        lines.append(&4).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "1\n23\n4\n");
    }
}
