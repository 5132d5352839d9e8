//! What is kept of a file.

use std::io::Cursor;

use huenet_data::{Depth, Photograph, WriteOptions, Written, read_image};
use image::codecs::png::PngEncoder;
use image::{
    DynamicImage, ImageBuffer, ImageEncoder, ImageFormat, Luma, LumaA, RgbImage, RgbaImage,
};
use rstest::rstest;

use super::{copied, deep, deep_with_alpha, folder, with_alpha};
use crate::support::{picture, write};

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
    let wide = include_bytes!("../files/icc/wide.icc");
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
