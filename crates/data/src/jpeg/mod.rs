//! Chooses the decoder for a JPEG file, and decodes it.

mod headers;

use std::path::Path;

use ::image::error::DecodingError;
use ::image::metadata::Orientation;
use ::image::{DynamicImage, GrayImage, ImageError, ImageFormat, RgbImage};
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use crate::DataError;
use crate::decoded::{Decoded, check_pixels};
use headers::{Decoder, Headers};

/// Decodes a JPEG file's bytes, to an image of at most `most` pixels.
///
/// For usual files the pixels are those of the crate `image`. This calls the same decoder directly, which reads
/// the headers once instead of three times and needs no copy of the file.
///
/// # Errors
///
/// [`DataError::Truncated`], [`DataError::Unsupported`], [`DataError::TooLarge`] and
/// [`DataError::NoPixels`] before anything is decoded, and [`DataError::Decode`].
pub(crate) fn decode(path: &Path, bytes: &[u8], most: u64) -> Result<Decoded, DataError> {
    let headers = Headers::read(bytes).ok_or_else(|| DataError::Truncated {
        path: path.to_path_buf(),
    })?;
    let chosen = headers
        .decoder()
        .map_err(|kind| DataError::unsupported(path, kind))?;
    let grey = headers.channels() == Some(1);
    let read = match chosen {
        Decoder::Fast => fast(path, bytes, grey, most)?,
        Decoder::General => general(path, bytes, most)?,
    };
    let (width, height) = read.size;
    let image = if grey {
        GrayImage::from_raw(width, height, read.pixels).map(DynamicImage::ImageLuma8)
    } else {
        RgbImage::from_raw(width, height, read.pixels).map(DynamicImage::ImageRgb8)
    };
    let image = image.ok_or_else(|| fault(path, "it has fewer pixels than its header says"))?;
    let orientation = read.exif.as_deref().and_then(Orientation::from_exif_chunk);
    Ok(Decoded {
        image,
        profile: read.profile,
        orientation: orientation.unwrap_or(Orientation::NoTransforms),
    })
}

/// What a decoder reads from a file.
struct Read {
    /// Width and height.
    size: (u32, u32),
    /// Grey, or red, green and blue.
    pixels: Vec<u8>,
    exif: Option<Vec<u8>>,
    profile: Option<Vec<u8>>,
}

fn fast(path: &Path, bytes: &[u8], grey: bool, most: u64) -> Result<Read, DataError> {
    let options = DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX))
        .jpeg_set_out_colorspace(if grey {
            ColorSpace::Luma
        } else {
            ColorSpace::RGB
        });
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder
        .decode_headers()
        .map_err(|error| fault(path, error))?;
    let (width, height) = decoder
        .dimensions()
        .ok_or_else(|| fault(path, "it has no dimensions"))?;
    check_pixels(path, width as u64, height as u64, most)?;
    Ok(Read {
        size: (width as u32, height as u32),
        pixels: decoder.decode().map_err(|error| fault(path, error))?,
        exif: decoder.exif().cloned(),
        profile: decoder.icc_profile(),
    })
}

fn general(path: &Path, bytes: &[u8], most: u64) -> Result<Read, DataError> {
    let mut decoder = jpeg_decoder::Decoder::new(bytes);
    decoder.read_info().map_err(|error| fault(path, error))?;
    let info = decoder
        .info()
        .ok_or_else(|| fault(path, "it has no dimensions"))?;
    check_pixels(path, info.width.into(), info.height.into(), most)?;
    Ok(Read {
        size: (info.width.into(), info.height.into()),
        pixels: decoder.decode().map_err(|error| fault(path, error))?,
        exif: decoder.exif_data().map(<[u8]>::to_vec),
        profile: decoder.icc_profile(),
    })
}

fn fault(path: &Path, error: impl ToString) -> DataError {
    let error = DecodingError::new(ImageFormat::Jpeg.into(), error.to_string());
    DataError::decode(path)(ImageError::Decoding(error))
}
