//! Backends and devices, and `huenet doctor`.

use predicates::prelude::*;
use predicates::str::contains;
use rstest::rstest;

use crate::support::{Place, SMALL, huenet};

#[test]
fn info_lists_the_devices_of_each_backend_and_how_to_get_the_others() {
    huenet()
        .arg("info")
        .assert()
        .success()
        .stdout(predicates::str::is_match("flex +cpu\n").unwrap())
        .stdout(
            predicates::str::is_match(
                "tch +(cpu|not compiled in; build it with `cargo xtask setup)",
            )
            .unwrap(),
        );
}

#[test]
fn info_can_be_of_one_backend() {
    let info = |backend: &str| {
        let mut command = huenet();
        command.args(["info", "--backend", backend]).assert()
    };
    let one = info("flex").success().stdout(contains("flex    cpu\n"));
    one.stdout(contains("tch").not());
    info("abacus").code(2).stderr(contains("flex, "));
}

/// What a user of `cargo xtask` is told to type can be typed.
#[test]
fn hints_name_the_command_that_was_given() {
    let place = Place::new();
    place.write("runs/run/config.toml", b"task = 'color_transfer'\n");
    let hint = "huenet train --resume runs/run\n";
    let runs = || place.command("runs");
    let plain = runs().assert().success();
    plain.stdout(contains(format!("to continue run: {hint}")));
    let mut command = runs();
    let started = command.env("XTASK_HUENET", "cargo xtask huenet").assert();
    started.stdout(contains(format!("to continue run: cargo xtask {hint}")));
}

#[test]
fn a_device_that_is_not_there_is_refused_before_anything_is_written() {
    let place = Place::new();
    place.flowers();
    let mut command = place.train("color_transfer", "run");
    command
        .args(["--device", "cuda:0"])
        .assert()
        .code(2)
        .stderr(contains(
            "`flex` sees no device `cuda:0` here (it sees cpu)",
        ));
    assert!(!place.run("run").exists());

    let mut command = place.train("color_transfer", "run");
    command.args(["--device", "cpu", "--max-steps", "1"]);
    command.assert().success();
}

#[test]
fn doctor_finds_all_that_a_run_needs_and_writes_nothing() {
    let place = Place::new();
    place.flowers();
    let arguments = |root: &str| {
        let mut command = huenet();
        command.args(["doctor", "--task", "color_transfer", "--dataroot", root]);
        command.arg("--output-dir").arg(place.root().join("runs"));
        command.args(SMALL);
        command
    };
    let root = place.root().display().to_string();
    let reported = ["dataset", "disk", "backend", "step", "run"]
        .map(|what| predicates::str::is_match(format!("(?m)^ok +{what} ")).unwrap());
    let mut checked = arguments(&root).assert().success();
    for line in reported {
        checked = checked.stdout(line);
    }
    // `cargo xtask card` reads these lines.
    let of_a_step = "(?m)^ok +step +[0-9.]+ ms: networks [0-9.]+, histogram losses [0-9.]+, optimisers [0-9.]+ \\(";
    checked
        .stdout(predicates::str::is_match(of_a_step).unwrap())
        .stdout(predicates::str::is_match("(?m)^ok +first +[0-9.]+ s: ").unwrap())
        .stdout(contains("FAILED").not());
    assert!(!place.root().join("runs").exists());

    // Whatever else is in order is still said.
    arguments("/nowhere")
        .assert()
        .failure()
        .stdout(predicates::str::is_match("(?m)^FAILED +dataset .*/nowhere").unwrap())
        .stdout(predicates::str::is_match("(?m)^ok +step ").unwrap());
}

#[test]
fn doctor_counts_and_measures_the_steps_of_the_run() {
    let place = Place::new();
    place.flowers();
    let mut command = place.command("doctor");
    command.args(["--task", "color_transfer", "--dataroot", "."]);
    command.args(SMALL).args(["--batch-size", "50"]);
    command.args(["--epochs", "10", "--epochs-decay", "90"]);
    command
        .assert()
        .success()
        .stdout(contains("7 images to train on"))
        .stdout(contains("pixels, batch 7)"))
        .stdout(contains("100 steps, about"));
}

#[rstest]
#[case::networks(&["--recipe", "official"])]
#[case::average(&["--recipe", "recommended"])]
#[case::pool(&["--recipe", "official", "--image-pool", "20"])]
fn doctor_foretells_the_size_of_a_checkpoint(#[case] more: &[&str]) {
    let place = Place::new();
    place.flowers();
    let mut arguments = vec!["--task", "color_transfer", "--dataroot", "."];
    arguments.extend(["--img-h", "128", "--img-w", "128", "--depth", "5"]);
    arguments.extend(["--base-width", "16", "--bin-num", "8", "--batch-size", "7"]);
    arguments.extend(more);
    let told = place.command("doctor").args(&arguments).assert().success();
    let told = String::from_utf8_lossy(&told.get_output().stdout).into_owned();
    let (_, told) = told.split_once("a checkpoint takes ").unwrap();
    let (told, _) = told.split_once(" MiB").unwrap();
    let told: f64 = told.parse().unwrap();

    // The pool is full after three batches of seven.
    let mut train = place.command("train");
    train
        .args(&arguments)
        .args(["--max-steps", "3", "--name", "run"]);
    train.assert().success();
    let checkpoint = place.run("run").join("checkpoints/step-00000003");
    let files = std::fs::read_dir(checkpoint).unwrap();
    let bytes: u64 = files
        .map(|file| file.unwrap().metadata().unwrap().len())
        .sum();
    let size = bytes as f64 / f64::from(1 << 20);
    // Whole mebibytes are told; names and numbers of tensors come on top.
    assert!((told..1.0 + 1.02 * told).contains(&size), "{told}: {size}");
}

#[test]
fn doctor_finds_an_output_folder_that_cannot_be_made() {
    let place = Place::new();
    place.write("file", b"");
    for output_dir in ["file", "file/below"] {
        let mut command = place.command("doctor");
        command.args(SMALL).args(["--output-dir", output_dir]);
        command
            .assert()
            .code(1)
            .stdout(predicates::str::is_match("(?m)^FAILED +disk .*file: .*--output-dir").unwrap());
    }
}
