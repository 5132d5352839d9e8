use std::path::PathBuf;

use serde::Serialize;

use super::ColourHistogram;
use crate::Layout;

/// What [`check`](super::check()) found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CheckReport {
    /// The datasets, at least one.
    pub datasets: Vec<DatasetReport>,
}

impl CheckReport {
    /// Whether every image can be read, and every dataset can be used.
    pub fn is_sound(&self) -> bool {
        self.unusable() == 0 && self.datasets.iter().all(|it| it.problems.is_empty())
    }

    /// The number of images.
    pub fn images(&self) -> usize {
        self.parts().map(|part| part.images).sum()
    }

    /// The number of images that cannot be used.
    pub fn unusable(&self) -> usize {
        self.parts().map(|part| part.unusable.len()).sum()
    }

    fn parts(&self) -> impl Iterator<Item = &PartReport> {
        self.datasets.iter().flat_map(|dataset| &dataset.parts)
    }
}

/// One dataset.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DatasetReport {
    /// Its folder.
    pub folder: PathBuf,
    /// How the folder is laid out.
    pub layout: Layout,
    /// Its folders of images, in the layout's order.
    pub parts: Vec<PartReport>,
    /// Why the dataset as a whole cannot be used, and what to do.
    pub problems: Vec<String>,
    /// Notes for the user that are not faults.
    pub notes: Vec<String>,
}

/// One folder of images.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PartReport {
    /// Its name in the dataset's folder; empty for a bare folder.
    pub name: String,
    /// The number of files that count as images.
    pub images: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Other files and folders in it, which are ignored.
    pub ignored: usize,
    /// The images that cannot be used, sorted by name.
    pub unusable: Vec<Unusable>,
    /// The sizes of those that can, if any.
    pub sizes: Option<SizeSummary>,
    /// Their mean colours: of both halves if they look like pairs, otherwise of the whole.
    pub colours: Vec<(Region, ColourHistogram)>,
}

/// An image that cannot be used.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Unusable {
    /// Its file.
    pub path: PathBuf,
    /// Why, and what to do. It names the file.
    pub reason: String,
}

/// The sizes of a list of images.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SizeSummary {
    /// The size with the fewest pixels.
    pub smallest: Dimensions,
    /// The size with the most pixels.
    pub largest: Dimensions,
    /// The most frequent size.
    pub common: Dimensions,
    /// How many images have the most frequent size.
    pub common_images: usize,
    /// How many different sizes there are.
    pub distinct: usize,
}

/// Width and height in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Dimensions {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

impl Dimensions {
    /// Width times height.
    pub fn pixels(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// Whether it is twice as wide as high, as published pairs are.
    pub fn is_two_squares(self) -> bool {
        u64::from(self.width) == 2 * u64::from(self.height)
    }
}

impl std::fmt::Display for Dimensions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

/// A part of an image: there are these three, and no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Region {
    /// All of it.
    Whole,
    /// The left half.
    Left,
    /// The right half.
    Right,
}
