//! Colour transfer without training, from image files to image files.

use std::io::Cursor;

use image::{DynamicImage, ImageBuffer, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use predicates::prelude::*;
use predicates::str::{contains, is_empty};
use rstest::rstest;

use crate::support::{Place, names};

/// A place with a content `a.png` and a reference `r.jpg` of other colours.
fn place() -> Place {
    let place = Place::new();
    place.image("a.png", 60, 40, 3);
    place.image("r.jpg", 48, 64, 90);
    place
}

fn transfer(place: &Place, arguments: &str) -> assert_cmd::Command {
    let mut command = place.command("transfer");
    command.args(arguments.split_whitespace());
    command
}

fn open(place: &Place, name: &str) -> DynamicImage {
    let path = place.root().join(name);
    image::open(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn save(place: &Place, name: &str, image: impl Into<DynamicImage>) {
    image.into().save(place.file(name)).expect("saved");
}

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
fn depth_alpha_and_grey_are_kept_or_their_loss_is_told() {
    let place = place();
    let deep = ImageBuffer::<Rgb<u16>, _>::from_fn(40, 30, |x, y| {
        [(x * 1600) as u16, (y * 2100) as u16, 30_000].into()
    });
    save(&place, "deep.png", deep);
    let clear = RgbaImage::from_fn(40, 30, |x, y| {
        [x as u8 * 6, y as u8 * 8, 90, x as u8].into()
    });
    save(&place, "clear.png", clear.clone());
    save(
        &place,
        "grey.png",
        image::GrayImage::from_fn(40, 30, |x, y| [(x + y) as u8 * 3].into()),
    );
    let run = |content: &str, output: &str| {
        let arguments = format!("--content {content} --reference r.jpg --output {output}");
        let output = transfer(&place, &arguments).output().unwrap();
        assert!(output.status.success(), "{arguments}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert_eq!(run("deep.png", "deep-2.png"), "");
    let levels: std::collections::BTreeSet<u16> = match open(&place, "deep-2.png") {
        DynamicImage::ImageRgb16(image) => image.iter().map(|it| it % 257).collect(),
        other => panic!("{:?}", other.color()),
    };
    assert!(levels.len() > 100, "they are not 8 bits in 16");
    assert!(run("deep.png", "deep-2.jpg").contains("deep-2.jpg has 8 bits a sample"));

    assert_eq!(run("clear.png", "clear-2.webp"), "");
    let kept = open(&place, "clear-2.webp").into_rgba8();
    assert!(
        kept.pixels()
            .zip(clear.pixels())
            .all(|(a, b)| a.0[3] == b.0[3])
    );
    assert!(run("clear.png", "clear-2.jpg").contains("lost its transparency"));

    assert_eq!(run("grey.png", "grey-2.png"), "");
    let coloured = open(&place, "grey-2.png").into_rgb8();
    assert!(coloured.pixels().any(|pixel| pixel.0[0] != pixel.0[2]));
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

#[test]
fn the_orientation_of_the_camera_is_applied() {
    let place = place();
    let mut whole = Cursor::new(Vec::new());
    open(&place, "a.png")
        .write_to(&mut whole, ImageFormat::Jpeg)
        .unwrap();
    // An EXIF segment with one entry: orientation 6, to be turned clockwise by a quarter.
    let mut bytes = vec![0xFF, 0xD8, 0xFF, 0xE1, 0, 34];
    bytes.extend(b"Exif\0\0MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0");
    bytes.extend(&whole.into_inner()[2..]);
    place.write("turned.jpg", &bytes);
    transfer(
        &place,
        "--content turned.jpg --reference r.jpg --output up.png --strength 0",
    )
    .assert()
    .success();
    let up = open(&place, "up.png").into_rgb8();
    let turned = image::load_from_memory(&bytes)
        .unwrap()
        .rotate90()
        .into_rgb8();
    assert_eq!(up, turned);
}

/// Odd images, as content and as reference: a picture each, and none that is all black.
#[rstest]
fn odd_images_become_pictures(
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
    save(
        &place,
        "flat.png",
        RgbImage::from_pixel(20, 10, [200, 120, 40].into()),
    );
    let black_and_white =
        RgbImage::from_fn(30, 30, |x, _| [[0; 3], [255; 3]][x as usize / 15].into());
    save(&place, "two.png", black_and_white);
    for (content, reference) in [
        ("odd.png", "r.jpg"),
        ("a.png", "odd.png"),
        ("a.png", "flat.png"),
        ("flat.png", "a.png"),
        ("two.png", "a.png"),
        ("a.png", "two.png"),
    ] {
        let arguments = format!(
            "--content {content} --reference {reference} --output o.png --overwrite --method {method}"
        );
        transfer(&place, &arguments).assert().success();
        let result = open(&place, "o.png").into_rgb8();
        assert_eq!(
            result.dimensions(),
            open(&place, content).into_rgb8().dimensions()
        );
        if reference == "flat.png" {
            let off = result
                .pixels()
                .map(|pixel| far(pixel.0.map(f64::from), [200.0, 120.0, 40.0]));
            let worst = off.fold(0.0, f64::max);
            assert!(worst <= 6.0, "{method}: {worst} from the only colour");
        }
    }
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
    let mask = image::GrayImage::from_fn(60, 40, |x, _| [if x < 30 { 255 } else { 0 }].into());
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
    save(&place, "black.png", image::GrayImage::new(60, 40));
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

#[test]
fn a_folder_goes_into_a_folder_and_a_broken_file_does_not_stop_it() {
    let place = place();
    for (name, hue) in [("1.png", 4), ("2.jpg", 5), ("4.png", 6)] {
        place.image(&format!("in/{name}"), 30, 20, hue);
    }
    place.write("in/3.jpg", b"this is no picture");
    place.write("in/notes.txt", b"no picture either");
    transfer(
        &place,
        "--content in --reference r.jpg --output out/new --sheet sheet.png",
    )
    .assert()
    .code(1)
    .stdout("out/new/1.png\nout/new/2.jpg\nout/new/4.png\n")
    .stderr(contains("1 of 4 pictures").and(contains("in/3.jpg")));
    assert_eq!(
        names(&place.root().join("out/new")),
        ["1.png", "2.jpg", "4.png"]
    );
    let sheet = open(&place, "sheet.png").into_rgb8();
    assert!(
        sheet.width() > 600 && sheet.height() > 400,
        "{:?}",
        sheet.dimensions()
    );

    // One reference each, by name.
    for (name, hue) in [("1.jpg", 14), ("2.png", 15)] {
        place.image(&format!("refs/{name}"), 30, 20, hue);
    }
    transfer(
        &place,
        "--content in/1.png in/2.jpg in/4.png --reference refs --output each",
    )
    .assert()
    .code(1)
    .stdout("each/1.png\neach/2.jpg\n")
    .stderr(contains("in/4.png has no reference"));
    transfer(
        &place,
        "--content in/1.png in/2.jpg --reference refs --output all --all-pairs",
    )
    .assert()
    .success()
    .stdout("all/1-1.png\nall/1-2.png\nall/2-1.jpg\nall/2-2.jpg\n");
}

#[test]
fn nothing_is_replaced_unless_that_is_asked_for() {
    let place = place();
    place.write("there.png", b"something");
    let run = |arguments: &str| {
        transfer(
            &place,
            &format!("--content a.png --reference r.jpg {arguments}"),
        )
    };
    run("--output there.png")
        .assert()
        .code(1)
        .stderr(contains("there.png already exists").and(contains("--overwrite")));
    run("--output o.png --lut there.cube --sheet there.png")
        .assert()
        .code(1)
        .stderr(contains("there.png already exists"));
    assert_eq!(
        std::fs::read(place.root().join("there.png")).unwrap(),
        b"something"
    );
    run("--output there.png --overwrite").assert().success();
    assert_eq!(open(&place, "there.png").into_rgb8().dimensions(), (60, 40));

    let before = std::fs::read(place.root().join("a.png")).unwrap();
    for arguments in [
        "--output a.png --overwrite",
        "--output ./in/../a.png --overwrite",
        "--output . --overwrite",
        "--output o.png --hald a.png --overwrite",
        "--output o.png --sheet a.png --overwrite",
    ] {
        std::fs::create_dir_all(place.root().join("in")).unwrap();
        run(arguments).assert().code(2).stderr(contains("a.png"));
        assert!(
            before == std::fs::read(place.root().join("a.png")).unwrap(),
            "{arguments}"
        );
    }
    assert!(!place.root().join("o.png").exists());
}

#[test]
fn a_look_is_written_and_put_on_any_picture() {
    let place = place();
    place.image("frames/1.png", 60, 40, 3);
    place.image("frames/2.png", 60, 40, 7);
    transfer(
        &place,
        "--content a.png --reference r.jpg --lut look.cube --hald look.png --lut-size 17",
    )
    .assert()
    .success()
    .stdout("look.cube\nlook.png\n");
    let cube = std::fs::read_to_string(place.root().join("look.cube")).unwrap();
    assert!(cube.contains("LUT_3D_SIZE 17\n"), "{cube:.200}");
    assert_eq!(
        open(&place, "look.png").into_rgb8().dimensions(),
        (512, 512)
    );

    transfer(
        &place,
        "--content a.png --reference r.jpg --method lut --lut-size 17 --output direct.png",
    )
    .assert()
    .success();
    let differences = |a: &str, b: &str| -> Vec<f64> {
        let [a, b] = [a, b].map(|name| open(&place, name).into_rgb8());
        let pairs = a.iter().zip(b.iter());
        pairs.map(|(a, b)| f64::from(a.abs_diff(*b))).collect()
    };
    for (look, output) in [("look.cube", "by-cube.png"), ("look.png", "by-image.png")] {
        transfer(
            &place,
            &format!("--content a.png --apply {look} --output {output}"),
        )
        .assert()
        .success();
    }
    let by_cube = differences("direct.png", "by-cube.png");
    assert!(by_cube.iter().all(|levels| *levels <= 1.0));
    // The image has 64 steps of its own: where the table bends between two of them, it is some levels off.
    let sum = |a: &str, b: &str| differences(a, b).iter().sum::<f64>();
    let (change, error) = (
        sum("a.png", "direct.png"),
        sum("direct.png", "by-image.png"),
    );
    assert!(error < 0.05 * change, "{error} of {change}");

    // All frames have the first one's look, which is that of the same picture by itself.
    transfer(
        &place,
        "--content frames --reference r.jpg --method lut --lut-size 17 --output film",
    )
    .assert()
    .success()
    .stderr(contains("one look for all pictures: that for frames/1.png"));
    transfer(
        &place,
        "--content frames --apply look.cube --output applied",
    )
    .assert()
    .success()
    .stderr(is_empty());
    for frame in ["1.png", "2.png"] {
        let [film, applied] =
            ["film", "applied"].map(|it| open(&place, &format!("{it}/{frame}")).into_rgb8());
        assert!(
            film.iter()
                .zip(applied.iter())
                .all(|(a, b)| a.abs_diff(*b) <= 1)
        );
    }
    transfer(
        &place,
        "--content frames --reference r.jpg --one-look --output maps",
    )
    .assert()
    .success();
    transfer(
        &place,
        "--content frames/1.png --reference r.jpg --output alone.png",
    )
    .assert()
    .success();
    assert_eq!(open(&place, "maps/1.png"), open(&place, "alone.png"));
}

#[test]
fn a_table_of_no_strength_leaves_colours_as_they_are() {
    let place = place();
    transfer(
        &place,
        "--content a.png --reference r.jpg --method reinhard --strength 0 --lut none.cube",
    )
    .assert()
    .success();
    transfer(&place, "--content a.png --apply none.cube --output o.png")
        .assert()
        .success();
    assert_eq!(open(&place, "o.png"), open(&place, "a.png"));
}

#[rstest]
#[case(
    "--output o.png --method local-maps --lut l.cube",
    2,
    "local-maps change with the place"
)]
#[case("--output o.png --lut l.txt", 2, "l.cube")]
#[case("--output o.png --hald l.jpg", 2, "l.png")]
#[case("--output o.png --strength 1.5", 2, "0 to 1")]
#[case("--output o.png --smoothness 0", 2, "smoothness is 0")]
#[case(
    "--output o.png --smoothness 2 --method reinhard",
    2,
    "--smoothness is for"
)]
#[case("--output o.png --quality 0", 2, "--quality")]
#[case("--output o.gif", 2, "*.webp")]
#[case(
    "--output o.png --one-look --reference r.jpg a.png",
    2,
    "made from one reference, and there are 2"
)]
#[case("--output missing/o.png", 1, "there is no folder missing")]
#[case("--output o.png --reference gone.jpg --overwrite", 1, "gone.jpg")]
#[case("--output o.png --content gone", 1, "gone")]
fn what_cannot_work_is_refused(#[case] arguments: &str, #[case] code: i32, #[case] words: &str) {
    let place = place();
    let content = if arguments.contains("--content") {
        ""
    } else {
        "--content a.png"
    };
    let reference = if arguments.contains("--reference") {
        ""
    } else {
        "--reference r.jpg"
    };
    let before = names(place.root());
    transfer(&place, &format!("{content} {reference} {arguments}"))
        .assert()
        .code(code)
        .stdout(is_empty())
        .stderr(contains(words));
    assert_eq!(names(place.root()), before);
}

#[test]
fn a_look_that_is_none_is_refused() {
    let place = place();
    place.write("bad.cube", b"LUT_3D_SIZE 2\n0 0 0\n");
    for look in ["bad.cube", "a.png", "gone.cube"] {
        transfer(
            &place,
            &format!("--content a.png --apply {look} --output o.png"),
        )
        .assert()
        .code(1)
        .stderr(contains(look));
    }
    assert!(!place.root().join("o.png").exists());
}

#[test]
fn a_result_says_how_it_was_made_unless_it_shall_not() {
    let place = place();
    let run = |arguments: &str| {
        transfer(
            &place,
            &format!("--content a.png --reference r.jpg {arguments}"),
        )
    };
    let bytes = |name: &str| std::fs::read(place.root().join(name)).unwrap();
    let told = "transfer, method local-maps, smoothness 1, strength 0.8";
    let tells = |name: &str| {
        bytes(name)
            .windows(told.len())
            .any(|it| it == told.as_bytes())
    };
    for name in ["o.png", "o.jpg", "o.tif", "o.webp", "o.ppm"] {
        run(&format!("--strength 0.8 --output {name}"))
            .assert()
            .success()
            .stderr(is_empty());
        assert!(tells(name), "{name}");
        run(&format!(
            "--strength 0.8 --no-metadata --overwrite --output {name}"
        ))
        .assert()
        .success();
        assert!(!tells(name), "{name}");
    }
    run("--output o.bmp")
        .assert()
        .success()
        .stderr(contains("o.bmp does not say how it was made"));
    run("--no-metadata --output p.bmp")
        .assert()
        .success()
        .stderr(is_empty());
    run("--quality 30 --output coarse.jpg").assert().success();
    run("--output fine.jpg").assert().success();
    assert!(bytes("coarse.jpg").len() < bytes("fine.jpg").len());
}
