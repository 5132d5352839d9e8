use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use ::image::codecs::jpeg::JpegEncoder;
use ::image::{ImageFormat, RgbImage, imageops};
use rayon::prelude::*;

use super::PrepareError;
use super::aside::new_folder;
use crate::check::Dimensions;
use crate::layout::folder;
use crate::{
    Collection, DataError, ImageSize, ImageSource, Phase, ResizeFilter, read_image, resize,
};

/// Where the left halves of pairs come from.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum LeftHalf {
    /// From the images of this folder, matched by name.
    Folder(PathBuf),
    /// From the edges of the right halves.
    #[cfg(feature = "edges")]
    Edges(super::Canny),
}

/// The format of the files of pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum PairFormat {
    /// PNG, which loses nothing.
    #[default]
    Png,
    /// JPEG of quality 95: smaller, and edges get a faint halo.
    Jpeg,
}

impl PairFormat {
    fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
        }
    }
}

/// How pairs are made.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PairOptions {
    /// The size of each half. Without it, both get the size of the right image.
    pub size: Option<ImageSize>,
    /// Whether images of different shapes are stretched to fit; otherwise they are an error.
    pub stretch: bool,
    /// Whether images without a partner are left out; otherwise they are an error.
    pub skip_unmatched: bool,
    /// With a seed, a tenth of the pairs goes to `val/`, drawn as [`Split::NinetyTen`](crate::Split)
    /// does. Without a seed all go to `train/`. Folders that are divided already stay divided.
    pub split_seed: Option<u64>,
    /// The format of the files.
    pub format: PairFormat,
}

/// The number of pairs that were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PairSummary {
    /// Pairs in `train/`.
    pub train: usize,
    /// Pairs in `val/` and `test/`.
    pub held_out: usize,
    /// Images without a partner, which were left out.
    pub unmatched: usize,
}

/// Shapes that differ by at most this factor count as equal.
const SAME_SHAPE: f64 = 1.01;

/// Writes pix2pix pairs. Each file in `output/train/` and `output/val/` has a left half, and beside it an
/// image of the folder `right`, whose name it gets.
///
/// If the folders hold `train/`, `val/` or `test/` instead of images, as pix2pix's do, the pairs are made of the
/// images in these, and go to folders of the same names.
///
/// Both halves have the size of the right image, or `options.size`. An image of another size is resized
/// by bicubic convolution. Edges are found after that, so that they stay thin. The work runs in the
/// threads of rayon's pool. `progress` gets the number of pairs that are done, and of all.
///
/// # Errors
///
/// Any [`PrepareError`]; then nothing is left at `output`.
pub fn make_pairs(
    left: &LeftHalf,
    right: &Path,
    output: &Path,
    options: PairOptions,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<PairSummary, PrepareError> {
    let (parts, alone) = match divided_folders(left, right)? {
        None => {
            let (pairs, alone) = matched(left, folder::images(right)?, folder::images)?;
            (divided(pairs, options.split_seed), alone)
        }
        Some(names) => {
            let (mut parts, mut alone) = (Vec::new(), Vec::new());
            for name in names {
                let rights = folder::images_if_present(&right.join(name))?;
                let below = |folder: &Path| folder::images_if_present(&folder.join(name));
                let (pairs, more) = matched(left, rights, below)?;
                parts.push((name, pairs));
                alone.extend(more);
            }
            (parts, alone)
        }
    };
    if let (LeftHalf::Folder(from), true) = (left, parts.iter().all(|(_, pairs)| pairs.is_empty()))
    {
        let (from, to) = (from.clone(), right.to_path_buf());
        return Err(PrepareError::NoPairs { from, to });
    }
    let unmatched = alone.len();
    if let (Some(example), false) = (alone.into_iter().next(), options.skip_unmatched) {
        let count = unmatched;
        return Err(PrepareError::Unmatched { count, example });
    }
    let total = parts.iter().map(|(_, pairs)| pairs.len() as u64).sum();
    let done = AtomicU64::new(0);
    new_folder(output, |aside| {
        for (part, pairs) in parts.iter().filter(|(_, pairs)| !pairs.is_empty()) {
            let folder = aside.join(part);
            std::fs::create_dir(&folder).map_err(PrepareError::write(&folder))?;
            pairs.par_iter().try_for_each(|(from, to)| {
                let pair = pair(left, from.as_deref(), to, options)?;
                save(&pair, &folder, to, options.format)?;
                progress(done.fetch_add(1, Ordering::Relaxed) + 1, total);
                Ok::<_, PrepareError>(())
            })?;
        }
        let all = parts
            .iter()
            .map(|(part, pairs)| (*part == TRAIN, pairs.len()));
        let (train, held_out): (Vec<_>, Vec<_>) = all.partition(|(is_train, _)| *is_train);
        let sum = |parts: Vec<(bool, usize)>| parts.into_iter().map(|(_, pairs)| pairs).sum();
        Ok(PairSummary {
            train: sum(train),
            held_out: sum(held_out),
            unmatched,
        })
    })
}

/// The folder of the training images, and those of held-out images.
const TRAIN: &str = "train";
const PARTS: [&str; 3] = [TRAIN, "val", "test"];

/// The parts into which the folders are divided, if they are.
fn divided_folders(
    left: &LeftHalf,
    right: &Path,
) -> Result<Option<Vec<&'static str>>, PrepareError> {
    let mut roots = vec![right];
    match left {
        LeftHalf::Folder(folder) => roots.push(folder),
        #[cfg(feature = "edges")]
        LeftHalf::Edges(_) => {}
    }
    let mut parts = Vec::new();
    for root in &roots {
        let here = PARTS.into_iter().filter(|part| root.join(part).is_dir());
        let here: Vec<_> = here.collect();
        if here.is_empty() || folder::has_images(root)? {
            return Ok(None);
        }
        parts.extend(here);
    }
    Ok(Some(
        PARTS
            .into_iter()
            .filter(|part| parts.contains(part))
            .collect(),
    ))
}

