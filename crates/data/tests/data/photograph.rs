//! Photographs at full size and depth: what is kept of a file, and what is written.

use std::io::Cursor;
use std::path::PathBuf;

use huenet_data::{DataError, Depth, Photograph, WriteOptions, Written, read_image};
use image::codecs::png::PngEncoder;
use image::{
    DynamicImage, ImageBuffer, ImageDecoder, ImageEncoder, ImageFormat, ImageReader, Luma, LumaA,
    Rgb, RgbImage, Rgba, RgbaImage,
};
use proptest::prelude::*;
use rstest::rstest;
use tempfile::TempDir;

use crate::support::{message, picture, write};

fn folder() -> TempDir {
    TempDir::new().expect("a folder")
}

fn deep(width: u32, height: u32) -> ImageBuffer<Rgb<u16>, Vec<u16>> {
    ImageBuffer::from_fn(width, height, |x, y| {
        let value = (x * 7919 + y * 104_729) as u16;
        [value, value.wrapping_mul(3), !value].into()
    })
}

fn deep_with_alpha(width: u32, height: u32) -> ImageBuffer<Rgba<u16>, Vec<u16>> {
    ImageBuffer::from_fn(width, height, |x, y| {
        let value = (x * 7919 + y * 104_729) as u16;
        [value, value.wrapping_mul(3), !value, value.wrapping_mul(5)].into()
    })
}

fn with_alpha(width: u32, height: u32) -> RgbaImage {
    RgbaImage::from_fn(width, height, |x, y| {
        [x as u8, y as u8, 77, (x * y) as u8].into()
    })
}

/// Writes what an image file holds to a file of another name; both are read with the crate `image`.
fn copied(image: &DynamicImage, name: &str) -> (DynamicImage, Written) {
    let folder = folder();
    let (from, to) = (folder.path().join("from.png"), folder.path().join(name));
    image.save(&from).expect("saved");
    let photograph = Photograph::read(&from).expect("a sound file");
    let written = photograph
        .write(&to, &WriteOptions::default())
        .expect("written");
    // What is read again is what was written.
    if written == Written::default() && !name.ends_with("jpg") {
        assert_eq!(Photograph::read(&to).expect("a sound file"), photograph);
    }
    (image::open(&to).expect("a sound file"), written)
}

#[rstest]
fn samples_of_eight_bits_are_kept_by_every_format_without_loss(
    #[values("a.png", "a.TIF", "a.tiff", "a.webp", "a.bmp", "a.ppm", "a.pnm")] name: &str,
    #[values((1, 1), (3, 500), (500, 3), (31, 17))] (width, height): (u32, u32),
) {
    let image = DynamicImage::ImageRgb8(picture(5, width, height));
    assert_eq!(copied(&image, name), (image, Written::default()));
}

#[rstest]
fn samples_of_sixteen_bits_are_kept_where_the_format_has_them(
    #[values("a.png", "a.tif", "a.ppm")] name: &str,
    #[values((1, 1), (3, 500), (31, 17))] (width, height): (u32, u32),
) {
    let image = DynamicImage::ImageRgb16(deep(width, height));
    assert_eq!(copied(&image, name), (image, Written::default()));
}

#[rstest]
fn alpha_is_kept_where_the_format_has_it(
    #[values("a.png", "a.tif", "a.webp")] name: &str,
    #[values((1, 1), (31, 17))] (width, height): (u32, u32),
) {
    let image = DynamicImage::ImageRgba8(with_alpha(width, height));
    assert_eq!(copied(&image, name), (image, Written::default()));
}

#[rstest]
#[case("a.png")]
#[case("a.tif")]
fn deep_alpha_is_kept(#[case] name: &str) {
    let image = DynamicImage::ImageRgba16(deep_with_alpha(31, 17));
    assert_eq!(copied(&image, name), (image, Written::default()));
}

