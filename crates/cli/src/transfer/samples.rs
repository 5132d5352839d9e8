//! What a fit looks at: photographs at a working size, and their masks.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use huenet_data::{Photograph, RgbImage, layout};
use huenet_tasks::transfer::Sample;

use super::paint::level;
use crate::sheet::{fitted, tile};

/// The longest side of what a fit looks at, in pixels.
const WORKING_SIZE: usize = 256;

/// A reference.
pub(super) struct Reference {
    pub(super) path: PathBuf,
    pub(super) sample: Sample,
    /// What it looks like on a sheet.
    pub(super) tile: RgbImage,
}

impl Reference {
    /// Reads a reference and its mask, and forgets their full size.
    pub(super) fn read(path: &Path, masks: &Masks) -> anyhow::Result<Self> {
        let photograph = Photograph::read(path)?;
        let mask = masks.of_reference(path, &photograph)?;
        Ok(Self {
            path: path.to_owned(),
            sample: sample(path, &photograph, mask.as_ref())?,
            tile: tile(&photograph),
        })
    }
}

/// A photograph as a fit looks at it. Each pixel counts by its opacity and by its mask's pixel.
pub(super) fn sample(
    path: &Path,
    photograph: &Photograph,
    mask: Option<&Photograph>,
) -> anyhow::Result<Sample> {
    let (width, height) = (photograph.width(), photograph.height());
    let longest = WORKING_SIZE.min(width.max(height));
    let (width, height) = fitted(width, height, longest);
    let pixels = photograph.reduced(width, height);
    let levels = |mask: &Photograph| mask.reduced(width, height).into_iter().map(level).collect();
    let weights = match (mask.map(levels), photograph.reduced_alpha(width, height)) {
        (Some(mask), Some(alpha)) => {
            let both = Vec::into_iter(mask).zip(alpha);
            Some(both.map(|(mask, alpha): (f32, f32)| mask * alpha).collect())
        }
        (mask, alpha) => mask.or(alpha),
    };
    let sample = Sample::new(width, height, pixels);
    let sample = sample.and_then(|sample| match weights {
        Some(weights) => sample.with_mask(weights),
        None => Ok(sample),
    });
    sample.map_err(|error| anyhow!("{}: {error}", path.display()))
}

/// Where masks are: a file for all images, or a folder with one of each image's name.
#[derive(Debug)]
pub(super) struct Masks {
    pub(super) content: Option<PathBuf>,
    pub(super) reference: Option<PathBuf>,
}

impl Masks {
    /// The mask of a content image.
    pub(super) fn of_content(
        &self,
        path: &Path,
        photograph: &Photograph,
    ) -> anyhow::Result<Option<Photograph>> {
        let given = self.content.as_deref();
        given.map(|given| read(given, path, photograph)).transpose()
    }

    /// The mask of a reference.
    pub(super) fn of_reference(
        &self,
        path: &Path,
        photograph: &Photograph,
    ) -> anyhow::Result<Option<Photograph>> {
        let given = self.reference.as_deref();
        given.map(|given| read(given, path, photograph)).transpose()
    }
}

fn read(given: &Path, image: &Path, photograph: &Photograph) -> anyhow::Result<Photograph> {
    let path = match given.is_dir() {
        true => {
            let masks = layout::images_in(given)?;
            let same = masks
                .into_iter()
                .find(|mask| mask.file_stem() == image.file_stem());
            let (folder, name) = (given.display(), image.display());
            same.ok_or_else(|| anyhow!("{name} has no mask: {folder} has no image of its name"))?
        }
        false => given.to_owned(),
    };
    let mask = Photograph::read(&path)?;
    let [theirs, ours] = [&mask, photograph].map(|it| (it.width(), it.height()));
    if theirs != ours {
        let (mask, image) = (path.display(), image.display());
        return Err(anyhow!(
            "the mask {mask} has {}×{} pixels, and {image} has {}×{} (width×height): give a mask of the same size",
            theirs.0,
            theirs.1,
            ours.0,
            ours.1
        ));
    }
    Ok(mask)
}
