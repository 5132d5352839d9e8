//! Nearest-neighbour resizing with half-pixel centres.

use ::image::RgbImage;

use crate::ImageSize;

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

/// An image at another size, by nearest neighbour, whatever its aspect ratio.
///
/// An image without pixels becomes black.
pub fn nearest(image: &RgbImage, size: ImageSize) -> RgbImage {
    let columns = nearest_indices(image.width() as usize, size.width());
    let rows = nearest_indices(image.height() as usize, size.height());
    let mut resized = RgbImage::new(size.width() as u32, size.height() as u32);
    for (out_row, &row) in resized.rows_mut().zip(&rows) {
        for (pixel, &column) in out_row.zip(&columns) {
            *pixel = *image.get_pixel(column as u32, row as u32);
        }
    }
    resized
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
