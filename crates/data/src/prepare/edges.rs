use ::image::{GrayImage, Luma, RgbImage};

use super::PrepareError;
use crate::colour;

/// Canny's edge detector (IEEE PAMI 8(6), 1986), as the crate `imageproc` has it: a Gaussian blur of
/// σ = 1.4 pixels, Sobel's gradients, thinning to one pixel, and two thresholds.
///
/// An edge begins where the gradient is at least the upper threshold, and continues while it is at
/// least the lower one. Thresholds are lengths of Sobel's gradient of bytes, above 0 and up to
/// [`Self::MAX`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Canny {
    low: f32,
    high: f32,
}

impl Canny {
    /// The longest possible gradient, √5 · 2 · 255.
    pub const MAX: f32 = 1140.39;
    /// Thresholds that keep the outlines of photographs and leave out most of their texture.
    pub const DEFAULT: Self = Self {
        low: 60.0,
        high: 120.0,
    };

    /// A detector with these thresholds.
    ///
    /// # Errors
    ///
    /// [`PrepareError::Thresholds`] unless 0 < `low` ≤ `high` ≤ [`Self::MAX`].
    pub fn new(low: f32, high: f32) -> Result<Self, PrepareError> {
        if 0.0 < low && low <= high && high <= Self::MAX {
            return Ok(Self { low, high });
        }
        Err(PrepareError::Thresholds {
            low,
            high,
            max: Self::MAX,
        })
    }

    /// The edges of an image, black on white as those of edges2shoes are.
    pub fn edges(self, image: &RgbImage) -> RgbImage {
        let (width, height) = image.dimensions();
        let grey = GrayImage::from_fn(width, height, |x, y| {
            let rgb = image.get_pixel(x, y).0.map(f32::from);
            Luma([colour::grey(rgb).round() as u8])
        });
        // Without an inner pixel there are no edges.
        if width < 3 || height < 3 {
            return RgbImage::from_pixel(width, height, [255; 3].into());
        }
        let edges = imageproc::edges::canny(&grey, self.low, self.high);
        RgbImage::from_fn(width, height, |x, y| {
            [255 - edges.get_pixel(x, y).0[0]; 3].into()
        })
    }
}

impl Default for Canny {
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outline_of_a_square_is_found_and_nothing_else() {
        let image = RgbImage::from_fn(60, 50, |x, y| {
            let inside = (20..40).contains(&x) && (15..35).contains(&y);
            [if inside { 220 } else { 30 }; 3].into()
        });
        let edges = Canny::DEFAULT.edges(&image);
        let black = |x, y| edges.get_pixel(x, y).0 == [0; 3];
        // On each side, somewhere within two pixels of the step.
        assert!((18..=21).any(|x| black(x, 25)) && (38..=41).any(|x| black(x, 25)));
        assert!((13..=16).any(|y| black(30, y)) && (33..=36).any(|y| black(30, y)));
        assert!(!black(30, 25) && !black(5, 5) && !black(55, 45));
        assert!(
            edges
                .pixels()
                .all(|pixel| pixel.0 == [0; 3] || pixel.0 == [255; 3])
        );
    }

    #[test]
    fn tiny_and_flat_images_have_no_edges() {
        for (width, height) in [(1, 1), (2, 9), (9, 2), (3, 3), (40, 30)] {
            let edges = Canny::new(0.1, 0.1)
                .expect("valid")
                .edges(&RgbImage::from_pixel(width, height, [77; 3].into()));
            assert!(edges.pixels().all(|pixel| pixel.0 == [255; 3]));
        }
    }

    #[test]
    fn thresholds_that_are_none_are_refused() {
        for (low, high) in [
            (0.0, 1.0),
            (2.0, 1.0),
            (1.0, 2000.0),
            (f32::NAN, 1.0),
            (1.0, f32::NAN),
        ] {
            let error = Canny::new(low, high).expect_err("no thresholds");
            assert!(error.to_string().contains("thresholds"), "{error}");
        }
    }
}
