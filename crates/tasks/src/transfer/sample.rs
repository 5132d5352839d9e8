//! The images that a fit looks at.

use std::borrow::Cow;

use huenet_data::{Area, areas};

use super::error::TransferError;

/// The colours that a fit looks at: an image at the size to work at, with a weight for each pixel if
/// not all count alike.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    width: usize,
    height: usize,
    pixels: Vec<[f32; 3]>,
    mask: Option<Vec<f32>>,
}

impl Sample {
    /// An image whose pixels all count alike.
    ///
    /// # Shapes
    ///
    /// `pixels`: `height · width` colours of sRGB in [0, 1], row by row. What lies outside is clipped.
    ///
    /// # Errors
    ///
    /// [`TransferError::Pixels`] if the image is empty or has another number of pixels,
    /// [`TransferError::Colour`] if a value is not finite.
    pub fn new(
        width: usize,
        height: usize,
        mut pixels: Vec<[f32; 3]>,
    ) -> Result<Self, TransferError> {
        if pixels.is_empty() || width.checked_mul(height) != Some(pixels.len()) {
            return Err(TransferError::Pixels {
                width,
                height,
                pixels: pixels.len(),
            });
        }
        for (pixel, colour) in pixels.iter_mut().enumerate() {
            if !colour.iter().all(|value| value.is_finite()) {
                let colour = *colour;
                return Err(TransferError::Colour { pixel, colour });
            }
            *colour = colour.map(|value| value.clamp(0.0, 1.0));
        }
        Ok(Self {
            width,
            height,
            pixels,
            mask: None,
        })
    }

    /// The image with a weight in [0, 1] for each pixel. A pixel of weight 0 has no part in a fit.
    ///
    /// # Errors
    ///
    /// [`TransferError::MaskSize`] if there are not as many weights as pixels,
    /// [`TransferError::Weight`] if one is not in [0, 1], [`TransferError::Nothing`] if all are 0.
    pub fn with_mask(mut self, mask: Vec<f32>) -> Result<Self, TransferError> {
        if mask.len() != self.pixels.len() {
            return Err(TransferError::MaskSize {
                mask: mask.len(),
                pixels: self.pixels.len(),
            });
        }
        let wrong = mask.iter().position(|value| !(0.0..=1.0).contains(value));
        if let Some(pixel) = wrong {
            let value = mask[pixel];
            return Err(TransferError::Weight { pixel, value });
        }
        if mask.iter().all(|value| *value == 0.0) {
            return Err(TransferError::Nothing);
        }
        self.mask = Some(mask);
        Ok(self)
    }

    /// Pixels in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The colours, row by row: red, green and blue in [0, 1].
    pub fn pixels(&self) -> &[[f32; 3]] {
        &self.pixels
    }

    /// The weights of the pixels in [0, 1], if not all count alike.
    pub fn mask(&self) -> Option<&[f32]> {
        self.mask.as_deref()
    }

    /// The weight of a pixel.
    pub(super) fn weight(&self, pixel: usize) -> f32 {
        self.mask.as_ref().map_or(1.0, |mask| mask[pixel])
    }

    /// The image averaged down so that its longer side has at most so many pixels; itself if it has.
    /// A pixel's colour is the mean of the part of the image that it covers, by weight.
    pub(crate) fn reduced(&self, side: usize) -> Cow<'_, Self> {
        let longest = self.width.max(self.height);
        if longest <= side {
            return Cow::Borrowed(self);
        }
        let shorter = |length: usize| {
            let share = length as f64 * side as f64 / longest as f64;
            (share.round() as usize).clamp(1, length)
        };
        let (width, height) = (shorter(self.width), shorter(self.height));
        let columns = covered(self.width, width);
        let mut pixels = Vec::with_capacity(width * height);
        let mut mask = Vec::with_capacity(width * height);
        for rows in covered(self.height, height) {
            for column in &columns {
                // Sums of weights and of weighted colours, and of all colours should none count.
                let (mut area, mut weights) = (0.0, 0.0);
                let (mut counted, mut all) = ([0.0; 3], [0.0; 3]);
                for (y, of_row) in &rows {
                    for (x, of_column) in column {
                        let pixel = y * self.width + x;
                        let part = of_row * of_column;
                        let weight = part * self.weight(pixel);
                        area += part;
                        weights += weight;
                        for c in 0..3 {
                            counted[c] += weight * self.pixels[pixel][c];
                            all[c] += part * self.pixels[pixel][c];
                        }
                    }
                }
                pixels.push(match weights > 0.0 {
                    true => counted.map(|sum| sum / weights),
                    false => all.map(|sum| sum / area),
                });
                mask.push(weights / area);
            }
        }
        Cow::Owned(Self {
            width,
            height,
            pixels,
            mask: self.mask.is_some().then_some(mask),
        })
    }
}

/// For each pixel of a side of `to`: the pixels of one of `from` that it covers, and how much of each.
fn covered(from: usize, to: usize) -> Vec<Vec<(usize, f32)>> {
    let of_area = |area: Area| {
        let pixels = area.pixels.clone();
        let part = |pixel| (area.covered(pixel) as f64 / to as f64) as f32;
        pixels.map(|pixel| (pixel, part(pixel))).collect()
    };
    areas(from, to).map(of_area).collect()
}
