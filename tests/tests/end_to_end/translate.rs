//! Photographs through a trained model, from image files to image files.

use image::{DynamicImage, ImageBuffer, Rgb, RgbImage, Rgba};
use predicates::prelude::*;
use predicates::str::{contains, is_empty};
use rstest::rstest;

use crate::support::{Place, names};

/// A place with a model of a task, trained for two steps at 32×32 pixels, a content `a.png` and a reference `r.jpg`.
fn place(task: &str, recipe: &str) -> Place {
    let place = Place::new();
    place.pairs().yosemite().flowers();
    let mut train = place.train(task, "model");
    train.args(["--max-steps", "2", "--recipe", recipe, "-q"]);
    train.assert().success();
    place.image("a.png", 90, 60, 3);
    place.image("r.jpg", 48, 64, 90);
    place
}

fn translate(place: &Place, arguments: &str) -> assert_cmd::Command {
    let mut command = place.command("translate");
    command.args(arguments.split_whitespace());
    if !arguments.contains("--run") {
        command.args(["--run", "latest"]);
    }
    command
}

fn open(place: &Place, name: &str) -> DynamicImage {
    let path = place.root().join(name);
    image::open(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn bytes(place: &Place, name: &str) -> Vec<u8> {
    std::fs::read(place.root().join(name)).unwrap()
}

#[rstest]
fn a_photograph_is_translated_at_its_own_size(
    #[values("color_transfer", "colorization", "edges2photos")] task: &str,
    #[values("recommended", "official")] recipe: &str,
) {
    let place = place(task, recipe);
    for output in ["c.png", "d.png"] {
        let arguments = format!("--content a.png --reference r.jpg --output {output}");
        translate(&place, &arguments)
            .assert()
            .success()
            .stdout(format!("{output}\n"))
            .stderr(is_empty());
    }
    let [content, result] = ["a.png", "c.png"].map(|name| open(&place, name).into_rgb8());
    assert_eq!(result.dimensions(), content.dimensions());
    assert_ne!(result, content);
    assert_eq!(
        bytes(&place, "c.png"),
        bytes(&place, "d.png"),
        "the same again"
    );

    // Another reference gives another picture, or the network would not be asked.
    // After two steps the official network hardly listens, which only 16 bits show.
    place.image("s.png", 30, 30, 33);
    let fine = open(&place, "a.png").into_rgb16();
    fine.save(place.root().join("fine.png")).unwrap();
    let [by_r, by_s] = ["r.jpg", "s.png"].map(|reference| {
        let arguments =
            format!("--content fine.png --reference {reference} --output {reference}.tif");
        translate(&place, &arguments).assert().success();
        open(&place, &format!("{reference}.tif")).into_rgb16()
    });
    assert!(by_r != by_s);
}

#[test]
fn what_else_is_translated_changes_nothing_and_one_bad_file_stops_nothing() {
    let place = place("color_transfer", "official");
    for (name, width, hue) in [("1.png", 90, 4), ("2.jpg", 50, 5), ("4.png", 33, 6)] {
        place.image(&format!("in/{name}"), width, 40, hue);
    }
    place.write("in/3.jpg", b"this is no picture");
    translate(
        &place,
        "--content in --reference r.jpg --output out --sheet sheet.png",
    )
    .assert()
    .code(1)
    .stdout("out/1.png\nout/2.jpg\nout/4.png\n")
    .stderr(contains("1 of 4 pictures").and(contains("in/3.jpg")));
    assert_eq!(
        names(&place.root().join("out")),
        ["1.png", "2.jpg", "4.png"]
    );
    assert!(open(&place, "sheet.png").width() > 600);
    translate(
        &place,
        "--content in/4.png --reference r.jpg --output alone.png",
    )
    .assert()
    .success();
    assert_eq!(open(&place, "alone.png"), open(&place, "out/4.png"));

    translate(&place, "--content in/4.png --reference r.jpg --output out")
        .assert()
        .code(1)
        .stderr(contains("out/4.png already exists").and(contains("--overwrite")));
    translate(
        &place,
        "--content in/1.png in/2.jpg --reference r.jpg --output one.png",
    )
    .assert()
    .code(2)
    .stderr(contains("2 pictures cannot go into one file one.png"));
}

#[test]
fn every_kind_of_file_is_translated() {
    let place = place("color_transfer", "recommended");
    let deep = ImageBuffer::<Rgba<u16>, _>::from_fn(80, 30, |x, y| {
        [
            (x * 800) as u16,
            (y * 2100) as u16,
            30_000,
            (x * 100) as u16,
        ]
        .into()
    });
    let save = |name: &str, image: DynamicImage| image.save(place.file(name)).unwrap();
    save("deep.png", deep.clone().into());
    save(
        "grey.png",
        DynamicImage::ImageRgb8(open(&place, "a.png").into_rgb8())
            .into_luma8()
            .into(),
    );
    save(
        "dot.png",
        RgbImage::from_pixel(1, 1, [9, 200, 3].into()).into(),
    );
    save(
        "flat.png",
        RgbImage::from_pixel(20, 10, [200, 120, 40].into()).into(),
    );
    place.image("high.png", 3, 500, 7);
    place.image("wide.png", 500, 3, 7);
    for (content, reference) in [
        ("deep.png", "r.jpg"),
        ("grey.png", "r.jpg"),
        ("dot.png", "r.jpg"),
        ("high.png", "wide.png"),
        ("wide.png", "dot.png"),
        ("a.png", "flat.png"),
        ("flat.png", "a.png"),
        ("a.png", "a.png"),
    ] {
        translate(
            &place,
            &format!("--content {content} --reference {reference} --output o.png --overwrite"),
        )
        .assert()
        .success()
        .stderr(is_empty());
        let [before, after] = [content, "o.png"].map(|name| open(&place, name));
        assert_eq!(
            (before.width(), before.height()),
            (after.width(), after.height())
        );
        if let DynamicImage::ImageRgba16(after) = after {
            let alpha = |image: &ImageBuffer<Rgba<u16>, Vec<u16>>| -> Vec<u16> {
                image.pixels().map(|pixel| pixel.0[3]).collect()
            };
            assert_eq!(alpha(&after), alpha(&deep));
            assert!(
                after.pixels().any(|pixel| pixel.0[0] % 257 > 0),
                "they are not 8 bits in 16"
            );
        } else {
            assert_ne!(content, "deep.png");
        }
    }
    translate(
        &place,
        "--content deep.png --reference r.jpg --output none.png --strength 0",
    )
    .assert()
    .success();
    assert_eq!(open(&place, "none.png"), open(&place, "deep.png"));
}

#[test]
fn a_turned_photograph_is_upright() {
    let place = place("color_transfer", "recommended");
    let mut whole = std::io::Cursor::new(Vec::new());
    let upright = open(&place, "a.png");
    upright
        .write_to(&mut whole, image::ImageFormat::Jpeg)
        .unwrap();
    // An EXIF segment with one entry: orientation 6, to be turned clockwise by a quarter.
    let mut bytes = vec![0xFF, 0xD8, 0xFF, 0xE1, 0, 34];
    bytes.extend(b"Exif\0\0MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0");
    bytes.extend(&whole.into_inner()[2..]);
    place.write("turned.jpg", &bytes);
    translate(
        &place,
        "--content turned.jpg --reference r.jpg --output up.png",
    )
    .assert()
    .success();
    let up = open(&place, "up.png");
    assert_eq!((up.width(), up.height()), (60, 90));
}

#[test]
fn a_model_is_a_run_a_checkpoint_or_what_export_wrote() {
    let place = place("colorization", "recommended");
    let mut export = place.command("export");
    export
        .args(["model", "--output", "exported"])
        .assert()
        .success();
    std::fs::copy(
        place.root().join("exported/generator.safetensors"),
        place.root().join("mine.safetensors"),
    )
    .unwrap();
    for (number, run) in [
        "model",
        "runs/model",
        "runs/model/checkpoints/step-00000002",
        "exported",
        "exported/generator.safetensors",
        "mine.safetensors",
    ]
    .iter()
    .enumerate()
    {
        translate(
            &place,
            &format!("--content a.png --reference r.jpg --output {number}.png --run {run}"),
        )
        .assert()
        .success();
        let [first, this] =
            ["0.png".to_owned(), format!("{number}.png")].map(|it| open(&place, &it));
        assert!(first == this, "{run}");
    }
    let refused = |run: &str, code: i32, words: &str| {
        translate(
            &place,
            &format!("--content a.png --reference r.jpg --output n.png --run {run}"),
        )
        .assert()
        .code(code)
        .stderr(contains(words));
    };
    refused("nothing", 2, "there is no run nothing");
    refused(
        "exported/discriminator.safetensors",
        1,
        "exported/discriminator.safetensors cannot be used",
    );
    place.write("other.safetensors", b"no such file");
    refused("other.safetensors", 1, "other.safetensors cannot be used");
    // Without its header's settings and without those beside it nothing says what it is.
    let file = bytes(&place, "mine.safetensors");
    let (length, header) = file.split_at(8);
    let length = u64::from_le_bytes(length.try_into().unwrap()) as usize;
    let text = String::from_utf8(header[..length].to_vec()).unwrap();
    let text = text.replacen("\"settings\"", "\"settinks\"", 1);
    let mut bare = file[..8].to_vec();
    bare.extend(text.as_bytes());
    bare.extend(&header[length..]);
    place.write("bare/generator.safetensors", &bare);
    refused(
        "bare/generator.safetensors",
        1,
        "its header has no settings",
    );
    std::fs::copy(
        place.root().join("exported/settings.toml"),
        place.root().join("bare/settings.toml"),
    )
    .unwrap();
    translate(
        &place,
        "--content a.png --reference r.jpg --output b.png --run bare",
    )
    .assert()
    .success();
    assert_eq!(open(&place, "b.png"), open(&place, "0.png"));
    assert!(!place.root().join("n.png").exists());
}

#[test]
fn a_result_tells_how_it_was_made_unless_it_shall_not() {
    let place = place("color_transfer", "recommended");
    let told = |output: &str| {
        let bytes = bytes(&place, output);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        text.contains("translate, color_transfer, recommended recipe, model model, step 2")
    };
    for output in ["c.png", "c.jpg", "c.tif", "c.webp"] {
        translate(
            &place,
            &format!("--content a.png --reference r.jpg --output {output}"),
        )
        .assert()
        .success();
        assert!(told(output), "{output}");
    }
    translate(
        &place,
        "--content a.png --reference r.jpg --output n.png --no-metadata",
    )
    .assert()
    .success();
    assert!(!told("n.png"));
    assert_eq!(open(&place, "n.png"), open(&place, "c.png"));
}

#[test]
fn colorization_changes_no_brightness() {
    let place = place("colorization", "recommended");
    translate(&place, "--content a.png --reference r.jpg --output c.png")
        .assert()
        .success();
    let luma = |pixel: &Rgb<u8>| {
        let [r, g, b] = pixel.0.map(f64::from);
        0.299 * r + 0.587 * g + 0.114 * b
    };
    let [before, after] = ["a.png", "c.png"].map(|name| open(&place, name).into_rgb8());
    for (before, after) in before.pixels().zip(after.pixels()) {
        assert!(
            (luma(before) - luma(after)).abs() <= 1.0,
            "{before:?} {after:?}"
        );
    }
}
