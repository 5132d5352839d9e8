//! Training: what is written, and what continuing means.

use std::path::Path;

use rstest::rstest;

use crate::support::{LOSSES, Place, huenet, losses, metrics};

#[rstest]
#[case("edges2photos")]
#[case("colorization")]
#[case("color_transfer")]
fn each_task_trains_on_its_folder(#[case] task: &str) {
    let place = Place::new();
    place.pairs().yosemite().flowers();
    let output = place
        .train(task, "run")
        .args(["--max-steps", "5", "--epochs", "3"])
        .assert();
    let output = output.success().get_output().clone();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.contains("EMD to the reference"), "{printed}");

    let run = place.run("run");
    let steps = metrics(&run);
    assert_eq!(steps.len(), 5);
    for (number, step) in steps.iter().enumerate() {
        assert_eq!(step["step"], number + 1);
        for name in LOSSES.iter().chain(&["step_seconds", "data_seconds"]) {
            assert!(
                step[name].as_f64().is_some_and(f64::is_finite),
                "{name} in {step}"
            );
        }
    }
    let config: toml::Table = std::fs::read_to_string(run.join("config.toml"))
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(config["task"].as_str(), Some(task));
    assert_eq!(config["bin_num"].as_integer(), Some(8));

    for sample in [
        "samples/epoch-0000.png",
        "samples/epoch-0001.png",
        "samples/last.png",
    ] {
        let grid = image::open(run.join(sample)).unwrap().to_rgb8();
        // Three columns of images enlarged to 128 pixels, with gutters of 4.
        assert_eq!(grid.width(), 3 * 128 + 2 * 4, "{sample}");
        let colours: std::collections::HashSet<_> = grid.pixels().collect();
        assert!(
            colours.len() > 20,
            "{sample} has only {} colours",
            colours.len()
        );
    }
    assert!(
        printed.contains(
            &run.join("samples/last.png")
                .file_name()
                .unwrap()
                .to_string_lossy()[..]
        )
    );
    let evaluation: serde_json::Value =
        serde_json::from_slice(&std::fs::read(run.join("evaluation.json")).unwrap()).unwrap();
    assert!(evaluation["emd"].as_f64().unwrap() > 0.0);
    let checkpoint = run.join("checkpoints/step-00000005");
    for file in [
        "generator",
        "discriminator",
        "generator_adam",
        "discriminator_adam",
    ] {
        assert!(checkpoint.join(format!("{file}.mpk")).is_file(), "{file}");
    }
}

#[test]
fn with_nothing_set_up_it_trains_on_the_demo_images() {
    let place = Place::new();
    place
        .command("train")
        .args(["--max-steps", "1", "--name", "demo"])
        .assert()
        .success();
    assert_eq!(metrics(&place.run("demo")).len(), 1);
}

#[test]
fn a_resumed_run_is_the_run_that_was_never_stopped() {
    let place = Place::new();
    place.flowers();
    let task = "color_transfer";
    place
        .train(task, "whole")
        .args(["--max-steps", "6", "--epochs", "2"])
        .assert()
        .success();
    // Seven training images make four batches: step 3 is in the middle of an epoch.
    place
        .train(task, "stopped")
        .args(["--max-steps", "3", "--epochs", "2"])
        .assert()
        .success();
    huenet()
        .current_dir(place.root())
        .args(["train", "--resume", "output/stopped", "--max-steps", "6"])
        .assert()
        .success();
    let (whole, resumed) = (place.run("whole"), place.run("stopped"));
    assert_eq!(losses(&whole), losses(&resumed));
    // Equal weights draw equal pictures.
    let picture = |run: &Path| std::fs::read(run.join("samples/last.png")).unwrap();
    assert_eq!(picture(&whole), picture(&resumed));
}

#[test]
fn a_run_can_start_from_the_weights_of_another() {
    let place = Place::new();
    place.flowers();
    let run = |name: &str, more: &[&str]| {
        let mut command = place.train("color_transfer", name);
        command
            .args(["--max-steps", "3", "--gen-lr", "0.01"])
            .args(more)
            .assert()
            .success();
        losses(&place.run(name))
    };
    let first = run("first", &[]);
    let second = run("second", &["--output-pre-dir", "output/first"]);
    assert_eq!(second.len(), 3);
    // The same batch as the first run's first, seen by trained networks.
    assert_ne!(first[0], second[0]);
}

#[test]
fn threads_and_workers_change_nothing() {
    let place = Place::new();
    place.yosemite();
    let run = |name: &str, threads: &str, workers: &str| {
        place
            .train("colorization", name)
            .args([
                "--max-steps",
                "4",
                "--threads",
                threads,
                "--workers",
                workers,
            ])
            .assert()
            .success();
        losses(&place.run(name))
    };
    let one = run("one", "1", "0");
    assert_eq!(one, run("two", "2", "1"));
    assert_eq!(one, run("three", "3", "3"));
}

#[test]
fn a_batch_of_one_and_one_channel_and_rgb_train() {
    let place = Place::new();
    place.pairs();
    for (name, options) in [
        ("one", &["--batch-size", "1"][..]),
        ("grey", &["--img-c", "1", "--img-out-c", "1"]),
        ("rgb", &["--yuv", "false", "--a2b"]),
        ("running", &["--sample-mode", "running"]),
    ] {
        let mut command = huenet();
        command.arg("train").current_dir(place.root());
        command.args([
            "--output-dir",
            "output",
            "--dataroot",
            ".",
            "--task",
            "edges2photos",
        ]);
        command.args([
            "--img-h",
            "32",
            "--img-w",
            "64",
            "--depth",
            "4",
            "--base-width",
            "2",
        ]);
        command
            .args(["--bin-num", "8", "--max-steps", "2", "--name", name])
            .args(options);
        command.assert().success();
        assert_eq!(losses(&place.run(name)).len(), 2);
    }
}
