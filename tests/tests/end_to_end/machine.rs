//! Backends and devices, and `huenet doctor`.

use predicates::prelude::*;
use predicates::str::contains;

use crate::support::{Place, SMALL, huenet};

#[test]
fn info_lists_the_devices_of_each_backend_and_how_to_get_the_others() {
    huenet()
        .arg("info")
        .assert()
        .success()
        .stdout(predicates::str::is_match("flex +cpu\n").unwrap())
        .stdout(
            predicates::str::is_match("tch +(cpu|not compiled in: `cargo xtask setup)").unwrap(),
        );
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
    checked.stdout(contains("FAILED").not());
    assert!(!place.root().join("runs").exists());

    // Whatever else is in order is still said.
    arguments("/nowhere")
        .assert()
        .failure()
        .stdout(predicates::str::is_match("(?m)^FAILED +dataset .*/nowhere").unwrap())
        .stdout(predicates::str::is_match("(?m)^ok +step ").unwrap());
}
