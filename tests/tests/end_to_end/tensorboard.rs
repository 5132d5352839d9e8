//! Event files, read back with the `tensorboard` package itself.
//!
//! The test needs a Python with that package: the one that `HUENET_TENSORBOARD_PYTHON` names, else
//! `python3`, else a virtual environment with the package from the package index. Where there is
//! none, it says that it was skipped.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Place, resume};

/// What is installed.
const TENSORBOARD: &str = "tensorboard==2.21.0";

/// Prints what TensorBoard's own reader finds in a folder, as JSON.
const READ: &str = r#"
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
a = EventAccumulator(sys.argv[1], size_guidance=dict(scalars=0, images=0, histograms=0))
a.Reload()
tags = a.Tags()
print(json.dumps(dict(
    scalars={t: [[e.step, e.value] for e in a.Scalars(t)] for t in tags["scalars"]},
    images={t: [[e.step, e.width, e.height, e.encoded_image_string[:4].hex()] for e in a.Images(t)] for t in tags["images"]},
    histograms={t: [[e.step, e.histogram_value.num, e.histogram_value.min, e.histogram_value.max,
                     sum(e.histogram_value.bucket)] for e in a.Histograms(t)] for t in tags["histograms"]})))
"#;

/// A Python with the package; one is made beside the tests' other files if the machine has none.
fn python() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("HUENET_TENSORBOARD_PYTHON") {
        return Some(PathBuf::from(named)).filter(|python| has_tensorboard(python));
    }
    let environment = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tensorboard");
    let own = environment.join(if cfg!(windows) {
        "Scripts/python.exe"
    } else {
        "bin/python"
    });
    let there = [PathBuf::from("python3"), own.clone()]
        .into_iter()
        .find(|python| has_tensorboard(python));
    there.or_else(|| {
        let mut make = Command::new("python3");
        make.args(["-m", "venv", "--clear"]).arg(environment);
        let mut install = Command::new(&own);
        install.args(["-m", "pip", "install", "--quiet", "--retries", "1"]);
        install.args(["--timeout", "10", TENSORBOARD]);
        (succeeds(make) && succeeds(install) && has_tensorboard(&own)).then_some(own)
    })
}

fn has_tensorboard(python: &Path) -> bool {
    let mut import = Command::new(python);
    import.args([
        "-c",
        "import tensorboard.backend.event_processing.event_accumulator",
    ]);
    succeeds(import)
}

fn succeeds(mut command: Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

fn read(python: &Path, run: &Path) -> serde_json::Value {
    let output = Command::new(python)
        .args(["-c", READ])
        .arg(run)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {errors}"))
}

fn steps(events: &serde_json::Value) -> Vec<u64> {
    events
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event[0].as_u64().unwrap())
        .collect()
}

#[test]
fn tensorboard_reads_a_run_that_was_resumed() {
    let Some(python) = python() else {
        // Not through the test's captured output: whoever runs the tests should see it.
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: no python3 with the package tensorboard, and none could be installed; name one in HUENET_TENSORBOARD_PYTHON"
        );
        return;
    };
    let place = Place::new();
    place.flowers();
    let mut command = place.train("color_transfer", "run");
    command
        .args(["--epochs", "3", "--cp-freq", "1", "--max-steps", "10"])
        .assert()
        .success();
    // Goes on from the middle: steps 9 and 10 are done a second time.
    resume(&place, "runs/run/checkpoints/step-00000008")
        .args(["--max-steps", "12"])
        .assert()
        .success();

    let found = read(&python, &place.run("run"));
    let scalars = &found["scalars"];
    let losses = crate::support::losses(&place.run("run"));
    let written = scalars["loss/gen_hist_loss"].as_array().unwrap();
    assert_eq!(
        steps(&scalars["loss/gen_hist_loss"]),
        (1..=12).collect::<Vec<_>>()
    );
    for (event, losses) in written.iter().zip(&losses) {
        assert!((event[1].as_f64().unwrap() - losses[3]).abs() < 1e-6);
    }
    for tag in [
        "loss/gen_total_loss",
        "loss/disc_loss",
        "learning_rate/generator",
        "learning_rate/discriminator",
    ] {
        assert_eq!(scalars[tag].as_array().unwrap().len(), 12, "{tag}");
    }
    for tag in [
        "validation/emd",
        "validation/emd_y",
        "validation/ssim_luma",
        "validation/h_content_given_output",
    ] {
        assert_eq!(steps(&scalars[tag]), [4, 8, 12], "{tag}");
    }
    let images = &found["images"]["samples"];
    assert_eq!(steps(images), [0, 4, 8, 12], "{images}");
    assert_eq!(images[0][1], 3 * 128 + 2 * 4);
    assert_eq!(images[0][3], "89504e47");
    for channel in ["y", "u", "v"] {
        for which in ["output", "reference"] {
            let histogram = &found["histograms"][format!("{channel}/{which}")];
            let first = &histogram[0];
            // One held-out image of 32 × 32 pixels, in a range from −1 to 1.
            assert!((first[1].as_f64().unwrap() - 1024.0).abs() < 5.0, "{first}");
            assert_eq!(first[1], first[4]);
            assert!(first[2].as_f64() >= Some(-1.0) && first[3].as_f64() <= Some(1.0));
        }
    }
}
