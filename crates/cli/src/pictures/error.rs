//! What can be wrong with pictures that are asked for.

use std::ffi::OsString;
use std::path::PathBuf;

/// Arguments that do not fit together.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PicturesError {
    #[error(
        "{count} pictures cannot go into one file {}: give --output a folder's name, without an \
         extension or with a / at its end", output.display()
    )]
    OneFile { count: usize, output: PathBuf },
    #[error(
        "the result of {} would take the place of {}: choose another --output",
        content.display(), taken.display()
    )]
    Own { content: PathBuf, taken: PathBuf },
    #[error("{} would take the place of {}: choose another name", output.display(), taken.display())]
    Input { output: PathBuf, taken: PathBuf },
    #[error("{} is named twice for what is to be written: choose another name", output.display())]
    Both { output: PathBuf },
    #[error(
        "the results of {} and {} would both be {}: give one folder at a time, or rename one of them",
        first.display(), second.display(), output.display()
    )]
    Twice {
        first: PathBuf,
        second: PathBuf,
        output: PathBuf,
    },
    #[error(
        "the references {} and {} have the same name: with several references, each content goes \
         with the one of its name; --all-pairs goes through all of them",
        first.display(), second.display()
    )]
    Ambiguous { first: PathBuf, second: PathBuf },
}

/// A picture that cannot be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unmade {
    #[error(
        "{} has no reference: none of the {count} references has the name {}; --all-pairs goes \
         through all of them", content.display(), name.display()
    )]
    Unmatched {
        content: PathBuf,
        name: OsString,
        count: usize,
    },
    #[error("{} already exists: choose another name, or give --overwrite", path.display())]
    Exists { path: PathBuf },
    #[error("{failed} of {all} pictures could not be made:{list}")]
    Several {
        failed: usize,
        all: usize,
        list: String,
    },
}
