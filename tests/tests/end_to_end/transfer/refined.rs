//! Local maps that are refined by gradient descent.

use image::{GrayImage, RgbImage};
use predicates::str::{contains, is_empty};

use super::{open, place, save, transfer};
use crate::support::Place;

/// How far the colours of two images are apart: the mean distance of ranks along a few directions, in levels.
fn apart(a: &RgbImage, b: &RgbImage) -> f64 {
    const RANKS: usize = 200;
    let directions = [
        [1.0, 0.0, 0.0],
        [0.0, 1.0, 0.0],
        [0.0, 0.0, 1.0],
        [0.58, 0.58, 0.58],
        [0.71, -0.71, 0.0],
        [0.41, 0.41, -0.82],
    ];
    let along = |image: &RgbImage, direction: [f64; 3]| {
        let value = |pixel: &image::Rgb<u8>| -> f64 {
            let parts = pixel.0.iter().zip(direction);
            parts.map(|(value, part)| f64::from(*value) * part).sum()
        };
        let mut values: Vec<f64> = image.pixels().map(value).collect();
        values.sort_by(f64::total_cmp);
        let at = move |rank: usize| values[(2 * rank + 1) * values.len() / (2 * RANKS)];
        (0..RANKS).map(at).collect::<Vec<f64>>()
    };
    let mut sum = 0.0;
    for direction in directions {
        let pairs = along(a, direction).into_iter().zip(along(b, direction));
        sum += pairs.map(|(a, b)| (a - b).abs()).sum::<f64>();
    }
    sum / (directions.len() * RANKS) as f64
}

fn run(place: &Place, arguments: &str) {
    transfer(place, arguments)
        .assert()
        .success()
        .stderr(is_empty());
}

#[test]
fn refined_maps_come_nearer_to_the_reference() {
    let place = place();
    let pair = "--content a.png --reference r.jpg";
    run(&place, &format!("{pair} --output fitted.png"));
    run(&place, &format!("{pair} --output refined.png --refine=15"));
    run(&place, &format!("{pair} --output again.png --refine=15"));
    run(&place, &format!("{pair} --output none.png --refine=0"));
    let bytes = |name: &str| std::fs::read(place.root().join(name)).unwrap();
    assert_eq!(bytes("refined.png"), bytes("again.png"), "the same again");
    let [content, fitted, refined, none] = ["a.png", "fitted.png", "refined.png", "none.png"]
        .map(|name| open(&place, name).into_rgb8());
    assert_eq!(none, fitted, "no steps");
    assert_eq!(refined.dimensions(), content.dimensions());
    let reference = open(&place, "r.jpg").into_rgb8();
    let [before, after] = [&fitted, &refined].map(|image| apart(image, &reference));
    assert!(after < 0.9 * before, "{before} became {after}");
    let told = b"transfer, method local-maps, smoothness 1, refined in 15 steps, strength 1";
    let refined = bytes("refined.png");
    assert!(refined.windows(told.len()).any(|it| it == told));
}

#[test]
fn only_what_a_mask_shows_is_refined() {
    let place = place();
    let mask = GrayImage::from_fn(60, 40, |x, _| [if x < 30 { 255 } else { 0 }].into());
    save(&place, "mask.png", mask);
    let pair = "--content a.png --reference r.jpg --content-mask mask.png";
    run(&place, &format!("{pair} --output fitted.png"));
    run(&place, &format!("{pair} --output refined.png --refine=15"));
    let [content, reference, fitted, refined] =
        ["a.png", "r.jpg", "fitted.png", "refined.png"].map(|name| open(&place, name).into_rgb8());
    for (x, y, pixel) in refined.enumerate_pixels().filter(|(x, ..)| *x >= 30) {
        assert_eq!(pixel, content.get_pixel(x, y));
    }
    let left = |image: &RgbImage| image::imageops::crop_imm(image, 0, 0, 30, 40).to_image();
    let [before, after] = [&fitted, &refined].map(|image| apart(&left(image), &reference));
    assert!(after < 0.9 * before, "{before} became {after}");
}

#[test]
fn one_look_of_refined_maps_is_that_of_the_first_content() {
    let place = place();
    place.image("frames/1.png", 60, 40, 3);
    place.image("frames/2.png", 60, 40, 7);
    transfer(
        &place,
        "--content frames --reference r.jpg --one-look --refine=5 --output film",
    )
    .assert()
    .success()
    .stderr(contains("that for frames/1.png"));
    run(
        &place,
        "--content frames/1.png --reference r.jpg --refine=5 --output alone.png",
    );
    assert_eq!(open(&place, "film/1.png"), open(&place, "alone.png"));
}

#[test]
fn images_of_odd_shapes_and_few_colours_become_pictures() {
    let place = place();
    save(
        &place,
        "flat.png",
        RgbImage::from_pixel(20, 10, [200, 120, 40].into()),
    );
    place.image("one.png", 1, 1, 5);
    place.image("tall.png", 3, 500, 5);
    for (content, reference) in [
        ("one.png", "r.jpg"),
        ("tall.png", "flat.png"),
        ("flat.png", "tall.png"),
    ] {
        let pair = format!("--content {content} --reference {reference}");
        run(
            &place,
            &format!("{pair} --output o.png --overwrite --refine=3"),
        );
        let [content, result] = [content, "o.png"].map(|name| open(&place, name).into_rgb8());
        assert_eq!(result.dimensions(), content.dimensions());
    }
    run(
        &place,
        "--content a.png --reference flat.png --output p.png --refine=3",
    );
    let flat = open(&place, "p.png").into_rgb8();
    for pixel in flat.pixels() {
        let off = pixel.0.iter().zip([200, 120, 40]);
        let worst = off.map(|(a, b)| a.abs_diff(b)).max();
        assert!(worst <= Some(6), "{pixel:?}");
    }
}