/// Images by their names without the endings.
fn by_name(images: Vec<ImageSource>) -> Result<BTreeMap<OsString, PathBuf>, PrepareError> {
    let mut named = BTreeMap::new();
    for image in images {
        let Some(path) = image.path() else { continue };
        let name = path.file_stem().unwrap_or_default().to_os_string();
        if let Some(first) = named.insert(name, path.to_path_buf()) {
            let second = path.to_path_buf();
            return Err(PrepareError::SameName { first, second });
        }
    }
    Ok(named)
}

type Pair = (Option<PathBuf>, PathBuf);

/// Left and right images of the same names, and the images that have no partner. `list` lists the left
/// ones in their folder.
fn matched(
    left: &LeftHalf,
    rights: Vec<ImageSource>,
    list: impl Fn(&Path) -> Result<Vec<ImageSource>, DataError>,
) -> Result<(Vec<Pair>, Vec<PathBuf>), PrepareError> {
    let mut rights = by_name(rights)?;
    let lefts = match left {
        LeftHalf::Folder(folder) => by_name(list(folder)?)?,
        #[cfg(feature = "edges")]
        LeftHalf::Edges(_) => {
            let pairs = rights.into_values().map(|right| (None, right)).collect();
            return Ok((pairs, Vec::new()));
        }
    };
    let (mut pairs, mut alone) = (Vec::new(), Vec::new());
    for (name, left) in lefts {
        match rights.remove(&name) {
            Some(right) => pairs.push((Some(left), right)),
            None => alone.push(left),
        }
    }
    alone.extend(rights.into_values());
    Ok((pairs, alone))
}

