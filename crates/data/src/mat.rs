//! Numeric arrays of MATLAB level 5 `.mat` files.
//!
//! As much of the format ("MAT-File Format", The MathWorks) as the lists of a dataset need: real
//! numeric arrays, plain or compressed, in either byte order. Variables of other kinds are
//! skipped; version 7.3 files, which are HDF5, are refused.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use flate2::read::ZlibDecoder;

use crate::DataError;
use crate::decode::read_bounded;

/// The longest file that is read, and the longest variable that is unpacked, in bytes.
const MAX_BYTES: u64 = 1 << 26;

const HEADER_LENGTH: usize = 128;
const MATRIX: u32 = 14;
const COMPRESSED: u32 = 15;
/// Array classes double (6), single (7), and the integers from `i8` (8) to `u64` (15).
const NUMERIC_CLASSES: std::ops::RangeInclusive<u8> = 6..=15;
const COMPLEX: u8 = 0x08;

/// What is wrong with a `.mat` file.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MatError {
    /// The file does not begin as a level 5 file does.
    #[error("not a MATLAB level 5 file; save it with `save -v7`")]
    NotMat5,
    /// The file ends inside an element, or an element's length is impossible.
    #[error("damaged: an element at byte {offset} ends beyond the data")]
    Truncated {
        /// Where the element begins, in the file or in the unpacked variable.
        offset: usize,
    },
    /// A compressed variable that cannot be unpacked.
    #[error("damaged: the variable at byte {offset} cannot be unpacked")]
    Compressed {
        /// Where the variable begins in the file.
        offset: usize,
    },
    /// A variable that is unpacked to more bytes than are accepted.
    #[error("the variable at byte {offset} is unpacked to more than {max} bytes")]
    TooLarge {
        /// Where the variable begins in the file.
        offset: usize,
        /// The most bytes accepted.
        max: u64,
    },
    /// A numeric array whose parts do not make sense.
    #[error("damaged: the variable {name:?} has {problem}")]
    Array {
        /// The variable's name, as far as it was read.
        name: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A variable that is not there.
    #[error("no numeric variable {name:?}; there are {found:?}")]
    NoVariable {
        /// The variable that was looked for.
        name: String,
        /// The names of those that are there.
        found: Vec<String>,
    },
    /// A value that should be a whole number in a certain range.
    #[error("{value} in {name:?} is not a whole number in the range expected")]
    NotWhole {
        /// The variable.
        name: String,
        /// The value.
        value: f64,
    },
}

/// The real numeric arrays of a `.mat` file, by name.
#[derive(Debug, Clone, PartialEq)]
pub struct MatFile {
    arrays: BTreeMap<String, Vec<f64>>,
}

