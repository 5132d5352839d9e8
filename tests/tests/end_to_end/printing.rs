//! Results that cannot be printed.

use std::fs::OpenOptions;
use std::process::{Command, Output};

use assert_cmd::assert::OutputAssertExt;
use predicates::prelude::*;
use predicates::str::contains;

use crate::support::{Place, SMALL, process};

/// What every verb that prints a result needs.
fn place() -> Place {
    let place = Place::new();
    place.flowers();
    let mut train = place.train("color_transfer", "run");
    train.args(["--max-steps", "1"]).assert().success();
    place
}

fn verb(place: &Place, arguments: &[&str]) -> Command {
    let mut command = crate::support::huenet();
    command.args(arguments);
    process(place, &command)
}

#[test]
fn a_result_that_finds_no_room_is_an_error() {
    let place = place();
    let full = || OpenOptions::new().write(true).open("/dev/full").unwrap();
    for arguments in VERBS {
        let told = verb(&place, arguments).stdout(full()).output().unwrap();
        told.assert().code(1).stderr(contains(
            "error: cannot write to the standard output: No space left",
        ));
    }
}

#[test]
fn who_closes_a_pipe_has_read_enough() {
    let place = place();
    for arguments in VERBS {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let told: Output = verb(&place, arguments).stdout(writer).output().unwrap();
        told.assert().success().stderr(contains("error").not());
    }
}

const VERBS: &[&[&str]] = &[
    &["--help"],
    &["train", "--help"],
    &["--version"],
    &["info"],
    &["runs"],
    &["runs", "--json"],
    &["config"],
    &["config", "--json"],
    &["config", "--schema"],
    &["config", "--reference"],
    &["download", "--list"],
    &["data", "check", "102flowers"],
    &["data", "check", "."],
    &["evaluate", "--run", "run"],
];

/// A run that cannot show itself goes on; only what it came to has to be printed.
#[test]
fn training_goes_on_and_the_run_is_whole() {
    let place = place();
    let mut arguments = vec![
        "train",
        "--task",
        "color_transfer",
        "--dataroot",
        ".",
        "--name",
        "other",
    ];
    arguments.extend(SMALL);
    arguments.extend(["--max-steps", "2", "--quiet"]);
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let told = verb(&place, &arguments).stdout(full).output().unwrap();
    told.assert().code(1).stderr(contains("No space left"));
    assert_eq!(crate::support::metrics(&place.run("other")).len(), 2);
    assert!(place.run("other").join("report.html").exists());
}
