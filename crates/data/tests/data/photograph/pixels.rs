//! Colours are read and changed row by row, and reduced to a smaller image.

use huenet_data::Photograph;
use image::{DynamicImage, ImageBuffer, RgbImage, RgbaImage};
use proptest::prelude::*;
use rstest::rstest;

use super::folder;
use crate::support::picture;

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
