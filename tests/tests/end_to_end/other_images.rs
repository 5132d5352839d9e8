//! Going on with a run whose images are not what they were.

use std::path::Path;
use std::time::Duration;

use predicates::prelude::*;
use predicates::str::contains;
use rstest::rstest;

use crate::support::{Place, assert_same_run, losses, metrics, resume};

const TASK: &str = "color_transfer";

/// Three steps of the four that the first epoch has.
fn trained() -> Place {
    let place = Place::new();
    place.flowers();
    train(&place, "run", "3");
    place
}

fn train(place: &Place, name: &str, steps: &str) {
    let mut command = place.train(TASK, name);
    command.args(["--max-steps", steps]).assert().success();
}

/// Makes the run's checkpoint one of a version that did not save which images there were, and what
/// they held.
fn forget_images(run: &Path) {
    let path = run.join("checkpoints/step-00000003/manifest.json");
    let manifest = std::fs::read(&path).unwrap();
    let mut manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    let names = manifest.as_object_mut().unwrap().remove("image_names");
    assert!(names.is_some(), "{manifest}");
    let held = manifest["files"].as_object_mut().unwrap();
    assert!(held.remove("images.json").is_some(), "{manifest}");
    std::fs::write(&path, manifest.to_string()).unwrap();
}

fn refused(place: &Place, why: &str) {
    resume(place, "runs/run")
        .args(["--max-steps", "5"])
        .timeout(Duration::from_secs(120))
        .assert()
        .code(1)
        .stderr(contains("have changed").count(1))
        .stderr(contains(why));
    assert_eq!(losses(&place.run("run")).len(), 3, "nothing was touched");
}

#[rstest]
#[case::known(false, "there were 7, now there are 4")]
#[case::as_before_names_were_saved(true, "2 steps an epoch now")]
fn fewer_images_are_refused_in_the_first_epoch(#[case] forget: bool, #[case] why: &str) {
    let place = trained();
    let folder = place.root().join("102flowers/jpg");
    for number in [1, 14, 27] {
        std::fs::remove_file(folder.join(format!("image_{number:05}.jpg"))).unwrap();
    }
    if forget {
        forget_images(&place.run("run"));
    }
    refused(&place, why);
}

#[test]
fn so_are_as_many_others() {
    let place = trained();
    let folder = place.root().join("102flowers/jpg");
    for number in [1, 14, 27] {
        let name = |number| folder.join(format!("image_{number:05}.jpg"));
        std::fs::rename(name(number), name(number + 1)).unwrap();
    }
    refused(&place, "names");
}

#[rstest]
#[case::known(false)]
#[case::as_before_names_were_saved(true)]
fn the_same_ones_may_have_moved(#[case] forget: bool) {
    let place = trained();
    train(&place, "whole", "5");
    if forget {
        forget_images(&place.run("run"));
    }
    let elsewhere = place.root().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    let folder = "102flowers";
    std::fs::rename(place.root().join(folder), elsewhere.join(folder)).unwrap();
    resume(&place, "runs/run")
        .args(["--max-steps", "5", "--dataroot", "elsewhere"])
        .assert()
        .success();
    assert_same_run(&place, "whole", "run");
}

#[test]
fn other_pixels_under_the_same_names_are_refused() {
    let place = trained();
    for number in 0..8 {
        let name = format!("102flowers/jpg/image_{:05}.jpg", number * 13 + 1);
        place.image(&name, 50 + number, 44, number * 3 + 1);
    }
    refused(&place, "holds other bytes");
    // What the checkpoint of an older version does not say cannot be compared.
    forget_images(&place.run("run"));
    resume(&place, "runs/run")
        .args(["--max-steps", "5"])
        .assert()
        .success();
}

/// Two steps an epoch, of which each image is read in the first.
fn trained_on_pairs() -> Place {
    let place = Place::new();
    place.pairs();
    let mut command = place.train("edges2photos", "run");
    command.args(["--max-steps", "2"]).assert().success();
    place
}

fn goes_on(place: &Place) {
    resume(place, "runs/run")
        .args(["--max-steps", "4"])
        .assert()
        .success();
    let mut command = place.train("edges2photos", "whole");
    command.args(["--max-steps", "4"]).assert().success();
    assert_same_run(place, "whole", "run");
}

#[test]
fn so_is_one_of_them_when_it_is_read() {
    let place = trained_on_pairs();
    let path = place.file("edges2shoes/train/2_AB.jpg");
    let before = std::fs::read(&path).unwrap();
    place.image("edges2shoes/train/2_AB.jpg", 96, 48, 77);
    resume(&place, "runs/run")
        .args(["--max-steps", "4"])
        .assert()
        .code(1)
        .stderr(contains("have changed").and(contains("2_AB.jpg holds other bytes")));
    assert!(metrics(&place.run("run")).len() < 4);
    std::fs::write(&path, before).unwrap();
    goes_on(&place);
}

#[test]
fn what_is_said_of_a_damaged_image_can_be_done() {
    let place = trained_on_pairs();
    let path = place.file("edges2shoes/train/3_AB.jpg");
    let before = std::fs::read(&path).unwrap();
    std::fs::write(&path, &before[..before.len() / 2]).unwrap();
    resume(&place, "runs/run")
        .args(["--max-steps", "4"])
        .assert()
        .code(1)
        .stderr(contains("3_AB.jpg is cut short"))
        .stderr(contains("--resume runs/run goes on"))
        .stderr(contains("--output-pre-dir runs/run"));
    // Without it.
    std::fs::remove_file(&path).unwrap();
    let mut command = place.train("edges2photos", "without");
    command
        .args(["--max-steps", "1", "--output-pre-dir", "runs/run"])
        .assert()
        .success();
    // As it was.
    std::fs::write(&path, before).unwrap();
    goes_on(&place);
}
