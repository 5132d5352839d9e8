//! What can be wrong with a network's parameters.

/// A network was asked for that cannot exist.
///
/// Each message names the parameter, the value given, and what would work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A number (of channels, of bins, of pixels) that must not be zero, or not be huge, is.
    #[error("{parameter} is {value}; it must be between {min} and {max}")]
    OutOfRange {
        /// The parameter's name.
        parameter: &'static str,
        /// The value given.
        value: usize,
        /// The smallest value allowed.
        min: usize,
        /// The largest value allowed.
        max: usize,
    },
    /// A side of the image that the generator cannot halve `depth` times.
    #[error(
        "{side} is {value} pixels; a generator of depth {depth} needs a multiple of {multiple}, \
         between {multiple} and {max}: take {suggestion}, or another depth"
    )]
    Side {
        /// `"height"` or `"width"`.
        side: &'static str,
        /// The value given.
        value: usize,
        /// How many times the generator halves the image.
        depth: usize,
        /// 2^depth.
        multiple: usize,
        /// The largest side allowed.
        max: usize,
        /// The closest side that works.
        suggestion: usize,
    },
    /// Output channels that must be like the input's are not.
    #[error(
        "the generator puts out {output_channels} channels and is given {input_channels}; they \
         must be as many to predict a change to the content, to be given the matched content, or \
         to be told both distributions"
    )]
    OtherChannels {
        /// Channels of the content image.
        input_channels: usize,
        /// Channels of the output image.
        output_channels: usize,
    },
    /// A palette is wanted of a generator that is not told the distributions.
    #[error(
        "a palette is made of encoded distributions: predictions \"palette\" and \"blend\" need \
         conditioning \"modulation\""
    )]
    PaletteOfCounts,
    /// A blend is wanted of a generator that is not given what to blend with.
    #[error(
        "a blend is one of the content and the matched content: prediction \"blend\" needs \
         matched_content"
    )]
    BlendWithoutMatch,
    /// Local maps are wanted of images that have no three colours.
    #[error(
        "colour maps turn three channels into three: prediction \"local_maps\" needs images of 3 \
         channels, not of {channels}"
    )]
    MapsOfChannels {
        /// Channels of the images.
        channels: usize,
    },
    /// An image too small for the discriminator's five convolutions.
    #[error(
        "{side} is {value} pixels; the discriminator needs {min} or more \
         (its five 4x4 convolutions leave nothing of a smaller image)"
    )]
    TooSmall {
        /// `"height"` or `"width"`.
        side: &'static str,
        /// The value given.
        value: usize,
        /// The smallest side allowed.
        min: usize,
    },
}

/// Largest number of channels, bins or base width that a configuration may ask for.
pub(crate) const MAX_CHANNELS: usize = 1 << 12;

/// Largest side of an image, in pixels. Its square still fits the 32-bit integers
/// that some backends count pixels with.
pub(crate) const MAX_SIDE: usize = 1 << 14;

/// Checks a count against `1..=max`.
pub(crate) fn check_count(
    parameter: &'static str,
    value: usize,
    min: usize,
    max: usize,
) -> Result<(), ModelError> {
    if (min..=max).contains(&value) {
        Ok(())
    } else {
        Err(ModelError::OutOfRange {
            parameter,
            value,
            min,
            max,
        })
    }
}
