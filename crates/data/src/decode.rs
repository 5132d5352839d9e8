use std::borrow::Cow;
use std::io::{Cursor, Read};
use std::path::Path;

use ::image::error::DecodingError;
use ::image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbImage};

use crate::{DataError, ImageSize, jpeg, png};

/// Extensions, in lower case, of the files that are taken for images when a folder is listed.
pub(crate) const EXTENSIONS: [&str; 14] = [
    "jpg", "jpeg", "jpe", "jfif", "png", "bmp", "gif", "tif", "tiff", "webp", "ppm", "pgm", "pbm",
    "pnm",
];

/// The longest image file that is read, in bytes.
pub const MAX_FILE_BYTES: u64 = 1 << 28;

/// Reads an image file as 8-bit RGB.
///
/// The file's content decides its format (JPEG, PNG, BMP, GIF, TIFF, WebP, PNM), not its name.
/// Grey images become RGB with equal channels, 16-bit and CMYK ones are converted, the first
/// frame of an animation is taken. An alpha channel is dropped, not composited, as TensorFlow
/// does. Unlike TensorFlow, the orientation that a camera stored is applied.
///
/// # Errors
///
/// Each names the file: [`DataError::Io`], [`DataError::EmptyFile`], [`DataError::NotAnImage`],
/// [`DataError::Truncated`], [`DataError::Decode`]; and, before anything is decoded,
/// [`DataError::TooLarge`] for files above [`MAX_FILE_BYTES`] and images above
/// [`ImageSize::MAX_PIXELS`], and [`DataError::NoPixels`].
pub fn read_image(path: &Path) -> Result<RgbImage, DataError> {
    decode_image(path, &read_bounded(path, MAX_FILE_BYTES)?)
}

/// Decodes the bytes of an image file, as [`read_image`] does; `path` is for the messages.
///
/// # Errors
///
/// Those of [`read_image`] but for [`DataError::Io`].
pub fn decode_image(path: &Path, bytes: &[u8]) -> Result<RgbImage, DataError> {
    if bytes.is_empty() {
        return Err(DataError::EmptyFile {
            path: path.to_path_buf(),
        });
    }
    let format = ::image::guess_format(bytes).map_err(|_| DataError::NotAnImage {
        path: path.to_path_buf(),
    })?;
    if format == ImageFormat::Jpeg {
        return jpeg::decode(path, bytes);
    }
    let mut content = Cow::Borrowed(bytes);
    if format == ImageFormat::Png {
        if !png::has_sound_palettes(bytes) {
            let problem = "its palette is not a list of at most 256 colours";
            let error = DecodingError::new(format.into(), problem);
            return Err(DataError::decode(path)(ImageError::Decoding(error)));
        }
        content = png::without_profiles(bytes);
    }
    let mut reader = ImageReader::with_format(Cursor::new(content), format);
    // 16 bits in each of 4 channels, and room for the decoder.
    let mut limits = Limits::default();
    limits.max_alloc = Some(16 * ImageSize::MAX_PIXELS as u64);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(DataError::decode(path))?;
    let (width, height) = decoder.dimensions();
    check_pixels(path, width.into(), height.into())?;
    let orientation = decoder.orientation().map_err(DataError::decode(path))?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(DataError::decode(path))?;
    image.apply_orientation(orientation);
    Ok(image.into_rgb8())
}

/// Refuses an image of no pixels, or of more than [`ImageSize::MAX_PIXELS`], by the size in its
/// header.
pub(crate) fn check_pixels(path: &Path, width: u64, height: u64) -> Result<(), DataError> {
    let (actual, max) = (width.saturating_mul(height), ImageSize::MAX_PIXELS as u64);
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

/// All bytes of a file of at most `max` bytes.
pub(crate) fn read_bounded(path: &Path, max: u64) -> Result<Vec<u8>, DataError> {
    let file = std::fs::File::open(path).map_err(DataError::io(path))?;
    let length = file.metadata().map_err(DataError::io(path))?.len();
    let mut bytes = Vec::with_capacity(length.min(max) as usize);
    // One byte more than allowed shows a file that grew, or whose length is not told.
    file.take(max + 1)
        .read_to_end(&mut bytes)
        .map_err(DataError::io(path))?;
    let actual = length.max(bytes.len() as u64);
    if actual > max {
        return Err(DataError::TooLarge {
            path: path.to_path_buf(),
            actual,
            max,
            unit: "bytes",
        });
    }
    Ok(bytes)
}
