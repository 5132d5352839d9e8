//! Tables as images.

use std::io::Cursor;
use std::path::Path;

use huenet_data::Photograph;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};

use super::{Lut, LutError};
use crate::store::error::TaskError;
use crate::store::files::write_named;
use crate::transfer::map::ColourMap;

/// The level of the images that are written: 512×512 pixels.
const LEVEL: usize = 8;

/// The highest level whose table is not too large.
const HIGHEST: usize = 16;

impl Lut {
    /// Reads a HALD image: a square of level³ pixels along each side that has the level² · level² ·
    /// level² colours of a table row by row, red fastest. It may be of any level from 2 to 16, with 8 or
    /// 16 bits a sample.
    ///
    /// # Errors
    ///
    /// [`LutError::Image`] if the image cannot be read, [`LutError::Hald`] if it has another size.
    ///
    /// Source: Eskil Steenberg, "Hald CLUT".
    pub fn read_hald(path: &Path) -> Result<Self, LutError> {
        let image = Photograph::read(path)?;
        let (width, height) = (image.width(), image.height());
        let level = (2..=HIGHEST).find(|level| level.pow(3) == width);
        match level {
            Some(level) if width == height => {
                let rows = (0..height).flat_map(|row| image.row(row));
                Self::new(level * level, rows)
            }
            _ => Err(LutError::Hald {
                path: path.to_owned(),
                width,
                height,
            }),
        }
    }

    /// Writes the table as a HALD image of level 8: a PNG of 512×512 pixels with 16 bits a sample,
    /// clipped to [0, 1]. A table of another size than 64 is interpolated. A file that is there is
    /// replaced when the new one is complete.
    ///
    /// # Errors
    ///
    /// [`LutError::Unwritten`] if the file cannot be written.
    pub fn write_hald(&self, path: &Path) -> Result<(), LutError> {
        let size = LEVEL * LEVEL;
        let colours: Vec<_> = match self.size() == size {
            true => self.colours().collect(),
            false => {
                let mut lattice: Vec<_> = Self::identity(size)?.colours().collect();
                self.map_row(0, 1, &mut lattice);
                lattice
            }
        };
        // The cast clips.
        let samples = colours.into_iter().flatten();
        let samples = samples.map(|value| (value * f32::from(u16::MAX) + 0.5) as u16);
        let bytes: Vec<u8> = samples.flat_map(u16::to_ne_bytes).collect();
        let side = LEVEL.pow(3) as u32;
        let mut file = Cursor::new(Vec::new());
        PngEncoder::new(&mut file)
            .write_image(&bytes, side, side, ExtendedColorType::Rgb16)
            .map_err(|error| TaskError::Unwritten {
                path: path.to_owned(),
                source: std::io::Error::other(error),
            })?;
        Ok(write_named(path, file.get_ref())?)
    }
}
