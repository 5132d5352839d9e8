//! What can go wrong between a folder and a batch.

mod mat;
mod parameter;

use std::path::{Path, PathBuf};

use crate::kinds;

pub use mat::MatError;
pub use parameter::ParameterError;

/// What can go wrong between a folder and a batch.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A file or folder that does not exist.
    #[error("{path} does not exist: expected {expected}; {found}", path = path.display())]
    NotFound {
        /// The path that was looked for.
        path: PathBuf,
        /// What should be there.
        expected: String,
        /// What the nearest existing folder holds.
        found: String,
    },
    /// Something other than a folder where a folder should be.
    #[error("{path} is not a folder: give the folder that holds {expected}", path = path.display())]
    NotAFolder {
        /// The path.
        path: PathBuf,
        /// What should be in the folder.
        expected: String,
    },
    /// A folder that fits no known layout, or not the one asked for.
    #[error("{path} does not look like {expected}; {found}", path = path.display())]
    Layout {
        /// The folder.
        path: PathBuf,
        /// The layouts that are possible.
        expected: String,
        /// What the folder holds.
        found: String,
    },
    /// A folder in which no file has the extension of an image.
    #[error(
        "no images in {path}: expected files named *.{extensions}; {found}",
        path = path.display(), extensions = kinds::EXTENSIONS.join(", *.")
    )]
    NoImages {
        /// The folder.
        path: PathBuf,
        /// What the folder holds.
        found: String,
    },
    /// A collection that has no image for one phase.
    #[error("{collection} has no {part} images: {fix}")]
    EmptyPhase {
        /// The collection's folder or name.
        collection: String,
        /// The part that is empty.
        part: &'static str,
        /// What would fill it.
        fix: &'static str,
    },
    /// A file or folder that exists and cannot be read.
    #[error("cannot read {path}: {source}", path = path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// A file that cannot be written.
    #[error("cannot write {path}: {source}", path = path.display())]
    Write {
        /// The path.
        path: PathBuf,
        /// The operating system's answer, or the encoder's.
        source: std::io::Error,
    },
    /// A file to be written in a folder that does not exist.
    #[error("cannot write {path}: there is no folder {folder}", path = path.display(), folder = folder.display())]
    NoFolder {
        /// The path.
        path: PathBuf,
        /// The folder.
        folder: PathBuf,
    },
    /// A path to write an image to, whose extension names no format that is written.
    #[error(
        "cannot write {path}: its extension has to name the format, one of *.{extensions}",
        path = path.display(), extensions = kinds::WRITTEN.join(", *.")
    )]
    OutputFormat {
        /// The path.
        path: PathBuf,
    },
    /// An image that is too wide or too high for the format that it shall be written in.
    #[error(
        "cannot write {path}: the image has {width}×{height} pixels (width×height), and its format allows at most \
         {max} on a side; write a PNG or TIFF",
        path = path.display()
    )]
    OutputSides {
        /// The path.
        path: PathBuf,
        /// The image's width.
        width: usize,
        /// The image's height.
        height: usize,
        /// The most pixels on a side.
        max: usize,
    },
    /// An empty file.
    #[error("{path} is empty (0 bytes): delete it or restore it from its source", path = path.display())]
    EmptyFile {
        /// The path.
        path: PathBuf,
    },
    /// A file whose content has changed since it was first read.
    #[error("{path} has changed since it was first read: put the file back that was there", path = path.display())]
    Changed {
        /// The path.
        path: PathBuf,
    },
    /// A file whose content is no image of a known format.
    #[error(
        "{path} is no image that can be read: its content is none of JPEG, PNG, BMP, GIF, TIFF, \
         WebP or PNM, whatever its name says",
        path = path.display()
    )]
    NotAnImage {
        /// The path.
        path: PathBuf,
    },
    /// An image of a kind that is not read. The file itself may be intact.
    #[error(
        "{path} is {kind}, which is not read: convert it to PNG, or to a plain JPEG",
        path = path.display()
    )]
    Unsupported {
        /// The path.
        path: PathBuf,
        /// What it is, with its article.
        kind: String,
    },
    /// A link that leads to nothing.
    #[error(
        "{path} is a link to {target}, which is not there: put the file there, or delete the link",
        path = path.display(), target = target.display()
    )]
    BrokenLink {
        /// The link.
        path: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// An image of floats, some of which are outside the range of colours.
    #[error(
        "{path} has floating-point pixels of {value}, where 0 is black and 1 is white: scale its \
         values to 0 to 1, or save it as PNG",
        path = path.display()
    )]
    FloatRange {
        /// The path.
        path: PathBuf,
        /// The value farthest outside the range.
        value: f32,
    },
    /// A file that ends before its image does.
    #[error(
        "{path} is cut short: its JPEG data ends before the image is complete; restore it from its source",
        path = path.display()
    )]
    Truncated {
        /// The path.
        path: PathBuf,
    },
    /// An image that is damaged.
    #[error(
        "cannot decode {path}, which is damaged: {source}; restore it from its source or delete it",
        path = path.display()
    )]
    Decode {
        /// The path.
        path: PathBuf,
        /// The decoder's answer.
        source: Box<::image::ImageError>,
    },
    /// An image with more pixels, or a file with more bytes, than are accepted.
    #[error("{path} is too large: {actual} {unit}, at most {max} are accepted", path = path.display())]
    TooLarge {
        /// The path.
        path: PathBuf,
        /// How much there is.
        actual: u64,
        /// The most that is accepted.
        max: u64,
        /// What is counted.
        unit: &'static str,
    },
    /// An image without pixels.
    #[error(
        "{path} has no pixels: its header says {width}×{height} (width×height); restore it from its \
         source or delete it",
        path = path.display()
    )]
    NoPixels {
        /// The path.
        path: PathBuf,
        /// The width in its header.
        width: u64,
        /// The height in its header.
        height: u64,
    },
    /// An image that cannot be cut into two halves.
    #[error(
        "{name} is {width} pixel(s) wide and cannot be split into two halves: expected content \
         and reference side by side"
    )]
    TooNarrow {
        /// The image's path or name.
        name: String,
        /// Its width in pixels.
        width: u32,
    },
    /// A MATLAB file that is damaged, or does not hold what it should.
    #[error("cannot read {path}: {source}", path = path.display())]
    Mat {
        /// The path.
        path: PathBuf,
        /// What is wrong with it.
        source: MatError,
    },
    /// Only one image, although each image takes the colours of another one.
    #[error(
        "{collection} has only one image to train on, but each image takes the colours of another \
         one: add images"
    )]
    OneImage {
        /// The collection's folder or name.
        collection: String,
    },
    /// The official split was asked for where there is none.
    #[error("use the seeded 90/10 split for {path}: {layout} has no official split", path = path.display())]
    NoOfficialSplit {
        /// The layout's name.
        layout: &'static str,
        /// The folder.
        path: PathBuf,
    },
    /// A parameter that does not fit the others.
    #[error(transparent)]
    Parameter(#[from] ParameterError),
}

impl DataError {
    pub(crate) fn decode(path: &Path) -> impl FnOnce(::image::ImageError) -> Self {
        move |source| match source {
            ::image::ImageError::Unsupported(feature) => {
                Self::unsupported(path, &kinds::of_unsupported(&feature))
            }
            source => Self::Decode {
                path: path.to_path_buf(),
                source: Box::new(source),
            },
        }
    }

    pub(crate) fn unsupported(path: &Path, kind: &str) -> Self {
        Self::Unsupported {
            path: path.to_path_buf(),
            kind: kind.to_owned(),
        }
    }

    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io {
            path: path.to_path_buf(),
            source,
        }
    }

    pub(crate) fn write(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Write {
            path: path.to_path_buf(),
            source,
        }
    }

    /// As [`Self::io`], for a file that could not be opened. It may be a broken link.
    pub(crate) fn open(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| match std::fs::read_link(path) {
            Ok(target) if source.kind() == std::io::ErrorKind::NotFound => Self::BrokenLink {
                path: path.to_path_buf(),
                target,
            },
            _ => Self::io(path)(source),
        }
    }
}