#[rstest]
#[case("a.bmp", true)]
#[case("a.webp", false)]
#[case("a.jpg", true)]
#[case("a.ppm", true)]
fn what_a_format_cannot_keep_is_told_and_rounded(#[case] name: &str, #[case] lost_alpha: bool) {
    let image = DynamicImage::ImageRgba16(deep_with_alpha(64, 64));
    let (read, written) = copied(&image, name);
    assert_eq!(written.lost_depth, !name.ends_with("ppm"));
    assert_eq!(written.lost_alpha, lost_alpha);
    if name.ends_with("ppm") {
        assert_eq!(read, DynamicImage::ImageRgb16(image.into_rgb16()));
    } else if name.ends_with("webp") {
        assert_eq!(read, DynamicImage::ImageRgba8(image.into_rgba8()));
    } else if name.ends_with("bmp") {
        assert_eq!(read, DynamicImage::ImageRgb8(image.into_rgb8()));
    }
}

#[test]
fn an_alpha_that_is_opaque_everywhere_is_no_loss() {
    let image = RgbaImage::from_pixel(4, 4, [1, 2, 3, 255].into());
    let (_, written) = copied(&image.into(), "a.jpg");
    assert_eq!(written, Written::default());
}

#[test]
fn a_jpeg_of_high_quality_is_near_and_a_low_one_is_smaller() {
    let folder = folder();
    // Fine chroma, which subsampling would lose.
    let image = RgbImage::from_fn(64, 64, |x, _| {
        [[200, 40, 90].into(), [40, 120, 90].into()][x as usize % 2]
    });
    let photograph = Photograph::from_rgb8(image.clone());
    let size = |quality| {
        let path = folder.path().join("a.jpeg");
        let options = WriteOptions {
            quality,
            ..WriteOptions::default()
        };
        photograph.write(&path, &options).expect("written");
        let read = read_image(&path).expect("a sound file");
        let off = read.as_raw().iter().zip(image.as_raw());
        let worst = off.map(|(a, b)| a.abs_diff(*b)).max();
        (std::fs::metadata(&path).expect("there").len(), worst)
    };
    let ((fine, near), (coarse, far)) = (size(95), size(20));
    assert!(coarse < fine, "{coarse} < {fine}");
    assert!(near < Some(12), "{near:?}");
    assert!(far > near, "{far:?} > {near:?}");
}

#[rstest]
#[case(DynamicImage::ImageLuma8(ImageBuffer::from_pixel(5, 4, Luma([77]))), 77, Depth::Eight, None)]
#[case(DynamicImage::ImageLuma16(ImageBuffer::from_pixel(5, 4, Luma([7777]))), 7777, Depth::Sixteen, None)]
#[case(DynamicImage::ImageLumaA8(ImageBuffer::from_pixel(5, 4, LumaA([77, 9]))), 77, Depth::Eight, Some(9))]
#[case(DynamicImage::ImageLumaA16(ImageBuffer::from_pixel(5, 4, LumaA([7777, 9]))), 7777, Depth::Sixteen, Some(9))]
fn grey_becomes_equal_colours(
    #[case] image: DynamicImage,
    #[case] grey: u16,
    #[case] depth: Depth,
    #[case] alpha: Option<u16>,
) {
    let (read, _) = copied(&image, "a.png");
    let expected: Vec<u16> = [grey; 3].into_iter().chain(alpha).collect();
    let samples: Vec<u16> = match (&read, depth) {
        (DynamicImage::ImageRgb8(read), Depth::Eight) => {
            read.iter().copied().map(u16::from).collect()
        }
        (DynamicImage::ImageRgba8(read), Depth::Eight) => {
            read.iter().copied().map(u16::from).collect()
        }
        (DynamicImage::ImageRgb16(read), Depth::Sixteen) => read.to_vec(),
        (DynamicImage::ImageRgba16(read), Depth::Sixteen) => read.to_vec(),
        _ => panic!("{:?}", read.color()),
    };
    assert!(
        samples
            .chunks(expected.len())
            .all(|pixel| pixel == expected)
    );
}

