//! Checks that the disk has room.

use std::path::Path;

use super::DownloadError;

/// The space left free for other programs.
const RESERVE: u64 = 64 << 20;

/// # Errors
///
/// [`DownloadError::NoSpace`] unless the disk of `folder`, which must exist, has `needed` bytes
/// free and some to spare. A file system that does not tell its free space passes.
pub(super) fn check(folder: &Path, needed: u64, what: &str) -> Result<(), DownloadError> {
    let needed = needed.saturating_add(RESERVE);
    match fs4::available_space(folder) {
        Ok(available) if available < needed => Err(DownloadError::NoSpace {
            what: what.to_owned(),
            path: folder.to_path_buf(),
            available,
            needed,
        }),
        _ => Ok(()),
    }
}
