//! Converts the colours of images with a colour profile (ICC) to sRGB.

use ::image::{DynamicImage, ImageBuffer, RgbImage};
use moxcms::{ColorProfile, DataColorSpace, Layout, TransformExecutor, TransformOptions};

/// The image as 8-bit sRGB.
///
/// A profile is ignored if it is damaged or made for other channels than the image has. It is also ignored
/// if it is that of sRGB except for roundings, which most profiles are.
pub(crate) fn to_srgb(image: DynamicImage, profile: Option<&[u8]>) -> RgbImage {
    let Some(profile) = profile.and_then(|bytes| ColorProfile::new_from_slice(bytes).ok()) else {
        return image.into_rgb8();
    };
    let layout = match profile.color_space {
        DataColorSpace::Rgb => Layout::Rgb,
        DataColorSpace::Gray if !image.color().has_color() => Layout::Gray,
        _ => return image.into_rgb8(),
    };
    converted(&image, &profile, layout).unwrap_or_else(|| image.into_rgb8())
}

/// The image in sRGB; `None` if it is in sRGB already, or if the profile does not say enough.
fn converted(image: &DynamicImage, profile: &ColorProfile, layout: Layout) -> Option<RgbImage> {
    let (srgb, options) = (ColorProfile::new_srgb(), exact());
    let eight = profile
        .create_transform_8bit(layout, &srgb, Layout::Rgb, options)
        .ok()?;
    if is_identity(&*eight, layout) {
        return None;
    }
    let (width, height) = (image.width(), image.height());
    // Twice as many bits for 16-bit and float images, which may be much brighter than sRGB is in the shadows.
    let deep = image.color().bytes_per_pixel() > image.color().channel_count();
    if !deep {
        let source = match layout {
            Layout::Gray => image.to_luma8().into_raw(),
            _ => image.to_rgb8().into_raw(),
        };
        let pixels = transformed(&*eight, layout, &source)?;
        return RgbImage::from_raw(width, height, pixels);
    }
    let source = match layout {
        Layout::Gray => image.to_luma16().into_raw(),
        _ => image.to_rgb16().into_raw(),
    };
    let sixteen = profile
        .create_transform_16bit(layout, &srgb, Layout::Rgb, options)
        .ok()?;
    let pixels = transformed(&*sixteen, layout, &source)?;
    let image = ImageBuffer::from_raw(width, height, pixels)?;
    Some(DynamicImage::ImageRgb16(image).into_rgb8())
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
