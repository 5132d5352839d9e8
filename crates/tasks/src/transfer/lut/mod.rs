//! Tables of colours: they change a colour in the same way wherever it is in the image.

mod cube;
mod error;
mod fit;
mod hald;
mod tetrahedral;

use std::ops::RangeInclusive;

pub use error::LutError;

use super::map::ColourMap;
use tetrahedral::Entry;

/// A look: the colours that come out for a lattice of colours that go in, as other programs read it in
/// a `.cube` file or a HALD image. Between the lattice's colours it is interpolated tetrahedrally.
///
/// Colours are red, green and blue, sRGB-encoded in [0, 1]. What goes in beyond that range is clipped.
///
/// # Example
///
/// ```
/// use huenet_tasks::transfer::{ColourMap, Lut};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("warmer.cube");
/// let warmer = Lut::from_fn(33, |[r, g, b]| [r, 0.9 * g, 0.8 * b])?;
/// warmer.write_cube(&path, "warmer")?;
///
/// let mut row = [[0.5, 0.5, 0.5], [1.0, 0.2, 0.0]];
/// Lut::read_cube(&path)?.map_row(0, 1, &mut row);
/// assert!((row[0][2] - 0.4).abs() < 1e-6);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Lut {
    size: usize,
    /// `[size, size, size]` of blue, green and red.
    entries: Vec<Entry>,
}

impl Lut {
    /// How many colours a table can have along a side.
    pub const SIZES: RangeInclusive<usize> = 2..=256;

    /// A table of given colours.
    ///
    /// # Shapes
    ///
    /// `colours`: `[size, size, size]` of blue, green and red, so that red changes fastest
    ///
    /// # Errors
    ///
    /// [`LutError::Size`] if the size is not in [`Self::SIZES`], [`LutError::Colours`] if there are too
    /// few colours or too many, [`LutError::Colour`] if a value is not finite.
    pub fn new(size: usize, colours: impl IntoIterator<Item = [f32; 3]>) -> Result<Self, LutError> {
        let expected = Self::colours_of(size)?;
        let mut entries = Vec::with_capacity(expected);
        for (number, colour) in colours.into_iter().enumerate() {
            if !colour.iter().all(|value| value.is_finite()) {
                return Err(LutError::Colour { number, colour });
            }
            let [r, g, b] = colour;
            entries.push([r, g, b, 0.0]);
        }
        if entries.len() != expected {
            return Err(LutError::Colours {
                size,
                expected,
                colours: entries.len(),
            });
        }
        Ok(Self { size, entries })
    }

    /// The table that has `look` of each colour of the lattice.
    ///
    /// # Errors
    ///
    /// Those of [`Self::new`].
    pub fn from_fn(size: usize, look: impl FnMut([f32; 3]) -> [f32; 3]) -> Result<Self, LutError> {
        Self::colours_of(size)?;
        let value = move |i: usize| i as f32 / (size - 1) as f32;
        let colours = (0..size).flat_map(move |b| {
            (0..size).flat_map(move |g| (0..size).map(move |r| [r, g, b].map(value)))
        });
        Self::new(size, colours.map(look))
    }

    /// The table that leaves every colour as it is.
    ///
    /// # Errors
    ///
    /// [`LutError::Size`] if the size is not in [`Self::SIZES`].
    pub fn identity(size: usize) -> Result<Self, LutError> {
        Self::from_fn(size, |colour| colour)
    }

    /// How many colours there are along a side.
    pub fn size(&self) -> usize {
        self.size
    }

    /// All colours, red fastest.
    pub fn colours(&self) -> impl Iterator<Item = [f32; 3]> {
        self.entries.iter().map(|[r, g, b, _]| [*r, *g, *b])
    }

    /// What a colour becomes.
    pub fn at(&self, colour: [f32; 3]) -> [f32; 3] {
        let mut pixels = [colour];
        tetrahedral::map(&self.entries, self.size, &mut pixels);
        pixels[0]
    }

    /// How many colours a table of a size has.
    fn colours_of(size: usize) -> Result<usize, LutError> {
        match Self::SIZES.contains(&size) {
            true => Ok(size.pow(3)),
            false => Err(LutError::Size {
                size,
                expected: Self::SIZES,
            }),
        }
    }
}

impl ColourMap for Lut {
    fn map_row(&self, _row: usize, _height: usize, pixels: &mut [[f32; 3]]) {
        tetrahedral::map(&self.entries, self.size, pixels);
    }
}

#[cfg(test)]
mod tests;
