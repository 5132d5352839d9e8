//! Resizing: nearest neighbour as the official code does it, and smooth filters.

use std::ops::Range;

use ::image::RgbImage;
use fast_image_resize::images::{TypedCroppedImage, TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use serde::{Deserialize, Serialize};

use crate::ImageSize;

/// How an image is brought to another size.
///
/// The smooth filters are those of Pillow: where an image is made smaller, the filter is widened
/// by the same factor, so that every pixel counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ResizeFilter {
    /// The pixel under the centre, [`nearest_indices`]: that of the official code.
    #[default]
    Nearest,
    /// A triangle, 2 pixels wide.
    Bilinear,
    /// The cubic convolution of Catmull and Rom (a = −½), 4 pixels wide.
    Bicubic,
    /// Lanczos' windowed sinc, 6 pixels wide.
    Lanczos,
}

impl ResizeFilter {
    fn convolution(self) -> Option<FilterType> {
        match self {
            Self::Nearest => None,
            Self::Bilinear => Some(FilterType::Bilinear),
            Self::Bicubic => Some(FilterType::CatmullRom),
            Self::Lanczos => Some(FilterType::Lanczos3),
        }
    }
}

/// The source index of each output index when `input` pixels become `output` pixels.
///
/// The centre of output pixel i lies at (i + ½) · input / output on the source's axis; the pixel
/// that holds it is taken: ⌊(i + ½) · input / output⌋, computed exactly in integers. This is
/// `tf.image.resize(…, NEAREST_NEIGHBOR)`, up and down alike, and not ⌊i · input / output⌋.
///
/// # Shapes
///
/// - output: `[output]`, values 0 to `input` − 1, never decreasing; empty if a size is 0
pub fn nearest_indices(input: usize, output: usize) -> Vec<usize> {
    if input == 0 {
        return Vec::new();
    }
    let (n, m) = (input as u128, output as u128);
    (0..m)
        .map(|i| ((2 * i + 1) * n / (2 * m)) as usize)
        .collect()
}

/// [`resize`] by nearest neighbour.
pub fn nearest(image: &RgbImage, size: ImageSize) -> RgbImage {
    resize(image, size, ResizeFilter::Nearest)
}

/// An image at another size, whatever its aspect ratio.
///
/// An image without pixels becomes black.
pub fn resize(image: &RgbImage, size: ImageSize, filter: ResizeFilter) -> RgbImage {
    let mut resized = RgbImage::new(size.width() as u32, size.height() as u32);
    let (from, to) = (0..image.width(), 0..resized.width());
    resize_columns(image, from, &mut resized, to, filter);
    resized
}

/// Resizes the columns `from` of an image into the columns `to` of another one.
pub(crate) fn resize_columns(
    image: &RgbImage,
    from: Range<u32>,
    resized: &mut RgbImage,
    to: Range<u32>,
    filter: ResizeFilter,
) {
    match filter.convolution() {
        Some(filter) => {
            // Fails only for images without pixels, which stay black.
            let _ = convolve(image, from, resized, to, filter);
        }
        None => copy_nearest(image, from, resized, to),
    }
}

fn copy_nearest(image: &RgbImage, from: Range<u32>, resized: &mut RgbImage, to: Range<u32>) {
    let columns: Vec<usize> = nearest_indices(from.len(), to.len())
        .into_iter()
        .map(|column| column + from.start as usize)
        .collect();
    let rows = nearest_indices(image.height() as usize, resized.height() as usize);
    let stride = 3 * image.width() as usize;
    let to = 3 * to.start as usize..3 * to.end as usize;
    for (out, &row) in pixel_rows(resized).zip(&rows) {
        let (row, _) = image.as_raw()[row * stride..][..stride].as_chunks::<3>();
        let (out, _) = out[to.clone()].as_chunks_mut::<3>();
        for (pixel, &column) in out.iter_mut().zip(&columns) {
            *pixel = row[column];
        }
    }
}

fn pixel_rows(image: &mut RgbImage) -> impl Iterator<Item = &mut [u8]> {
    let stride = 3 * image.width() as usize;
    image.chunks_exact_mut(stride.max(1))
}

