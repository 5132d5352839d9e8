//! How a photograph of any proportions comes into a network.

use huenet_data::{ColourSpace, Image, ImageSize, ParameterError};

use super::small_image::SmallImage;

/// Where a photograph lies in the image that a network sees.
///
/// The photograph is scaled so that it fits into the network's configured size, with its own proportions.
/// Then both sides are filled up to the next multiple of what the network needs, half on either end, with the
/// photograph mirrored as often as necessary; so the fill has the photograph's own colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// Height and width of the scaled photograph, each at least 1.
    pub(super) inner: [usize; 2],
    /// Height and width of what the network sees.
    pub(super) outer: [usize; 2],
}

impl Frame {
    /// The frame of a photograph of these `[height, width]`, for a network of the configured `size` whose
    /// sides are multiples of `multiple`.
    pub(super) fn of(photograph: [usize; 2], size: ImageSize, multiple: usize) -> Self {
        let most = [size.height(), size.width()];
        let scale = (0..2).map(|i| most[i] as f64 / photograph[i] as f64);
        let scale = scale.fold(f64::INFINITY, f64::min);
        let inner = [0, 1].map(|i| {
            let scaled = (photograph[i] as f64 * scale).round() as usize;
            scaled.clamp(1, most[i])
        });
        Self {
            inner,
            outer: inner.map(|side| side.next_multiple_of(multiple)),
        }
    }

    /// Where the photograph begins.
    fn start(&self, axis: usize) -> usize {
        (self.outer[axis] - self.inner[axis]) / 2
    }

    /// The channels of the framed image. `photograph` has the inner size.
    ///
    /// # Shapes
    ///
    /// - output: `[channels, height, width]` of the outer size
    ///
    /// # Errors
    ///
    /// [`ParameterError::ImageSize`] if the frame is larger than images can be.
    pub(super) fn filled(
        &self,
        photograph: &SmallImage<3>,
        colour: ColourSpace,
    ) -> Result<Image, ParameterError> {
        let [height, width] = self.outer;
        let size = ImageSize::new(height, width)?;
        let (channels, pixels) = (colour.channels(), size.pixels());
        let mut planes = vec![0.0; channels * pixels];
        let columns = self.sources(1);
        for (y, row) in self.sources(0).into_iter().enumerate() {
            let row = &photograph.values()[row * self.inner[1]..][..self.inner[1]];
            for (x, column) in columns.iter().enumerate() {
                let values = colour.encode_pixel(row[*column].map(|value| 255.0 * value));
                for (channel, value) in values.iter().take(channels).enumerate() {
                    planes[channel * pixels + y * width + x] = *value;
                }
            }
        }
        Image::new(size, channels, planes)
    }

    /// The colours of a network's output, in [0, 1], without the fill. `None` if some value is not finite.
    ///
    /// # Shapes
    ///
    /// - `planes`: `[channels, height, width]` of the outer size
    pub(super) fn opened(&self, planes: &[f32], colour: ColourSpace) -> Option<SmallImage<3>> {
        if !planes.iter().all(|value| value.is_finite()) {
            return None;
        }
        let [height, width] = self.inner;
        let pixels = self.outer[0] * self.outer[1];
        let mut colours = Vec::with_capacity(height * width);
        for y in 0..height {
            for x in 0..width {
                let at = (y + self.start(0)) * self.outer[1] + x + self.start(1);
                let mut channels = [0.0; 3];
                for (value, plane) in channels.iter_mut().zip(planes.chunks_exact(pixels)) {
                    *value = plane[at];
                }
                let rgb = colour.decode_pixel(channels);
                colours.push(rgb.map(|value| ((value + 1.0) / 2.0).clamp(0.0, 1.0)));
            }
        }
        Some(SmallImage::new(width, height, colours))
    }

    /// The row or column of the photograph that each one of the frame shows.
    fn sources(&self, axis: usize) -> Vec<usize> {
        let (inner, start) = (self.inner[axis], self.start(axis));
        let period = 2 * inner;
        let source = |at: usize| {
            // A whole number of periods is added, so that nothing is below 0.
            let place = (at + period * start.div_ceil(period) - start) % period;
            place.min(period - 1 - place)
        };
        (0..self.outer[axis]).map(source).collect()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn frame(height: usize, width: usize, multiple: usize) -> Frame {
        let size = ImageSize::new(256, 256).unwrap();
        Frame::of([height, width], size, multiple)
    }

    #[rstest]
    #[case([3000, 4000], 256, [192, 256], [256, 256])]
    #[case([3000, 4000], 64, [192, 256], [192, 256])]
    #[case([4000, 3000], 32, [256, 192], [256, 192])]
    #[case([3, 500], 64, [2, 256], [64, 256])]
    #[case([1, 100_000], 64, [1, 256], [64, 256])]
    #[case([1, 1], 64, [256, 256], [256, 256])]
    #[case([50, 100], 64, [128, 256], [128, 256])]
    fn proportions_stay(
        #[case] photograph: [usize; 2],
        #[case] multiple: usize,
        #[case] inner: [usize; 2],
        #[case] outer: [usize; 2],
    ) {
        let [height, width] = photograph;
        assert_eq!(frame(height, width, multiple), Frame { inner, outer });
    }

    #[test]
    fn the_fill_is_the_photograph_mirrored() {
        let frame = Frame {
            inner: [1, 3],
            outer: [2, 16],
        };
        assert_eq!(frame.sources(0), [0, 0]);
        let expected = [0, 1, 2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0, 1, 2, 2];
        assert_eq!(frame.sources(1), expected);
        let colours = vec![[0.0, 0.5, 1.0], [0.25, 0.75, 0.5], [1.0, 1.0, 0.0]];
        let photograph = SmallImage::new(3, 1, colours);
        for colour in [ColourSpace::Yuv, ColourSpace::Rgb] {
            let filled = frame.filled(&photograph, colour).unwrap();
            let back = frame.opened(filled.planes(), colour).unwrap();
            for (found, expected) in back.values().iter().zip(photograph.values()) {
                for (found, expected) in found.iter().zip(expected) {
                    assert!((found - expected).abs() < 1e-6, "{found} {expected}");
                }
            }
        }
    }

    #[test]
    fn what_is_not_finite_is_no_image() {
        let frame = Frame {
            inner: [1, 1],
            outer: [1, 2],
        };
        let mut planes = [0.0; 6];
        assert!(frame.opened(&planes, ColourSpace::Rgb).is_some());
        planes[3] = f32::NAN;
        assert!(frame.opened(&planes, ColourSpace::Rgb).is_none());
    }
}