/// The pairs of `train/` and of `val/`.
fn divided(pairs: Vec<Pair>, seed: Option<u64>) -> Vec<(&'static str, Vec<Pair>)> {
    let Some(seed) = seed else {
        return vec![(TRAIN, pairs)];
    };
    let rights = pairs.iter().map(|(_, right)| ImageSource::file(right));
    let split = Collection::ninety_ten(String::new(), rights.collect(), seed);
    let held_out: std::collections::BTreeSet<_> = split
        .images(Phase::HeldOut)
        .iter()
        .filter_map(|image| image.path().map(Path::to_path_buf))
        .collect();
    let (held_out, train) = pairs
        .into_iter()
        .partition(|(_, right)| held_out.contains(right));
    vec![(TRAIN, train), ("val", held_out)]
}

fn pair(
    left: &LeftHalf,
    from: Option<&Path>,
    to: &Path,
    options: PairOptions,
) -> Result<RgbImage, PrepareError> {
    let right = read_image(to)?;
    let too_large = || PrepareError::TooLarge {
        path: to.to_path_buf(),
    };
    let size = match options.size {
        Some(size) => size,
        None => ImageSize::new(right.height() as usize, right.width() as usize)
            .map_err(|_| too_large())?,
    };
    if 2 * size.pixels() > ImageSize::MAX_PIXELS {
        return Err(too_large());
    }
    let shape = |image: &RgbImage| {
        let (width, height) = image.dimensions();
        Dimensions { width, height }
    };
    let left_image = from.map(read_image).transpose()?;
    if let (Some(image), Some(from), false) = (&left_image, from, options.stretch)
        && !same_shape(shape(image), shape(&right))
    {
        return Err(PrepareError::Shape {
            left: from.to_path_buf(),
            left_size: shape(image),
            right: to.to_path_buf(),
            right_size: shape(&right),
        });
    }
    let fit = |image: RgbImage| {
        let same =
            (image.height() as usize, image.width() as usize) == (size.height(), size.width());
        match same {
            true => image,
            false => resize::resize(&image, size, ResizeFilter::Bicubic),
        }
    };
    let right = fit(right);
    let left = match (left, left_image) {
        #[cfg(feature = "edges")]
        (LeftHalf::Edges(canny), _) => canny.edges(&right),
        (_, Some(image)) => fit(image),
        (_, None) => right.clone(),
    };
    let (width, height) = right.dimensions();
    let mut pair = RgbImage::new(2 * width, height);
    imageops::replace(&mut pair, &left, 0, 0);
    imageops::replace(&mut pair, &right, width.into(), 0);
    Ok(pair)
}

fn same_shape(a: Dimensions, b: Dimensions) -> bool {
    let across = f64::from(a.width) * f64::from(b.height);
    let down = f64::from(b.width) * f64::from(a.height);
    across.max(down) <= SAME_SHAPE * across.min(down)
}

fn save(
    pair: &RgbImage,
    folder: &Path,
    named: &Path,
    format: PairFormat,
) -> Result<(), PrepareError> {
    let mut name = named.file_stem().unwrap_or_default().to_os_string();
    name.push(".");
    name.push(format.extension());
    let path = folder.join(name);
    let mut bytes = std::io::Cursor::new(Vec::new());
    let encoded = match format {
        PairFormat::Png => pair.write_to(&mut bytes, ImageFormat::Png),
        PairFormat::Jpeg => pair.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, 95)),
    };
    encoded.map_err(|source| PrepareError::Encode {
        path: path.clone(),
        source: Box::new(source),
    })?;
    std::fs::write(&path, bytes.into_inner()).map_err(PrepareError::write(&path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_that_is_too_long_is_named() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let [left, right, output] = ["left", "right", "out"].map(|name| folder.path().join(name));
        for side in [&left, &right] {
            std::fs::create_dir(side).expect("made");
            let image = RgbImage::new(ImageSize::MAX_EDGE as u32 + 1, 1);
            image.save(side.join("long.png")).expect("saved");
        }
        let options = PairOptions::default();
        let error = make_pairs(
            &LeftHalf::Folder(left),
            &right,
            &output,
            options,
            &|_, _| {},
        );
        let error = error.expect_err("too long");
        assert!(matches!(error, PrepareError::TooLarge { .. }), "{error}");
        let path = right.join("long.png").display().to_string();
        assert!(error.to_string().contains(&path), "{error}");
    }
}
