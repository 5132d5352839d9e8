//! What is known of a dataset that can be downloaded.

use std::path::Path;

use crate::Layout;
use crate::layout::folder;

/// A published dataset.
///
/// The catalogue's are in [`CATALOGUE`](super::CATALOGUE); other sets of the same layouts can be described likewise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dataset {
    /// What it is called, and its folder below the data root. Where two families publish a set of
    /// one name, the family's comes first: `pix2pix/maps`, `cyclegan/maps`.
    pub name: &'static str,
    /// What is in it, in a few words.
    pub about: &'static str,
    /// How it is laid out.
    pub layout: Layout,
    /// The authors' page.
    pub homepage: &'static str,
    /// Whose the images are, and what is known of a licence.
    pub rights: &'static str,
    /// The folders on the net that hold its files, best first; each ends with a slash.
    pub addresses: &'static [&'static str],
    /// The archive, and files that belong beside what it holds.
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
    /// Exactly this: anything else is another file.
    Exact(u64),
    /// Roughly this, as pages about it say: no file is refused for another size.
    About(u64),
    /// Nothing that has a source.
    Unknown,
}

/// What is known of a file's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Checksum {
    /// The SHA-256 that its authors, or a project that many download it with, publish: anything
    /// else is another file.
    Sha256(&'static str),
    /// An MD5 that a third party states and that nobody has confirmed: a difference is said, and
    /// is no fault.
    ReportedMd5(&'static str),
}

impl RemoteFile {
    /// Whether it is to be unpacked.
    pub fn is_archive(&self) -> bool {
        [".zip", ".tgz", ".tar.gz"]
            .iter()
            .any(|end| self.name.ends_with(end))
    }

    /// Whether a checksum is published that it must have.
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
    /// The number of bytes, exact or not, if anything is known of it.
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

    /// The bytes to download, exact or not, if something is known of all files.
    pub fn bytes(&self) -> Option<u64> {
        self.files.iter().map(|file| file.size.bytes()).sum()
    }

    /// What the names of its files begin with in the folder for what is on its way.
    pub(super) fn file_prefix(&self) -> String {
        self.name.replace('/', "-")
    }

    /// The folders by one of which its top folder is told; none if that holds the images itself.
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
            // What cannot be listed is none.
            [] => folder::has_images(path).unwrap_or(false),
            names => names.iter().any(|name| path.join(name).is_dir()),
        }
    }

    /// What its top folder is told by, in words.
    pub(super) fn expected_content(&self) -> String {
        match self.hallmarks() {
            [] => "folder of image files".to_owned(),
            names => format!("folder {}/", names.join("/ or ")),
        }
    }
}
