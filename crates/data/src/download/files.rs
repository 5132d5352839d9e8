//! Small files of JSON, written aside and renamed.

use std::io::{ErrorKind, Write};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::DownloadError;
use crate::aside;

/// The content of a file of JSON, or nothing if there is no such file.
pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, DownloadError> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(DownloadError::read(path)(error)),
    };
    serde_json::from_slice(&text)
        .map(Some)
        .map_err(|error| DownloadError::read(path)(error.into()))
}

/// Replaces a file.
pub(super) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), DownloadError> {
    let write = || -> std::io::Result<()> {
        let mut text = serde_json::to_vec_pretty(value)?;
        text.push(b'\n');
        // Other processes may write the same file at the same time, each in its own file aside.
        aside::replace(path, |file| file.write_all(&text))
    };
    write().map_err(DownloadError::write(path))
}

/// Removes a file that may not be there.
pub(super) fn remove(path: &Path) -> Result<(), DownloadError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(DownloadError::write(path)(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_that_write_one_file_do_not_disturb_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("numbers.json");
        let numbers: Vec<u64> = (0..2000).collect();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        write_json(&path, &numbers).unwrap();
                        assert_eq!(read_json(&path).unwrap().as_ref(), Some(&numbers));
                    }
                });
            }
        });
        let left = std::fs::read_dir(folder.path()).unwrap();
        assert_eq!(left.count(), 1, "nothing stays aside");
    }
}
