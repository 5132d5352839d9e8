//! Writes new files and folders aside, and renames them.

use std::io::Write;
use std::path::Path;

use tempfile::Builder;

use super::PrepareError;
use crate::aside::{self, PARTIAL};

/// Makes a new folder whose content `fill` writes. A folder that is not finished is removed.
pub(super) fn new_folder<T>(
    path: &Path,
    fill: impl FnOnce(&Path) -> Result<T, PrepareError>,
) -> Result<T, PrepareError> {
    let parent = free(path)?;
    let mut builder = Builder::new();
    #[cfg(unix)]
    let builder = builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
    let aside = builder
        .prefix(PARTIAL)
        .tempdir_in(parent)
        .map_err(PrepareError::write(parent))?;
    let filled = fill(aside.path())?;
    // Another process may have been faster: a folder that is not empty is never replaced.
    free(path)?;
    std::fs::rename(aside.path(), path).map_err(PrepareError::write(path))?;
    // It has been renamed, so there is nothing to remove.
    let _ = aside.keep();
    aside::sync_folder(parent).map_err(PrepareError::write(parent))?;
    Ok(filled)
}

/// Writes a new file.
pub(super) fn new_file(path: &Path, bytes: &[u8]) -> Result<(), PrepareError> {
    free(path)?;
    aside::create(path, |file| file.write_all(bytes)).map_err(PrepareError::write(path))
}

/// Makes the folder that holds a path, which must not exist itself.
fn free(path: &Path) -> Result<&Path, PrepareError> {
    // A broken link exists, too.
    if path.symlink_metadata().is_ok() {
        return Err(PrepareError::Exists {
            path: path.to_path_buf(),
        });
    }
    let parent = aside::parent(path);
    std::fs::create_dir_all(parent).map_err(PrepareError::write(parent))?;
    Ok(parent)
}
