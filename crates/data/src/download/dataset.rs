//! Describes a dataset that can be downloaded.

use std::path::Path;

use crate::Layout;
use crate::layout::folder;

/// A published dataset.
///
/// [`CATALOGUE`](super::CATALOGUE) has those that are known. You can describe others of the same layouts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dataset {
    /// Its name, and that of its folder below the data root. If two families publish the same name, it
    /// starts with the family's: `pix2pix/maps`, `cyclegan/maps`.
    pub name: &'static str,
    /// What is in it, in a few words.
    pub about: &'static str,
    /// How it is laid out.
    pub layout: Layout,
    /// The authors' page.
    pub homepage: &'static str,
    /// Who owns the images, and what is known of a licence.
    pub rights: &'static str,
    /// The folders on the net that hold its files, best first; each ends with a slash.
    pub addresses: &'static [&'static str],
    /// The archive, and files that belong beside its content.
    pub files: &'static [RemoteFile],
}

/// A file of a [`Dataset`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RemoteFile {
    /// Its name; an archive if it ends in `.zip`, `.tgz` or `.tar.gz`.
    pub name: &'static str,
    /// What is known of its size.
    pub size: Size,
    /// What is known of its content.
    pub checksum: Option<Checksum>,
}

/// What is known of a file's size, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Size {
    /// Exactly this size: a file of another size is refused.
    Exact(u64),
    /// Roughly this size, as pages about the file say. A file of another size is accepted.
    About(u64),
    /// Nothing is known.
    Unknown,
}

/// What is known of a file's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Checksum {
    /// The SHA-256 published by its authors, or by a project with which many people download it. A
    /// file with another one is refused.
    Sha256(&'static str),
    /// An MD5 that a third party states and nobody has confirmed. A difference is reported, but the
    /// file is accepted.
    ReportedMd5(&'static str),
}

impl RemoteFile {
    /// Whether the file has to be unpacked.
    pub fn is_archive(&self) -> bool {
        [".zip", ".tgz", ".tar.gz"]
            .iter()
            .any(|end| self.name.ends_with(end))
    }

    /// Whether a checksum is published for it.
    pub fn is_published(&self) -> bool {
        matches!(self.checksum, Some(Checksum::Sha256(_)))
    }

    /// Its size in bytes if it is known exactly.
    pub fn exact_size(&self) -> Option<u64> {
        match self.size {
            Size::Exact(bytes) => Some(bytes),
            Size::About(_) | Size::Unknown => None,
        }
    }
}

impl Size {
    /// Its size in bytes, exact or not, if anything is known of it.
    pub fn bytes(self) -> Option<u64> {
        match self {
            Self::Exact(bytes) | Self::About(bytes) => Some(bytes),
            Self::Unknown => None,
        }
    }
}

impl Dataset {
    /// The family that publishes it: `pix2pix`, `cyclegan` or `oxford`.
    pub fn family(&self) -> &'static str {
        match self.layout {
            Layout::Pix2Pix => "pix2pix",
            Layout::CycleGan => "cyclegan",
            Layout::Flowers => "oxford",
            Layout::Folder => "folder",
        }
    }

    /// The name without its family.
    pub fn bare_name(&self) -> &'static str {
        self.name.rsplit('/').next().unwrap_or(self.name)
    }

    /// The bytes to download, exact or not, if something is known of every file.
    pub fn bytes(&self) -> Option<u64> {
        self.files.iter().map(|file| file.size.bytes()).sum()
    }

    /// The prefix of its files' names in the folder for downloads under way.
    pub(super) fn file_prefix(&self) -> String {
        self.name.replace('/', "-")
    }

    /// Its top folder is recognised by one of these folders. There are none if it holds the images itself.
    fn hallmarks(&self) -> &'static [&'static str] {
        match self.layout {
            Layout::Pix2Pix => &["train"],
            Layout::CycleGan => &["trainA", "trainB", "testA", "testB"],
            Layout::Flowers => &["jpg"],
            Layout::Folder => &[],
        }
    }

    /// Whether `path` is its top folder.
    pub(super) fn has_top_folder(&self, path: &Path) -> bool {
        match self.hallmarks() {
            // A folder that cannot be listed is not the top folder.
            [] => folder::has_images(path).unwrap_or(false),
            names => names.iter().any(|name| path.join(name).is_dir()),
        }
    }

    /// How its top folder is recognised, in words.
    pub(super) fn expected_content(&self) -> String {
        match self.hallmarks() {
            [] => "folder of image files".to_owned(),
            names => format!("folder {}/", names.join("/ or ")),
        }
    }
}
