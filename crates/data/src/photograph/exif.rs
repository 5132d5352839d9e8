//! The one EXIF entry that is written.

/// The number of the entry that names the software which made an image (EXIF 2.32, table 4).
const SOFTWARE: u16 = 0x0131;

/// The kind of its value: text that ends with a zero.
const ASCII: u16 = 2;

/// Bytes before the value: byte order and magic number, the place of the entries, their number, one entry, the place
/// of further entries.
const BEFORE: u32 = 4 + 4 + 2 + 12 + 4;

/// EXIF data that names the software.
pub(super) fn software(text: &[u8]) -> Vec<u8> {
    let mut value = text.to_vec();
    value.push(0);
    // A value of up to 4 bytes would have to stand in the entry itself.
    value.resize(value.len().max(5), 0);
    let mut exif = b"II*\0\x08\0\0\0\x01\0".to_vec();
    exif.extend(SOFTWARE.to_le_bytes());
    exif.extend(ASCII.to_le_bytes());
    exif.extend((value.len() as u32).to_le_bytes());
    exif.extend(BEFORE.to_le_bytes());
    exif.extend(0_u32.to_le_bytes());
    exif.extend(value);
    exif
}
