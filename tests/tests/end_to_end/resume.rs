//! Going on: with a run, from one of its checkpoints, and from another run's weights.

use predicates::str::contains;

use crate::support::{Place, losses, resume};

const TASK: &str = "color_transfer";

/// Seven training images in batches of two: four steps an epoch.
fn place() -> Place {
    let place = Place::new();
    place.flowers();
    place
}

fn train(place: &Place, name: &str, steps: &str) {
    let mut command = place.train(TASK, name);
    command
        .args(["--epochs", "2", "--cp-freq", "1", "--max-steps", steps])
        .assert()
        .success();
}

fn picture(place: &Place, path: &str) -> Vec<u8> {
    std::fs::read(place.root().join("output").join(path)).unwrap()
}

/// Equal losses at every step, and weights that draw equal pictures.
fn assert_equal(place: &Place, one: &str, other: &str) {
    assert_eq!(losses(&place.run(one)), losses(&place.run(other)));
    let last = |run: &str| picture(place, &format!("{run}/samples/last.png"));
    assert!(last(one) == last(other), "the pictures differ");
}

#[test]
fn a_resumed_run_is_the_run_that_was_never_stopped() {
    let place = place();
    train(&place, "whole", "6");
    // In the middle of an epoch.
    train(&place, "stopped", "3");
    resume(&place, "output/stopped")
        .args(["--max-steps", "6"])
        .assert()
        .success();
    assert_equal(&place, "whole", "stopped");
}

#[test]
fn so_is_one_resumed_from_an_older_checkpoint() {
    let place = place();
    train(&place, "whole", "6");
    train(&place, "again", "6");
    resume(&place, "output/again/checkpoints/step-00000004")
        .assert()
        .success();
    assert_equal(&place, "whole", "again");
}

#[test]
fn and_one_that_was_stopped_before_its_first_checkpoint() {
    let place = place();
    train(&place, "whole", "3");
    train(&place, "early", "3");
    std::fs::remove_dir_all(place.run("early").join("checkpoints")).unwrap();
    resume(&place, "output/early").assert().success();
    assert_equal(&place, "whole", "early");
}

#[test]
fn what_was_changed_on_resuming_stays_changed() {
    let place = place();
    train(&place, "run", "1");
    resume(&place, "output/run")
        .args(["--max-steps", "2"])
        .assert()
        .success();
    resume(&place, "output/run")
        .assert()
        .success()
        .stdout(contains("nothing is left to do"));
    assert_eq!(losses(&place.run("run")).len(), 2);
}

#[test]
fn settings_that_shaped_the_run_cannot_change() {
    let place = place();
    train(&place, "run", "1");
    let refused = |key: &str| contains(format!("{key} = ")).count(1);
    resume(&place, "output/run")
        .args(["--gen-lr", "1"])
        .assert()
        .code(2)
        .stderr(refused("gen_lr"));
    let mut command = resume(&place, "output/run");
    command
        .env("HUENET_SEED", "7")
        .assert()
        .code(2)
        .stderr(refused("seed"));

    let config = place.run("run").join("config.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace("batch_size = 2", "batch_size = 3")).unwrap();
    resume(&place, "output/run")
        .assert()
        .code(2)
        .stderr(refused("batch_size"));
}

#[test]
fn other_images_are_noticed() {
    let place = place();
    train(&place, "run", "4");
    for number in 0..4 {
        place.image(
            &format!("102flowers/jpg/image_0900{number}.jpg"),
            40,
            40,
            number,
        );
    }
    resume(&place, "output/run")
        .args(["--max-steps", "5"])
        .assert()
        .code(1)
        .stderr(contains("changed"));
}

#[test]
fn a_run_can_start_from_the_weights_of_another() {
    let place = place();
    train(&place, "first", "3");
    let mut command = place.train(TASK, "second");
    command
        .args(["--max-steps", "1", "--output-pre-dir", "output/first"])
        .assert()
        .success();
    let (end, start) = (
        picture(&place, "first/samples/last.png"),
        picture(&place, "second/samples/epoch-0000.png"),
    );
    assert!(
        end == start,
        "the second run does not start with the first one's weights"
    );
    assert_eq!(losses(&place.run("second")).len(), 1);
}
