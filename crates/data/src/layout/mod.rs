//! The folder layouts of published datasets.

mod flowers;
pub(crate) mod folder;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{Collection, DataError, ImageSource, Split};
use folder::{check_folder, describe, has_images, images, images_if_present};

/// How a dataset's folder is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Layout {
    /// pix2pix: images in `train/`; held out: those in `val/`, or else in `test/`.
    Pix2Pix,
    /// CycleGAN: images in `trainA/` and `trainB/`; held out: those in `testA/` and `testB/`. The
    /// images of both are taken together, A first, as the official colourisation does.
    CycleGan,
    /// Oxford Flowers-102: `jpg/image_XXXXX.jpg`, with the authors' `setid.mat` (their split) and
    /// `imagelabels.mat` (the classes). Without those files there are no classes and only the
    /// seeded split. Numbers that have no file are skipped.
    Flowers,
    /// Images in the folder itself.
    Folder,
}

impl Layout {
    const ALL: &str = "one of: train/ with val/ or test/ (pix2pix); trainA/ and trainB/ (CycleGAN); \
                       jpg/ (Flowers-102); image files (bare folder)";

    /// The name that messages use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pix2Pix => "pix2pix",
            Self::CycleGan => "CycleGAN",
            Self::Flowers => "Flowers-102",
            Self::Folder => "a bare folder",
        }
    }

    /// The layout of a folder: CycleGAN if there is a `trainA/` or `trainB/`, else pix2pix if
    /// there is a `train/`, else Flowers-102 if there is a `jpg/`, else a bare folder if there
    /// are images in it.
    ///
    /// # Errors
    ///
    /// [`DataError::NotFound`], [`DataError::NotAFolder`] or [`DataError::Io`] for the folder
    /// itself; [`DataError::Layout`] if it has none of the layouts. The error says what it holds.
    pub fn discover(folder: impl AsRef<Path>) -> Result<Self, DataError> {
        let folder = folder.as_ref();
        check_folder(folder, Self::ALL)?;
        let has = |name: &str| folder.join(name).is_dir();
        if has("trainA") || has("trainB") {
            Ok(Self::CycleGan)
        } else if has("train") {
            Ok(Self::Pix2Pix)
        } else if has("jpg") {
            Ok(Self::Flowers)
        } else if has_images(folder)? {
            Ok(Self::Folder)
        } else {
            Err(DataError::Layout {
                path: folder.to_path_buf(),
                expected: Self::ALL.to_string(),
                found: describe(folder),
            })
        }
    }

    /// The names of the folders that may hold images, in the dataset's folder; the empty name is
    /// that folder itself.
    pub(crate) fn folders(self) -> &'static [&'static str] {
        match self {
            Self::Pix2Pix => &["train", "val", "test"],
            Self::CycleGan => &["trainA", "trainB", "testA", "testB"],
            Self::Flowers => &["jpg"],
            Self::Folder => &[""],
        }
    }

    pub(crate) fn open(self, folder: &Path, split: Split) -> Result<Collection, DataError> {
        check_folder(folder, Self::ALL)?;
        let name = folder.display().to_string();
        match self {
            Self::Pix2Pix => {
                let train = images(&folder.join("train"))?;
                let mut held_out = images_if_present(&folder.join("val"))?;
                if held_out.is_empty() {
                    held_out = images_if_present(&folder.join("test"))?;
                }
                Ok(Collection::from_sources(name, train, held_out)
                    .with_hint("put some into its folder val/ or test/"))
            }
            Self::CycleGan => {
                let [train_a, train_b] = ["trainA", "trainB"].map(|part| folder.join(part));
                let mut train = images_if_present(&train_a)?;
                train.extend(images_if_present(&train_b)?);
                if train.is_empty() {
                    // Fails, and the error says what is wrong with the folder.
                    train = images(if train_b.is_dir() { &train_b } else { &train_a })?;
                }
                let mut held_out: Vec<ImageSource> = images_if_present(&folder.join("testA"))?;
                held_out.extend(images_if_present(&folder.join("testB"))?);
                Ok(Collection::from_sources(name, train, held_out)
                    .with_hint("put some into its folders testA/ and testB/"))
            }
            Self::Flowers => flowers::open(folder, split),
            Self::Folder => {
                let images = images(folder)?;
                match split {
                    Split::NinetyTen { seed } => Ok(Collection::ninety_ten(name, images, seed)),
                    Split::Official => Err(DataError::NoOfficialSplit {
                        layout: self.name(),
                        path: folder.to_path_buf(),
                    }),
                }
            }
        }
    }
}

/// The paths of the image files in a folder, sorted by name. Images are recognised by their extension, in
/// lower or upper case. Hidden files, other files and deeper folders are ignored. None is opened.
///
/// # Errors
///
/// - [`DataError::NotFound`], [`DataError::NotAFolder`], [`DataError::Io`]: there is no such folder, or it cannot
///   be read
/// - [`DataError::NoImages`]: there is no image in it
pub fn images_in(folder: impl AsRef<Path>) -> Result<Vec<PathBuf>, DataError> {
    let folder = folder.as_ref();
    let images = images(folder)?;
    let paths = images.iter().filter_map(ImageSource::path);
    Ok(paths.map(Path::to_path_buf).collect())
}

impl Collection {
    /// The images of a folder. Without a `layout`, [`Layout::discover`] finds it. `split` matters
    /// where the layout has no folders of its own for the parts: Flowers-102 and bare folders.
    ///
    /// Images are recognised by their extension, in lower or upper case. Hidden files, other files and
    /// deeper folders are ignored. Images are sorted by name. None is opened.
    ///
    /// # Errors
    ///
    /// - [`DataError::NotFound`], [`DataError::NotAFolder`], [`DataError::Io`]: `folder`, or a
    ///   folder or file that the layout needs, is missing or cannot be read
    /// - [`DataError::Layout`]: the folder has no known layout
    /// - [`DataError::NoImages`]: there is nothing to train on
    /// - [`DataError::Mat`], [`DataError::TooLarge`]: `setid.mat` or `imagelabels.mat` is damaged, or
    ///   larger than such a file can be
    /// - [`DataError::NoOfficialSplit`]: [`Split::Official`] for a bare folder
    pub fn open(
        folder: impl AsRef<Path>,
        layout: Option<Layout>,
        split: Split,
    ) -> Result<Self, DataError> {
        let folder = folder.as_ref();
        let layout = layout.map_or_else(|| Layout::discover(folder), Ok)?;
        layout.open(folder, split)
    }
}
