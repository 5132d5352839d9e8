use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why an archive cannot be unpacked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// The file is no archive of a known format.
    #[error(
        "{} is neither a .tar.gz nor a .zip archive, whatever its name says: it may be a web page \
         saved in its place; delete it and download it again",
        archive.display()
    )]
    Format {
        /// The archive.
        archive: PathBuf,
    },
    /// An entry that must not be unpacked, or more entries than allowed.
    #[error("{} is refused: {}{reason}", archive.display(), named(entry))]
    Refused {
        /// The archive.
        archive: PathBuf,
        /// The entry's path in the archive; empty if it is the archive as a whole.
        entry: String,
        /// What is wrong with it.
        reason: Refusal,
    },
    /// The archive ends too soon, or its own checksums do not agree with its content.
    #[error(
        "{} is damaged{}: {reason}; delete it and download it again",
        archive.display(), at(entry)
    )]
    Damaged {
        /// The archive.
        archive: PathBuf,
        /// The entry that was being read; empty if none was.
        entry: String,
        /// What the reader says.
        reason: String,
    },
    /// The archive cannot be read.
    #[error("cannot read {}: {source}", archive.display())]
    Read {
        /// The archive.
        archive: PathBuf,
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

/// What an archive must not hold.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Refusal {
    /// A path that starts at the root of a file system or drive.
    AbsolutePath,
    /// A path with `..` in it.
    ParentFolder,
    /// A path that names no file.
    NoName,
    /// A path of too many names, of its folders and its own.
    TooDeep {
        /// The most that are accepted.
        max: usize,
    },
    /// A path of too many bytes.
    PathTooLong {
        /// Its bytes.
        bytes: usize,
        /// The most that are accepted.
        max: usize,
    },
    /// All paths together have too many bytes. They are kept in memory until the archive is unpacked.
    PathsTooLong {
        /// The most bytes that are accepted.
        max: u64,
    },
    /// A symbolic link.
    SymbolicLink {
        /// Where it leads.
        to: String,
    },
    /// A hard link.
    HardLink {
        /// Where it leads.
        to: String,
    },
    /// A device, pipe, socket or other special file.
    SpecialFile,
    /// An entry that needs a password.
    Encrypted,
    /// A second entry of the same name.
    Duplicate,
    /// A way of packing that is not supported.
    Unsupported {
        /// What the reader says.
        what: String,
    },
    /// More files than [`Limits::files`](super::Limits::files).
    TooManyFiles {
        /// The most that are accepted.
        max: u64,
    },
    /// More bytes than [`Limits::bytes`](super::Limits::bytes).
    TooLarge {
        /// The most that are accepted.
        max: u64,
    },
    /// More bytes, in multiples of the archive's size, than [`Limits::ratio`](super::Limits::ratio).
    TooDense {
        /// The bytes it would unpack to.
        bytes: u64,
        /// The archive's own bytes.
        archive: u64,
        /// The greatest ratio that is accepted.
        max: u64,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AbsolutePath => write!(f, "its path is absolute"),
            Self::ParentFolder => write!(f, "its path leads out of the folder by `..`"),
            Self::NoName => write!(f, "its path names no file"),
            Self::TooDeep { max } => write!(f, "its path has more than {max} names"),
            Self::PathTooLong { bytes, max } => {
                write!(f, "its path has {bytes} bytes, at most {max} are accepted")
            }
            Self::PathsTooLong { max } => {
                write!(f, "the paths up to it have more than {max} bytes together")
            }
            Self::SymbolicLink { to } => {
                write!(f, "it is a symbolic link (to {to}); no links are unpacked")
            }
            Self::HardLink { to } => {
                write!(f, "it is a hard link (to {to}); no links are unpacked")
            }
            Self::SpecialFile => write!(f, "it is a device, pipe or other special file"),
            Self::Encrypted => write!(f, "it is encrypted"),
            Self::Duplicate => write!(f, "the archive holds it twice"),
            Self::Unsupported { what } => write!(f, "it is packed in an unsupported way: {what}"),
            Self::TooManyFiles { max } => write!(f, "it holds more than {max} files"),
            Self::TooLarge { max } => write!(f, "it unpacks to more than {max} bytes"),
            Self::TooDense {
                bytes,
                archive,
                max,
            } => write!(
                f,
                "its {archive} bytes unpack to {bytes} or more, over {max} times as many, which \
                 no archive of images does"
            ),
        }
    }
}

fn named(entry: &str) -> String {
    match entry {
        "" => String::new(),
        entry => format!("`{}`: ", entry.escape_debug()),
    }
}

fn at(entry: &str) -> String {
    match entry {
        "" => String::new(),
        entry => format!(" at `{}`", entry.escape_debug()),
    }
}

/// An [`ArchiveError`] that does not know its archive yet.
#[derive(Debug)]
pub(super) enum Fault {
    Format,
    Refused(String, Refusal),
    Damaged(String, String),
    Read(io::Error),
    Write(PathBuf, io::Error),
}

impl Fault {
    pub(super) fn in_archive(self, archive: &Path) -> ArchiveError {
        let archive = archive.to_path_buf();
        match self {
            Self::Format => ArchiveError::Format { archive },
            Self::Refused(entry, reason) => ArchiveError::Refused {
                archive,
                entry,
                reason,
            },
            Self::Damaged(entry, reason) => ArchiveError::Damaged {
                archive,
                entry,
                reason,
            },
            Self::Read(source) => ArchiveError::Read { archive, source },
            Self::Write(path, source) => ArchiveError::Write { path, source },
        }
    }

    /// A fault while reading `entry`. If the decoder found it, the archive is damaged; if the operating
    /// system did, the archive cannot be read.
    pub(super) fn reading(entry: &str, error: io::Error) -> Self {
        if error.raw_os_error().is_some() {
            return Self::Read(error);
        }
        let reason = match error.kind() {
            io::ErrorKind::UnexpectedEof => "it ends too soon".to_owned(),
            _ => error.to_string(),
        };
        Self::Damaged(entry.to_owned(), reason)
    }
}
