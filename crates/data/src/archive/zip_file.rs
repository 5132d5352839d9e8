//! `.zip`: entry by entry, as its directory lists them.

use std::io::{Read, Seek};

use zip::ZipArchive;
use zip::result::ZipError;

use super::error::{Fault, Refusal};
use super::tree::Tree;

pub(super) fn unpack(file: impl Read + Seek, tree: &mut Tree<'_>) -> Result<(), Fault> {
    let mut archive = ZipArchive::new(file).map_err(|error| fault("", error))?;
    if archive.has_duplicate_names() {
        return Err(Fault::Refused(String::new(), Refusal::Duplicate));
    }
    let count = archive.len();
    tree.check_count(count as u64)?;
    for index in 0..count {
        let path = match archive.name_for_index(index) {
            Some(name) => name.map_err(|error| fault("", error))?.into_owned(),
            None => String::new(),
        };
        let mut entry = archive
            .by_index(index)
            .map_err(|error| fault(&path, error))?;
        let refuse = |reason| Err(Fault::Refused(path.clone(), reason));
        if entry.encrypted() {
            return refuse(Refusal::Encrypted);
        }
        match entry.unix_mode().unwrap_or(0) & KIND {
            0 | FILE => {}
            FOLDER if entry.is_dir() => {}
            LINK => {
                let mut to = Vec::new();
                // Only for the message, which leaves out what cannot be read.
                let _ = entry.take(LINK_SHOWN).read_to_end(&mut to);
                let to = String::from_utf8_lossy(&to).into_owned();
                return refuse(Refusal::SymbolicLink { to });
            }
            _ => return refuse(Refusal::SpecialFile),
        }
        if entry.is_dir() {
            tree.folder(path.as_bytes())?;
        } else {
            let size = entry.size();
            tree.file(path.as_bytes(), size, &mut entry)?;
        }
        tree.report((index + 1) as f64 / count as f64);
    }
    Ok(())
}

/// The bits of a Unix mode that say what a file is, and three of their values.
const KIND: u32 = 0o170_000;
const FILE: u32 = 0o100_000;
const FOLDER: u32 = 0o040_000;
const LINK: u32 = 0o120_000;
/// How many bytes of a link's target a message shows.
const LINK_SHOWN: u64 = 200;

fn fault(entry: &str, error: ZipError) -> Fault {
    let refused = |reason| Fault::Refused(entry.to_owned(), reason);
    match error {
        ZipError::Io(error) => Fault::reading(entry, error),
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) | ZipError::InvalidPassword => {
            refused(Refusal::Encrypted)
        }
        ZipError::UnsupportedArchive(_) | ZipError::CompressionMethodNotSupported(_) => {
            refused(Refusal::Unsupported {
                what: error.to_string(),
            })
        }
        other => Fault::Damaged(entry.to_owned(), other.to_string()),
    }
}
