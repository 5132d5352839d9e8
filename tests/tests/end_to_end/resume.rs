//! Going on: with a run, from one of its checkpoints, and from another run's weights.

use predicates::str::contains;

use crate::support::{Place, assert_same_run, losses, names, resume, validations};

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
    std::fs::read(place.root().join("runs").join(path)).unwrap()
}

#[test]
fn a_resumed_run_is_the_run_that_was_never_stopped() {
    let place = place();
    train(&place, "whole", "6");
    // In the middle of an epoch.
    train(&place, "stopped", "3");
    resume(&place, "runs/stopped")
        .args(["--max-steps", "6"])
        .assert()
        .success();
    assert_same_run(&place, "whole", "stopped");
}

/// The same on a backend, which the binary has to have.
fn on(backend: &str) {
    let place = place();
    let train = |name: &str, steps: &str| {
        let mut command = place.train(TASK, name);
        let options = ["--backend", backend, "--max-steps", steps];
        command.args(options).assert().success();
    };
    train("whole", "3");
    train("stopped", "1");
    resume(&place, "runs/stopped")
        .args(["--max-steps", "3"])
        .assert()
        .success();
    assert_same_run(&place, "whole", "stopped");
}

mod ndarray {
    #[test]
    fn so_it_is_on_this_backend() {
        super::on("ndarray");
    }
}

#[cfg(feature = "tch")]
mod tch {
    #[test]
    fn so_it_is_on_this_backend() {
        super::on("tch");
    }
}

#[test]
fn so_is_one_resumed_from_an_older_checkpoint() {
    let place = place();
    train(&place, "whole", "6");
    train(&place, "again", "6");
    resume(&place, "runs/again/checkpoints/step-00000004")
        .assert()
        .success()
        .stdout(contains("set aside"));
    assert_same_run(&place, "whole", "again");
    let checkpoints = ["step-00000004", "step-00000006", "superseded-step-00000006"];
    assert_eq!(names(&place.run("again").join("checkpoints")), checkpoints);
}

#[test]
fn the_best_checkpoint_is_kept_and_known_to_a_resumed_run() {
    let place = place();
    let keep = ["--cp-freq", "1", "--keep-checkpoints", "1"];
    let train = |name: &str, steps: &str| {
        let mut command = place.train(TASK, name);
        // Much too fast, so that the last epoch is not the best.
        command.args(["--gen-lr", "0.01", "--epochs", "6", "--max-steps", steps]);
        command.args(keep).assert().success();
    };
    train("whole", "24");
    train("stopped", "10");
    resume(&place, "runs/stopped")
        .args(["--max-steps", "24"])
        .assert()
        .success();
    assert_same_run(&place, "whole", "stopped");
    let emd = |line: &serde_json::Value| line["emd"].as_f64().unwrap();
    let lines = validations(&place.run("whole"));
    let best = lines
        .iter()
        .min_by(|a, b| emd(a).total_cmp(&emd(b)))
        .unwrap();
    let best = best["step"].as_u64().unwrap();
    assert!((5..24).contains(&best), "{best}");
    let kept = [format!("step-{best:08}"), "step-00000024".to_owned()];
    for run in ["whole", "stopped"] {
        assert_eq!(names(&place.run(run).join("checkpoints")), kept);
    }
}

#[test]
fn and_one_that_was_stopped_before_its_first_checkpoint() {
    let place = place();
    train(&place, "whole", "3");
    train(&place, "early", "3");
    std::fs::remove_dir_all(place.run("early").join("checkpoints")).unwrap();
    resume(&place, "runs/early").assert().success();
    assert_same_run(&place, "whole", "early");
}

#[test]
fn what_was_changed_on_resuming_stays_changed() {
    let place = place();
    train(&place, "run", "1");
    resume(&place, "runs/run")
        .args(["--max-steps", "2"])
        .assert()
        .success();
    resume(&place, "runs/run")
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
    resume(&place, "runs/run")
        .args(["--gen-lr", "1"])
        .assert()
        .code(2)
        .stderr(refused("gen_lr"));
    let mut command = resume(&place, "runs/run");
    command
        .env("HUENET_SEED", "7")
        .assert()
        .code(2)
        .stderr(refused("seed"));

    let config = place.run("run").join("config.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace("batch_size = 2", "batch_size = 3")).unwrap();
    resume(&place, "runs/run")
        .assert()
        .code(2)
        .stderr(refused("batch_size"));
}

#[test]
fn the_others_can() {
    let place = place();
    train(&place, "run", "2");
    resume(&place, "runs/run")
        .args([
            "--workers",
            "0",
            "--threads",
            "1",
            "--cp-freq",
            "3",
            "--cache-mib",
            "1",
        ])
        .args([
            "--keep-checkpoints",
            "1",
            "--save-every-steps",
            "5",
            "--non-finite",
            "skip",
        ])
        .args([
            "--save-every-minutes",
            "1",
            "--no-tensorboard",
            "--held-out-images",
            "1",
        ])
        .args([
            "--validation-images",
            "0",
            "--sample-mode",
            "running",
            "--epochs",
            "3",
        ])
        .args([
            "--backend",
            "ndarray",
            "--epochs-decay",
            "1",
            "--max-steps",
            "3",
        ])
        .assert()
        .success();
    let saved = std::fs::read_to_string(place.run("run").join("config.toml")).unwrap();
    assert!(saved.contains("epochs_decay = 1\n") && saved.contains("workers = 0\n"));
    assert_eq!(losses(&place.run("run")).len(), 3);
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
    resume(&place, "runs/run")
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
        .args(["--max-steps", "1", "--output-pre-dir", "runs/first"])
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
