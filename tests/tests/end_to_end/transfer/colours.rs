//! What becomes of the colours.

use image::{GrayImage, ImageBuffer, Rgb, RgbImage, Rgba, RgbaImage};
use predicates::str::{contains, is_empty};
use rstest::rstest;

use super::{open, place, save, transfer};
use crate::support::Place;

/// The mean of red, green and blue.
fn mean(image: &RgbImage) -> [f64; 3] {
    let mut sums = [0.0; 3];
    for pixel in image.pixels() {
        for (sum, value) in sums.iter_mut().zip(pixel.0) {
            *sum += f64::from(value);
        }
    }
    sums.map(|sum| sum / f64::from(image.width() * image.height()))
}

fn far(a: [f64; 3], b: [f64; 3]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum()
}

#[rstest]
fn a_photograph_gets_the_colours_of_another_by_every_method(
    #[values(
        "local-maps",
        "lut",
        "reinhard",
        "monge-kantorovich",
        "histogram-matching",
        "matched-monge-kantorovich",
        "iterative-distribution-transfer"
    )]
    method: &str,
) {
    let place = place();
    let run = |output: &str| {
        let arguments =
            format!("--content a.png --reference r.jpg --output {output} --method {method}");
        let assert = transfer(&place, &arguments)
            .assert()
            .success()
            .stderr(is_empty());
        assert.stdout(format!("{output}\n"));
    };
    run("c.png");
    run("d.png");
    let [content, reference, result] =
        ["a.png", "r.jpg", "c.png"].map(|name| open(&place, name).into_rgb8());
    assert_eq!(result.dimensions(), content.dimensions());
    let (before, after) = (mean(&content), mean(&result));
    let reference = mean(&reference);
    // Reinhard's method has the means of logarithms, before colours are clipped.
    let share = if method == "reinhard" { 0.5 } else { 0.3 };
    assert!(
        far(after, reference) < share * far(before, reference),
        "{before:?} became {after:?}, not {reference:?}"
    );
    let bytes = |name: &str| std::fs::read(place.root().join(name)).unwrap();
    assert_eq!(bytes("c.png"), bytes("d.png"), "the same again");
}

#[test]
fn without_strength_every_sample_stays_as_it_is() {
    let place = place();
    let deep = ImageBuffer::<Rgba<u16>, _>::from_fn(50, 30, |x, y| {
        let value = (x * 1201 + y * 7919) as u16;
        [value, !value, value.wrapping_mul(9), value.wrapping_mul(77)].into()
    });
    save(&place, "deep.png", deep);
    for (content, output) in [
        ("deep.png", "o.png"),
        ("deep.png", "o.tif"),
        ("a.png", "o.webp"),
    ] {
        let arguments =
            format!("--content {content} --reference r.jpg --output {output} --strength 0");
        transfer(&place, &arguments)
            .assert()
            .success()
            .stderr(is_empty());
        assert_eq!(open(&place, output), open(&place, content));
    }
    // Half way lies between.
    for (strength, output) in [("0.5", "half.png"), ("1", "all.png")] {
        let arguments =
            format!("--content a.png --reference r.jpg --output {output} --strength {strength}");
        transfer(&place, &arguments).assert().success();
    }
    let [none, half, all] =
        ["a.png", "half.png", "all.png"].map(|name| open(&place, name).into_rgb8());
    for ((none, half), all) in none.iter().zip(half.iter()).zip(all.iter()) {
        let middle = (f64::from(*none) + f64::from(*all)) / 2.0;
        assert!(
            (f64::from(*half) - middle).abs() <= 1.0,
            "{none} {half} {all}"
        );
    }
}

#[test]
fn what_is_transparent_has_no_part_in_the_fit() {
    let place = place();
    let opaque = |x: u32, y: u32| [x as u8 * 4, y as u8 * 4, 100];
    save(
        &place,
        "plain.png",
        RgbImage::from_fn(32, 32, |x, y| opaque(x, y).into()),
    );
    let beside = RgbaImage::from_fn(64, 32, |x, y| {
        let [r, g, b] = opaque(x % 32, y);
        if x < 32 {
            [r, g, b, 255].into()
        } else {
            [255, 0, 255, 0].into()
        }
    });
    save(&place, "beside.png", beside);
    for name in ["plain", "beside"] {
        let arguments = format!(
            "--content {name}.png --reference r.jpg --output {name}-2.png --method monge-kantorovich"
        );
        transfer(&place, &arguments).assert().success();
    }
    let [plain, beside] =
        ["plain-2.png", "beside-2.png"].map(|name| open(&place, name).into_rgb8());
    for (x, y, pixel) in plain.enumerate_pixels() {
        let other = beside.get_pixel(x, y);
        assert!(
            pixel.0.iter().zip(other.0).all(|(a, b)| a.abs_diff(b) <= 1),
            "{pixel:?} {other:?}"
        );
    }
}

/// Images of odd shapes, as content and as reference: a picture each.
#[rstest]
fn images_of_odd_shapes_become_pictures(
    #[values((1, 1), (3, 500), (500, 3))] (width, height): (u32, u32),
    #[values(
        "local-maps",
        "lut",
        "reinhard",
        "monge-kantorovich",
        "histogram-matching",
        "matched-monge-kantorovich",
        "iterative-distribution-transfer"
    )]
    method: &str,
) {
    let place = place();
    place.image("odd.png", width, height, 5);
    becomes_a_picture(&place, "odd.png", "r.jpg", method);
    becomes_a_picture(&place, "a.png", "odd.png", method);
}

