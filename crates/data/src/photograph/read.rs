//! Reads photographs.

use std::path::Path;

use ::image::DynamicImage;

use super::pixels::{COLOURS, Photograph, Samples};
use crate::DataError;
use crate::decode::{decode, guarded, read_bounded, upright_srgb};

impl Photograph {
    /// The most pixels of a photograph that is read: 128 Mi.
    pub const MAX_PIXELS: usize = 1 << 27;

    /// The longest file of a photograph that is read, in bytes.
    pub const MAX_FILE_BYTES: u64 = 1 << 30;

    /// Reads an image file as [`read_image`](crate::read_image) does, but keeps 16 bits a sample and alpha.
    ///
    /// Floats become 16 bits a sample. Grey becomes equal red, green and blue. The orientation that a camera stored is
    /// applied. Colours with a profile (ICC) are converted to sRGB, with 8 or 16 bits as the file has them.
    ///
    /// # Errors
    ///
    /// Those of [`read_image`](crate::read_image), with [`Self::MAX_PIXELS`] and [`Self::MAX_FILE_BYTES`] as limits.
    pub fn read(path: &Path) -> Result<Self, DataError> {
        guarded(path, || {
            let bytes = read_bounded(path, Self::MAX_FILE_BYTES)?;
            let decoded = decode(path, &bytes, Self::MAX_PIXELS as u64)?;
            drop(bytes);
            let (image, converted) = upright_srgb(decoded);
            Ok(Self {
                converted,
                ..Self::from_image(image)
            })
        })
    }

    fn from_image(image: DynamicImage) -> Self {
        let (width, height) = (image.width() as usize, image.height() as usize);
        let colour = image.color();
        let deep = colour.bytes_per_pixel() > colour.channel_count();
        let samples = match (deep, colour.has_alpha()) {
            (false, false) => Samples::Eight(image.into_rgb8().into_raw()),
            (false, true) => Samples::Eight(image.into_rgba8().into_raw()),
            (true, false) => Samples::Sixteen(image.into_rgb16().into_raw()),
            (true, true) => Samples::Sixteen(image.into_rgba16().into_raw()),
        };
        Self {
            width,
            height,
            channels: COLOURS + usize::from(colour.has_alpha()),
            samples,
            converted: false,
        }
    }
}
