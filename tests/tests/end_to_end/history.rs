//! What a run has written of its steps is kept, whatever happens beside.

use std::path::Path;

use predicates::prelude::*;
use predicates::str::contains;

use crate::support::{Place, assert_same_run, losses, metrics, names, resume, validations};

const TASK: &str = "color_transfer";

/// Four steps an epoch, a checkpoint after each.
fn trained(steps: &str) -> Place {
    let place = Place::new();
    place.flowers();
    let mut command = place.train(TASK, "run");
    command
        .args(["--cp-freq", "1", "--max-steps", steps])
        .assert()
        .success();
    place
}

#[test]
fn steps_are_written_down_though_a_picture_cannot_be() {
    let place = trained("2");
    let run = place.run("run");
    std::fs::remove_dir_all(run.join("checkpoints")).unwrap();
    let sample = run.join("samples/epoch-0000.png");
    std::fs::remove_file(&sample).unwrap();
    std::fs::create_dir(&sample).unwrap();
    std::fs::write(sample.join("in the way"), "").unwrap();
    // The fault is noticed at one of the steps whose losses are fetched together.
    resume(&place, "runs/run")
        .args(["--log-every", "3", "--max-steps", "9"])
        .assert()
        .code(1)
        .stderr(contains("epoch-0000.png"));
    // Before the first step, if it was noticed at once.
    let written = Some(metrics(&run).len()).filter(|steps| *steps > 0);
    let expected: Vec<String> = written.iter().map(|n| format!("step-{n:08}")).collect();
    assert_eq!(names(&run.join("checkpoints")), expected);
}

#[test]
fn going_back_keeps_what_was_written_of_the_steps_after() {
    let place = trained("9");
    let run = place.run("run");
    let read = |name: &str| std::fs::read_to_string(run.join(name)).unwrap();
    let before = ["metrics.jsonl", "validation.jsonl"].map(read);
    resume(&place, "runs/run/checkpoints/step-00000004")
        .args(["--max-steps", "5"])
        .assert()
        .success();
    assert_eq!(losses(&run).len(), 5);
    let kept = ["metrics", "validation"]
        .map(|name| read(&format!("{name}.superseded-step-00000009.jsonl")));
    assert!(kept == before);

    // What was set aside is none of the run's any more, but still of use.
    let aside = "runs/run/checkpoints/superseded-step-00000009";
    resume(&place, aside)
        .assert()
        .code(2)
        .stderr(contains(format!("--output-pre-dir {aside}")))
        .stderr(contains("rename it to step-00000009"));
    let rename = |from: &str, to: &str| std::fs::rename(run.join(from), run.join(to)).unwrap();
    rename(
        "checkpoints/superseded-step-00000009",
        "checkpoints/step-00000009",
    );
    for name in ["metrics", "validation"] {
        rename(
            &format!("{name}.superseded-step-00000009.jsonl"),
            &format!("{name}.jsonl"),
        );
    }
    resume(&place, "runs/run/checkpoints/step-00000009")
        .args(["--max-steps", "10"])
        .assert()
        .success();
    let mut command = place.train(TASK, "whole");
    command.args(["--max-steps", "10"]).assert().success();
    assert_eq!(losses(&run), losses(&place.run("whole")));
    assert_eq!(validations(&run), validations(&place.run("whole")));
}

#[test]
fn a_run_starts_again_from_the_checkpoint_it_started_from() {
    let place = trained("3");
    let other = |name: &str| {
        let mut command = place.train(TASK, name);
        command
            .args(["--max-steps", "2", "--output-pre-dir", "runs/run"])
            .assert()
            .success();
    };
    other("whole");
    other("early");
    let config = std::fs::read_to_string(place.run("early").join("config.toml")).unwrap();
    let config: toml::Table = config.parse().unwrap();
    let start = Path::new(config["output_pre_dir"].as_str().unwrap());
    assert!(start.is_absolute(), "{}", start.display());
    assert!(start.ends_with("runs/run/checkpoints/step-00000003"));
    // The other run goes on meanwhile.
    resume(&place, "runs/run")
        .args(["--max-steps", "5"])
        .assert()
        .success();
    std::fs::remove_dir_all(place.run("early").join("checkpoints")).unwrap();
    let mut command = resume(&place, "runs/early");
    command
        // As it was given at first.
        .env("HUENET_OUTPUT_PRE_DIR", "runs/run")
        .assert()
        .success();
    assert_same_run(&place, "whole", "early");
    // Another one is refused.
    resume(&place, "runs/early")
        .args(["--output-pre-dir", "runs/whole"])
        .assert()
        .code(2)
        .stderr(contains("output_pre_dir"));
}

#[test]
fn a_new_run_has_no_earlier_outputs_of_another() {
    let place = Place::new();
    place.flowers();
    let pool = ["--image-pool", "3"];
    let train = |name: &str, more: &[&str]| {
        let mut command = place.train(TASK, name);
        command.args(pool).args(more).assert().success();
        losses(&place.run(name))
    };
    train("first", &["--max-steps", "4"]);
    let start = ["--max-steps", "4", "--output-pre-dir", "runs/first"];
    let with = train("with", &start);
    // The same weights, without the pool.
    let path = place.run("first").join("checkpoints/step-00000004");
    let manifest = std::fs::read(path.join("manifest.json")).unwrap();
    let mut manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    let files = manifest["files"].as_object_mut().unwrap();
    assert!(files.remove("image_pool.mpk").is_some());
    std::fs::write(path.join("manifest.json"), manifest.to_string()).unwrap();
    assert_eq!(with, train("without", &start));
}

#[test]
fn a_checkpoint_without_its_settings_is_damaged() {
    let place = trained("5");
    let run = place.run("run");
    let checkpoint = run.join("checkpoints/step-00000005");
    // With the checksum of an empty file: what could not be written as text was saved so.
    std::fs::write(checkpoint.join("settings.toml"), "").unwrap();
    let path = checkpoint.join("manifest.json");
    let manifest = std::fs::read(&path).unwrap();
    let mut manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    manifest["files"]["settings.toml"] = serde_json::json!([0, 0]);
    std::fs::write(&path, manifest.to_string()).unwrap();
    let sound = "runs/run/checkpoints/step-00000004";
    resume(&place, "runs/run")
        .assert()
        .code(1)
        .stderr(contains("step-00000005/settings.toml").and(contains("panicked").not()))
        .stderr(contains(format!("huenet train --resume {sound}")));
    // Others name the checkpoint, not another verb.
    let mut command = place.command("evaluate");
    command
        .args(["--run", "runs/run"])
        .assert()
        .code(1)
        .stderr(contains(sound).and(contains("--resume").not()));
}
