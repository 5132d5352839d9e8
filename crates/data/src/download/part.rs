//! A file that has arrived in part, and what is known of the rest.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::DownloadError;
use super::files;

/// `NAME.part` holds what has arrived; `NAME.json` says where it is from.
#[derive(Debug)]
pub(super) struct Part {
    path: PathBuf,
    state_path: PathBuf,
    /// Where the bytes are from; nothing if there are none.
    pub(super) state: Option<State>,
}

/// Where the bytes of a part are from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    /// The address.
    pub(super) address: String,
    /// Identifies the version of the file for `If-Range`: a strong entity tag or a date.
    pub(super) validator: Option<String>,
    /// Bytes of the whole file, if the server said.
    pub(super) total: Option<u64>,
}

impl State {
    /// Whether the rest of the file at `address` is known to be of another version.
    pub(super) fn is_outdated(
        &self,
        address: &str,
        validator: Option<&str>,
        total: Option<u64>,
    ) -> bool {
        // A tag and a date cannot be compared.
        let comparable = |old: &str, new: &str| old.starts_with('"') == new.starts_with('"');
        let validators = self.validator.as_deref().zip(validator);
        let totals = self.total.zip(total);
        self.address == address
            && (validators.is_some_and(|(old, new)| comparable(old, new) && old != new)
                || totals.is_some_and(|(old, new)| old != new))
    }
}

impl Part {
    /// The part of the file at `target`, with what an earlier try left of it.
    pub(super) fn open(target: &Path) -> Result<Self, DownloadError> {
        let (path, state_path) = (with_end(target, ".part"), with_end(target, ".json"));
        // If the state cannot be read, what had arrived is downloaded again.
        let state = files::read_json(&state_path).unwrap_or_default();
        Ok(Self {
            path,
            state_path,
            state,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// How many bytes of known origin have arrived.
    pub(super) fn length(&self) -> u64 {
        match &self.state {
            Some(_) => std::fs::metadata(&self.path).map_or(0, |metadata| metadata.len()),
            None => 0,
        }
    }

    /// Drops what has arrived, and writes from the start.
    pub(super) fn restart(&mut self, state: State) -> Result<File, DownloadError> {
        self.discard()?;
        let file = File::create(&self.path).map_err(DownloadError::write(&self.path))?;
        files::write_json(&self.state_path, &state)?;
        self.state = Some(state);
        Ok(file)
    }

    /// Appends to what has arrived.
    pub(super) fn go_on(&self) -> Result<File, DownloadError> {
        OpenOptions::new()
            .append(true)
            .open(&self.path)
            .map_err(DownloadError::write(&self.path))
    }

    pub(super) fn discard(&mut self) -> Result<(), DownloadError> {
        self.state = None;
        // The state comes first: bytes without a state are not used.
        files::remove(&self.state_path)?;
        files::remove(&self.path)
    }

    /// Moves the complete file to its place. Its state stays, for [`origin`].
    pub(super) fn complete(self, target: &Path) -> Result<(), DownloadError> {
        std::fs::rename(&self.path, target).map_err(DownloadError::write(target))
    }
}

/// The address that the complete file at `target` is from.
pub(super) fn origin(target: &Path) -> Option<String> {
    let state: Option<State> = files::read_json(&with_end(target, ".json")).unwrap_or_default();
    state.map(|state| state.address)
}

/// Removes a complete file and its state.
pub(super) fn remove(target: &Path) -> Result<(), DownloadError> {
    files::remove(&with_end(target, ".json"))?;
    files::remove(target)
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(end);
    PathBuf::from(path)
}