#[test]
fn the_orientation_of_the_camera_is_applied_and_gone() {
    let mut whole = Cursor::new(Vec::new());
    picture(1, 20, 12)
        .write_to(&mut whole, ImageFormat::Jpeg)
        .expect("encoded");
    // An EXIF segment with one entry: orientation 6, to be turned clockwise by a quarter.
    let mut bytes = vec![0xFF, 0xD8, 0xFF, 0xE1, 0, 34];
    bytes.extend(b"Exif\0\0MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0");
    bytes.extend(&whole.into_inner()[2..]);
    let folder = folder();
    let (from, to) = (folder.path().join("a.jpg"), folder.path().join("b.png"));
    write(&from, &bytes);
    let photograph = Photograph::read(&from).expect("a sound file");
    assert_eq!((photograph.width(), photograph.height()), (12, 20));
    photograph
        .write(&to, &WriteOptions::default())
        .expect("written");
    assert_eq!(
        read_image(&to).expect("sound"),
        read_image(&from).expect("sound")
    );
}

#[rstest]
fn colours_with_a_profile_become_srgb_with_all_their_bits(
    #[values(false, true)] deep: bool,
    #[values(false, true)] alpha: bool,
) {
    let wide = include_bytes!("files/icc/wide.icc");
    // More pixels than are converted at once.
    let image = RgbImage::from_fn(200, 100, |x, y| [x as u8, y as u8, (x + y) as u8].into());
    let image = DynamicImage::ImageRgb8(image);
    let image = match (deep, alpha) {
        (false, false) => image,
        (false, true) => {
            let mut image = image.into_rgba8();
            image
                .pixels_mut()
                .enumerate()
                .for_each(|(i, pixel)| pixel.0[3] = i as u8);
            image.into()
        }
        (true, false) => image.into_rgb16().into(),
        (true, true) => {
            let mut image = image.into_rgba16();
            image
                .pixels_mut()
                .enumerate()
                .for_each(|(i, pixel)| pixel.0[3] = i as u16);
            image.into()
        }
    };
    let folder = folder();
    let (path, again) = (
        folder.path().join("wide.png"),
        folder.path().join("srgb.png"),
    );
    let mut bytes = Vec::new();
    let mut encoder = PngEncoder::new(&mut bytes);
    encoder
        .set_icc_profile(wide.to_vec())
        .expect("takes profiles");
    image.write_with_encoder(encoder).expect("encoded");
    write(&path, &bytes);

    let photograph = Photograph::read(&path).expect("a sound file");
    assert!(photograph.was_converted());
    assert_eq!(photograph.has_alpha(), alpha);
    assert_eq!(
        photograph.depth(),
        if deep { Depth::Sixteen } else { Depth::Eight }
    );
    assert_eq!(
        photograph.to_rgb8(),
        read_image(&path).expect("a sound file")
    );
    assert_ne!(photograph.to_rgb8(), image.to_rgb8());
    photograph
        .write(&again, &WriteOptions::default())
        .expect("written");
    let read = Photograph::read(&again).expect("a sound file");
    assert!(!read.was_converted());
    assert_eq!(read.to_rgb8(), photograph.to_rgb8());
    let kept = image::open(&again).expect("a sound file").into_rgba16();
    let alphas = kept.pixels().zip(
        image
            .to_rgba16()
            .into_raw()
            .chunks(4)
            .map(|it| it[3])
            .collect::<Vec<_>>(),
    );
    for (kept, alpha) in alphas {
        assert_eq!(kept.0[3], alpha);
    }
}

