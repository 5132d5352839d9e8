use std::path::{Path, PathBuf};

use crate::DataError;

/// Why a dataset was not made. After such an error nothing was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrepareError {
    /// An image or a folder cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Something exists in the place of the result.
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
    /// A hard link is not possible there.
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
    /// The dataset is divided into folders already.
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
        "{path:?} cannot be written to a list, because it has a tab or the end of a line in it or is \
         not UTF-8: rename it, or write folders instead of a list"
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
        "no image in {from} has the name of one in {to}: give files of a pair the same name, apart from the ending",
        from = from.display(), to = to.display()
    )]
    NoPairs {
        /// The folder of the left halves.
        from: PathBuf,
        /// The folder of the right halves.
        to: PathBuf,
    },
    /// The names of two images in a folder differ only in their endings.
    #[error(
        "{first} and {second} have the same name but for the ending, so it is not clear which one \
         belongs to a pair: rename or remove one",
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
    /// A pair whose two halves together would be too large.
    #[error("a pair with {path} would be too large: give a smaller size", path = path.display())]
    TooLarge {
        /// The right image.
        path: PathBuf,
    },
    /// Thresholds that are out of range or in the wrong order.
    #[error(
        "thresholds {low} and {high} are not possible: give two numbers above 0 and up to {max}, the \
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
