//! What the numbers of a file mean: colour profiles, alpha, floats; and kinds of files that are not read.

use std::io::Cursor;
use std::path::Path;

use huenet_data::{DataError, decode_image};
use image::codecs::{jpeg::JpegEncoder, png::PngEncoder, tiff::TiffEncoder, webp::WebPEncoder};
use image::{DynamicImage, GrayImage, ImageEncoder, RgbImage};
use rstest::rstest;

const WIDE: &[u8] = include_bytes!("files/icc/wide.icc");
const P3: &[u8] = include_bytes!("files/icc/p3.icc");
const GREY: &[u8] = include_bytes!("files/icc/grey.icc");
const SRGB: &[u8] = include_bytes!("files/icc/srgb.icc");

const COLOURS: [[u8; 3]; 6] = [
    [200, 100, 50],
    [30, 220, 60],
    [128, 128, 128],
    [255, 0, 0],
    [10, 20, 30],
    [250, 240, 20],
];

/// [`COLOURS`] of the profiles in sRGB, as LittleCMS 2 converts them.
const FROM_WIDE: [[u8; 3]; 6] = [
    [227, 100, 42],
    [0, 221, 29],
    [129, 129, 129],
    [255, 0, 0],
    [0, 12, 24],
    [254, 240, 0],
];
const FROM_P3: [[u8; 3]; 6] = [
    [215, 93, 31],
    [0, 224, 0],
    [128, 128, 128],
    [255, 0, 0],
    [7, 20, 31],
    [252, 240, 0],
];

/// Each colour in a square of 8 x 8 pixels.
fn squares(colours: &[[u8; 3]]) -> RgbImage {
    RgbImage::from_fn(8 * colours.len() as u32, 8, |x, _| {
        colours[x as usize / 8].into()
    })
}

fn encoded(mut encoder: impl ImageEncoder, image: &DynamicImage, profile: &[u8]) {
    encoder
        .set_icc_profile(profile.to_vec())
        .expect("takes profiles");
    image.write_with_encoder(encoder).expect("encoded");
}

fn png(image: &DynamicImage, profile: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    encoded(PngEncoder::new(&mut bytes), image, profile);
    bytes
}

/// The middle of each square.
fn read(bytes: &[u8]) -> Vec<[u8; 3]> {
    let image = decode_image(Path::new("a"), bytes).expect("a sound file");
    let middles = (4..image.width()).step_by(8);
    middles.map(|x| image.get_pixel(x, 4).0).collect()
}

#[track_caller]
fn assert_near(actual: &[[u8; 3]], expected: &[[u8; 3]], most: u8) {
    let off = actual.iter().flatten().zip(expected.iter().flatten());
    let off = off.map(|(a, b)| a.abs_diff(*b)).max();
    assert_eq!(actual.len(), expected.len());
    assert!(off <= Some(most), "{actual:?} instead of {expected:?}");
}

#[rstest]
#[case(WIDE, FROM_WIDE)]
#[case(P3, FROM_P3)]
fn profiles_are_converted_to_srgb_in_every_format(
    #[case] profile: &[u8],
    #[case] expected: [[u8; 3]; 6],
) {
    let image = DynamicImage::from(squares(&COLOURS));
    assert_near(&read(&png(&image, profile)), &expected, 1);
    let mut bytes = Vec::new();
    encoded(WebPEncoder::new_lossless(&mut bytes), &image, profile);
    assert_near(&read(&bytes), &expected, 1);
    let mut bytes = Cursor::new(Vec::new());
    encoded(TiffEncoder::new(&mut bytes), &image, profile);
    assert_near(&read(&bytes.into_inner()), &expected, 1);
    // JPEG changes colours by a level or two, and the profile stretches that.
    let mut bytes = Vec::new();
    encoded(
        JpegEncoder::new_with_quality(&mut bytes, 100),
        &image,
        profile,
    );
    assert_near(&read(&bytes), &expected, 12);
    let alpha = DynamicImage::from(image.to_rgba8());
    assert_near(&read(&png(&alpha, profile)), &expected, 1);
    let deep = DynamicImage::from(image.to_rgb16());
    assert_near(&read(&png(&deep, profile)), &expected, 1);
}

