//! Whether files can be written somewhere, asked before hours of work for them.

use std::io;
use std::path::Path;

use tempfile::NamedTempFile;

/// Makes a file in `folder` and removes it again.
pub(crate) fn check(folder: &Path) -> io::Result<()> {
    NamedTempFile::new_in(folder)?.close()
}
