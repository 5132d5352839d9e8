//! `huenet data check`, and the settings of preparing images.

use std::collections::BTreeSet;
use std::path::Path;

use assert_cmd::Command;
use predicates::prelude::*;
use predicates::str::contains;

use crate::support::{Place, huenet};

pub(crate) fn data(place: &Place, arguments: &[&str]) -> Command {
    let mut command = huenet();
    command
        .current_dir(place.root())
        .arg("data")
        .args(arguments);
    command
}

pub(crate) fn names(folder: &Path) -> BTreeSet<String> {
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

/// Devices and pipes are written to, not replaced.
#[cfg(target_os = "linux")]
#[test]
fn check_writes_into_devices_and_pipes() {
    let place = Place::new();
    place.flowers();
    std::os::unix::fs::symlink("/dev/full", place.root().join("full")).unwrap();
    for option in ["--json", "--html"] {
        data(&place, &["check", "102flowers", option, "full"])
            .assert()
            .code(1)
            .stderr(contains("cannot write full: No space left"));
        assert!(place.root().join("full").is_symlink());
        let text = match option {
            "--json" => "\"datasets\": [",
            _ => "<!doctype html>",
        };
        data(&place, &["check", "102flowers", option, "/dev/stdout"])
            .assert()
            .success()
            .stdout(contains(text));
    }
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

#[test]
fn images_of_kinds_that_are_not_read_are_told_to_be_converted() {
    let place = Place::new();
    for name in ["phone/1.HEIC", "phone/2.heic", "phone/3.avif"] {
        place.write(name, b"\0\0\0\x18ftypheic");
    }
    let told = "3 of them are images of kinds that are not read: convert them to JPEG or PNG";
    data(&place, &["check", "phone"])
        .assert()
        .code(1)
        .stderr(contains(told));
    place
        .train("color_transfer", "run")
        .args(["--dataset", "phone", "--max-steps", "1"])
        .assert()
        .code(1)
        .stderr(contains(told));
    // Among images that are read they are left out, and that is said.
    for number in 0..3 {
        place.image(&format!("phone/{number}.png"), 48, 48, number);
    }
    data(&place, &["check", "phone"])
        .assert()
        .success()
        .stdout(contains("note: 3 images in phone").and(contains("convert them to JPEG or PNG")));
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
