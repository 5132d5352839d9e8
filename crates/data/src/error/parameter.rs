//! What can be wrong with a parameter.

/// A parameter outside the range in which it has a meaning.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ParameterError {
    /// An image without pixels, or larger than [`ImageSize`](crate::ImageSize) allows.
    #[error(
        "image size {height}×{width} (height×width) is out of range: give 1 to {max_edge} on each \
         side and at most {max_pixels} pixels"
    )]
    ImageSize {
        /// The height given, in pixels.
        height: usize,
        /// The width given, in pixels.
        width: usize,
        /// The longest side allowed, in pixels.
        max_edge: usize,
        /// The most pixels allowed.
        max_pixels: usize,
    },
    /// A number of bins that no histogram can have.
    #[error("{bins} bins: give 1 to {max}")]
    Bins {
        /// The number of bins given.
        bins: usize,
        /// The most bins allowed.
        max: usize,
    },
    /// An empty, reversed or infinite range of bins.
    #[error(
        "the range of bins [{min}, {max}] is empty or infinite: give two finite numbers, the lower first"
    )]
    Range {
        /// The lower end given.
        min: f64,
        /// The upper end given.
        max: f64,
    },
    /// A setting of the loader outside its range.
    #[error("{name} = {value} is out of range: give {min} to {max}")]
    Setting {
        /// The name of the setting.
        name: &'static str,
        /// The value given.
        value: usize,
        /// The least value allowed.
        min: usize,
        /// The greatest value allowed.
        max: usize,
    },
    /// Pixel data whose length does not fit the size of its image.
    #[error(
        "{actual} values do not fill {channels} channels of {height}×{width} (height×width): give \
         {expected} values"
    )]
    PlaneLength {
        /// The number of values given.
        actual: usize,
        /// The number of values needed.
        expected: usize,
        /// Channels of the image.
        channels: usize,
        /// Height of the image, in pixels.
        height: usize,
        /// Width of the image, in pixels.
        width: usize,
    },
    /// A grey colour space where the networks have to learn colour.
    #[error(
        "a grey colour space has no colours, which a grey content with its colour image needs: \
         choose YUV or RGB"
    )]
    GreyReference,
}
