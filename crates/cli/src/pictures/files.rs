//! The files of pictures: those that are given, and the names of results.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use huenet_data::{DataError, Photograph, layout};

use super::error::PicturesError;

/// Where a path leads, however it is written.
pub(super) fn place(path: &Path) -> PathBuf {
    let absolute = || std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    std::fs::canonicalize(path).unwrap_or_else(|_| absolute())
}

/// The files that are given, and those in the folders that are given.
pub(super) fn listed(given: &[PathBuf]) -> Result<Vec<PathBuf>, DataError> {
    let mut files = Vec::new();
    for path in given {
        match path.is_dir() {
            true => files.extend(layout::images_in(path)?),
            false => files.push(path.clone()),
        }
    }
    Ok(files)
}

/// A file's name without folder and extension.
pub(super) fn stem(path: &Path) -> &OsStr {
    path.file_stem().unwrap_or(path.as_os_str())
}

pub(super) fn by_name(references: &[PathBuf]) -> Result<BTreeMap<&OsStr, &PathBuf>, PicturesError> {
    let mut named = BTreeMap::new();
    for reference in references {
        if let Some(first) = named.insert(stem(reference), reference) {
            return Err(PicturesError::Ambiguous {
                first: first.clone(),
                second: reference.clone(),
            });
        }
    }
    Ok(named)
}

/// Whether a path is that of a file: it has an extension, and no separator at its end.
pub(super) fn is_file_name(path: &Path) -> bool {
    let text = path.as_os_str().as_encoded_bytes();
    let ends = text.last().is_some_and(|end| matches!(end, b'/' | b'\\'));
    !ends && path.extension().is_some()
}

/// The name of a result in a folder: its content's, with that of its reference if there are several of each
/// content. What cannot be written as the content's kind of file becomes PNG.
pub(super) fn name(content: &Path, reference: Option<&PathBuf>) -> OsString {
    let mut name = stem(content).to_owned();
    if let Some(reference) = reference {
        name.push("-");
        name.push(stem(reference));
    }
    let extension = content.extension().unwrap_or_default();
    let mut known = Photograph::EXTENSIONS.iter();
    let is_written = known.any(|known| extension.eq_ignore_ascii_case(known));
    name.push(".");
    name.push(if is_written {
        extension
    } else {
        "png".as_ref()
    });
    name
}
