//! What a photograph holds.

use std::borrow::Cow;

use ::image::RgbImage;

/// Samples of a colour.
pub(super) const COLOURS: usize = 3;

/// An image at full size and depth, to be changed and written again.
///
/// Colours are red, green and blue, sRGB-encoded. Alpha is kept beside them as the file has it, with colours that are
/// not multiplied by it.
///
/// # Memory
///
/// It keeps 3 samples a pixel, or 4 with alpha, of 1 or 2 bytes each: 36 MB for 12 megapixels of 8 bits. Reading needs
/// up to twice as much for a moment, and the file's bytes (TIFF: three times; of floats: 12 or 16 bytes a pixel more).
/// Nothing else here copies the samples, except [`to_rgb8`](Self::to_rgb8), and [`write`](Self::write) where the
/// format keeps less than there is.
///
/// # Example
///
/// ```
/// use huenet_data::{Photograph, RgbImage, WriteOptions};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("negative.png");
/// let mut photograph = Photograph::from_rgb8(RgbImage::from_pixel(4, 3, [255, 10, 0].into()));
/// photograph.map_rows(|_, pixels| {
///     for pixel in pixels {
///         *pixel = pixel.map(|value| 1.0 - value);
///     }
/// });
/// photograph.write(&path, &WriteOptions::default())?;
/// assert_eq!(Photograph::read(&path)?.to_rgb8().get_pixel(3, 2).0, [0, 245, 255]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Photograph {
    pub(super) width: usize,
    pub(super) height: usize,
    /// 3, or 4 with alpha.
    pub(super) channels: usize,
    /// Pixel by pixel, row by row.
    pub(super) samples: Samples,
    pub(super) converted: bool,
}

/// The samples of an image.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Samples {
    Eight(Vec<u8>),
    Sixteen(Vec<u16>),
}

/// The bits of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Depth {
    /// 8 bits: 0 to 255.
    Eight,
    /// 16 bits: 0 to 65535.
    Sixteen,
}

impl Photograph {
    /// A photograph of 8 bits a sample without alpha.
    pub fn from_rgb8(image: RgbImage) -> Self {
        Self {
            width: image.width() as usize,
            height: image.height() as usize,
            channels: COLOURS,
            samples: Samples::Eight(image.into_raw()),
            converted: false,
        }
    }

    /// Width in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The bits of a sample.
    pub fn depth(&self) -> Depth {
        match self.samples {
            Samples::Eight(_) => Depth::Eight,
            Samples::Sixteen(_) => Depth::Sixteen,
        }
    }

    /// Whether it has an alpha channel, opaque or not.
    pub fn has_alpha(&self) -> bool {
        self.channels > COLOURS
    }

    /// Whether some pixel is not opaque.
    pub fn is_transparent(&self) -> bool {
        let channels = self.channels;
        self.has_alpha()
            && match &self.samples {
                Samples::Eight(all) => !is_opaque(all, channels, u8::MAX),
                Samples::Sixteen(all) => !is_opaque(all, channels, u16::MAX),
            }
    }

    /// Whether the file's colours were not sRGB and had to be converted, as its colour profile says.
    pub fn was_converted(&self) -> bool {
        self.converted
    }

    /// The image with 8 bits a sample, rounded, without alpha.
    pub fn to_rgb8(&self) -> RgbImage {
        let samples = self.eight_bits(COLOURS).into_owned();
        // Never the default: there are three samples a pixel.
        RgbImage::from_raw(self.width as u32, self.height as u32, samples).unwrap_or_default()
    }

    /// The first `kept` samples of each pixel, 8 bits each.
    pub(super) fn eight_bits(&self, kept: usize) -> Cow<'_, [u8]> {
        match &self.samples {
            Samples::Eight(all) if kept == self.channels => Cow::Borrowed(all),
            Samples::Eight(all) => {
                let pixels = all.chunks_exact(self.channels);
                pixels.flat_map(|pixel| &pixel[..kept]).copied().collect()
            }
            Samples::Sixteen(all) => {
                let pixels = all.chunks_exact(self.channels);
                let samples = pixels.flat_map(|pixel| &pixel[..kept]);
                samples.map(|&sample| to_eight_bits(sample)).collect()
            }
        }
    }
}

/// The nearest of 256 levels.
fn to_eight_bits(sample: u16) -> u8 {
    ((u32::from(sample) + 128) / 257) as u8
}

fn is_opaque<T: Copy + PartialEq>(samples: &[T], channels: usize, opaque: T) -> bool {
    let pixels = samples.chunks_exact(channels);
    pixels
        .filter_map(|pixel| pixel.get(COLOURS))
        .all(|alpha| *alpha == opaque)
}
