//! Whether a JPEG file is complete.
//!
//! Decoders fill the missing part of a file that was cut short with grey and report success. A
//! network would be trained on it unnoticed, so the end of the image is looked for here, as
//! TensorFlow's decoder does.

const START_OF_IMAGE: u8 = 0xD8;
const END_OF_IMAGE: u8 = 0xD9;
const START_OF_SCAN: u8 = 0xDA;
const RESTARTS: std::ops::RangeInclusive<u8> = 0xD0..=0xD7;

/// True if the bytes hold a JPEG image with its end marker. Bytes after it are ignored; so is the
/// end marker of a thumbnail, which lies inside a segment.
pub(crate) fn is_complete(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    let mut in_scan = false;
    while let Some((marker, after)) = next_marker(rest, in_scan) {
        rest = after;
        match marker {
            END_OF_IMAGE => return true,
            START_OF_IMAGE | 0x01 => {}
            marker if RESTARTS.contains(&marker) => {}
            marker => {
                let Some(&[high, low]) = rest.first_chunk() else {
                    return false;
                };
                let Some(after) = rest.get(usize::from(u16::from_be_bytes([high, low]))..) else {
                    return false;
                };
                rest = after;
                in_scan = marker == START_OF_SCAN;
            }
        }
    }
    false
}

/// The next marker and what follows it. In a scan, 0xFF 0x00 is the data byte 0xFF.
fn next_marker(bytes: &[u8], in_scan: bool) -> Option<(u8, &[u8])> {
    let is_marker = |pair: &[u8]| {
        pair[0] == 0xFF
            && pair[1] != 0xFF
            && !(in_scan && (pair[1] == 0 || RESTARTS.contains(&pair[1])))
    };
    let at = bytes.windows(2).position(is_marker)?;
    Some((bytes[at + 1], &bytes[at + 2..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jpeg() -> Vec<u8> {
        let image = image::RgbImage::from_fn(40, 30, |x, y| [x as u8 * 6, y as u8 * 8, 255].into());
        let mut bytes = std::io::Cursor::new(Vec::new());
        image
            .write_to(&mut bytes, image::ImageFormat::Jpeg)
            .expect("encodes");
        bytes.into_inner()
    }

    #[test]
    fn only_a_file_with_its_end_is_complete() {
        let whole = jpeg();
        assert!(is_complete(&whole));
        for length in 0..whole.len() {
            assert!(
                !is_complete(&whole[..length]),
                "cut at {length} of {}",
                whole.len()
            );
        }
        assert!(is_complete(&[whole, b"trailing".to_vec()].concat()));
    }

    #[test]
    fn the_end_of_a_thumbnail_is_not_the_end_of_the_image() {
        let whole = jpeg();
        // An application segment that holds a whole JPEG, before everything else.
        let mut bytes = vec![0xFF, START_OF_IMAGE, 0xFF, 0xE1];
        bytes.extend((whole.len() as u16 + 2).to_be_bytes());
        bytes.extend(&whole);
        bytes.extend(&whole[2..]);
        assert!(is_complete(&bytes));
        bytes.truncate(bytes.len() - 3);
        assert!(!is_complete(&bytes));
    }
}
