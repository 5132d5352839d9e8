//! Checks whether files can be written, before hours of work for them.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::Path;

use tempfile::NamedTempFile;

/// Checks that files can be made in `folder`: makes one and removes it again.
pub(crate) fn check(folder: &Path) -> io::Result<()> {
    NamedTempFile::new_in(folder)?.close()
}

/// Checks that a file can be written at `path`. A file that is there stays as it is.
pub(crate) fn check_file(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(there) if there.is_dir() => return Err(ErrorKind::IsADirectory.into()),
        // A pipe or a device takes what it is given.
        Ok(there) if !there.is_file() => return Ok(()),
        Ok(_) => {}
        // Only the name itself can tell whether it is too long.
        Err(_) => match OpenOptions::new().write(true).create_new(true).open(path) {
            Ok(_) => fs::remove_file(path)?,
            // A link that leads nowhere.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        },
    }
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => check(folder),
        _ => check(Path::new(".")),
    }
}
