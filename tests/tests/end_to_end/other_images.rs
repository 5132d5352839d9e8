//! Going on with a run whose images are not what they were.

use std::path::Path;
use std::time::Duration;

use predicates::str::contains;
use rstest::rstest;

use crate::support::{Place, assert_same_run, losses, resume};

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

/// Makes the run's checkpoint one of a version that did not save which images there were.
fn forget_images(run: &Path) {
    let path = run.join("checkpoints/step-00000003/manifest.json");
    let manifest = std::fs::read(&path).unwrap();
    let mut manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    let names = manifest.as_object_mut().unwrap().remove("image_names");
    assert!(names.is_some(), "{manifest}");
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
