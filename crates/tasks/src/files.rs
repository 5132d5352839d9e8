//! Writing files so that nothing already written is lost.

use std::io::Write;
use std::path::Path;

use crate::error::TaskError;

/// How the names of files and folders that are still being written begin.
pub(crate) const PARTIAL: &str = ".partial-";

/// Replaces the file at `path` by `bytes`: written aside, synced, renamed.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), TaskError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let write = || {
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        let builder = builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut aside = builder.prefix(PARTIAL).tempfile_in(folder)?;
        aside.write_all(bytes)?;
        aside.as_file().sync_all()?;
        aside.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|source| TaskError::write(path, source))
}

/// Makes the folder `path` and those above it.
pub(crate) fn create_folder(path: &Path) -> Result<(), TaskError> {
    std::fs::create_dir_all(path).map_err(|source| TaskError::write(path, source))
}

/// Removes what interrupted writes left in a folder.
pub(crate) fn sweep(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(PARTIAL) {
            // Left-overs cost only space; a later sweep may have better luck.
            let path = entry.path();
            let _ = if path.is_dir() {
                std::fs::remove_dir_all(path)
            } else {
                std::fs::remove_file(path)
            };
        }
    }
}
