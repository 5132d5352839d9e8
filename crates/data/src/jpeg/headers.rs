//! Reads the headers of a JPEG file (ITU-T T.81, annex B).

const START_OF_IMAGE: u8 = 0xD8;
const END_OF_IMAGE: u8 = 0xD9;
const START_OF_SCAN: u8 = 0xDA;
const RESTARTS: std::ops::RangeInclusive<u8> = 0xD0..=0xD7;
const FRAMES: std::ops::RangeInclusive<u8> = 0xC0..=0xCF;
/// Markers among [`FRAMES`] that begin no frame: Huffman tables, an extension, arithmetic coding's conditions.
const NO_FRAMES: [u8; 3] = [0xC4, 0xC8, 0xCC];
const PROGRESSIVE: u8 = 0xC2;

/// The headers of a file's first image.
#[derive(Debug, Default)]
pub(super) struct Headers {
    frame: Option<Frame>,
    /// How many components each scan has.
    scans: Vec<u8>,
}

/// A frame header.
#[derive(Debug)]
struct Frame {
    /// Its marker, which tells how the image is coded.
    coding: u8,
    /// Bits of a sample.
    precision: u8,
    /// Lines of the image; 0 if they are told after the first scan.
    lines: u16,
    /// How often each component is sampled across and down.
    sampling: Vec<(u8, u8)>,
}

/// The decoder that decodes the file correctly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decoder {
    /// `zune-jpeg`, the fast one: the usual samplings, in one scan or progressive.
    Fast,
    /// `jpeg-decoder`: any sampling, any scans.
    General,
}

impl Headers {
    /// The headers; `None` if the bytes end before the image does. Bytes after its end marker are
    /// ignored. So is the end marker of a thumbnail, which lies inside a segment.
    ///
    /// Decoders fill the missing part of a file that was cut short with grey and report success. Networks
    /// would be trained on that unnoticed. So this function looks for the end of the image, as
    /// TensorFlow's decoder does.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut headers = Self::default();
        let mut rest = bytes;
        let mut in_scan = false;
        while let Some((marker, after)) = next_marker(rest, in_scan) {
            rest = after;
            match marker {
                END_OF_IMAGE => return Some(headers),
                START_OF_IMAGE | 0x01 => {}
                marker if RESTARTS.contains(&marker) => {}
                marker => {
                    let length = usize::from(u16::from_be_bytes(*rest.first_chunk()?));
                    let (segment, after) = rest.split_at_checked(length)?;
                    rest = after;
                    in_scan = marker == START_OF_SCAN;
                    headers.note(marker, segment.get(2..).unwrap_or_default());
                }
            }
        }
        None
    }

    fn note(&mut self, marker: u8, segment: &[u8]) {
        if marker == START_OF_SCAN {
            self.scans.push(segment.first().copied().unwrap_or(0));
        } else if FRAMES.contains(&marker) && !NO_FRAMES.contains(&marker) && self.frame.is_none() {
            self.frame = Frame::read(marker, segment);
        }
    }

    /// The number of channels, if there is a frame header.
    pub(super) fn channels(&self) -> Option<usize> {
        self.frame.as_ref().map(|frame| frame.sampling.len())
    }

    /// The decoder for the file, or the kind of the file if no decoder reads it.
    pub(super) fn decoder(&self) -> Result<Decoder, &'static str> {
        let Some(frame) = &self.frame else {
            // It fails, and its error says what is missing.
            return Ok(Decoder::Fast);
        };
        match frame.coding {
            0xC0..=PROGRESSIVE => {}
            0xC3 => return Err("a lossless JPEG"),
            0xC9..=0xCB => return Err("a JPEG with arithmetic coding"),
            _ => return Err("a hierarchical JPEG"),
        }
        if frame.precision != 8 {
            return Err("a JPEG of more than 8 bits a sample");
        }
        if frame.lines == 0 {
            return Err("a JPEG whose height is told after its pixels");
        }
        match (frame.sampling.len(), self.is_usual(frame)) {
            (1 | 3 | 4, true) => Ok(Decoder::Fast),
            (1 | 3, false) if self.is_general(frame) => Ok(Decoder::General),
            (1 | 3, false) => Err("a JPEG whose channels are sampled in an unusual way"),
            (4, false) => Err("a JPEG in printing colours with unusual sampling or several scans"),
            _ => Err("a JPEG of neither 1, 3 nor 4 channels"),
        }
    }

    /// Whether all channels are in the only scan.
    fn is_one_scan(&self, frame: &Frame) -> bool {
        matches!(self.scans[..], [all] if usize::from(all) == frame.sampling.len())
    }

    /// Whether `jpeg-decoder` decodes the file correctly. In scans of a single component it miscounts the
    /// blocks of a component that is sampled more than once but less often than another one.
    fn is_general(&self, frame: &Frame) -> bool {
        let sampling = || frame.sampling.iter().copied();
        let across = sampling().map(|(across, _)| across).max().unwrap_or(0);
        let down = sampling().map(|(_, down)| down).max().unwrap_or(0);
        let whole = |most: u8, it: u8| most.checked_rem(it) == Some(0);
        let extreme = |most: u8, it: u8| it == 1 || it == most;
        sampling().all(|it| whole(across, it.0) && whole(down, it.1))
            && (self.is_one_scan(frame)
                || sampling().all(|it| extreme(across, it.0) && extreme(down, it.1)))
    }

    /// Whether the image is coded as nearly all images are. Others `zune-jpeg` sometimes decodes wrongly
    /// without an error.
    fn is_usual(&self, frame: &Frame) -> bool {
        let Some((first, others)) = frame.sampling.split_first() else {
            return false;
        };
        let sampling = match others {
            [] => *first == (1, 1),
            [chroma @ .., key] if chroma.len() == 2 => {
                (*first == *key || *key == (1, 1)) && is_usual(*first, chroma)
            }
            chroma => is_usual(*first, chroma),
        };
        sampling && (self.is_one_scan(frame) || frame.coding == PROGRESSIVE)
    }
}

