//! Which files are read and written, and what is kept in them.

use std::io::Cursor;

use image::{DynamicImage, ImageBuffer, ImageFormat, Rgb, RgbaImage};
use predicates::prelude::*;
use predicates::str::{contains, is_empty};
use rstest::rstest;

use super::{open, place, save, transfer};
use crate::support::names;

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
        "--content in/1.png in/2.jpg in/4.png --reference refs --output each --method reinhard",
    )
    .assert()
    .code(1)
    .stdout("each/1.png\neach/2.jpg\n")
    .stderr(contains("in/4.png has no reference"));
    transfer(
        &place,
        "--content in/1.png in/2.jpg --reference refs --output all --all-pairs --method reinhard",
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
#[case(
    "--output o.png --refine --method reinhard",
    2,
    "--refine is for local-maps, not for reinhard"
)]
#[case(
    "--output o.png --refine --method lut",
    2,
    "leave out --refine or --method lut"
)]
#[case("--output o.png --refine=20 --lut l.cube", 2, "--lut and --hald")]
#[case("--output o.png --refine --apply l.cube", 2, "--refine[=<STEPS>]")]
#[case("--output o.png --refine=20000", 2, "the number of steps is 20000")]
#[case("--output o.png --refine=some", 2, "--refine")]
#[case("--output o.png --refine 20", 2, "20")]
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
fn a_result_says_how_it_was_made_unless_it_shall_not() {
    let place = place();
    let run = |arguments: &str| {
        transfer(
            &place,
            &format!("--content a.png --reference r.jpg {arguments}"),
        )
    };
    let bytes = |name: &str| std::fs::read(place.root().join(name)).unwrap();
    let tells = |name: &str, told: &str| {
        let bytes = bytes(name);
        bytes.windows(told.len()).any(|it| it == told.as_bytes())
    };
    run("--output maps.png").assert().success();
    let told = "transfer, method local-maps, smoothness 1, strength 1";
    assert!(tells("maps.png", told));
    // The other files differ in their format: the quickest method will do.
    let run = |arguments: &str| run(&format!("--method monge-kantorovich {arguments}"));
    let told = "transfer, method monge-kantorovich, strength 0.8";
    for name in ["o.png", "o.jpg", "o.tif", "o.webp", "o.ppm"] {
        run(&format!("--strength 0.8 --output {name}"))
            .assert()
            .success()
            .stderr(is_empty());
        assert!(tells(name, told), "{name}");
        run(&format!(
            "--strength 0.8 --no-metadata --overwrite --output {name}"
        ))
        .assert()
        .success();
        assert!(!tells(name, "transfer, method"), "{name}");
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
