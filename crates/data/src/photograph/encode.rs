//! Encodes photographs.

use std::borrow::Cow;
use std::io::{self, BufWriter, Seek, Write};

use ::image::codecs::bmp::BmpEncoder;
use ::image::codecs::jpeg::JpegEncoder;
use ::image::codecs::webp::WebPEncoder;
use ::image::{ExtendedColorType, ImageEncoder, ImageError};
use ::tiff::TiffError;
use ::tiff::encoder::colortype::{ColorType, RGB8, RGB16};
use ::tiff::encoder::{TiffEncoder, TiffValue};
use ::tiff::tags::{ExtraSamples, Tag, Type};

use super::exif;
use super::format::Format;
use super::pixels::{COLOURS, Photograph, Samples};

/// Bytes that are packed before a chunk of a PNG file is written.
const PNG_CHUNK: usize = 1 << 18;

/// Writes a photograph in a format, with the text `made_by` where the format has a place for it. What the format
/// cannot keep is left out.
pub(super) fn encode(
    photograph: &Photograph,
    format: Format,
    quality: u8,
    made_by: Option<&str>,
    file: impl Write + Seek,
) -> io::Result<()> {
    let mut file = BufWriter::new(file);
    match format {
        Format::Png => png(photograph, made_by, &mut file)?,
        Format::Tiff => tiff(photograph, made_by, &mut file).map_err(of_tiff)?,
        Format::Pnm => pnm(photograph, made_by, &mut file)?,
        Format::Jpeg => {
            // Without subsampling of chroma.
            let encoder = JpegEncoder::new_with_quality(&mut file, quality);
            eight_bits(photograph, COLOURS, made_by, encoder).map_err(of_image)?;
        }
        Format::WebP => {
            let encoder = WebPEncoder::new_lossless(&mut file);
            eight_bits(photograph, photograph.channels, made_by, encoder).map_err(of_image)?;
        }
        Format::Bmp => {
            eight_bits(photograph, COLOURS, None, BmpEncoder::new(&mut file)).map_err(of_image)?;
        }
    }
    file.flush()
}

/// Writes `kept` samples of 8 bits a pixel.
fn eight_bits(
    photograph: &Photograph,
    kept: usize,
    made_by: Option<&str>,
    mut encoder: impl ImageEncoder,
) -> Result<(), ImageError> {
    if let Some(text) = made_by {
        encoder
            .set_exif_metadata(exif::software(text.as_bytes()))
            .map_err(ImageError::Unsupported)?;
    }
    let colour = match kept {
        COLOURS => ExtendedColorType::Rgb8,
        _ => ExtendedColorType::Rgba8,
    };
    let (width, height) = (photograph.width as u32, photograph.height as u32);
    encoder.write_image(&photograph.eight_bits(kept), width, height, colour)
}

fn png(photograph: &Photograph, made_by: Option<&str>, file: &mut impl Write) -> io::Result<()> {
    let (width, height) = (photograph.width as u32, photograph.height as u32);
    let mut encoder = ::png::Encoder::new(file, width, height);
    encoder.set_color(match photograph.channels {
        COLOURS => ::png::ColorType::Rgb,
        _ => ::png::ColorType::Rgba,
    });
    encoder.set_depth(match photograph.samples {
        Samples::Eight(_) => ::png::BitDepth::Eight,
        Samples::Sixteen(_) => ::png::BitDepth::Sixteen,
    });
    encoder.set_compression(::png::Compression::Fast);
    if let Some(text) = made_by {
        let (keyword, text) = ("Software".to_owned(), text.to_owned());
        match text.is_ascii() {
            true => encoder.add_text_chunk(keyword, text)?,
            false => encoder.add_itxt_chunk(keyword, text)?,
        }
    }
    let mut writer = encoder.write_header()?;
    let mut pixels = writer.stream_writer_with_size(PNG_CHUNK)?;
    big_endian(photograph, photograph.channels, &mut pixels)?;
    pixels.finish()?;
    Ok(writer.finish()?)
}

fn tiff(
    photograph: &Photograph,
    made_by: Option<&str>,
    file: impl Write + Seek,
) -> Result<(), TiffError> {
    match &photograph.samples {
        Samples::Eight(all) => strips::<RGB8>(photograph, all, made_by, file),
        Samples::Sixteen(all) => strips::<RGB16>(photograph, all, made_by, file),
    }
}

fn strips<C: ColorType>(
    photograph: &Photograph,
    samples: &[C::Inner],
    made_by: Option<&str>,
    file: impl Write + Seek,
) -> Result<(), TiffError>
where
    [C::Inner]: TiffValue,
{
    let mut encoder = TiffEncoder::new(file)?;
    let mut image = encoder.new_image::<C>(photograph.width as u32, photograph.height as u32)?;
    if photograph.has_alpha() {
        image.extra_samples(&[ExtraSamples::UnassociatedAlpha])?;
    }
    if let Some(text) = made_by {
        image.encoder().write_tag(Tag::Software, Text(text))?;
    }
    image.write_data(samples)
}

/// A text of a TIFF file: in UTF-8, although the standard knows only ASCII.
struct Text<'a>(&'a str);

impl TiffValue for Text<'_> {
    const BYTE_LEN: u8 = 1;
    const FIELD_TYPE: Type = Type::ASCII;

    fn count(&self) -> usize {
        self.0.len() + 1
    }

    fn data(&self) -> Cow<'_, [u8]> {
        [self.0.as_bytes(), &[0]].concat().into()
    }
}

fn pnm(photograph: &Photograph, made_by: Option<&str>, file: &mut impl Write) -> io::Result<()> {
    let (width, height) = (photograph.width, photograph.height);
    let white = match photograph.samples {
        Samples::Eight(_) => u16::from(u8::MAX),
        Samples::Sixteen(_) => u16::MAX,
    };
    writeln!(file, "P6")?;
    for line in made_by.into_iter().flat_map(str::lines) {
        writeln!(file, "# {line}")?;
    }
    write!(file, "{width} {height}\n{white}\n")?;
    big_endian(photograph, COLOURS, file)
}

/// Writes the first `kept` samples of each pixel, row by row, the higher byte first.
fn big_endian(photograph: &Photograph, kept: usize, file: &mut impl Write) -> io::Result<()> {
    let channels = photograph.channels;
    let stride = (photograph.width * channels).max(1);
    let mut bytes = Vec::new();
    match &photograph.samples {
        Samples::Eight(all) if kept == channels => file.write_all(all)?,
        Samples::Eight(all) => {
            for row in all.chunks_exact(stride) {
                bytes.clear();
                bytes.extend(row.chunks_exact(channels).flat_map(|pixel| &pixel[..kept]));
                file.write_all(&bytes)?;
            }
        }
        Samples::Sixteen(all) => {
            for row in all.chunks_exact(stride) {
                let samples = row.chunks_exact(channels).flat_map(|pixel| &pixel[..kept]);
                bytes.clear();
                bytes.extend(samples.flat_map(|sample| sample.to_be_bytes()));
                file.write_all(&bytes)?;
            }
        }
    }
    Ok(())
}

fn of_image(error: ImageError) -> io::Error {
    match error {
        ImageError::IoError(error) => error,
        error => io::Error::other(error),
    }
}

fn of_tiff(error: TiffError) -> io::Error {
    match error {
        TiffError::IoError(error) => error,
        error => io::Error::other(error),
    }
}