/// Whether the first component is sampled once or twice as often as the others, each way.
fn is_usual((across, down): (u8, u8), others: &[(u8, u8)]) -> bool {
    (1..=2).contains(&across) && (1..=2).contains(&down) && others.iter().all(|it| *it == (1, 1))
}

impl Frame {
    fn read(coding: u8, segment: &[u8]) -> Option<Self> {
        let (&[precision, high, low, _, _, _], components) = segment.split_first_chunk()?;
        let sampling = components.chunks_exact(3);
        Some(Self {
            coding,
            precision,
            lines: u16::from_be_bytes([high, low]),
            sampling: sampling.map(|it| (it[1] >> 4, it[1] & 15)).collect(),
        })
    }
}

/// The next marker and what follows it. In a scan, 0xFF 0x00 is the data byte 0xFF.
fn next_marker(bytes: &[u8], in_scan: bool) -> Option<(u8, &[u8])> {
    memchr::memchr_iter(0xFF, bytes).find_map(|at| {
        let (&code, rest) = bytes.get(at + 1..)?.split_first()?;
        let is_data = code == 0xFF || in_scan && (code == 0 || RESTARTS.contains(&code));
        (!is_data).then_some((code, rest))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete(bytes: &[u8]) -> bool {
        Headers::read(bytes).is_some()
    }

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
        assert!(complete(&whole));
        for length in 0..whole.len() {
            assert!(
                !complete(&whole[..length]),
                "cut at {length} of {}",
                whole.len()
            );
        }
        assert!(complete(&[whole, b"trailing".to_vec()].concat()));
    }

    #[test]
    fn the_end_of_a_thumbnail_is_not_the_end_of_the_image() {
        let whole = jpeg();
        // An application segment that holds a whole JPEG, before everything else.
        let mut bytes = vec![0xFF, START_OF_IMAGE, 0xFF, 0xE1];
        bytes.extend((whole.len() as u16 + 2).to_be_bytes());
        bytes.extend(&whole);
        bytes.extend(&whole[2..]);
        assert!(complete(&bytes));
        bytes.truncate(bytes.len() - 3);
        assert!(!complete(&bytes));
    }
}
