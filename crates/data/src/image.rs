use crate::colour::check_length;
use crate::{ImageSize, ParameterError};

/// An image as the networks see it: `f32` planes of the channels of a
/// [`ColourSpace`](crate::ColourSpace), about [−1, 1], on the host.
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    size: ImageSize,
    channels: usize,
    planes: Vec<f32>,
}

impl Image {
    /// An image from its planes.
    ///
    /// # Shapes
    ///
    /// - `planes`: `[channels, height, width]`, row by row
    ///
    /// # Errors
    ///
    /// [`ParameterError::PlaneLength`] if `planes` has another length.
    pub fn new(size: ImageSize, channels: usize, planes: Vec<f32>) -> Result<Self, ParameterError> {
        check_length(planes.len(), channels, size)?;
        Ok(Self {
            size,
            channels,
            planes,
        })
    }

    /// Spreads pixels, given row by row, over planes. Missing pixels are 0, surplus ones ignored.
    pub(crate) fn from_pixels(
        size: ImageSize,
        channels: usize,
        pixels: impl Iterator<Item = [f32; 3]>,
    ) -> Self {
        let mut planes = vec![0.0; channels * size.pixels()];
        for (i, pixel) in pixels.take(size.pixels()).enumerate() {
            for (plane, value) in planes.chunks_exact_mut(size.pixels()).zip(pixel) {
                plane[i] = value;
            }
        }
        Self {
            size,
            channels,
            planes,
        }
    }

    /// Height and width in pixels.
    pub fn size(&self) -> ImageSize {
        self.size
    }

    /// The number of channels.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// All values, `[channels, height, width]`.
    pub fn planes(&self) -> &[f32] {
        &self.planes
    }

    /// All values, `[channels, height, width]`.
    pub fn into_planes(self) -> Vec<f32> {
        self.planes
    }
}
