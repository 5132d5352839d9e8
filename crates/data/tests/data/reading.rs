//! Image files of all kinds, sound and damaged.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use huenet_data::{DataError, decode_image, read_image};
use image::{DynamicImage, ImageFormat};
use rstest::rstest;
use tempfile::TempDir;

use crate::support::{message, picture, write};

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image
        .write_to(&mut bytes, format)
        .expect("the image is encoded");
    bytes.into_inner()
}

fn file(name: &str, bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join(name);
    write(&path, bytes);
    (folder, path)
}

#[rstest]
#[case(ImageFormat::Png)]
#[case(ImageFormat::Bmp)]
#[case(ImageFormat::Tiff)]
#[case(ImageFormat::WebP)]
#[case(ImageFormat::Pnm)]
fn the_content_decides_the_format(#[case] format: ImageFormat) {
    let image = picture(3, 20, 12);
    let (_folder, path) = file("named like a.jpg", &encoded(&image.clone().into(), format));
    assert_eq!(read_image(&path).expect("a sound file"), image);
}

#[test]
fn jpeg_is_read_nearly_as_it_was() {
    let image = picture(3, 32, 24);
    let (_folder, path) = file("a.JPG", &encoded(&image.clone().into(), ImageFormat::Jpeg));
    let read = read_image(&path).expect("a sound file");
    assert_eq!(read.dimensions(), image.dimensions());
    for (read, drawn) in read.as_raw().iter().zip(image.as_raw()) {
        assert!(read.abs_diff(*drawn) < 40);
    }
}

#[rstest]
#[case(include_bytes!("../../assets/chelsea.jpg"))]
#[case(include_bytes!("../../assets/retina.jpg"))]
#[case(include_bytes!("files/cmyk.jpg"))]
fn jpeg_files_have_the_pixels_that_the_image_crate_reads(#[case] bytes: &[u8]) {
    let read = decode_image(Path::new("a.jpg"), bytes).expect("a sound file");
    let expected = image::load_from_memory(bytes).expect("a sound file");
    assert_eq!(read, expected.into_rgb8());
}

#[test]
fn a_huge_jpeg_is_refused_before_it_is_decoded() {
    let mut bytes = encoded(&picture(3, 16, 16).into(), ImageFormat::Jpeg);
    // Height and width in the frame header (FF C0, length, 8 bits).
    let frame = bytes.windows(2).position(|pair| pair == [0xFF, 0xC0]);
    let size = frame.expect("a frame header") + 5;
    bytes[size..size + 4].fill(0xFF);
    let error = decode_image(Path::new("huge.jpg"), &bytes).expect_err("too many pixels");
    assert!(
        matches!(
            error,
            DataError::TooLarge {
                actual: 4_294_836_225,
                unit: "pixels",
                ..
            }
        ),
        "{error}"
    );
}

#[rstest]
#[case(ImageFormat::Png)]
#[case(ImageFormat::Jpeg)]
fn grey_becomes_equal_colours(#[case] format: ImageFormat) {
    let grey = image::GrayImage::from_pixel(8, 8, [77].into());
    let (_folder, path) = file("grey", &encoded(&grey.into(), format));
    let read = read_image(&path).expect("a sound file");
    assert!(read.pixels().all(|pixel| pixel.0 == [77; 3]));
}

#[test]
fn alpha_is_dropped() {
    let image = image::RgbaImage::from_pixel(4, 4, [200, 100, 50, 0].into());
    let (_folder, path) = file("transparent.png", &encoded(&image.into(), ImageFormat::Png));
    let read = read_image(&path).expect("a sound file");
    assert!(read.pixels().all(|pixel| pixel.0 == [200, 100, 50]));
}

#[test]
fn sixteen_bits_become_eight() {
    let image = DynamicImage::ImageRgb16(image::ImageBuffer::from_pixel(
        4,
        4,
        [0xFFFF, 0x8080, 0x0101].into(),
    ));
    let (_folder, path) = file("deep.png", &encoded(&image, ImageFormat::Png));
    let read = read_image(&path).expect("a sound file");
    assert!(read.pixels().all(|pixel| pixel.0 == [255, 128, 1]));
}

#[test]
fn printing_colours_are_converted() {
    let (_folder, path) = file("cmyk.jpg", include_bytes!("files/cmyk.jpg"));
    let read = read_image(&path).expect("a sound file");
    let near = |x, colour: [u8; 3]| {
        let pixel = read.get_pixel(x, 4).0;
        assert!(
            pixel.iter().zip(colour).all(|(a, b)| a.abs_diff(b) < 12),
            "{pixel:?}"
        );
    };
    near(3, [255, 0, 0]);
    near(12, [0, 255, 0]);
}

#[test]
fn the_orientation_of_the_camera_is_applied() {
    let whole = encoded(&picture(1, 20, 12).into(), ImageFormat::Jpeg);
    // An EXIF segment with one entry: orientation 6, to be turned clockwise by a quarter.
    let mut bytes = vec![0xFF, 0xD8, 0xFF, 0xE1, 0, 34];
    bytes.extend(b"Exif\0\0MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0");
    bytes.extend(&whole[2..]);
    let (_folder, path) = file("turned.jpg", &bytes);
    let (_folder_2, straight) = file("straight.jpg", &whole);
    let straight = read_image(&straight).expect("a sound file");
    let turned = read_image(&path).expect("a sound file");
    assert_eq!(turned, image::imageops::rotate90(&straight));
}

