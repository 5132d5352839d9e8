//! Images and folders for the tests.

use std::path::Path;

use huenet_data::{
    ColourSpace, CountBins, ImageSize, ImageSource, Preprocessing, ResizeFilter, RgbImage,
};

/// A smooth image that differs from those of other numbers.
pub(crate) fn picture(number: u8, width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let across = (255 * x / width.max(1)) as u8;
        let down = (255 * y / height.max(1)) as u8;
        [across, down, number.wrapping_mul(37)].into()
    })
}

/// Saves an image under a path whose folders are made. PNG keeps each byte.
pub(crate) fn save(path: &Path, image: &RgbImage) {
    write(path, b"");
    image.save(path).expect("the image is saved");
}

pub(crate) fn write(path: &Path, bytes: &[u8]) {
    std::fs::create_dir_all(path.parent().expect("a parent")).expect("the folders are made");
    std::fs::write(path, bytes).expect("the file is written");
}

pub(crate) fn names(sources: &[ImageSource]) -> Vec<String> {
    sources
        .iter()
        .map(|source| source.name().into_owned())
        .collect()
}

pub(crate) fn preprocessing(height: usize, width: usize) -> Preprocessing {
    Preprocessing {
        size: ImageSize::new(height, width).expect("valid size"),
        resize: ResizeFilter::Nearest,
        colour: ColourSpace::Rgb,
        jitter: false,
        counts: CountBins::new(16, -1.0, 1.0).expect("valid bins"),
    }
}

/// An error with all its causes, as a user sees it.
pub(crate) fn message(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}
