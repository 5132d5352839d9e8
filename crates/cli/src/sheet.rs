//! Contact sheets: rows of small pictures on one image.

use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, value_parser};
use huenet_data::{DataError, Photograph, RgbImage, WriteOptions};

use crate::output;

/// The longest side of a picture on a sheet, in pixels.
const LONGEST: usize = 256;

/// Pixels between pictures, and around the sheet.
const GUTTER: u32 = 6;

/// The most rows of a sheet.
const MOST: usize = 100;

/// The flag that names the file of a sheet.
pub(crate) fn flag(rows: &'static str) -> Arg {
    Arg::new("sheet")
        .long("sheet")
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help(rows)
}

/// The sheet's file, if one is asked for.
///
/// # Errors
///
/// [`Photograph::check_output`]'s.
pub(crate) fn given(matches: &ArgMatches) -> Result<Option<PathBuf>, DataError> {
    let path = matches.get_one::<PathBuf>("sheet").cloned();
    path.as_deref().map_or(Ok(()), Photograph::check_output)?;
    Ok(path)
}

/// A photograph as small as it is on a sheet. What is transparent is white.
pub(crate) fn tile(photograph: &Photograph) -> RgbImage {
    let (width, height) = fitted(photograph.width(), photograph.height(), LONGEST);
    let colours = photograph.reduced(width, height);
    let alpha = photograph.reduced_alpha(width, height);
    RgbImage::from_fn(width as u32, height as u32, |x, y| {
        let pixel = y as usize * width + x as usize;
        let alpha = alpha.as_ref().map_or(1.0, |alpha| alpha[pixel]);
        let level = |value: f32| (255.0 * (alpha * value + 1.0 - alpha)).round() as u8;
        colours[pixel].map(level).into()
    })
}

/// The size at which the longer side of an image has so many pixels, in its proportions.
pub(crate) fn fitted(width: usize, height: usize, longest: usize) -> (usize, usize) {
    let scale = longest as f64 / width.max(height).max(1) as f64;
    let fit = |side: usize| ((side as f64 * scale).round() as usize).max(1);
    (fit(width), fit(height))
}

/// The rows of a sheet.
#[derive(Debug, Default)]
pub(crate) struct Sheet {
    rows: Vec<Vec<RgbImage>>,
    left_out: usize,
}

impl Sheet {
    /// Adds a row of pictures.
    pub(crate) fn add(&mut self, row: Vec<RgbImage>) {
        match self.rows.len() < MOST {
            true => self.rows.push(row),
            false => self.left_out += 1,
        }
    }

    /// The sheet. Each column is as wide as its widest picture, each row as high as its highest.
    pub(crate) fn draw(&self) -> RgbImage {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let tiles = self.rows.iter().filter_map(|row| row.get(column));
            tiles.map(RgbImage::width).max().unwrap_or(0)
        };
        let widths: Vec<u32> = (0..columns).map(width).collect();
        let height = |row: &Vec<RgbImage>| row.iter().map(RgbImage::height).max().unwrap_or(0);
        let all = |sides: &mut dyn Iterator<Item = u32>| {
            GUTTER + sides.map(|it| it + GUTTER).sum::<u32>()
        };
        let (across, down) = (
            all(&mut widths.iter().copied()),
            all(&mut self.rows.iter().map(height)),
        );
        let mut sheet = RgbImage::from_pixel(across, down, [255; 3].into());
        let mut top = GUTTER;
        for row in &self.rows {
            let mut left = GUTTER;
            for (tile, width) in row.iter().zip(&widths) {
                for (x, y, pixel) in tile.enumerate_pixels() {
                    sheet.put_pixel(left + x, top + y, *pixel);
                }
                left += width + GUTTER;
            }
            top += height(row) + GUTTER;
        }
        sheet
    }

    /// Writes the sheet, and says how many rows it has no room for.
    ///
    /// # Errors
    ///
    /// [`Photograph::write`]'s.
    pub(crate) fn finish(&self, path: &Path) -> Result<(), DataError> {
        let sheet = Photograph::from_rgb8(self.draw());
        sheet.write(path, &WriteOptions::default())?;
        if self.left_out > 0 {
            let (path, left_out) = (path.display(), self.left_out);
            output::note(format_args!(
                "{path} has no room for the last {left_out} pictures"
            ));
        }
        Ok(())
    }
}