#[test]
fn profiles_of_grey_are_converted() {
    let levels = [0, 10, 64, 128, 200, 255];
    let image = GrayImage::from_fn(48, 8, |x, _| [levels[x as usize / 8]].into());
    let expected = [0, 10, 81, 146, 210, 255].map(|level| [level; 3]);
    let eight = DynamicImage::from(image);
    assert_near(&read(&png(&eight, GREY)), &expected, 1);
    let deep = DynamicImage::from(eight.to_luma16());
    assert_near(&read(&png(&deep, GREY)), &expected, 1);
    let mut bytes = Vec::new();
    encoded(JpegEncoder::new_with_quality(&mut bytes, 100), &eight, GREY);
    assert_near(&read(&bytes), &expected, 3);
}

#[rstest]
#[case::srgb(SRGB)]
#[case::damaged(&WIDE[..200])]
#[case::nonsense(b"no profile")]
#[case::of_other_channels(GREY)]
fn other_profiles_change_nothing(#[case] profile: &[u8]) {
    let image = DynamicImage::from(squares(&COLOURS));
    assert_eq!(read(&png(&image, profile)), COLOURS);
}

fn tiff(bytes: &[u8]) -> Result<RgbImage, DataError> {
    decode_image(Path::new("a.tif"), bytes)
}

#[test]
fn floats_beyond_white_are_refused() {
    let error = tiff(include_bytes!("files/tiff/float_255.tif")).expect_err("bright");
    assert!(
        matches!(error, DataError::FloatRange { value: 100.0.., .. }),
        "{error}"
    );
    assert!(error.to_string().contains("a.tif"), "{error}");
    let sound = tiff(include_bytes!("files/tiff/float_1.tif")).expect("0 to 1");
    let whole = tiff(include_bytes!("files/tiff/big.tif")).expect("a BigTIFF");
    assert_eq!(sound, whole, "the same picture in floats and in bytes");
}

#[test]
fn what_is_no_number_is_refused() {
    let mut bytes = include_bytes!("files/tiff/float_1.tif").to_vec();
    let last = bytes.len() - 4;
    bytes[last..].copy_from_slice(&f32::NAN.to_le_bytes());
    let error = tiff(&bytes).expect_err("not a number");
    assert!(error.to_string().contains("NaN"), "{error}");
}

#[rstest]
#[case(include_bytes!("files/tiff/associated.tif"))]
#[case(include_bytes!("files/tiff/associated_16.tif"))]
#[case(include_bytes!("files/tiff/unassociated.tif"))]
fn colours_multiplied_by_alpha_are_divided_by_it(#[case] bytes: &[u8]) {
    let image = tiff(bytes).expect("a sound file");
    for y in 0..4 {
        // Alpha is 255, 128 and 64; where it is 0, nothing is left of the colour.
        for x in 0..3 {
            let pixel = image.get_pixel(x, y).0;
            assert_near(&[pixel], &[[200, 100, 50]], 2);
        }
    }
}

#[rstest]
#[case(include_bytes!("files/tiff/palette.tif"), "TIFF")]
#[case(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC")]
#[case(b"\0\0\0\x1Cftypavif\0\0\0\0avifmif1", "AVIF")]
#[case(b"\0\0\0\x0CJXL \r\n\x87\n....", "JPEG XL")]
#[case(b"\0\0\0\x0CjP  \r\n\x87\n....", "JPEG 2000")]
#[case(b"8BPS\0\x01", "Photoshop")]
#[case(b"qoif\0\0\0\x01\0\0\0\x01\x03\0", "QOI")]
#[case(b"\0\0\x01\0\x01\0", "icon")]
fn sound_files_of_other_kinds_are_told_to_be_converted(#[case] bytes: &[u8], #[case] name: &str) {
    let error = decode_image(Path::new("a.jpg"), bytes).expect_err("not read");
    assert!(matches!(error, DataError::Unsupported { .. }), "{error}");
    let told = error.to_string();
    assert!(told.contains(name) && told.contains("convert"), "{told}");
    assert!(
        !told.contains("restore") && !told.contains("damaged"),
        "{told}"
    );
}