#[rstest]
fn a_map_that_changes_nothing_keeps_every_sample(#[values("a.png", "deep.png")] name: &str) {
    let folder = folder();
    let path = folder.path().join(name);
    let image: DynamicImage = match name {
        "a.png" => RgbaImage::from_fn(256, 2, |x, y| {
            [x as u8, 255 - x as u8, y as u8, x as u8].into()
        })
        .into(),
        _ => DynamicImage::ImageRgb16(ImageBuffer::from_fn(256, 256, |x, y| {
            let value = (x + 256 * y) as u16;
            [value, !value, value ^ 255].into()
        })),
    };
    image.save(&path).expect("saved");
    let read = Photograph::read(&path).expect("a sound file");
    let mut mapped = read.clone();
    mapped.map_rows(|_, _| {});
    assert_eq!(mapped, read);
}

#[test]
fn mapped_colours_are_clipped_and_rounded_to_the_nearest_level() {
    let values = [
        (-1.0, 0),
        (f32::NAN, 0),
        (0.49 / 255.0, 0),
        (0.51 / 255.0, 1),
        (127.49 / 255.0, 127),
        (127.51 / 255.0, 128),
        (254.51 / 255.0, 255),
        (7.0, 255),
    ];
    for (value, expected) in values {
        let mut photograph = Photograph::from_rgb8(RgbImage::new(3, 2));
        photograph.map_rows(|_, pixels| pixels.fill([value, 0.0, 1.0]));
        let image = photograph.to_rgb8();
        assert!(
            image.pixels().all(|pixel| pixel.0 == [expected, 0, 255]),
            "{value}"
        );
    }
}

#[test]
fn each_row_is_mapped_once_under_its_number_whatever_the_threads() {
    let map = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .expect("threads");
        let mut photograph = Photograph::from_rgb8(RgbImage::new(5, 200));
        pool.install(|| {
            photograph.map_rows(|row, pixels| {
                for (column, pixel) in pixels.iter_mut().enumerate() {
                    pixel[0] += (row + column) as f32 / 255.0;
                }
            });
        });
        photograph.to_rgb8()
    };
    let expected = RgbImage::from_fn(5, 200, |x, y| [(x + y) as u8, 0, 0].into());
    assert_eq!(map(1), expected);
    assert_eq!(map(4), expected);
}

#[test]
fn a_row_has_the_colours_of_its_pixels() {
    let photograph = Photograph::from_rgb8(picture(2, 7, 5));
    let row: Vec<_> = (0..7)
        .map(|x| {
            picture(2, 7, 5)
                .get_pixel(x, 3)
                .0
                .map(|it| f32::from(it) / 255.0)
        })
        .collect();
    assert_eq!(photograph.row(3), row);
    assert!(photograph.row(5).is_empty());
}

#[test]
fn the_same_size_is_the_image_itself() {
    let image = picture(3, 9, 7);
    let reduced = Photograph::from_rgb8(image.clone()).reduced(9, 7);
    let colours: Vec<_> = image
        .pixels()
        .map(|it| it.0.map(|it| f32::from(it) / 255.0))
        .collect();
    assert_eq!(reduced, colours);
}

