//! TIFF: the parts that the decoder does not handle.

use std::io::Cursor;
use std::path::Path;

use ::image::DynamicImage;
use ::tiff::decoder::Decoder;
use ::tiff::tags::Tag;

use crate::DataError;

/// The kind of extra sample that is an alpha by which the colours were multiplied (TIFF 6.0, p. 31).
const ASSOCIATED: u16 = 1;

/// How far a float may be from 0 to 1 and still be rounded to a level of 255.
const HALF_A_LEVEL: f32 = 0.5 / 255.0;

/// Whether it is a BigTIFF file, which is read as a TIFF is.
pub(crate) fn is_big(bytes: &[u8]) -> bool {
    bytes.starts_with(b"II+\0") || bytes.starts_with(b"MM\0+")
}

/// The colour profile of the first image. The crate `image` applies the limits of an image to its profile too, so it
/// gives none for small images.
pub(crate) fn profile(bytes: &[u8]) -> Option<Vec<u8>> {
    let profile = Decoder::new(Cursor::new(bytes))
        .and_then(|mut decoder| decoder.get_tag_u8_vec(Tag::IccProfile));
    profile.ok()
}

/// Whether the colours of the first image were multiplied by its alpha.
pub(crate) fn has_associated_alpha(bytes: &[u8]) -> bool {
    let samples = Decoder::new(Cursor::new(bytes))
        .and_then(|mut decoder| decoder.find_tag_unsigned_vec::<u16>(Tag::ExtraSamples));
    samples.is_ok_and(|samples| samples.is_some_and(|it| it.first() == Some(&ASSOCIATED)))
}

/// Refuses an image of floats that are not all between black, 0, and white, 1.
pub(crate) fn check_floats(path: &Path, image: &DynamicImage) -> Result<(), DataError> {
    let (samples, channels) = match image {
        DynamicImage::ImageRgb32F(image) => (image.as_raw(), 3),
        DynamicImage::ImageRgba32F(image) => (image.as_raw(), 4),
        _ => return Ok(()),
    };
    let colours = samples.chunks_exact(channels).flat_map(|pixel| &pixel[..3]);
    let off = |value: f32| (value - value.clamp(0.0, 1.0)).abs();
    let worst = colours.copied().reduce(|worst, value| {
        // NaN counts as the worst value.
        if worst.is_nan() || off(value) <= off(worst) {
            worst
        } else {
            value
        }
    });
    match worst {
        Some(value) if value.is_nan() || off(value) >= HALF_A_LEVEL => Err(DataError::FloatRange {
            path: path.to_path_buf(),
            value,
        }),
        _ => Ok(()),
    }
}

/// Divides colours by their alpha. Where that is 0 they stay as they are.
pub(crate) fn divide_by_alpha(image: &mut DynamicImage) {
    match image {
        DynamicImage::ImageRgba8(image) => divide(image, |it| it.round() as u8, 255.0),
        DynamicImage::ImageRgba16(image) => divide(image, |it| it.round() as u16, 65535.0),
        DynamicImage::ImageRgba32F(image) => divide(image, |it| it as f32, 1.0),
        // The decoder knows no alpha of grey images.
        _ => {}
    }
}

fn divide<T: Copy + Into<f64>>(samples: &mut [T], from: impl Fn(f64) -> T, white: f64) {
    for [colours @ .., alpha] in samples.as_chunks_mut::<4>().0 {
        let alpha: f64 = (*alpha).into();
        if alpha > 0.0 {
            for colour in colours {
                *colour = from(((*colour).into() * white / alpha).min(white));
            }
        }
    }
}
