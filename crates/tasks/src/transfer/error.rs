//! What can be wrong with the images and the options of a fit.

/// An image or an option that a colour transfer cannot use.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TransferError {
    /// An image has no pixels, or its pixels do not fill its sides.
    #[error("an image of {width}×{height} pixels cannot have {pixels} pixels")]
    Pixels {
        /// The width.
        width: usize,
        /// The height.
        height: usize,
        /// How many pixels there are.
        pixels: usize,
    },
    /// A colour is not a number.
    #[error("pixel {pixel} is {colour:?}: colours have to be finite numbers")]
    Colour {
        /// The pixel, counted row by row from 0.
        pixel: usize,
        /// Its red, green and blue.
        colour: [f32; 3],
    },
    /// A mask has another size than its image.
    #[error("a mask of {mask} values does not fit an image of {pixels} pixels")]
    MaskSize {
        /// The mask's values.
        mask: usize,
        /// The image's pixels.
        pixels: usize,
    },
    /// A mask's value is no weight.
    #[error("the mask's value {value} of pixel {pixel} is not in [0, 1]")]
    Weight {
        /// The pixel, counted row by row from 0.
        pixel: usize,
        /// The value.
        value: f32,
    },
    /// A mask selects no pixel.
    #[error("the mask selects nothing: all its values are 0")]
    Nothing,
    /// An option is out of its range.
    #[error("{option} is {value}: it has to be {expected}")]
    Option {
        /// The option.
        option: &'static str,
        /// Its value.
        value: String,
        /// The range.
        expected: String,
    },
    /// The maps of a grid are not as many as its cells have values, or not finite.
    #[error("a grid of {cells} cells needs {expected} finite values, not these {values}")]
    Maps {
        /// The grid's cells.
        cells: usize,
        /// How many values they need.
        expected: usize,
        /// How many there are.
        values: usize,
    },
}
