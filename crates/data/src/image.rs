use crate::size::check_length;
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

    /// Makes an image of `channels` channels from its rows: `encode` writes a row into each plane.
    /// Missing rows are 0, surplus ones ignored.
    pub(crate) fn from_rows<R: AsRef<[[u8; 3]]>>(
        size: ImageSize,
        channels: usize,
        rows: impl Iterator<Item = R>,
        encode: impl Fn(&[[u8; 3]], &mut [&mut [f32]]),
    ) -> Self {
        let mut planes = vec![0.0; channels * size.pixels()];
        let mut places: Vec<_> = planes
            .chunks_exact_mut(size.pixels())
            .map(|plane| plane.chunks_exact_mut(size.width()))
            .collect();
        for row in rows.take(size.height()) {
            let mut places: Vec<_> = places.iter_mut().filter_map(Iterator::next).collect();
            encode(row.as_ref(), &mut places);
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
