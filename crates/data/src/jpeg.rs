//! JPEG: whether a file is complete, and decoding it.

use std::path::Path;

use ::image::error::DecodingError;
use ::image::metadata::Orientation;
use ::image::{DynamicImage, ImageError, ImageFormat, RgbImage};
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use crate::DataError;
use crate::decode::check_pixels;

const START_OF_IMAGE: u8 = 0xD8;
const END_OF_IMAGE: u8 = 0xD9;
const START_OF_SCAN: u8 = 0xDA;
const RESTARTS: std::ops::RangeInclusive<u8> = 0xD0..=0xD7;

/// Decodes a JPEG file's bytes to upright RGB.
///
/// The pixels are those of the crate `image`, whose decoder this calls itself: once instead of
/// three times for the headers, and without a copy of the file.
///
/// # Errors
///
/// [`DataError::Truncated`], [`DataError::TooLarge`] and [`DataError::NoPixels`] before anything is
/// decoded, and [`DataError::Decode`].
pub(crate) fn decode(path: &Path, bytes: &[u8]) -> Result<RgbImage, DataError> {
    if !is_complete(bytes) {
        return Err(DataError::Truncated {
            path: path.to_path_buf(),
        });
    }
    let fail = |error: String| {
        let error = DecodingError::new(ImageFormat::Jpeg.into(), error);
        DataError::decode(path)(ImageError::Decoding(error))
    };
    let options = DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX))
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder
        .decode_headers()
        .map_err(|error| fail(error.to_string()))?;
    let (width, height) = decoder
        .dimensions()
        .ok_or_else(|| fail("it has no dimensions".to_owned()))?;
    check_pixels(path, width as u64, height as u64)?;
    let pixels = decoder.decode().map_err(|error| fail(error.to_string()))?;
    let image = RgbImage::from_raw(width as u32, height as u32, pixels)
        .ok_or_else(|| fail("it has fewer pixels than it says".to_owned()))?;
    let orientation = decoder
        .exif()
        .and_then(|exif| Orientation::from_exif_chunk(exif));
    Ok(match orientation {
        None | Some(Orientation::NoTransforms) => image,
        Some(orientation) => {
            let mut image = DynamicImage::ImageRgb8(image);
            image.apply_orientation(orientation);
            image.into_rgb8()
        }
    })
}

/// True if the bytes hold a JPEG image with its end marker. Bytes after it are ignored; so is the
/// end marker of a thumbnail, which lies inside a segment.
///
/// Decoders fill the missing part of a file that was cut short with grey and report success. A
/// network would be trained on it unnoticed, so the end of the image is looked for here, as
/// TensorFlow's decoder does.
pub(crate) fn is_complete(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    let mut in_scan = false;
    while let Some((marker, after)) = next_marker(rest, in_scan) {
        rest = after;
        match marker {
            END_OF_IMAGE => return true,
            START_OF_IMAGE | 0x01 => {}
            marker if RESTARTS.contains(&marker) => {}
            marker => {
                let Some(&[high, low]) = rest.first_chunk() else {
                    return false;
                };
                let Some(after) = rest.get(usize::from(u16::from_be_bytes([high, low]))..) else {
                    return false;
                };
                rest = after;
                in_scan = marker == START_OF_SCAN;
            }
        }
    }
    false
}

/// The next marker and what follows it. In a scan, 0xFF 0x00 is the data byte 0xFF.
fn next_marker(bytes: &[u8], in_scan: bool) -> Option<(u8, &[u8])> {
    memchr::memchr_iter(0xFF, bytes).find_map(|at| {
        let (&code, rest) = bytes.get(at + 1..)?.split_first()?;
        let is_data = code == 0xFF || in_scan && (code == 0 || RESTARTS.contains(&code));
        (!is_data).then_some((code, rest))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jpeg() -> Vec<u8> {
        let image = image::RgbImage::from_fn(40, 30, |x, y| [x as u8 * 6, y as u8 * 8, 255].into());
        let mut bytes = std::io::Cursor::new(Vec::new());
        image
            .write_to(&mut bytes, image::ImageFormat::Jpeg)
            .expect("encodes");
        bytes.into_inner()
    }

    #[test]
    fn only_a_file_with_its_end_is_complete() {
        let whole = jpeg();
        assert!(is_complete(&whole));
        for length in 0..whole.len() {
            assert!(
                !is_complete(&whole[..length]),
                "cut at {length} of {}",
                whole.len()
            );
        }
        assert!(is_complete(&[whole, b"trailing".to_vec()].concat()));
    }

    #[test]
    fn the_end_of_a_thumbnail_is_not_the_end_of_the_image() {
        let whole = jpeg();
        // An application segment that holds a whole JPEG, before everything else.
        let mut bytes = vec![0xFF, START_OF_IMAGE, 0xFF, 0xE1];
        bytes.extend((whole.len() as u16 + 2).to_be_bytes());
        bytes.extend(&whole);
        bytes.extend(&whole[2..]);
        assert!(is_complete(&bytes));
        bytes.truncate(bytes.len() - 3);
        assert!(!is_complete(&bytes));
    }
}
