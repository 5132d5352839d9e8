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

    fn matrix(&self, class: u8, name: &str, sizes: [u32; 2], kind: u32, values: &[u8]) -> Vec<u8> {
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
    // Two variables of text, each of which is unpacked to a little more than half of what may be.
    let text = file.matrix(4, "text", [1, 1], U8, &vec![0; MAX_BYTES as usize / 2]);
    let text = file.compressed(&text);
    assert!(text.len() < 1 << 16);
    let offset = HEADER_LENGTH + text.len();
    file.bytes.extend(&text);
    file.bytes.extend(&text);
    let error = MatFile::from_bytes(&file.bytes).expect_err("too large");
    let max = MAX_BYTES;
    assert_eq!(error, MatError::TooLarge { offset, max });
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
