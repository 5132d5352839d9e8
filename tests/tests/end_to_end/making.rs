//! `huenet data`: dividing datasets and making pairs.

use std::collections::BTreeSet;

use predicates::prelude::*;
use predicates::str::contains;

use crate::data::{data, names};
use crate::support::Place;

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