/// Images of one colour and of two, as content and as reference: a picture each, and none that is all
/// black.
#[rstest]
fn images_of_few_colours_become_pictures(
    #[values(
        "local-maps",
        "lut",
        "reinhard",
        "monge-kantorovich",
        "histogram-matching",
        "matched-monge-kantorovich",
        "iterative-distribution-transfer"
    )]
    method: &str,
) {
    let place = place();
    let flat = RgbImage::from_pixel(20, 10, [200, 120, 40].into());
    save(&place, "flat.png", flat);
    let black_and_white =
        RgbImage::from_fn(30, 30, |x, _| [[0; 3], [255; 3]][x as usize / 15].into());
    save(&place, "two.png", black_and_white);
    for (content, reference) in [
        ("flat.png", "a.png"),
        ("two.png", "a.png"),
        ("a.png", "two.png"),
    ] {
        becomes_a_picture(&place, content, reference, method);
    }
    let result = becomes_a_picture(&place, "a.png", "flat.png", method);
    let off = result
        .pixels()
        .map(|pixel| far(pixel.0.map(f64::from), [200.0, 120.0, 40.0]));
    let worst = off.fold(0.0, f64::max);
    assert!(worst <= 6.0, "{method}: {worst} from the only colour");
}

/// The picture that a method makes of two, which has the content's size.
fn becomes_a_picture(place: &Place, content: &str, reference: &str, method: &str) -> RgbImage {
    let arguments = format!(
        "--content {content} --reference {reference} --output o.png --overwrite --method {method}"
    );
    transfer(place, &arguments).assert().success();
    let result = open(place, "o.png").into_rgb8();
    let content = open(place, content).into_rgb8();
    assert_eq!(result.dimensions(), content.dimensions());
    result
}

#[test]
fn an_image_in_its_own_colours_stays_as_it_is() {
    let place = place();
    transfer(
        &place,
        "--content a.png --reference a.png --output same.png",
    )
    .assert()
    .success();
    let [before, after] = ["a.png", "same.png"].map(|name| open(&place, name).into_rgb8());
    let off = before
        .iter()
        .zip(after.iter())
        .map(|(a, b)| f64::from(a.abs_diff(*b)));
    let mean = off.sum::<f64>() / before.len() as f64;
    assert!(mean < 2.0, "{mean}");
}

#[test]
fn only_what_a_mask_shows_counts_and_changes() {
    let place = place();
    // Its left half is as the content, its right half of another colour.
    let half = |x: u32, y: u32, other: [u8; 3]| match x < 30 {
        true => Rgb([x as u8 * 8, y as u8 * 6, 120]),
        false => Rgb(other),
    };
    save(
        &place,
        "half.png",
        RgbImage::from_fn(60, 40, |x, y| half(x, y, [250, 250, 0])),
    );
    save(
        &place,
        "left.png",
        RgbImage::from_fn(30, 40, |x, y| half(x, y, [0; 3])),
    );
    let mask = GrayImage::from_fn(60, 40, |x, _| [if x < 30 { 255 } else { 0 }].into());
    save(&place, "mask.png", mask);
    let run = |arguments: &str| {
        transfer(&place, &format!("{arguments} --method monge-kantorovich"))
            .assert()
            .success();
    };
    run("--content half.png --content-mask mask.png --reference r.jpg --output h.png");
    run("--content left.png --reference r.jpg --output l.png");
    let [before, after, left] =
        ["half.png", "h.png", "l.png"].map(|it| open(&place, it).into_rgb8());
    for (x, y, pixel) in after.enumerate_pixels() {
        match x < 30 {
            true => {
                let other = left.get_pixel(x, y).0;
                assert!(
                    pixel.0.iter().zip(other).all(|(a, b)| a.abs_diff(b) <= 1),
                    "{x} {y}"
                );
            }
            false => assert_eq!(pixel, before.get_pixel(x, y)),
        }
    }
    // The reference's other half has no part.
    run("--content a.png --reference half.png --reference-mask mask.png --output m.png");
    run("--content a.png --reference left.png --output n.png");
    let [masked, cut] = ["m.png", "n.png"].map(|name| open(&place, name).into_rgb8());
    assert!(
        masked
            .iter()
            .zip(cut.iter())
            .all(|(a, b)| a.abs_diff(*b) <= 1)
    );

    let refused = |arguments: &str, words: &str| {
        let arguments = format!("--content a.png --reference r.jpg --output never.png {arguments}");
        transfer(&place, &arguments)
            .assert()
            .code(1)
            .stderr(contains(words));
    };
    save(&place, "black.png", GrayImage::new(60, 40));
    refused(
        "--content-mask black.png",
        "a.png: the mask selects nothing",
    );
    refused(
        "--reference-mask mask.png",
        "the mask mask.png has 60×40 pixels, and r.jpg has 48×64",
    );
    assert!(!place.root().join("never.png").exists());
}
