//! The result of a decoder, and the refusal of images by their size.

use std::path::Path;

use ::image::DynamicImage;
use ::image::metadata::Orientation;

use crate::DataError;

/// An image as its decoder gives it.
pub(crate) struct Decoded {
    pub(crate) image: DynamicImage,
    /// Its colour profile.
    pub(crate) profile: Option<Vec<u8>>,
    /// How the image has to be turned to be upright.
    pub(crate) orientation: Orientation,
}

/// Refuses an image without pixels, or with more than `max`, by the size in its header.
pub(crate) fn check_pixels(
    path: &Path,
    width: u64,
    height: u64,
    max: u64,
) -> Result<(), DataError> {
    let actual = width.saturating_mul(height);
    if actual == 0 {
        return Err(DataError::NoPixels {
            path: path.to_path_buf(),
            width,
            height,
        });
    }
    if actual <= max {
        return Ok(());
    }
    Err(DataError::TooLarge {
        path: path.to_path_buf(),
        actual,
        max,
        unit: "pixels",
    })
}
