//! Writes new files aside, and renames them when they are complete.

use std::fs::File;
use std::io;
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

/// How the names of files and folders that are still being written begin.
pub(crate) const PARTIAL: &str = ".partial-";

/// Makes a file in `folder` with an unused name, and syncs what `write` wrote to the disk. The file is
/// removed unless it is renamed.
pub(crate) fn new_file(
    folder: &Path,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<NamedTempFile> {
    let mut builder = Builder::new();
    #[cfg(unix)]
    let builder = builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut aside = builder.prefix(PARTIAL).tempfile_in(folder)?;
    write(aside.as_file_mut())?;
    aside.as_file().sync_all()?;
    Ok(aside)
}

/// The folder that holds a path.
pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
