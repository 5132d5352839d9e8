//! Numeric arrays of MATLAB level 5 `.mat` files.
//!
//! Reads the part of the format ("MAT-File Format", The MathWorks) that the lists of a dataset need:
//! real numeric arrays, plain or compressed, in either byte order. Variables of other kinds are
//! skipped; version 7.3 files, which are HDF5, are refused.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use flate2::read::ZlibDecoder;

use crate::DataError;
use crate::decode::read_bounded;

pub use crate::error::MatError;

/// The longest file that is read, and the most that is unpacked from one, in bytes.
const MAX_BYTES: u64 = 1 << 24;

const HEADER_LENGTH: usize = 128;
const MATRIX: u32 = 14;
const COMPRESSED: u32 = 15;
/// Array classes double (6), single (7), and the integers from `i8` (8) to `u64` (15).
const NUMERIC_CLASSES: std::ops::RangeInclusive<u8> = 6..=15;
const COMPLEX: u8 = 0x08;

/// The real numeric arrays of a `.mat` file, by name.
#[derive(Debug, Clone, PartialEq)]
pub struct MatFile {
    arrays: BTreeMap<String, Vec<f64>>,
}

impl MatFile {
    /// Reads a file of at most 16 MiB.
    ///
    /// # Errors
    ///
    /// [`DataError::Io`], [`DataError::TooLarge`], and [`DataError::Mat`] as for
    /// [`Self::from_bytes`].
    pub fn read(path: &Path) -> Result<Self, DataError> {
        let bytes = read_bounded(path, MAX_BYTES)?;
        Self::from_bytes(&bytes).map_err(|source| DataError::Mat {
            path: path.to_path_buf(),
            source,
        })
    }

    /// Reads the bytes of a file.
    ///
    /// # Errors
    ///
    /// Any [`MatError`] of a file that is damaged or not of level 5. Damaged bytes never panic,
    /// and at most 16 MiB are unpacked from them in all.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, MatError> {
        let header = bytes.get(..HEADER_LENGTH).ok_or(MatError::NotMat5)?;
        let big_endian = match &header[124..] {
            [0x00, 0x01, b'I', b'M'] => false,
            [0x01, 0x00, b'M', b'I'] => true,
            _ => return Err(MatError::NotMat5),
        };
        let mut arrays = BTreeMap::new();
        let mut budget = MAX_BYTES;
        let mut elements = Elements {
            bytes,
            at: HEADER_LENGTH,
            big_endian,
        };
        while let Some(element) = elements.next()? {
            let array = match element.kind {
                MATRIX => array(element.data, big_endian)?,
                COMPRESSED => {
                    let unpacked = unpack(element.data, element.offset, &mut budget)?;
                    let mut inner = Elements {
                        bytes: &unpacked,
                        at: 0,
                        big_endian,
                    };
                    match inner.next()? {
                        Some(element) if element.kind == MATRIX => array(element.data, big_endian)?,
                        _ => None,
                    }
                }
                _ => None,
            };
            arrays.extend(array);
        }
        Ok(Self { arrays })
    }

    /// The values of an array, column by column.
    pub fn get(&self, name: &str) -> Option<&[f64]> {
        self.arrays.get(name).map(Vec::as_slice)
    }

    /// The names of the arrays, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.arrays.keys().map(String::as_str)
    }
}

/// Unpacks a compressed variable, and subtracts its length from the bytes that may still be unpacked.
fn unpack(data: &[u8], offset: usize, budget: &mut u64) -> Result<Vec<u8>, MatError> {
    let mut unpacked = Vec::new();
    ZlibDecoder::new(data)
        .take(*budget + 1)
        .read_to_end(&mut unpacked)
        .map_err(|_| MatError::Compressed { offset })?;
    let rest = budget.checked_sub(unpacked.len() as u64);
    *budget = rest.ok_or(MatError::TooLarge {
        offset,
        max: MAX_BYTES,
    })?;
    Ok(unpacked)
}

/// One tagged element.
struct Element<'a> {
    kind: u32,
    data: &'a [u8],
    offset: usize,
}

/// The elements that follow one another in a piece of a file.
struct Elements<'a> {
    bytes: &'a [u8],
    at: usize,
    big_endian: bool,
}

