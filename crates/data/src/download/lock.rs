//! One process at a time downloads a dataset.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::DownloadError;
use super::event::{Event, Observer};

/// A lock of the operating system on a file. It ends with the process, however that ends, so the file
/// itself may stay.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Waits for the lock on the file at `path`, and says so if that takes long.
    pub(super) fn acquire(path: &Path, observer: &mut Observer<'_>) -> Result<Self, DownloadError> {
        let write = || DownloadError::write(path);
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path)
            .map_err(write())?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Windows locks the content too, so the holder is not known there.
                let _ = file.read_to_string(&mut holder);
                observer(Event::Waiting {
                    holder: holder.trim(),
                });
                file.lock().map_err(write())?;
            }
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {
                observer(Event::Note {
                    text: "this file system has no locks: do not download the same dataset twice \
                           at once",
                });
            }
            Err(TryLockError::Error(error)) => return Err(write()(error)),
        }
        // For the messages of waiting processes. The lock holds without it.
        let _ = sign(&mut file);
        Ok(Self { _file: file })
    }
}

fn sign(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    writeln!(file, "process {}", std::process::id())
}
