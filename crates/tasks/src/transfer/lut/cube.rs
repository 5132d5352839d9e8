//! Tables in `.cube` files.
//!
//! Source: Adobe, "Cube LUT specification", version 1.0, 2013.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::str::FromStr;

use super::{Lut, LutError};
use crate::store::files::write_named;

/// The longest line that is read, in bytes.
const LONGEST_LINE: u64 = 1024;

/// The longest file that is read, in bytes: 64 for each colour of the largest table.
const LONGEST_FILE: u64 = 1 << 30;

/// The longest title that is written, in characters.
const LONGEST_TITLE: usize = 200;

/// The most of a line that a message quotes, in characters.
const QUOTED: usize = 40;

impl Lut {
    /// Reads a `.cube` file with a table of three dimensions. Comments, empty lines, either end of line
    /// and exponents are understood. Values may lie outside [0, 1].
    ///
    /// # Errors
    ///
    /// [`LutError::Read`] if the file cannot be read, [`LutError::Line`] for the first line that is not
    /// understood: also for a table of one dimension, colours that go in beyond [0, 1]
    /// (`DOMAIN_MIN`, `DOMAIN_MAX`), values that are not finite, and too few or too many colours.
    pub fn read_cube(path: &Path) -> Result<Self, LutError> {
        let failed = |source| LutError::Read {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(failed)?;
        let mut file = BufReader::new(file.take(LONGEST_FILE));
        let mut lines = Lines::default();
        let mut line = Vec::new();
        let mut number = 0;
        let fault = |line, (found, expected): Fault| LutError::Line {
            path: path.to_owned(),
            line,
            found,
            expected,
        };
        loop {
            line.clear();
            let mut part = file.by_ref().take(LONGEST_LINE + 1);
            if part.read_until(b'\n', &mut line).map_err(failed)? == 0 {
                break;
            }
            number += 1;
            if line.len() as u64 > LONGEST_LINE {
                let found = format!("more than {LONGEST_LINE} bytes in a line");
                let wrong = (found, "a .cube file".to_owned());
                return Err(fault(number, wrong));
            }
            let text = String::from_utf8_lossy(&line);
            // Some programs begin a file with a byte order mark.
            let text = text.trim_start_matches('\u{feff}').trim();
            lines.read(text).map_err(|wrong| fault(number, wrong))?;
        }
        lines.finish().map_err(|wrong| fault(number, wrong))
    }

    /// Writes the table as a `.cube` file, with values clipped to [0, 1]. A file that is there is
    /// replaced when the new one is complete.
    ///
    /// # Errors
    ///
    /// [`LutError::Unwritten`] if the file cannot be written.
    pub fn write_cube(&self, path: &Path, title: &str) -> Result<(), LutError> {
        let title = title.chars().take(LONGEST_TITLE).map(|c| match c {
            '"' => '\'',
            c if c.is_control() => ' ',
            c => c,
        });
        let title: String = title.collect();
        let size = self.size();
        let mut text = String::with_capacity(27 * size.pow(3) + 1024);
        text.push_str("# sRGB-encoded red, green and blue go in and come out.\n");
        // Writing to a string cannot fail.
        let _ = write!(text, "TITLE \"{title}\"\nLUT_3D_SIZE {size}\n");
        for colour in self.colours() {
            // Adding 0 takes the sign off a 0.
            let [r, g, b] = colour.map(|value| value.clamp(0.0, 1.0) + 0.0);
            let _ = writeln!(text, "{r:.6} {g:.6} {b:.6}");
        }
        Ok(write_named(path, text.as_bytes())?)
    }
}

/// What was found in a line, and what was expected.
type Fault = (String, String);

/// What the lines of a file have said so far.
#[derive(Default)]
struct Lines {
    size: Option<usize>,
    colours: Vec<[f32; 3]>,
}

impl Lines {
    fn read(&mut self, line: &str) -> Result<(), Fault> {
        let mut words = line.split_ascii_whitespace();
        let fault = |expected: &str| Err((quoted(line), expected.to_owned()));
        match words.next() {
            None => Ok(()),
            Some(comment) if comment.starts_with('#') => Ok(()),
            Some("TITLE") => Ok(()),
            Some("LUT_3D_SIZE") => match (numbers::<usize, 1>(words), self.size) {
                (_, Some(_)) => fault("no second LUT_3D_SIZE"),
                (Some([size]), None) if Lut::SIZES.contains(&size) => {
                    self.size = Some(size);
                    Ok(())
                }
                _ => fault("LUT_3D_SIZE and a whole number from 2 to 256"),
            },
            Some("DOMAIN_MIN") => match numbers(words) {
                Some([0.0, 0.0, 0.0]) => Ok(()),
                _ => fault("DOMAIN_MIN 0 0 0 (a table for colours in [0, 1])"),
            },
            Some("DOMAIN_MAX") => match numbers(words) {
                Some([1.0, 1.0, 1.0]) => Ok(()),
                _ => fault("DOMAIN_MAX 1 1 1 (a table for colours in [0, 1])"),
            },
            Some("LUT_3D_INPUT_RANGE") => match numbers(words) {
                Some([0.0, 1.0]) => Ok(()),
                _ => fault("LUT_3D_INPUT_RANGE 0 1 (a table for colours in [0, 1])"),
            },
            Some("LUT_1D_SIZE" | "LUT_1D_INPUT_RANGE") => {
                fault("LUT_3D_SIZE (a table of three dimensions, without curves of one)")
            }
            Some(word) if word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') => {
                fault("TITLE, LUT_3D_SIZE, DOMAIN_MIN, DOMAIN_MAX or three numbers")
            }
            Some(_) => {
                let colour = numbers::<f32, 3>(line.split_ascii_whitespace());
                self.add(line, colour)
            }
        }
    }

    fn add(&mut self, line: &str, colour: Option<[f32; 3]>) -> Result<(), Fault> {
        let fault = |expected: String| Err((quoted(line), expected));
        let Some(size) = self.size else {
            return fault("LUT_3D_SIZE before the first colour".to_owned());
        };
        let Some(colour) = colour else {
            return fault("three numbers: red, green and blue".to_owned());
        };
        if !colour.iter().all(|value| value.is_finite()) {
            return fault("three numbers below 3·10³⁸".to_owned());
        }
        if self.colours.len() == size.pow(3) {
            return fault(format!("the end of the file after {}", all_colours(size)));
        }
        self.colours.push(colour);
        Ok(())
    }

    fn finish(self) -> Result<Lut, Fault> {
        let found = |what: &str| format!("the end of the file after {what}");
        let Some(size) = self.size else {
            return Err((found("no table"), "LUT_3D_SIZE".to_owned()));
        };
        let read = self.colours.len();
        // Every colour was checked.
        Lut::new(size, self.colours)
            .map_err(|_| (found(&format!("{read} colours")), all_colours(size)))
    }
}

/// How many colours a table has.
fn all_colours(size: usize) -> String {
    format!("{} colours (LUT_3D_SIZE {size})", size.pow(3))
}

/// So many numbers, if the words are that.
fn numbers<'a, T: FromStr, const N: usize>(words: impl Iterator<Item = &'a str>) -> Option<[T; N]> {
    let numbers: Option<Vec<T>> = words.take(N + 1).map(|word| word.parse().ok()).collect();
    numbers?.try_into().ok()
}

/// The beginning of a line, for a message.
fn quoted(line: &str) -> String {
    let mut start: String = line.chars().take(QUOTED).collect();
    if start.len() < line.len() {
        start.push('…');
    }
    format!("{start:?}")
}
