//! TFRecord framing: length, checksum of the length, data, checksum of the data.

use std::io::{self, Write};

/// Writes one record.
pub(super) fn write(out: &mut impl Write, data: &[u8]) -> io::Result<()> {
    let length = (data.len() as u64).to_le_bytes();
    out.write_all(&length)?;
    out.write_all(&masked(crc32c::crc32c(&length)).to_le_bytes())?;
    out.write_all(data)?;
    out.write_all(&masked(crc32c::crc32c(data)).to_le_bytes())
}

/// The checksum as it is stored: rotated and moved, so that the checksum of data which itself
/// holds checksums is not weak.
///
/// Source: TensorFlow, `tensorflow/core/lib/hash/crc32c.h`.
fn masked(crc: u32) -> u32 {
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

#[cfg(test)]
pub(super) fn read_all(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut records = Vec::new();
    while !bytes.is_empty() {
        let (length, rest) = bytes.split_at(8);
        let (length_crc, rest) = rest.split_at(4);
        let (data, rest) = rest.split_at(u64::from_le_bytes(length.try_into().unwrap()) as usize);
        let (data_crc, rest) = rest.split_at(4);
        for (data, crc) in [(length, length_crc), (data, data_crc)] {
            let crc = u32::from_le_bytes(crc.try_into().unwrap());
            let unmasked = crc.wrapping_sub(0xa282_ead8).rotate_left(15);
            assert_eq!(unmasked, crc32c::crc32c(data));
        }
        records.push(data.to_vec());
        bytes = rest;
    }
    records
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_castagnolis() {
        // RFC 3720, B.4: 32 bytes of zeros.
        assert_eq!(crc32c::crc32c(&[0; 32]), 0x8a91_36aa);
    }

    #[test]
    fn a_record_is_framed_as_tensorflow_frames_it() {
        // Written by tensorboard.summary.writer.record_writer.RecordWriter (tensorboard 2.21.0)
        // for the data b"huenet".
        let expected = [
            0x06, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x73, 0x69, 0xd5, 0x37, 0x68, 0x75,
            0x65, 0x6e, 0x65, 0x74, 0x58, 0x5e, 0x08, 0x17,
        ];
        let mut bytes = Vec::new();
        write(&mut bytes, b"huenet").unwrap();
        assert_eq!(bytes, expected);
        write(&mut bytes, b"").unwrap();
        assert_eq!(read_all(&bytes), [b"huenet".to_vec(), Vec::new()]);
    }
}