#[test]
fn a_pixel_counts_by_the_share_of_it_that_is_covered() {
    let image =
        RgbImage::from_raw(3, 1, vec![0, 0, 0, 30, 60, 90, 255, 255, 255]).expect("9 samples");
    let reduced = Photograph::from_rgb8(image).reduced(2, 1);
    // One pixel and half of the middle one.
    let expected = [[10.0, 20.0, 30.0], [180.0, 190.0, 200.0]];
    for (actual, expected) in reduced.as_flattened().iter().zip(expected.as_flattened()) {
        assert!(
            (actual * 255.0 - expected).abs() < 1e-4,
            "{actual} {expected}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn the_mean_of_the_image_is_kept(
        width in 1_u32..40, height in 1_u32..40, to_width in 1_usize..60, to_height in 1_usize..60,
    ) {
        let image = RgbImage::from_fn(width, height, |x, y| [(x * 91 + y * 37) as u8, (x * y) as u8, 200].into());
        let mean = |values: &[[f32; 3]], channel: usize| {
            values.iter().map(|it| f64::from(it[channel])).sum::<f64>() / values.len() as f64
        };
        let photograph = Photograph::from_rgb8(image);
        let all = photograph.reduced(width as usize, height as usize);
        let reduced = photograph.reduced(to_width, to_height);
        prop_assert_eq!(reduced.len(), to_width * to_height);
        for channel in 0..3 {
            prop_assert!((mean(&all, channel) - mean(&reduced, channel)).abs() < 1e-5);
        }
    }
}

#[test]
fn transparent_pixels_do_not_count() {
    let image = RgbaImage::from_fn(8, 4, |x, _| match x {
        0..4 if x % 2 == 0 => [255, 0, 255, 0].into(),
        0..4 => [10, 20, 30, 255].into(),
        4..6 => [100, 100, 100, 51].into(),
        _ => [255, 255, 255, 0].into(),
    });
    let folder = folder();
    let path = folder.path().join("a.png");
    image.save(&path).expect("saved");
    let photograph = Photograph::read(&path).expect("a sound file");
    let reduced = photograph.reduced(4, 1);
    let levels: Vec<_> = reduced
        .iter()
        .map(|it| it.map(|it| (it * 255.0).round()))
        .collect();
    assert_eq!(
        levels,
        [[10.0, 20.0, 30.0], [10.0, 20.0, 30.0], [100.0; 3], [0.0; 3]]
    );
    let alpha = photograph.reduced_alpha(4, 1).expect("alpha");
    let expected = [0.5, 0.5, 0.2, 0.0];
    assert!(
        alpha
            .iter()
            .zip(expected)
            .all(|(a, b)| (a - b).abs() < 1e-6),
        "{alpha:?}"
    );
    assert_eq!(
        Photograph::from_rgb8(picture(1, 3, 3)).reduced_alpha(2, 2),
        None
    );
}

/// What [`WriteOptions::description`] leaves in a file.
fn described(name: &str, text: &str) -> (PathBuf, TempDir, Written) {
    let folder = folder();
    let path = folder.path().join(name);
    let options = WriteOptions {
        description: Some(text.to_owned()),
        ..WriteOptions::default()
    };
    let written = Photograph::from_rgb8(picture(4, 20, 10))
        .write(&path, &options)
        .expect("written");
    (path, folder, written)
}

#[rstest]
#[case("huenet 0.1.0: a look")]
#[case("Öl, 油")]
#[case("ab")]
fn the_description_is_found_again(#[case] text: &str) {
    let (path, _folder, written) = described("a.png", text);
    assert!(!written.lost_description);
    let file = std::io::BufReader::new(std::fs::File::open(&path).expect("there"));
    let reader = png::Decoder::new(file).read_info().expect("a sound file");
    let info = reader.info();
    let latin = info
        .uncompressed_latin1_text
        .iter()
        .map(|it| (it.keyword.clone(), it.text.clone()));
    let utf8 = info
        .utf8_text
        .iter()
        .map(|it| (it.keyword.clone(), it.get_text().expect("text")));
    assert_eq!(
        latin.chain(utf8).collect::<Vec<_>>(),
        [("Software".to_owned(), text.to_owned())]
    );

    for name in ["a.jpg", "a.webp"] {
        let (path, _folder, written) = described(name, text);
        assert!(!written.lost_description);
        let mut decoder = ImageReader::open(&path)
            .expect("there")
            .into_decoder()
            .expect("sound");
        let exif = decoder.exif_metadata().expect("sound").expect("has EXIF");
        assert_eq!(software(&exif), text);
        assert_eq!(
            read_image(&path).expect("a sound file").dimensions(),
            (20, 10)
        );
    }

    // A TIFF file begins as EXIF data does.
    let (path, _folder, written) = described("a.tif", text);
    assert!(!written.lost_description);
    assert_eq!(software(&std::fs::read(&path).expect("there")), text);

    let (path, _folder, written) = described("a.ppm", text);
    assert!(!written.lost_description);
    let bytes = std::fs::read(&path).expect("there");
    assert!(bytes.starts_with(format!("P6\n# {text}\n20 10\n255\n").as_bytes()));

    let (_, _folder, written) = described("a.bmp", text);
    assert!(written.lost_description);
}

/// The text of the tag `Software` in a TIFF file, or in EXIF data, which is built as one.
fn software(bytes: &[u8]) -> String {
    assert!(bytes.starts_with(b"II*\0"));
    let short = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
    let long = |at: usize| usize::from(short(at)) | usize::from(short(at + 2)) << 16;
    let entries = long(4);
    let mut entries = (0..usize::from(short(entries))).map(|number| entries + 2 + 12 * number);
    let entry = entries.find(|&at| short(at) == 0x131).expect("has the tag");
    let (length, place) = (long(entry + 4), long(entry + 8));
    let place = if length <= 4 { entry + 8 } else { place };
    let text = String::from_utf8(bytes[place..place + length].to_vec()).expect("UTF-8");
    text.trim_end_matches('\0').to_owned()
}

#[test]
fn lines_of_a_description_do_not_end_a_comment() {
    let (path, _folder, _) = described("a.ppm", "one\ntwo");
    assert_eq!(read_image(&path).expect("a sound file"), picture(4, 20, 10));
}

#[rstest]
#[case("a.gif")]
#[case("a.heic")]
#[case("a")]
fn an_extension_that_names_no_format_is_refused(#[case] name: &str) {
    let folder = folder();
    let path = folder.path().join(name);
    let error = Photograph::from_rgb8(picture(1, 2, 2))
        .write(&path, &WriteOptions::default())
        .expect_err("no format");
    let text = error.to_string();
    assert!(
        text.contains(&path.display().to_string()) && text.contains("*.webp"),
        "{text}"
    );
    assert!(!path.exists());
}

#[test]
fn what_cannot_be_written_is_named_and_what_was_there_stays() {
    let folder = folder();
    let path = folder.path().join("no folder").join("a.png");
    let error = Photograph::check_output(&path).expect_err("no folder");
    assert!(matches!(error, DataError::NoFolder { .. }));
    assert!(
        message(&error).contains("a.png") && message(&error).ends_with("no folder"),
        "{error}"
    );

    let path = folder.path().join("folder.png");
    std::fs::create_dir(&path).expect("made");
    let error = Photograph::check_output(&path).expect_err("a folder");
    assert!(message(&error).contains("folder.png"), "{error}");

    let path = folder.path().join("long.webp");
    write(&path, b"before");
    let long = Photograph::from_rgb8(RgbImage::new(20_000, 1));
    let error = long
        .write(&path, &WriteOptions::default())
        .expect_err("too wide");
    assert!(error.to_string().contains("20000×1"), "{error}");
    assert_eq!(std::fs::read(&path).expect("there"), b"before");
    let names = std::fs::read_dir(folder.path()).expect("there").count();
    assert_eq!(names, 2, "nothing is left aside");
}

#[test]
fn a_file_that_is_there_is_replaced() {
    let folder = folder();
    let path = folder.path().join("a.png");
    for number in [1, 2] {
        let photograph = Photograph::from_rgb8(picture(number, 6, 5));
        photograph
            .write(&path, &WriteOptions::default())
            .expect("written");
        assert_eq!(Photograph::read(&path).expect("a sound file"), photograph);
    }
}

#[test]
fn files_that_are_no_images_are_named() {
    let folder = folder();
    let path = folder.path().join("page.jpg");
    write(&path, b"<html>404 Not Found</html>");
    let error = Photograph::read(&path).expect_err("a text");
    assert!(matches!(error, DataError::NotAnImage { .. }));
    assert!(error.to_string().contains("page.jpg"));
}