fn convolve(
    image: &RgbImage,
    from: Range<u32>,
    resized: &mut RgbImage,
    to: Range<u32>,
    filter: FilterType,
) -> Option<()> {
    let source = TypedImageRef::<U8x3>::from_buffer(image.width(), image.height(), image).ok()?;
    // A view, because with the option for cropping the filter would look beyond the columns.
    let columns = from.len() as u32;
    let source =
        TypedCroppedImage::from_ref(&source, from.start, 0, columns, image.height()).ok()?;
    let (width, height) = (to.len() as u32, resized.height());
    let mut target = TypedImage::<U8x3>::new(width, height);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter));
    Resizer::new()
        .resize_typed(&source, &mut target, &options)
        .ok()?;
    let to = 3 * to.start as usize..3 * to.end as usize;
    let rows = target.pixels().chunks_exact(width as usize);
    for (out, row) in pixel_rows(resized).zip(rows) {
        let (out, _) = out[to.clone()].as_chunks_mut::<3>();
        for (out, pixel) in out.iter_mut().zip(row) {
            *out = pixel.0;
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_pixel_under_the_centre_is_taken() {
        assert_eq!(nearest_indices(8, 5), [0, 2, 4, 5, 7]);
        assert_eq!(nearest_indices(2, 3), [0, 1, 1]);
        assert_eq!(nearest_indices(5, 1), [2]);
        assert_eq!(nearest_indices(0, 3), [] as [usize; 0]);
    }

    const FILTERS: [ResizeFilter; 4] = [
        ResizeFilter::Nearest,
        ResizeFilter::Bilinear,
        ResizeFilter::Bicubic,
        ResizeFilter::Lanczos,
    ];

    fn size(height: usize, width: usize) -> ImageSize {
        ImageSize::new(height, width).expect("valid")
    }

    #[test]
    fn smooth_filters_make_means_of_pixels() {
        // Columns of black and white, one pixel wide.
        let image = RgbImage::from_fn(64, 8, |x, _| [(x % 2) as u8 * 255; 3].into());
        for filter in [
            ResizeFilter::Bilinear,
            ResizeFilter::Bicubic,
            ResizeFilter::Lanczos,
        ] {
            let small = resize(&image, size(8, 16), filter);
            for x in 2..14 {
                let value = small.get_pixel(x, 4).0[0];
                assert!((120..=135).contains(&value), "{filter:?}: {value}");
            }
        }
        let nearest = resize(&image, size(8, 16), ResizeFilter::Nearest);
        assert!(nearest.pixels().all(|pixel| pixel.0 == [0; 3]));
    }

    #[test]
    fn a_flat_image_stays_flat_at_every_size() {
        let image = RgbImage::from_pixel(9, 5, [3, 130, 251].into());
        for filter in FILTERS {
            for (height, width) in [(1, 1), (3, 20), (40, 2)] {
                let resized = resize(&image, size(height, width), filter);
                assert!(resized.pixels().all(|pixel| pixel.0 == [3, 130, 251]));
            }
        }
    }

    #[test]
    fn columns_are_resized_as_if_they_were_an_image_of_their_own() {
        let image = RgbImage::from_fn(41, 30, |x, y| {
            [(x * x % 251) as u8, (y * 8) as u8, (x * y % 253) as u8].into()
        });
        for filter in FILTERS {
            let mut both = RgbImage::new(26, 11);
            resize_columns(&image, 0..20, &mut both, 0..13, filter);
            resize_columns(&image, 20..41, &mut both, 13..26, filter);
            for (from, width, to) in [(0, 20, 0), (20, 21, 13)] {
                let part = ::image::imageops::crop_imm(&image, from, 0, width, 30).to_image();
                let expected = resize(&part, size(11, 13), filter);
                let actual = ::image::imageops::crop_imm(&both, to, 0, 13, 11).to_image();
                assert_eq!(actual, expected, "{filter:?}");
            }
        }
    }

    #[test]
    fn an_image_without_pixels_becomes_black() {
        for filter in FILTERS {
            let resized = resize(&RgbImage::new(0, 0), size(2, 3), filter);
            assert_eq!(resized, RgbImage::new(3, 2));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn indices_are_in_range_ordered_and_symmetric_under_enlargement(
            input in 1_usize..400,
            output in 1_usize..400,
        ) {
            let indices = nearest_indices(input, output);
            prop_assert_eq!(indices.len(), output);
            prop_assert!(indices.is_sorted());
            prop_assert!(indices.iter().all(|&index| index < input));
            if output.is_multiple_of(input) {
                let times = output / input;
                prop_assert!(indices.iter().enumerate().all(|(i, &index)| index == i / times));
            }
        }

        #[test]
        fn the_same_size_changes_nothing(width in 1_u32..20, height in 1_u32..20) {
            let image = RgbImage::from_fn(width, height, |x, y| [x as u8, y as u8, 7].into());
            let size = ImageSize::new(height as usize, width as usize).expect("valid");
            prop_assert_eq!(nearest(&image, size), image);
        }
    }
}
