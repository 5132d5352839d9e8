//! What a checkpoint's folder holds, as it was saved.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::layout::{FILES, FORMAT, MANIFEST};
use crate::run::images::ImageNames;
use crate::run::position::Position;

/// What `manifest.json` says of a checkpoint.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) format: u32,
    pub(super) huenet: String,
    pub(super) position: Position,
    /// The validation figure of these weights, if they were validated; less is better.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) figure: Option<f64>,
    /// The processes that trained together.
    #[serde(default = "alone", skip_serializing_if = "is_alone")]
    pub(super) processes: usize,
    /// The images that the run trains on; older checkpoints lack it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) image_names: Option<ImageNames>,
    /// Length and CRC-32 of each file.
    pub(super) files: BTreeMap<String, (u64, u32)>,
}

fn alone() -> usize {
    1
}

fn is_alone(processes: &usize) -> bool {
    *processes == 1
}

impl Manifest {
    /// The manifest in a checkpoint's folder, or what is wrong with it.
    pub(super) fn read(folder: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(folder.join(MANIFEST)).map_err(|error| error.to_string())?;
        // Looked at first: another format may have other fields.
        let value: serde_json::Value =
            serde_json::from_str(&text).map_err(|error| error.to_string())?;
        match value.get("format").and_then(serde_json::Value::as_u64) {
            Some(format) if format == u64::from(FORMAT) => {}
            Some(format) => {
                return Err(format!(
                    "its format is {format}, this huenet reads {FORMAT}"
                ));
            }
            None => return Err("it states no format".to_owned()),
        }
        let manifest: Self = serde_json::from_value(value).map_err(|error| error.to_string())?;
        let unlisted = FILES
            .into_iter()
            .find(|name| !manifest.files.contains_key(*name));
        match unlisted {
            Some(name) => Err(format!("it does not list {name}")),
            None => Ok(manifest),
        }
    }

    /// The content of a file, or how it differs from what was saved.
    pub(super) fn bytes_of(&self, folder: &Path, name: &str) -> Result<Vec<u8>, String> {
        let bytes = fs::read(folder.join(name)).map_err(|error| error.to_string())?;
        match self.files.get(name) {
            Some(expected) if *expected == fingerprint(&bytes) => Ok(bytes),
            Some(_) => Err("its checksum has changed since it was saved".to_owned()),
            None => Err(format!("{MANIFEST} does not list it")),
        }
    }

    /// The first file that is not what was saved, and how it differs.
    pub(super) fn damage(&self, folder: &Path) -> Option<(&str, String)> {
        let fault = |name: &String| self.bytes_of(folder, name).err();
        self.files
            .keys()
            .find_map(|name| Some((name.as_str(), fault(name)?)))
    }
}

/// Whether a folder is a checkpoint.
pub(crate) fn is_checkpoint(folder: &Path) -> bool {
    folder.join(MANIFEST).is_file()
}

/// Length and CRC-32.
pub(super) fn fingerprint(bytes: &[u8]) -> (u64, u32) {
    (bytes.len() as u64, crc32fast::hash(bytes))
}
