//! PNG: palettes that the decoder would stumble over.

/// Bytes before the first chunk.
const SIGNATURE: usize = 8;

/// A palette has at most this many colours, of three bytes each.
const COLOURS: usize = 256;

/// Whether every palette among the chunks before the pixels has whole colours, and no more than
/// there can be. The decoder counts on it, and panics where it is not so.
pub(crate) fn has_sound_palettes(bytes: &[u8]) -> bool {
    let mut rest = bytes.get(SIGNATURE..).unwrap_or_default();
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let length = u32::from_be_bytes(*length) as usize;
        if after.starts_with(b"IDAT") {
            return true;
        }
        if after.starts_with(b"PLTE") && !(length.is_multiple_of(3) && length <= 3 * COLOURS) {
            return false;
        }
        // The chunk's kind, its data, its checksum.
        let next = length.saturating_add(8);
        rest = after.get(next..).unwrap_or_default();
    }
    true
}