impl<'a> Elements<'a> {
    fn next(&mut self) -> Result<Option<Element<'a>>, MatError> {
        let offset = self.at;
        let rest = self.bytes.get(offset..).unwrap_or_default();
        if rest.is_empty() {
            return Ok(None);
        }
        let truncated = || MatError::Truncated { offset };
        let (tag, body) = rest.split_first_chunk::<4>().ok_or_else(truncated)?;
        let tag = word(*tag, self.big_endian);
        let (kind, length, start) = match (tag >> 16) as usize {
            0 => {
                let length = body.first_chunk::<4>().ok_or_else(truncated)?;
                (tag, word(*length, self.big_endian) as usize, 8_usize)
            }
            // The small form: length, kind and up to four bytes of data in eight bytes.
            length => (tag & 0xFFFF, length, 4),
        };
        if start == 4 && length > 4 {
            return Err(truncated());
        }
        let end = start.checked_add(length).ok_or_else(truncated)?;
        let data = rest.get(start..end).ok_or_else(truncated)?;
        // All elements but compressed ones are padded to multiples of eight bytes.
        let padded = if kind == COMPRESSED {
            end
        } else {
            end.next_multiple_of(8)
        };
        self.at = offset + padded;
        Ok(Some(Element { kind, data, offset }))
    }
}

/// A real numeric array; `None` for an array of another kind.
fn array(matrix: &[u8], big_endian: bool) -> Result<Option<(String, Vec<f64>)>, MatError> {
    let mut elements = Elements {
        bytes: matrix,
        at: 0,
        big_endian,
    };
    let problem = |name: &str, problem| MatError::Array {
        name: name.to_owned(),
        problem,
    };
    let flags = elements.next()?.ok_or_else(|| problem("", "no flags"))?;
    let flags = flags
        .data
        .first_chunk::<4>()
        .ok_or_else(|| problem("", "no flags"))?;
    let [class, flags, ..] = word(*flags, big_endian).to_le_bytes();
    if !NUMERIC_CLASSES.contains(&class) || flags & COMPLEX != 0 {
        return Ok(None);
    }
    let dimensions = elements
        .next()?
        .ok_or_else(|| problem("", "no dimensions"))?;
    let name = elements.next()?.ok_or_else(|| problem("", "no name"))?;
    let name = String::from_utf8_lossy(name.data).into_owned();
    let values = elements
        .next()?
        .ok_or_else(|| problem(&name, "no values"))?;
    let values = numbers(values.kind, values.data, big_endian)
        .ok_or_else(|| problem(&name, "values of no numeric type"))?;
    let (sizes, _) = dimensions.data.as_chunks::<4>();
    let count = sizes.iter().try_fold(1_u64, |count, &size| {
        count.checked_mul(word(size, big_endian).into())
    });
    if count != Some(values.len() as u64) {
        return Err(problem(
            &name,
            "a number of values that does not fit its dimensions",
        ));
    }
    Ok(Some((name, values)))
}

/// Values of the stored type `kind`, which may be narrower than the array's own.
fn numbers(kind: u32, data: &[u8], big_endian: bool) -> Option<Vec<f64>> {
    fn each<const N: usize, T>(
        data: &[u8],
        big_endian: bool,
        from: fn([u8; N]) -> T,
        convert: fn(T) -> f64,
    ) -> Option<Vec<f64>> {
        let (values, rest) = data.as_chunks::<N>();
        let values = values
            .iter()
            .map(|&bytes| convert(number(bytes, big_endian, from)));
        rest.is_empty().then(|| values.collect())
    }
    match kind {
        1 => each(data, big_endian, i8::from_le_bytes, f64::from),
        2 => each(data, big_endian, u8::from_le_bytes, f64::from),
        3 => each(data, big_endian, i16::from_le_bytes, f64::from),
        4 => each(data, big_endian, u16::from_le_bytes, f64::from),
        5 => each(data, big_endian, i32::from_le_bytes, f64::from),
        6 => each(data, big_endian, u32::from_le_bytes, f64::from),
        7 => each(data, big_endian, f32::from_le_bytes, f64::from),
        9 => each(data, big_endian, f64::from_le_bytes, f64::from),
        // Exact up to 2⁵³, as MATLAB's own numbers are.
        12 => each(data, big_endian, i64::from_le_bytes, |value| value as f64),
        13 => each(data, big_endian, u64::from_le_bytes, |value| value as f64),
        _ => None,
    }
}

fn number<const N: usize, T>(
    mut bytes: [u8; N],
    big_endian: bool,
    from_le_bytes: impl Fn([u8; N]) -> T,
) -> T {
    if big_endian {
        bytes.reverse();
    }
    from_le_bytes(bytes)
}

fn word(bytes: [u8; 4], big_endian: bool) -> u32 {
    number(bytes, big_endian, u32::from_le_bytes)
}

#[cfg(test)]
mod tests;
