use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::archive::ArchiveError;

/// Why a dataset did not arrive.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DownloadError {
    /// A name that the catalogue does not have.
    #[error("there is no dataset `{name}` to download; choose one of {}", known.join(", "))]
    Unknown {
        /// The name.
        name: String,
        /// The names that the catalogue has.
        known: Vec<&'static str>,
    },
    /// A name that two datasets have.
    #[error("`{name}` could be {one} or {other}: give one of these names")]
    Ambiguous {
        /// The name.
        name: String,
        /// A dataset it could be.
        one: &'static str,
        /// Another.
        other: &'static str,
    },
    /// Text that is neither an address nor the path of a file or folder.
    #[error("{given}: {reason}")]
    From {
        /// The text.
        given: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The dataset's folder is there already, with something else in it.
    #[error(
        "{} already exists, and no download put it there: use it as it is, or move it away to \
         download the dataset",
        path.display()
    )]
    Occupied {
        /// The folder.
        path: PathBuf,
    },
    /// There is a link in the place of the dataset's folder. The folder is put there by renaming, which
    /// does not follow links.
    #[error(
        "{} is a link to {}, and a dataset cannot replace a link: remove it",
        path.display(), to.display()
    )]
    Linked {
        /// The link.
        path: PathBuf,
        /// Where it leads.
        to: PathBuf,
    },
    /// No address gave the file.
    #[error("cannot download {file}:{}\nwhat has arrived is kept", list(attempts))]
    Unreachable {
        /// The file.
        file: String,
        /// Each address, with what happened there.
        attempts: Vec<(String, String)>,
    },
    /// A file is not the one that was published.
    #[error("{place} is not the published {file}: {what} is {actual} and should be {expected}")]
    Mismatch {
        /// The file's name in the catalogue.
        file: String,
        /// Its path or address.
        place: String,
        /// What was compared: its size or its checksum.
        what: &'static str,
        /// What it is.
        actual: String,
        /// What it should be.
        expected: String,
    },
    /// A file is not the one that was downloaded the first time.
    #[error(
        "{place} is not the {file} that was downloaded before: its SHA-256 is {actual}, and was \
         {expected}, as {} recorded; if its authors have published it anew, delete that line",
        record.display()
    )]
    Changed {
        /// The file's name in the catalogue.
        file: String,
        /// Its path or address.
        place: String,
        /// What it is.
        actual: String,
        /// What it was.
        expected: String,
        /// Where that is recorded.
        record: PathBuf,
    },
    /// The disk would be full before the dataset is complete.
    #[error(
        "not enough space for {what}: {} has {} free, and about {} are needed; free some space",
        path.display(), Bytes(*available), Bytes(*needed)
    )]
    NoSpace {
        /// What needs it.
        what: String,
        /// A folder on the disk.
        path: PathBuf,
        /// Free bytes.
        available: u64,
        /// Bytes needed.
        needed: u64,
    },
    /// The archive cannot be unpacked.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The archive is intact but holds something else.
    #[error("{} does not hold {dataset}: there is no {expected} in it; it holds {found}",
            archive.display())]
    OtherContent {
        /// The archive.
        archive: PathBuf,
        /// The dataset it should hold.
        dataset: &'static str,
        /// What was looked for in it.
        expected: String,
        /// What is in it.
        found: String,
    },
    /// A file or folder cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },
    /// A file or folder cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },
}

impl DownloadError {
    /// Whether the user asked for something impossible. Otherwise it is a fault of files or the network.
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::Unknown { .. } | Self::Ambiguous { .. } | Self::From { .. }
        )
    }

    pub(super) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Read {
            path: path.to_path_buf(),
            source,
        }
    }

    pub(super) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Write {
            path: path.to_path_buf(),
            source,
        }
    }
}

fn list(attempts: &[(String, String)]) -> String {
    let line = |(address, fault): &(String, String)| format!("\n  {address}: {fault}");
    attempts.iter().map(line).collect()
}

/// A number of bytes for people: `132.6 MB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(
    /// The number.
    pub u64,
);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
        if self.0 < 1000 {
            return write!(f, "{} bytes", self.0);
        }
        let mut value = self.0 as f64 / 1000.0;
        let mut unit = 0;
        while value >= 999.95 && unit + 1 < UNITS.len() {
            value /= 1000.0;
            unit += 1;
        }
        write!(f, "{value:.1} {}", UNITS[unit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_shown_with_a_unit_that_fits() {
        let shown = |bytes| Bytes(bytes).to_string();
        assert_eq!(shown(0), "0 bytes");
        assert_eq!(shown(999), "999 bytes");
        assert_eq!(shown(132_640_856), "132.6 MB");
        assert_eq!(shown(999_999), "1.0 MB");
        assert_eq!(shown(u64::MAX), "18446.7 PB");
    }
}
