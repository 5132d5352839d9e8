//! `huenet data`: checking, dividing and making datasets.

use std::collections::BTreeSet;
use std::path::Path;

use assert_cmd::Command;
use predicates::prelude::*;
use predicates::str::contains;

use crate::support::{Place, huenet};

fn data(place: &Place, arguments: &[&str]) -> Command {
    let mut command = huenet();
    command
        .current_dir(place.root())
        .arg("data")
        .args(arguments);
    command
}

fn names(folder: &Path) -> BTreeSet<String> {
    std::fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| {
            entry
                .expect("listed")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect()
}

#[test]
fn check_tells_every_layout_below_a_folder_and_is_content() {
    let place = Place::new();
    place.pairs().yosemite().flowers();
    let assertion = data(
        &place,
        &["check", ".", "--json", "r.json", "--html", "r.html"],
    )
    .assert();
    assertion.success().stdout(
        contains("edges2shoes: pix2pix")
            .and(contains("summer2winter_yosemite: CycleGAN"))
            .and(contains("102flowers: Flowers-102"))
            .and(contains("all 96x48 pixels"))
            .and(contains("8 sizes: smallest 50x44, largest 57x44"))
            .and(contains("mean histogram of the left halves"))
            .and(contains("all 21 images can be used")),
    );
    let report = std::fs::read_to_string(place.root().join("r.json")).expect("written");
    let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
    let shoes = &report["datasets"][1];
    assert_eq!(shoes["parts"][0]["images"], 4);
    assert_eq!(shoes["parts"][1]["name"], "val");
    let red = &shoes["parts"][0]["colours"][0][1]["channels"][0];
    let sum: f64 = red
        .as_array()
        .expect("levels")
        .iter()
        .filter_map(|it| it.as_f64())
        .sum();
    assert!((sum - 1.0).abs() < 1e-9, "{sum}");
    let page = std::fs::read_to_string(place.root().join("r.html")).expect("written");
    assert!(page.contains("<svg") && page.contains("edges2shoes"));
}

#[test]
fn check_lists_what_is_unusable_and_why_and_fails() {
    let place = Place::new();
    place.pairs();
    place.write("edges2shoes/train/5_AB.jpg", b"");
    place.write("edges2shoes/train/6_AB.jpg", b"<html>404</html>");
    place.image("edges2shoes/val/narrow.png", 1, 9, 1);
    let cut = place.file("edges2shoes/train/2_AB.jpg");
    let bytes = std::fs::read(&cut).unwrap();
    std::fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    data(&place, &["check", "edges2shoes"])
        .assert()
        .code(1)
        .stdout(
            contains("2_AB.jpg is cut short")
                .and(contains("5_AB.jpg is empty"))
                .and(contains("6_AB.jpg is no image"))
                .and(contains("narrow.png is 1 pixel")),
        )
        .stderr(contains("4 of 9 images cannot be used").and(contains("restore them")));
}

#[cfg(unix)]
#[test]
fn links_to_nothing_are_counted_and_named() {
    let place = Place::new();
    place.pairs();
    let link = place.file("edges2shoes/train/9_AB.jpg");
    std::os::unix::fs::symlink("../gone.jpg", link).expect("linked");
    data(&place, &["check", "edges2shoes"])
        .assert()
        .code(1)
        .stdout(contains("train/   5 images").and(contains("9_AB.jpg is a link to ../gone.jpg")))
        .stderr(contains("1 of 7 images cannot be used"));
    place
        .train("edges2photos", "run")
        .args(["--max-steps", "3"])
        .assert()
        .code(1)
        .stderr(contains("9_AB.jpg is a link to ../gone.jpg"));
}

#[test]
fn check_tells_of_pairs_that_are_not_twice_as_wide_as_high() {
    let place = Place::new();
    place.pairs();
    place.image("edges2shoes/train/5_AB.png", 90, 48, 5);
    place.image("edges2shoes/train/6_AB.png", 48, 48, 6);
    data(&place, &["check", "edges2shoes", "--json", "r.json"])
        .assert()
        .success()
        .stdout(
            contains("note: 2 of 6 images in train/ are not twice as wide as high")
                .and(contains("train/5_AB.png (90x48)"))
                .and(contains("cut in the middle"))
                .and(contains("in val/ are not").not()),
        );
    place.yosemite();
    data(&place, &["check", "summer2winter_yosemite"])
        .assert()
        .success()
        .stdout(contains("twice as wide").not());
}

/// JPEGs that a fast decoder decodes to garbage, or panics on.
const UNUSUAL: [(&str, &[u8]); 3] = [
    (
        "a",
        include_bytes!("../../../crates/data/tests/data/files/jpeg/scans_420.jpg"),
    ),
    (
        "b",
        include_bytes!("../../../crates/data/tests/data/files/jpeg/coarse_luma.jpg"),
    ),
    (
        "c",
        include_bytes!("../../../crates/data/tests/data/files/jpeg/scans_coarse_luma.jpg"),
    ),
];

#[test]
fn unusual_jpegs_have_their_colours_and_end_no_check() {
    let place = Place::new();
    let arithmetic = include_bytes!("../../../crates/data/tests/data/files/jpeg/arithmetic.jpg");
    for (name, bytes) in UNUSUAL {
        place.write(&format!("{name}/{name}.jpg"), bytes);
        // The means that libjpeg-turbo's `djpeg` gives.
        let arguments = ["check", name, "--json", "r.json"];
        let checked = data(&place, &arguments).assert().success();
        checked.stderr(contains("panicked").not());
        let report = std::fs::read_to_string(place.root().join("r.json")).expect("written");
        let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
        let channels = &report["datasets"][0]["parts"][0]["colours"][0][1]["channels"];
        for (channel, expected) in [(0, 123.0), (1, 141.0), (2, 125.0)] {
            let levels = channels[channel].as_array().expect("levels").iter();
            let shares = levels.map(|share| share.as_f64().expect("a share"));
            let mean: f64 = (0..)
                .map(f64::from)
                .zip(shares)
                .map(|(level, share)| level * share)
                .sum();
            assert!(
                (mean - expected).abs() < 1.5,
                "{name}: channel {channel} is {mean:.0}"
            );
        }
    }
    place.write("a/other.jpg", arithmetic);
    data(&place, &["check", "a"])
        .assert()
        .code(1)
        .stdout(contains("other.jpg is a JPEG with arithmetic coding").and(contains("convert it")));
}

#[test]
fn no_image_is_its_own_reference_and_one_held_out_is_a_warning() {
    let place = Place::new();
    place.flowers();
    let steps = ["--max-steps", "1"];
    let run = place
        .train("color_transfer", "run")
        .args(steps)
        .assert()
        .success();
    run.stderr(contains("warning: only one image is held out"));
    let evaluate = |arguments: &[&str]| {
        let mut command = place.command("evaluate");
        command
            .args(["--run", "run", "--json", "pairs.json"])
            .args(arguments);
        command.assert().success()
    };
    let pairs = || -> Vec<[String; 2]> {
        let text = std::fs::read_to_string(place.root().join("pairs.json")).expect("written");
        let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let pairs = json["methods"][0]["pairs"]
            .as_array()
            .expect("pairs")
            .iter();
        let names = |pair: &serde_json::Value| {
            ["content", "reference"].map(|name| pair[name].as_str().expect("a name").to_owned())
        };
        pairs.map(names).collect()
    };
    evaluate(&[]).stderr(contains("warning: only one image is held out"));
    let [[content, reference]] = &pairs()[..] else {
        panic!("one pair")
    };
    assert_ne!(content, reference);
    evaluate(&["--part", "train"]).stderr(contains("held out").not());
    assert_eq!(pairs().len(), 7);
    assert!(
        pairs()
            .iter()
            .all(|[content, reference]| content != reference),
        "{:?}",
        pairs()
    );

    let pair = format!(
        "task,batch,index_in_batch,content,reference\ncolor_transfer,0,0,102flowers/jpg/{content},102flowers/jpg/{content}\n"
    );
    place.write("pairs.csv", pair.as_bytes());
    let listed = ["--run", "run", "--pairs", "pairs.csv"];
    let refused = place.command("evaluate").args(listed).assert().failure();
    refused.stderr(contains("pairs.csv").and(contains("one image")));
}

#[test]
fn check_names_a_folder_that_is_no_dataset() {
    let place = Place::new();
    place.write("notes/readme.txt", b"x");
    for (folder, found) in [("notes", "readme.txt"), ("nowhere", "does not exist")] {
        data(&place, &["check", folder]).assert().code(1).stderr(
            contains(folder)
                .and(contains(found))
                .and(contains("pix2pix")),
        );
    }
}

#[test]
fn split_holds_out_what_training_would_and_overwrites_nothing() {
    let place = Place::new();
    for number in 0..20 {
        place.image(&format!("photos/{number:02}.png"), 40, 40, number);
    }
    data(&place, &["split", "photos", "--output", "parts"])
        .assert()
        .success()
        .stdout(contains("18 images to train on, 2 held out"));
    let (train, test) = (
        names(&place.root().join("parts/train")),
        names(&place.root().join("parts/test")),
    );
    assert_eq!((train.len(), test.len()), (18, 2));
    assert_eq!(&train | &test, names(&place.root().join("photos")));
    let read = |path: &str| std::fs::read(place.root().join(path)).expect("there");
    let one = test.first().expect("two");
    assert_eq!(
        read(&format!("parts/test/{one}")),
        read(&format!("photos/{one}"))
    );

    data(&place, &["split", "photos", "--list", "list.tsv"])
        .assert()
        .success();
    let list = String::from_utf8(read("list.tsv")).expect("text");
    for name in &test {
        assert!(list.contains(&format!("test\tphotos/{name}\n")), "{list}");
    }

    // What training on the folder itself evaluates on.
    let split = huenet_data::Split::NinetyTen {
        seed: huenet_tasks::SPLIT_SEED,
    };
    let collection = huenet_data::Collection::open(place.root().join("photos"), None, split);
    let held_out: BTreeSet<String> = collection
        .expect("a folder")
        .images(huenet_data::Phase::HeldOut)
        .iter()
        .map(|image| image.name().into_owned())
        .collect();
    assert_eq!(test, held_out);

    data(&place, &["split", "photos", "--output", "parts"])
        .assert()
        .code(1)
        .stderr(contains("parts already exists").and(contains("--output")));
    assert_eq!(names(&place.root().join("parts/train")), train);
    data(&place, &["split", "parts", "--output", "again"])
        .assert()
        .code(1)
        .stderr(contains("divided already"));
    assert_eq!(
        names(place.root()),
        ["list.tsv", "parts", "photos"].map(String::from).into()
    );
}

#[cfg(unix)]
#[test]
fn split_can_link_instead_of_copying() {
    use std::os::unix::fs::MetadataExt;
    let place = Place::new();
    for number in 0..4 {
        place.image(&format!("photos/{number}.png"), 8, 8, number);
    }
    data(&place, &["split", "photos", "--output", "parts", "--link"])
        .assert()
        .success();
    let inode = |path: String| {
        std::fs::metadata(place.root().join(path))
            .expect("there")
            .ino()
    };
    for name in names(&place.root().join("parts/train")) {
        assert_eq!(
            inode(format!("parts/train/{name}")),
            inode(format!("photos/{name}"))
        );
    }
}

#[test]
fn edges_of_photographs_make_pairs_that_train() {
    let place = Place::new();
    for number in 0..10 {
        place.image(&format!("photos/p {number}.jpg"), 60, 48, number);
    }
    let arguments = [
        "make-pairs",
        "--edges",
        "--to",
        "photos",
        "--output",
        "edges2shoes",
        "--size",
        "48x48",
    ];
    data(&place, &arguments)
        .assert()
        .success()
        .stdout(contains("9 pairs to train on, 1 held out"));
    let folder = place.root().join("edges2shoes/train");
    let name = names(&folder).pop_first().expect("nine");
    let pair = image::open(folder.join(&name))
        .expect("an image")
        .into_rgb8();
    assert_eq!(pair.dimensions(), (96, 48));
    let left = || {
        pair.enumerate_pixels()
            .filter(|(x, ..)| *x < 48)
            .map(|(.., pixel)| pixel.0)
    };
    assert!(left().all(|pixel| pixel == [0; 3] || pixel == [255; 3]));
    let black = left().filter(|&pixel| pixel == [0; 3]).count();
    assert!((20..1500).contains(&black), "{black} pixels of edges");
    place
        .train("edges2photos", "run")
        .args([
            "--max-steps",
            "1",
            "--resize",
            "bilinear",
            "--cache-mib",
            "1",
        ])
        .assert()
        .success();
}

#[test]
fn two_folders_make_pairs_by_name() {
    let place = Place::new();
    for name in ["a", "b"] {
        place.image(&format!("left/{name}.png"), 30, 20, 3);
        place.image(&format!("right/{name}.jpg"), 60, 40, 5);
    }
    let make = |output: &str, more: &[&str]| {
        let mut command = data(
            &place,
            &[
                "make-pairs",
                "--from",
                "left",
                "--to",
                "right",
                "--no-split",
                "--output",
                output,
            ],
        );
        command.args(more);
        command
    };
    make("pairs", &[])
        .assert()
        .success()
        .stdout(contains("2 pairs to train on, 0 held out"));
    assert_eq!(
        names(&place.root().join("pairs/train")),
        ["a.png", "b.png"].map(String::from).into()
    );
    let pair = image::open(place.root().join("pairs/train/a.png")).expect("a pair");
    assert_eq!(
        (pair.width(), pair.height()),
        (120, 40),
        "the right image's size"
    );

    place.image("left/c.png", 30, 20, 3);
    make("more", &[])
        .assert()
        .code(1)
        .stderr(contains("c.png").and(contains("--skip-unmatched")));
    make("more", &["--skip-unmatched"])
        .assert()
        .success()
        .stdout(contains("1 images without a partner"));
    place.image("right/c.png", 20, 20, 3);
    make("third", &[]).assert().code(1).stderr(
        contains("30x20")
            .and(contains("20x20"))
            .and(contains("--stretch")),
    );
    place.image("left/a.bmp", 30, 20, 3);
    make("third", &["--stretch"])
        .assert()
        .code(1)
        .stderr(contains("a.bmp").and(contains("a.png")));
    assert!(!place.root().join("third").exists());
    assert!(
        !names(place.root()).iter().any(|name| name.starts_with('.')),
        "nothing half-made"
    );
}

#[test]
fn folders_that_are_divided_make_pairs_that_stay_so() {
    let place = Place::new();
    for (part, names) in [("train", ["a", "b"]), ("val", ["a", "c"])] {
        for (number, name) in (1..).zip(names) {
            place.image(&format!("A/{part}/{name}.png"), 30, 20, number);
            place.image(&format!("B/{part}/{name}.png"), 30, 20, number + 7);
        }
    }
    let make = |from: &[&str], output: &str, more: &[&str]| {
        let mut command = data(&place, &["make-pairs", "--to", "B", "--output", output]);
        command.args(from).args(more).assert()
    };
    let made = make(&["--from", "A"], "AB", &[]);
    made.success()
        .stdout(contains("2 pairs to train on, 2 held out"));
    let expected = |names: [&str; 2]| names.map(String::from).into();
    assert_eq!(
        names(&place.root().join("AB/train")),
        expected(["a.png", "b.png"])
    );
    assert_eq!(
        names(&place.root().join("AB/val")),
        expected(["a.png", "c.png"])
    );
    let pair = image::open(place.root().join("AB/val/c.png")).expect("a pair");
    assert_eq!((pair.width(), pair.height()), (60, 20));
    make(&["--edges"], "edges", &[])
        .success()
        .stdout(contains("2 held out"));
    place.image("A/test/d.png", 30, 20, 5);
    make(&["--from", "A"], "more", &[])
        .code(1)
        .stderr(contains("A/test/d.png"));
    make(&["--from", "A"], "more", &["--skip-unmatched"])
        .success()
        .stdout(contains("1 images without a partner"));
}

#[test]
fn resizing_and_the_cache_are_settings() {
    let place = Place::new();
    place.flowers();
    let losses = |name: &str, arguments: &[&str]| {
        let steps = ["--max-steps", "6", "--held-out-images", "0"];
        place
            .train("color_transfer", name)
            .args(steps)
            .args(arguments)
            .assert()
            .success();
        crate::support::losses(&place.run(name))
    };
    let plain = losses("plain", &[]);
    assert_eq!(plain, losses("cached", &["--cache-mib", "1"]));
    assert_ne!(plain, losses("smooth", &["--resize", "lanczos"]));
    place
        .train("color_transfer", "bad")
        .args(["--resize", "wavelet"])
        .assert()
        .code(2)
        .stderr(contains("resize").and(contains("bicubic")));
}