impl MatFile {
    /// Reads a file of at most 64 MiB.
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
    /// and never take more memory than the file's length and 64 MiB a variable.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, MatError> {
        let header = bytes.get(..HEADER_LENGTH).ok_or(MatError::NotMat5)?;
        let big_endian = match &header[124..] {
            [0x00, 0x01, b'I', b'M'] => false,
            [0x01, 0x00, b'M', b'I'] => true,
            _ => return Err(MatError::NotMat5),
        };
        let mut arrays = BTreeMap::new();
        let mut elements = Elements {
            bytes,
            at: HEADER_LENGTH,
            big_endian,
        };
        while let Some(element) = elements.next()? {
            let array = match element.kind {
                MATRIX => array(element.data, big_endian)?,
                COMPRESSED => {
                    let unpacked = unpack(element.data, element.offset)?;
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

fn unpack(data: &[u8], offset: usize) -> Result<Vec<u8>, MatError> {
    let mut unpacked = Vec::new();
    ZlibDecoder::new(data)
        .take(MAX_BYTES + 1)
        .read_to_end(&mut unpacked)
        .map_err(|_| MatError::Compressed { offset })?;
    if unpacked.len() as u64 > MAX_BYTES {
        return Err(MatError::TooLarge {
            offset,
            max: MAX_BYTES,
        });
    }
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
        // Elements are padded to multiples of eight bytes, but for compressed ones.
        let padded = if kind == COMPRESSED {
            end
        } else {
            end.next_multiple_of(8)
        };
        self.at = offset + padded;
        Ok(Some(Element { kind, data, offset }))
    }
}

/// A real numeric array; none if it is of another kind.
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
            "another number of values than its dimensions say",
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
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::ZlibEncoder;
    use proptest::prelude::*;

    use super::*;

    const U8: u32 = 2;
    const U16: u32 = 4;
    const DOUBLE: u32 = 9;
    const DOUBLE_CLASS: u8 = 6;

    /// A file in either byte order.
    struct Writer {
        big_endian: bool,
        bytes: Vec<u8>,
    }

    impl Writer {
        fn file(big_endian: bool) -> Self {
            let mut bytes = vec![b' '; HEADER_LENGTH];
            let tail: [u8; 4] = if big_endian {
                *b"\x01\x00MI"
            } else {
                *b"\x00\x01IM"
            };
            bytes[124..].copy_from_slice(&tail);
            Self { big_endian, bytes }
        }

        fn words(&self, words: &[u32]) -> Vec<u8> {
            let bytes = |word: &u32| {
                if self.big_endian {
                    word.to_be_bytes()
                } else {
                    word.to_le_bytes()
                }
            };
            words.iter().flat_map(bytes).collect()
        }

        fn element(&self, kind: u32, data: &[u8]) -> Vec<u8> {
            let mut element = self.words(&[kind, data.len() as u32]);
            element.extend(data);
            element.resize(element.len().next_multiple_of(8), 0);
            element
        }

        fn matrix(
            &self,
            class: u8,
            name: &str,
            sizes: [u32; 2],
            kind: u32,
            values: &[u8],
        ) -> Vec<u8> {
            let mut data = self.element(6, &self.words(&[class.into(), 0]));
            data.extend(self.element(5, &self.words(&sizes)));
            data.extend(self.element(1, name.as_bytes()));
            data.extend(self.element(kind, values));
            self.element(MATRIX, &data)
        }

        fn compressed(&self, element: &[u8]) -> Vec<u8> {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(element).expect("writes to memory");
            let packed = encoder.finish().expect("writes to memory");
            [self.words(&[COMPRESSED, packed.len() as u32]), packed].concat()
        }
    }

    /// Two arrays as MATLAB saves them: whole numbers in a narrow type, packed.
    fn example(big_endian: bool) -> Vec<u8> {
        let mut file = Writer::file(big_endian);
        let labels = file.matrix(DOUBLE_CLASS, "labels", [1, 5], U8, &[77, 1, 102, 5, 9]);
        let wide: Vec<u8> = [6765_u16, 8189, 3]
            .iter()
            .flat_map(|x| {
                if big_endian {
                    x.to_be_bytes()
                } else {
                    x.to_le_bytes()
                }
            })
            .collect();
        let numbers = file.matrix(DOUBLE_CLASS, "trnid", [3, 1], U16, &wide);
        let text = file.matrix(4, "readme", [1, 2], U8, b"hi");
        for part in [file.compressed(&labels), file.compressed(&text), numbers] {
            file.bytes.extend(part);
        }
        file.bytes
    }

    #[test]
    fn arrays_are_read_in_either_byte_order_packed_or_not() {
        for big_endian in [false, true] {
            let file = MatFile::from_bytes(&example(big_endian)).expect("a sound file");
            assert_eq!(file.names().collect::<Vec<_>>(), ["labels", "trnid"]);
            assert_eq!(file.get("labels"), Some(&[77.0, 1.0, 102.0, 5.0, 9.0][..]));
            assert_eq!(file.get("trnid"), Some(&[6765.0, 8189.0, 3.0][..]));
            assert_eq!(file.get("readme"), None);
        }
    }

    #[test]
    fn small_elements_are_read() {
        let mut file = Writer::file(false);
        // Name "x" and the value 7, each with its length and kind in one word.
        let mut data = file.element(6, &file.words(&[DOUBLE_CLASS.into(), 0]));
        data.extend(file.element(5, &file.words(&[1, 1])));
        data.extend([1, 0, 1, 0, b'x', 0, 0, 0, 2, 0, 1, 0, 7, 0, 0, 0]);
        file.bytes.extend(file.element(MATRIX, &data));
        let file = MatFile::from_bytes(&file.bytes).expect("a sound file");
        assert_eq!(file.get("x"), Some(&[7.0][..]));
    }

    #[test]
    fn other_files_and_wrong_sizes_are_refused() {
        assert_eq!(MatFile::from_bytes(b"MATLAB 5.0"), Err(MatError::NotMat5));
        assert_eq!(MatFile::from_bytes(&[0x89; 500]), Err(MatError::NotMat5));
        let mut file = Writer::file(false);
        let matrix = file.matrix(DOUBLE_CLASS, "x", [2, 3], DOUBLE, &7_f64.to_le_bytes());
        file.bytes.extend(matrix);
        let error = MatFile::from_bytes(&file.bytes).expect_err("one value of six");
        assert!(matches!(error, MatError::Array { name, .. } if name == "x"));
    }

    #[test]
    fn a_small_file_cannot_take_all_memory() {
        let mut file = Writer::file(false);
        let zeros = file.compressed(&vec![0; MAX_BYTES as usize + 1]);
        assert!(zeros.len() < 1 << 17);
        file.bytes.extend(zeros);
        let error = MatFile::from_bytes(&file.bytes).expect_err("too large");
        assert_eq!(
            error,
            MatError::TooLarge {
                offset: HEADER_LENGTH,
                max: MAX_BYTES
            }
        );
    }

    #[test]
    fn a_file_cut_anywhere_is_an_error_or_has_fewer_arrays() {
        let whole = example(false);
        for length in 0..whole.len() {
            if let Ok(file) = MatFile::from_bytes(&whole[..length]) {
                assert!(
                    file.names().count() < 2,
                    "cut at {length} of {}",
                    whole.len()
                );
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn damaged_bytes_never_panic(
            damage in proptest::collection::vec((128_usize..400, any::<u8>()), 1..6),
            big_endian: bool,
        ) {
            let mut bytes = example(big_endian);
            for (at, value) in damage {
                let at = at % bytes.len();
                bytes[at] = value;
            }
            let _ = MatFile::from_bytes(&bytes);
        }
    }
}
