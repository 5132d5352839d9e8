//! Kinds of images that are not read, by name.

use ::image::ImageFormat;
use ::image::error::{ImageFormatHint, UnsupportedError, UnsupportedErrorKind};

/// Extensions, in lower case, of the files that count as images when a folder is listed.
pub(crate) const EXTENSIONS: [&str; 14] = [
    "jpg", "jpeg", "jpe", "jfif", "png", "bmp", "gif", "tif", "tiff", "webp", "ppm", "pgm", "pbm",
    "pnm",
];

/// Extensions, in lower case, of the formats in which images are written.
pub(crate) const WRITTEN: [&str; 9] = [
    "png", "jpg", "jpeg", "tif", "tiff", "webp", "bmp", "ppm", "pnm",
];

/// Extensions of images that are not read.
const FOREIGN: [&str; 16] = [
    "heic", "heif", "hif", "avif", "jxl", "jp2", "j2k", "jxr", "psd", "xcf", "exr", "hdr", "dng",
    "cr2", "nef", "arw",
];

/// Whether a file is an image of a kind that is not read, by its extension.
pub(crate) fn is_foreign(extension: &str) -> bool {
    FOREIGN
        .iter()
        .any(|foreign| foreign.eq_ignore_ascii_case(extension))
}

/// The first bytes of files that are images of other kinds, or are mistaken for images.
const SIGNATURES: [(&[u8], &str); 19] = [
    (b"\0\0\0\x0CJXL \r\n\x87\n", JPEG_XL),
    (b"\xFF\x0A", JPEG_XL),
    (b"\0\0\0\x0CjP  \r\n\x87\n", JPEG_2000),
    (b"\xFF\x4F\xFF\x51", JPEG_2000),
    (b"II\xBC\x01", "a JPEG XR image"),
    (b"8BPS", "a Photoshop document"),
    (b"gimp xcf", "a GIMP document"),
    (b"\x76\x2F\x31\x01", "an OpenEXR image"),
    (b"#?RADIANCE", RADIANCE),
    (b"#?RGBE", RADIANCE),
    (b"PF\n", "a PFM image"),
    (b"Pf\n", "a PFM image"),
    (b"qoif", "a QOI image"),
    (b"farbfeld", "a farbfeld image"),
    (b"DDS ", "a DDS texture"),
    (b"\0\0\x01\0", "an icon"),
    (b"%PDF-", "a PDF document"),
    (b"%!PS", "a PostScript document"),
    (b"<svg", "an SVG drawing"),
];

const JPEG_XL: &str = "a JPEG XL image";
const JPEG_2000: &str = "a JPEG 2000 image";
const RADIANCE: &str = "a Radiance HDR image";

/// The kind of the file, if it is a known kind that is not read.
pub(crate) fn not_read(bytes: &[u8]) -> Option<&'static str> {
    let signature = SIGNATURES.iter().find(|(it, _)| bytes.starts_with(it));
    if let Some((_, kind)) = signature {
        return Some(kind);
    }
    // ISO base media: the length of a box, its kind, and the brand of the file.
    match (bytes.get(4..8)?, bytes.get(8..12)?) {
        (b"ftyp", b"avif" | b"avis") => Some("an AVIF image"),
        (
            b"ftyp",
            b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"mif1" | b"msf1",
        ) => Some("a HEIC image"),
        (b"ftyp", b"crx ") => Some("a raw image of a camera"),
        (b"ftyp", _) => Some("a video"),
        _ => None,
    }
}

/// The kind of a file that its decoder does not support.
pub(crate) fn of_unsupported(error: &UnsupportedError) -> String {
    let format = match error.format_hint() {
        ImageFormatHint::Exact(ImageFormat::Tiff) => "a TIFF image".to_owned(),
        ImageFormatHint::Exact(format) => format!("an image of the format {format:?}"),
        _ => "an image".to_owned(),
    };
    match error.kind() {
        UnsupportedErrorKind::GenericFeature(feature) => {
            format!("{format} of an unusual kind ({feature})")
        }
        UnsupportedErrorKind::Color(_) => {
            format!("{format} of an unusual kind (its channels, or the bits of a channel)")
        }
        _ => format!("{format} of an unusual kind"),
    }
}
