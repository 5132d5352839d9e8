//! Converts the colours of images with a colour profile (ICC) to sRGB.

use ::image::DynamicImage;
use moxcms::{ColorProfile, DataColorSpace, Layout, TransformExecutor, TransformOptions};
use rayon::prelude::*;

/// The image in sRGB, and whether its colours were converted for that. A converted image has 8 or 16 bits a sample,
/// and the alpha that it had.
///
/// A profile is ignored if it is damaged or made for other channels than the image has. It is also ignored
/// if it is that of sRGB except for roundings, which most profiles are.
pub(crate) fn to_srgb(image: DynamicImage, profile: Option<&[u8]>) -> (DynamicImage, bool) {
    let Some(profile) = profile.and_then(|bytes| ColorProfile::new_from_slice(bytes).ok()) else {
        return (image, false);
    };
    let layout = match profile.color_space {
        DataColorSpace::Rgb => Layout::Rgb,
        DataColorSpace::Gray if !image.color().has_color() => Layout::Gray,
        _ => return (image, false),
    };
    let (srgb, options) = (ColorProfile::new_srgb(), exact());
    let eight = match profile.create_transform_8bit(layout, &srgb, Layout::Rgb, options) {
        Ok(eight) if !is_identity(&*eight, layout) => eight,
        _ => return (image, false),
    };
    let (colour, alpha) = (image.color(), image.color().has_alpha());
    // Twice as many bits for 16-bit and float images, which may be much brighter than sRGB is in the shadows.
    let deep = colour.bytes_per_pixel() > colour.channel_count();
    let image = if !deep {
        if alpha {
            let mut image = image.into_rgba8();
            convert::<_, 4>(&*eight, layout, &mut image);
            image.into()
        } else {
            let mut image = image.into_rgb8();
            convert::<_, 3>(&*eight, layout, &mut image);
            image.into()
        }
    } else {
        let Ok(sixteen) = profile.create_transform_16bit(layout, &srgb, Layout::Rgb, options)
        else {
            return (image, false);
        };
        if alpha {
            let mut image = image.into_rgba16();
            convert::<_, 4>(&*sixteen, layout, &mut image);
            image.into()
        } else {
            let mut image = image.into_rgb16();
            convert::<_, 3>(&*sixteen, layout, &mut image);
            image.into()
        }
    };
    (image, true)
}

/// Pixels that are converted at once. It is a multiple of any vector's length, so the pixels that a transform
/// computes one by one are those at the end of the image, wherever it is divided.
const AT_ONCE: usize = 1 << 14;

/// Converts the colours of pixels of `N` samples, of which the first three are red, green and blue. In an image that
/// was grey they are equal.
fn convert<T: Copy + Default + Send, const N: usize>(
    transform: &(dyn TransformExecutor<T> + Send + Sync),
    layout: Layout,
    samples: &mut [T],
) {
    samples.par_chunks_mut(N * AT_ONCE).for_each(|samples| {
        let (pixels, _) = samples.as_chunks_mut::<N>();
        let colours = pixels.iter().flat_map(|it| &it[..layout.channels()]);
        let source: Vec<T> = colours.copied().collect();
        // It fails only for lengths that do not fit each other.
        let target = transformed(transform, layout, &source).unwrap_or_default();
        for (pixel, colour) in pixels.iter_mut().zip(target.chunks_exact(3)) {
            pixel[..3].copy_from_slice(colour);
        }
    });
}

/// Without the roundings of fixed-point numbers.
fn exact() -> TransformOptions {
    TransformOptions {
        prefer_fixed_point: false,
        ..TransformOptions::default()
    }
}

/// Whether a transform changes no value by more than one level of 255. It is tried on greys and on a grid
/// of colours.
fn is_identity(transform: &dyn TransformExecutor<u8>, layout: Layout) -> bool {
    let greys = 0..=u8::MAX;
    let (source, expected): (Vec<u8>, Vec<u8>) = if layout == Layout::Gray {
        (
            greys.clone().collect(),
            greys.flat_map(|it| [it; 3]).collect(),
        )
    } else {
        let steps = || (0..=u8::MAX).step_by(51);
        let grid = steps().flat_map(|r| steps().flat_map(move |g| steps().map(move |b| [r, g, b])));
        let colours: Vec<u8> = greys.map(|it| [it; 3]).chain(grid).flatten().collect();
        (colours.clone(), colours)
    };
    transformed(transform, layout, &source)
        .is_some_and(|it| it.iter().zip(&expected).all(|(a, b)| a.abs_diff(*b) <= 1))
}

/// The sRGB pixels of what a transform makes of pixels of a layout.
fn transformed<T: Copy + Default>(
    transform: &dyn TransformExecutor<T>,
    layout: Layout,
    source: &[T],
) -> Option<Vec<T>> {
    let pixels = source.len() / layout.channels();
    let mut target = vec![T::default(); 3 * pixels];
    transform.transform(source, &mut target).ok()?;
    Some(target)
}
