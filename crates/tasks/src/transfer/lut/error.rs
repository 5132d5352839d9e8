//! What can be wrong with a table of colours.

use std::io;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use huenet_data::DataError;

use crate::store::error::TaskError;

/// A table of colours that cannot be made, read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LutError {
    /// A table has too few colours along a side, or too many.
    #[error("a table cannot have {size} colours along a side: it has {} to {}",
            expected.start(), expected.end())]
    Size {
        /// The size.
        size: usize,
        /// The sizes that there are.
        expected: RangeInclusive<usize>,
    },
    /// A table has another number of colours than its size says.
    #[error("a table of size {size} needs {expected} colours, not {colours}")]
    Colours {
        /// The size.
        size: usize,
        /// How many colours it needs.
        expected: usize,
        /// How many there are.
        colours: usize,
    },
    /// A colour of a table is not a number.
    #[error("colour {number} of the table is {colour:?}: colours have to be finite numbers")]
    Colour {
        /// The colour, counted from 0 with red fastest.
        number: usize,
        /// Its red, green and blue.
        colour: [f32; 3],
    },
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line of a `.cube` file is not what it should be.
    #[error("{}, line {line}: {found}, where {expected} was expected", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is there.
        found: String,
        /// What should be there.
        expected: String,
    },
    /// An image does not have the size of a HALD image.
    #[error(
        "{} is no HALD image: it has {width}×{height} pixels, not level³ pixels along each side \
         (64 for level 4, 512 for level 8, 1728 for level 12; at most 4096 for level 16)",
        path.display()
    )]
    Hald {
        /// The image.
        path: PathBuf,
        /// Its width in pixels.
        width: usize,
        /// Its height in pixels.
        height: usize,
    },
    /// A HALD image cannot be read as an image.
    #[error(transparent)]
    Image(#[from] DataError),
    /// A file cannot be written.
    #[error(transparent)]
    Unwritten(#[from] TaskError),
}
