//! What keeps a run sound: steps that are not finite, decay, clipping, the image pool.

use predicates::prelude::*;
use predicates::str::contains;

use crate::support::{
    Place, assert_same_run, fresh_weights, losses, metrics, names, resume, weights,
};

const TASK: &str = "color_transfer";

fn place() -> Place {
    let place = Place::new();
    place.flowers();
    place
}

/// So heavy a loss that it is no finite number.
const INFINITE: [&str; 2] = ["--hist-loss-weight", "1e39"];

#[test]
fn a_step_that_is_not_finite_stops_the_run_and_is_saved_for_inspection() {
    let place = place();
    let mut command = place.train(TASK, "run");
    command.args(INFINITE).assert().code(1).stderr(
        contains("step 1: gen_total_loss is inf")
            .and(contains("gradients are not finite: generator."))
            .and(contains("runs/run/non-finite/step-00000001"))
            .and(contains("--non-finite skip")),
    );
    let run = place.run("run");
    let folder = run.join("non-finite/step-00000001");
    let found = std::fs::read(folder.join("found.json")).unwrap();
    let found: serde_json::Value = serde_json::from_slice(&found).unwrap();
    assert_eq!(
        found["non_finite_losses"],
        serde_json::json!([["gen_total_loss", "inf"]])
    );
    assert!(found["losses"]["gen_hist_loss"].is_number(), "{found}");
    assert!(found["gradients"]["generator"][0].is_string(), "{found}");
    assert_eq!(found["gradients"]["discriminator"], serde_json::json!([]));
    let saved = found["saved"].as_str().unwrap();
    assert!(saved.ends_with("non-finite/step-00000001"), "{found}");
    let pictures = image::open(folder.join("batch.png")).unwrap();
    assert_eq!(pictures.width(), 3 * 128 + 2 * 4);
    // The networks as they were before the step.
    assert!(weights(&folder) == fresh_weights(&folder));
}

#[test]
fn such_a_step_can_be_skipped_and_changes_nothing() {
    let place = place();
    let mut command = place.train(TASK, "run");
    command
        .args(INFINITE)
        .args(["--non-finite", "skip", "--max-steps", "3"])
        .assert()
        .success()
        .stderr(contains("step 3 skipped").and(contains("non-finite/step-00000001")));
    let run = place.run("run");
    assert!(weights(&run) == fresh_weights(&run));
    let steps = metrics(&run);
    assert_eq!(steps.len(), 3);
    for step in steps {
        assert_eq!(step["skipped"], true);
        assert!(step["gen_total_loss"].is_null() && step["gen_mi_loss"].is_number());
    }
    assert_eq!(names(&run.join("non-finite")), ["step-00000001"]);
    resume(&place, "run")
        .args(["--max-steps", "1000"])
        .assert()
        .code(1)
        .stderr(contains("the 20th step in a row"));
}

#[test]
fn skipping_cannot_mend_weights() {
    let place = place();
    let mut command = place.train(TASK, "run");
    command
        .args([
            "--gen-lr",
            "1e38",
            "--non-finite",
            "skip",
            "--max-steps",
            "9",
        ])
        .assert()
        .code(1)
        .stderr(contains("step 2: ").and(contains("diverged")))
        .stderr(contains("non-finite/step-00000002"));
}

#[test]
fn losses_can_be_fetched_every_so_many_steps() {
    let place = place();
    let train = |name: &str, every: &str, steps: &str| {
        let mut command = place.train(TASK, name);
        let options = ["--log-every", every, "--max-steps", steps];
        command.args(options).args(["--epochs", "3"]).assert()
    };
    train("each", "1", "10").success();
    train("third", "3", "10").success();
    assert_same_run(&place, "each", "third");
    // In the middle of a stretch.
    train("stopped", "3", "5").success();
    resume(&place, "stopped")
        .args(["--max-steps", "10"])
        .assert()
        .success();
    assert_same_run(&place, "each", "stopped");

    let mut command = place.train(TASK, "late");
    command
        .args(INFINITE)
        .args(["--log-every", "3"])
        .assert()
        .code(1)
        .stderr(contains("step 1: gen_total_loss is inf").and(contains("noticed after step 3")));
    assert_eq!(names(&place.run("late").join("checkpoints")), [""; 0]);
    let mut command = place.train(TASK, "both");
    command
        .args(["--log-every", "3", "--non-finite", "skip"])
        .assert()
        .code(2)
        .stderr(contains("log_every = 3"));
}