#[rstest]
#[case(ImageFormat::Jpeg)]
#[case(ImageFormat::Png)]
#[case(ImageFormat::Bmp)]
#[case(ImageFormat::Gif)]
#[case(ImageFormat::Tiff)]
#[case(ImageFormat::WebP)]
fn a_file_that_was_cut_short_is_an_error_that_names_it(#[case] format: ImageFormat) {
    let whole = encoded(&picture(3, 64, 48).into(), format);
    for part in [whole.len() / 8, whole.len() / 2, whole.len() * 9 / 10] {
        let (_folder, path) = file("cut short.jpg", &whole[..part]);
        let error = read_image(&path).expect_err("a part of a file");
        assert!(
            message(&error).contains("cut short.jpg"),
            "{format:?}: {error}"
        );
    }
}

#[test]
fn empty_files_and_texts_are_told_from_images() {
    let (_folder, path) = file("empty.jpg", b"");
    let error = read_image(&path).expect_err("no bytes");
    assert!(matches!(error, DataError::EmptyFile { .. }));
    assert!(error.to_string().contains("empty.jpg"));

    let (_folder, path) = file("page.jpg", b"<html>404 Not Found</html>");
    let error = read_image(&path).expect_err("a text");
    assert!(matches!(error, DataError::NotAnImage { .. }));
    assert!(error.to_string().contains("page.jpg"));

    let error = read_image(&path.with_file_name("gone.jpg")).expect_err("no file");
    assert!(matches!(error, DataError::Io { .. }));
    assert!(message(&error).contains("gone.jpg"));
}

#[test]
fn a_huge_image_is_refused_before_it_is_decoded() {
    // The header of a bitmap of 40,000 x 40,000 pixels, and nothing else.
    let mut bytes = b"BM".to_vec();
    for word in [
        54_u32,
        0,
        54,
        40,
        40_000,
        40_000,
        1 | 24 << 16,
        0,
        0,
        0,
        0,
        0,
        0,
    ] {
        bytes.extend(word.to_le_bytes());
    }
    let (_folder, path) = file("huge.bmp", &bytes);
    let error = read_image(&path).expect_err("too many pixels");
    let DataError::TooLarge {
        actual: 1_600_000_000,
        unit: "pixels",
        ..
    } = error
    else {
        panic!("{error}")
    };
}

#[test]
fn damaged_bytes_never_panic() {
    for format in [
        ImageFormat::Jpeg,
        ImageFormat::Png,
        ImageFormat::Gif,
        ImageFormat::WebP,
    ] {
        let whole = encoded(&picture(3, 24, 16).into(), format);
        for at in (0..whole.len()).step_by(whole.len() / 24 + 1) {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x55;
            let (_folder, path) = file("damaged", &bytes);
            let _ = read_image(&path);
        }
    }
}

/// A PNG of 4 x 4 pixels with a palette of so many bytes, and a packed colour profile.
fn with_palette(length: usize, profile: Option<&[u8]>) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1A\n".to_vec();
    let mut chunk = |kind: &[u8], data: &[u8]| {
        bytes.extend((data.len() as u32).to_be_bytes());
        let checked = [kind, data].concat();
        let mut checksum = flate2::Crc::new();
        checksum.update(&checked);
        bytes.extend(checked);
        bytes.extend(checksum.sum().to_be_bytes());
    };
    chunk(b"IHDR", &[0, 0, 0, 4, 0, 0, 0, 4, 8, 3, 0, 0, 0]);
    if let Some(profile) = profile {
        chunk(b"iCCP", &[&b"a profile\0\0"[..], profile].concat());
    }
    chunk(b"PLTE", &vec![7; length]);
    let mut pixels = Vec::new();
    let mut packer = flate2::read::ZlibEncoder::new(&[0; 20][..], flate2::Compression::fast());
    std::io::Read::read_to_end(&mut packer, &mut pixels).expect("packed");
    chunk(b"IDAT", &pixels);
    chunk(b"IEND", &[]);
    bytes
}

#[test]
fn palettes_that_are_none_are_refused_without_a_panic() {
    let read = |length| decode_image(Path::new("palette.png"), &with_palette(length, None));
    let sound = read(6).expect("two colours");
    assert!(sound.pixels().all(|pixel| pixel.0 == [7; 3]));
    for length in [1, 4, 5, 725, 771, 1000] {
        let error = read(length).expect_err("no palette");
        assert!(
            error.to_string().contains("palette.png"),
            "{length}: {error}"
        );
    }
}

/// The most memory that this process has used, in KiB.
#[cfg(target_os = "linux")]
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells it");
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.and_then(|it| it.parse().ok()).expect("a number")
}

#[cfg(target_os = "linux")]
#[test]
fn a_colour_profile_is_not_unpacked() {
    // 400 MiB of nothing, in a thousandth of that.
    let packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut packer = std::io::BufWriter::new(packer);
    std::io::copy(
        &mut std::io::Read::take(std::io::repeat(0), 400 << 20),
        &mut packer,
    )
    .expect("packed");
    let packer = packer.into_inner().expect("packed");
    let bytes = with_palette(6, Some(&packer.finish().expect("packed")));
    let before = peak_memory();
    let read = decode_image(Path::new("profile.png"), &bytes).expect("a sound file");
    assert!(read.pixels().all(|pixel| pixel.0 == [7; 3]));
    let grown = peak_memory() - before;
    assert!(grown < 200 << 10, "{grown} KiB more");
}

#[rstest]
#[case(b"P6 0 5 255\n", (0, 5))]
#[case(b"P6 5 0 255\n", (5, 0))]
fn an_image_without_pixels_is_refused(#[case] bytes: &[u8], #[case] size: (u64, u64)) {
    let error = decode_image(Path::new("empty.ppm"), bytes).expect_err("no pixels");
    assert!(error.to_string().contains("empty.ppm"), "{error}");
    let DataError::NoPixels { width, height, .. } = error else {
        panic!("{error}")
    };
    assert_eq!((width, height), size);
}
