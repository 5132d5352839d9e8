use std::borrow::Cow;
use std::cell::Cell;
use std::io::{Cursor, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use ::image::error::{DecodingError, ImageFormatHint};
use ::image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbImage};

use crate::decoded::{Decoded, check_pixels};
use crate::{DataError, ImageSize, jpeg, kinds, png, profile, tiff};

/// The longest image file that is read, in bytes.
pub const MAX_FILE_BYTES: u64 = 1 << 28;

/// Reads an image file as 8-bit sRGB.
///
/// The file's content decides its format (JPEG, PNG, BMP, GIF, TIFF, WebP, PNM), not its name.
/// Grey images become RGB with equal channels, 16-bit, float and CMYK ones are converted, the first
/// frame of an animation is taken. An alpha channel is dropped, not composited, as TensorFlow
/// does; colours that were multiplied by it (TIFF) are divided by it first.
///
/// Unlike TensorFlow, the orientation that a camera stored is applied, and so is an embedded colour
/// profile (ICC) of red, green and blue or of grey: the pixels are converted to sRGB, perceptually
/// where the profile says how. Other profiles, and damaged ones, count as none, and so do PNG's
/// chunks `cICP`, `cHRM` and `gAMA`.
///
/// # Errors
///
/// Each names the file: [`DataError::Io`], [`DataError::BrokenLink`], [`DataError::EmptyFile`],
/// [`DataError::NotAnImage`], [`DataError::Unsupported`], [`DataError::Truncated`],
/// [`DataError::Decode`], [`DataError::FloatRange`]; and, before anything is decoded,
/// [`DataError::TooLarge`] for files above [`MAX_FILE_BYTES`] and images above
/// [`ImageSize::MAX_PIXELS`], and [`DataError::NoPixels`].
pub fn read_image(path: &Path) -> Result<RgbImage, DataError> {
    decode_image(path, &read_bounded(path, MAX_FILE_BYTES)?)
}

thread_local! {
    static DECODING: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is decoding an image. If so, a panic is caught and becomes the error of the
/// image's file, so a panic hook need not report it.
pub fn is_decoding() -> bool {
    DECODING.get()
}

/// Decodes the bytes of an image file, as [`read_image`] does; `path` is for the messages.
///
/// # Errors
///
/// Those of [`read_image`] but for [`DataError::Io`] and [`DataError::BrokenLink`].
pub fn decode_image(path: &Path, bytes: &[u8]) -> Result<RgbImage, DataError> {
    let most = ImageSize::MAX_PIXELS as u64;
    guarded(path, || {
        Ok(upright_srgb(decode(path, bytes, most)?).0.into_rgb8())
    })
}

/// Makes an error of a panic of `decode`: third-party decoders panic on some damaged files, and one file
/// must not end a run.
pub(crate) fn guarded<T>(
    path: &Path,
    decode: impl FnOnce() -> Result<T, DataError>,
) -> Result<T, DataError> {
    let outer = DECODING.replace(true);
    let decoded = catch_unwind(AssertUnwindSafe(decode));
    DECODING.set(outer);
    decoded.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        let error = format!(
            "its decoder panicked: {}",
            text.unwrap_or("no reason given")
        );
        let error = DecodingError::new(ImageFormatHint::Unknown, error);
        Err(DataError::decode(path)(ImageError::Decoding(error)))
    })
}

/// An image in sRGB as it has to be looked at, and whether its colours had to be converted for that.
pub(crate) fn upright_srgb(decoded: Decoded) -> (DynamicImage, bool) {
    let (mut image, converted) = profile::to_srgb(decoded.image, decoded.profile.as_deref());
    image.apply_orientation(decoded.orientation);
    (image, converted)
}

/// Decodes an image of at most `most` pixels.
pub(crate) fn decode(path: &Path, bytes: &[u8], most: u64) -> Result<Decoded, DataError> {
    if bytes.is_empty() {
        return Err(DataError::EmptyFile {
            path: path.to_path_buf(),
        });
    }
    if let Some(kind) = kinds::not_read(bytes) {
        return Err(DataError::unsupported(path, kind));
    }
    let format = match tiff::is_big(bytes) {
        true => ImageFormat::Tiff,
        false => ::image::guess_format(bytes).map_err(|_| DataError::NotAnImage {
            path: path.to_path_buf(),
        })?,
    };
    match format {
        ImageFormat::Jpeg => jpeg::decode(path, bytes, most),
        format => decode_other(path, bytes, format, most),
    }
}

/// Decodes all formats but JPEG.
fn decode_other(
    path: &Path,
    bytes: &[u8],
    format: ImageFormat,
    most: u64,
) -> Result<Decoded, DataError> {
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
    limits.max_alloc = Some(16 * most);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(DataError::decode(path))?;
    let (width, height) = decoder.dimensions();
    check_pixels(path, width.into(), height.into(), most)?;
    let orientation = decoder.orientation().map_err(DataError::decode(path))?;
    let profile = match format {
        ImageFormat::Png => png::profile(bytes),
        ImageFormat::Tiff => tiff::profile(bytes),
        // A profile that cannot be read counts as none.
        _ => decoder.icc_profile().unwrap_or_default(),
    };
    let mut image = DynamicImage::from_decoder(decoder).map_err(DataError::decode(path))?;
    if format == ImageFormat::Tiff {
        tiff::check_floats(path, &image)?;
        if tiff::has_associated_alpha(bytes) {
            tiff::divide_by_alpha(&mut image);
        }
    }
    Ok(Decoded {
        image,
        profile,
        orientation,
    })
}

/// All bytes of a file of at most `max` bytes.
pub(crate) fn read_bounded(path: &Path, max: u64) -> Result<Vec<u8>, DataError> {
    let file = std::fs::File::open(path).map_err(DataError::open(path))?;
    let length = file.metadata().map_err(DataError::io(path))?.len();
    let mut bytes = Vec::with_capacity(length.min(max) as usize);
    // Reading one byte more than allowed finds files that grew, or that do not tell their length.
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
