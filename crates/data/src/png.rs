//! PNG: chunks that the decoder would stumble over.

use std::borrow::Cow;
use std::io::Read;
use std::ops::Range;

/// Bytes before the first chunk.
const SIGNATURE: usize = 8;

/// The bytes of a chunk beside its data: its length, kind and checksum.
const FRAME: usize = 12;

/// The last of them, behind the data.
const CHECKSUM: usize = 4;

/// A palette has at most this many colours, of three bytes each.
const COLOURS: usize = 256;

/// Whether every palette among the chunks before the pixels has complete colours, and no more of them
/// than allowed. The decoder relies on it, and panics otherwise.
pub(crate) fn has_sound_palettes(bytes: &[u8]) -> bool {
    chunks_before_pixels(bytes)
        .filter(|chunk| chunk.kind == *b"PLTE")
        .all(|chunk| chunk.length.is_multiple_of(3) && chunk.length <= 3 * COLOURS)
}

/// The longest colour profile that is unpacked, in bytes.
const MAX_PROFILE: u64 = 4 << 20;

/// The first colour profile, unpacked. One that is damaged, or longer than [`MAX_PROFILE`], counts as
/// none.
pub(crate) fn profile(bytes: &[u8]) -> Option<Vec<u8>> {
    let chunk = chunks_before_pixels(bytes).find(|chunk| chunk.kind == *b"iCCP")?;
    let data = bytes.get(chunk.place.start + FRAME - CHECKSUM..chunk.place.end - CHECKSUM)?;
    // A name, a zero, and the packing method: always 0.
    let name = data.iter().position(|byte| *byte == 0)?;
    let Some((0, packed)) = data.get(name + 1..)?.split_first() else {
        return None;
    };
    let mut profile = Vec::new();
    let unpacked = flate2::read::ZlibDecoder::new(packed)
        .take(MAX_PROFILE + 1)
        .read_to_end(&mut profile);
    (unpacked.is_ok() && profile.len() as u64 <= MAX_PROFILE).then_some(profile)
}

/// The file without its colour profiles. The decoder would unpack them, to a thousand times their
/// size.
pub(crate) fn without_profiles(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut profiles = chunks_before_pixels(bytes)
        .filter(|chunk| chunk.kind == *b"iCCP")
        .peekable();
    if profiles.peek().is_none() {
        return Cow::Borrowed(bytes);
    }
    let mut kept = Vec::with_capacity(bytes.len());
    let mut start = 0;
    for Chunk { place, .. } in profiles {
        kept.extend_from_slice(bytes.get(start..place.start).unwrap_or_default());
        start = place.end;
    }
    kept.extend_from_slice(bytes.get(start..).unwrap_or_default());
    Cow::Owned(kept)
}

struct Chunk {
    kind: [u8; 4],
    /// The length of its data in bytes, as stated.
    length: usize,
    /// Its range in the file, with its frame. If the file is cut short, the range ends beyond the file.
    place: Range<usize>,
}

fn chunks_before_pixels(bytes: &[u8]) -> impl Iterator<Item = Chunk> {
    let mut start = SIGNATURE;
    let chunks = std::iter::from_fn(move || {
        let (length, rest) = bytes.get(start..)?.split_first_chunk()?;
        let length = u32::from_be_bytes(*length) as usize;
        let place = start..start.saturating_add(length).saturating_add(FRAME);
        start = place.end;
        Some(Chunk {
            kind: *rest.first_chunk()?,
            length,
            place,
        })
    });
    chunks.take_while(|chunk| chunk.kind != *b"IDAT")
}
