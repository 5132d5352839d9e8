use std::path::{Path, PathBuf};

use crate::DataError;

/// Why a dataset was not made. Nothing was written then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrepareError {
    /// An image or a folder cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The place for the result is taken.
    #[error("{path} already exists and is left as it is", path = path.display())]
    Exists {
        /// The place.
        path: PathBuf,
    },
    /// The result cannot be written.
    #[error("cannot write {path}: {source}", path = path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// An image cannot be encoded.
    #[error("cannot write {path}: {source}", path = path.display())]
    Encode {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<::image::ImageError>,
    },
    /// A hard link was asked for where there can be none.
    #[error(
        "cannot link {from} into {to}: {source}; hard links need both on one file system: copy \
         instead",
        from = from.display(), to = to.display()
    )]
    Link {
        /// The image.
        from: PathBuf,
        /// Where it should also be.
        to: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The dataset has folders for its parts.
    #[error(
        "{path} is divided already, as {layout}: only bare folders and Flowers-102 need a seeded \
         split",
        path = path.display()
    )]
    Divided {
        /// The folder.
        path: PathBuf,
        /// The layout's name.
        layout: &'static str,
    },
    /// A path that cannot be a line of a list.
    #[error(
        "{path:?} cannot be written to a list, which has a line for each path: there is a tabulator \
         or the end of a line in it, or it is no UTF-8; rename it, or have folders written"
    )]
    Unlistable {
        /// The image.
        path: PathBuf,
    },
    /// Images of two folders that have no partner of the same name.
    #[error(
        "{count} images have no partner of the same name in the other folder, such as {example}: \
         add what is missing, or leave them out",
        example = example.display()
    )]
    Unmatched {
        /// How many.
        count: usize,
        /// One of them.
        example: PathBuf,
    },
    /// No image has a partner.
    #[error(
        "no image in {from} has the name of one in {to}, endings apart: pairs are matched by name",
        from = from.display(), to = to.display()
    )]
    NoPairs {
        /// The folder of the left halves.
        from: PathBuf,
        /// The folder of the right halves.
        to: PathBuf,
    },
    /// Two images of a folder that differ in their endings only.
    #[error(
        "{first} and {second} have the same name but for the ending, so that it is not clear which \
         one is meant: rename or remove one",
        first = first.display(), second = second.display()
    )]
    SameName {
        /// One of them.
        first: PathBuf,
        /// The other one.
        second: PathBuf,
    },
    /// The images of a pair have different shapes.
    #[error(
        "{left} is {left_size} pixels and {right} {right_size}: their shapes differ by more than \
         one percent; crop one of them, or let them be stretched",
        left = left.display(), right = right.display()
    )]
    Shape {
        /// The left image.
        left: PathBuf,
        /// Its width and height.
        left_size: crate::check::Dimensions,
        /// The right image.
        right: PathBuf,
        /// Its width and height.
        right_size: crate::check::Dimensions,
    },
    /// An image that two halves beside one another would make too large.
    #[error("a pair of {path} would be larger than is accepted: give a smaller size", path = path.display())]
    TooLarge {
        /// The right image.
        path: PathBuf,
    },
    /// Thresholds that are none.
    #[error(
        "thresholds {low} and {high} will not do: give two numbers above 0 and up to {max}, the \
         lower first"
    )]
    Thresholds {
        /// The lower one given.
        low: f32,
        /// The upper one given.
        high: f32,
        /// The largest that has a meaning.
        max: f32,
    },
}

impl PrepareError {
    pub(super) fn write(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Write {
            path: path.to_path_buf(),
            source,
        }
    }
}
