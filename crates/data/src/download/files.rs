//! Small files of JSON, written aside and renamed.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::DownloadError;

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
    // Others may write the same file at the same time; their file aside must be another.
    let mut aside = path.as_os_str().to_owned();
    aside.push(format!(".{}", std::process::id()));
    let aside = Path::new(&aside);
    let write = || -> std::io::Result<()> {
        let mut file = File::create(aside)?;
        serde_json::to_writer_pretty(&mut file, value)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        std::fs::rename(aside, path)
    };
    write().map_err(|error| {
        let _ = std::fs::remove_file(aside);
        DownloadError::write(path)(error)
    })
}

/// Removes a file that may not be there.
pub(super) fn remove(path: &Path) -> Result<(), DownloadError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(DownloadError::write(path)(error)),
        _ => Ok(()),
    }
}
