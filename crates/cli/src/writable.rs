//! Whether files can be written somewhere, asked before hours of work for them.

use std::fs::{self, File};
use std::io;
use std::path::Path;

/// Makes a file in `folder` and removes it again.
pub(crate) fn check(folder: &Path) -> io::Result<()> {
    let probe = folder.join(format!(".partial-huenet-{}", std::process::id()));
    File::create_new(&probe)?;
    fs::remove_file(probe)
}
