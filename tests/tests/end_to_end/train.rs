//! Training: what is written, and what continuing means.

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
    assert!(printed.contains("runs/run/samples/last.png"), "{printed}");
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
            "runs",
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

#[test]
fn the_ndarray_backend_trains_too() {
    let place = Place::new();
    place.flowers();
    let mut command = place.train("color_transfer", "run");
    command
        .args(["--backend", "ndarray", "--max-steps", "1"])
        .assert()
        .success();
    assert_eq!(losses(&place.run("run")).len(), 1);
}

#[test]
fn a_reader_that_goes_away_does_not_end_the_run() {
    let place = Place::new();
    place.flowers();
    let command = place.train("color_transfer", "run");
    let mut process = crate::support::process(&place, &command)
        .args(["--max-steps", "3"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(process.stdout.take());
    assert!(process.wait().unwrap().success());
    assert_eq!(losses(&place.run("run")).len(), 3);
}

#[test]
fn any_number_of_epochs_can_be_asked_for() {
    let place = Place::new();
    place.flowers();
    let mut command = place.train("color_transfer", "run");
    command
        .args(["--epochs", "9223372036854775807", "--max-steps", "1"])
        .assert()
        .success();
}

#[test]
fn a_run_that_diverges_says_so_and_saves_nothing_of_it() {
    let place = Place::new();
    place.flowers();
    let mut command = place.train("color_transfer", "run");
    let failed = command
        .args(["--gen-lr", "1e300", "--max-steps", "1"])
        .assert()
        .code(1);
    let error = String::from_utf8_lossy(&failed.get_output().stderr).into_owned();
    assert!(
        error.contains("diverged") && error.contains("--gen-lr"),
        "{error}"
    );
    assert!(!place.run("run").join("checkpoints/step-00000001").exists());
}