#[test]
fn clipped_gradients_move_weights_less() {
    let place = place();
    let train = |name: &str, limit: &str| {
        let mut command = place.train(TASK, name);
        let options = ["--max-steps", "2", "--clip-gradients", limit];
        command.args(options).assert().success();
        let run = place.run(name);
        // Running statistics move whatever the gradients are.
        let fresh = fresh_weights(&run).into_iter();
        let trained = fresh.filter(|(name, _)| !name.contains("moving"));
        let after = weights(&run);
        let moved = trained.flat_map(|(name, before)| {
            let after = after[&name].clone();
            before.into_iter().zip(after).map(|(a, b)| (a - b).abs())
        });
        moved.fold(0.0, f64::max)
    };
    // Adam's steps are of the size of the learning rate, unless gradients are far below its ε.
    assert!(train("free", "0") > 1e-4);
    assert!(train("loose", "1e9") > 1e-4);
    assert!(train("tight", "1e-15") < 1e-6);
}

#[test]
fn a_run_with_a_pool_smooth_labels_and_decay_resumes_exactly() {
    let place = place();
    place.pairs();
    let options = [
        "--image-pool",
        "3",
        "--label-smoothing",
        "0.1",
        "--clip-gradients",
        "0.5",
        "--epochs",
        "1",
        "--epochs-decay",
        "3",
    ];
    for task in ["edges2photos", TASK] {
        let train = |name: &str, more: &[&str]| {
            let name = format!("{task}-{name}");
            let mut command = place.train(task, &name);
            command.args(more).assert().success();
            name
        };
        let whole = train("whole", &options);
        let stopped = train("stopped", &[&options[..], &["--max-steps", "5"]].concat());
        resume(&place, &format!("runs/{stopped}"))
            .args(["--max-steps", "0"])
            .assert()
            .success();
        assert_same_run(&place, &whole, &stopped);
        let steps = losses(&place.run(&whole));
        // One epoch and three more.
        assert!(steps.len().is_multiple_of(4));
        // Each of them does something.
        for off in ["--image-pool", "--label-smoothing", "--clip-gradients"] {
            let other = train(&format!("no{off}"), &[&options[..], &[off, "0"]].concat());
            assert_ne!(losses(&place.run(&other)), steps, "{off}");
        }
        let constant = ["--epochs", "4", "--epochs-decay", "0"];
        let other = train("constant", &[&options[..], &constant].concat());
        let other = losses(&place.run(&other));
        let an_epoch = steps.len() / 4;
        assert_eq!(other[..an_epoch], steps[..an_epoch]);
        assert_ne!(other, steps);
    }
}

#[test]
fn learning_rates_already_used_cannot_change() {
    let place = place();
    let mut command = place.train(TASK, "run");
    command
        .args(["--epochs", "2", "--epochs-decay", "2", "--max-steps", "9"])
        .assert()
        .success();
    for (flag, value) in [("--epochs", "3"), ("--epochs-decay", "3")] {
        let key = flag.trim_start_matches('-').replace('-', "_");
        resume(&place, "run")
            .args([flag, value])
            .assert()
            .code(2)
            .stderr(contains(format!("{key} = {value}")).and(contains("learning rates")));
    }
    // Before they begin to fall, the length of either part is free.
    let mut command = place.train(TASK, "early");
    command
        .args(["--epochs", "3", "--max-steps", "5"])
        .assert()
        .success();
    resume(&place, "early")
        .args(["--epochs", "2", "--epochs-decay", "1", "--max-steps", "0"])
        .assert()
        .success();
    assert_eq!(metrics(&place.run("early")).len(), 12);
}
