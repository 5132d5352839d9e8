//! Writing files so that nothing already written is lost.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use huenet_data::aside;
pub(crate) use huenet_data::aside::{PARTIAL, sync_folder};

use crate::store::error::TaskError;

/// The file with a run's settings, which makes a folder a run.
pub(crate) const CONFIG: &str = "config.toml";

/// Replaces the file at `path` by `bytes`: written aside, synced, renamed.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), TaskError> {
    let written = aside::replace(path, |file| file.write_all(bytes));
    written.map_err(|source| TaskError::write(path, source))
}

/// As [`write_atomically`], of a file that the user named. What is no ordinary file, a pipe or a
/// device, is not replaced but written to.
pub(crate) fn write_named(path: &Path, bytes: &[u8]) -> Result<(), TaskError> {
    let written = aside::replace_or_feed(path, bytes);
    written.map_err(|source| TaskError::write(path, source).of_named_file())
}

/// Writes a new file and waits until it is on the disk.
pub(crate) fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes the folder `path` and those above it.
pub(crate) fn create_folder(path: &Path) -> Result<(), TaskError> {
    fs::create_dir_all(path).map_err(|source| TaskError::write(path, source))
}

/// The first path that is not there yet, of those that `path` makes of "", "-2", "-3" and so on.
pub(crate) fn unused(path: impl Fn(&str) -> PathBuf) -> PathBuf {
    let mut unused = path("");
    for number in 2.. {
        if !unused.exists() {
            break;
        }
        unused = path(&format!("-{number}"));
    }
    unused
}

/// Whether two paths lead to one place, however they are spelled.
pub(crate) fn same_place(one: &Path, other: &Path) -> bool {
    let place = |path| fs::canonicalize(path).or_else(|_| std::path::absolute(path));
    place(one)
        .ok()
        .is_some_and(|one| Some(one) == place(other).ok())
}

/// The folder at `path`, by a path that no link changes later on: as given, if no link is on the way.
pub(crate) fn without_links(path: &Path) -> PathBuf {
    let (Ok(real), Ok(absolute)) = (fs::canonicalize(path), std::path::absolute(path)) else {
        return path.to_owned();
    };
    if real == absolute {
        return path.to_owned();
    }
    let here = std::env::current_dir().and_then(fs::canonicalize).ok();
    let below = here.and_then(|here| Some(real.strip_prefix(here).ok()?.to_owned()));
    // Below the working folder as short as it was given.
    below
        .filter(|below| !below.as_os_str().is_empty())
        .unwrap_or(real)
}

/// Removes what interrupted writes left in a folder.
pub(crate) fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(PARTIAL) {
            // Left-overs cost only space; a later sweep may have better luck.
            let path = entry.path();
            let _ = if path.is_dir() {
                fs::remove_dir_all(path)
            } else {
                fs::remove_file(path)
            };
        }
    }
}
