//! Exported weights in the PyTorch module of `docs/generator.py`, beside the generators they were taken from.
//!
//! The tests need a Python with torch, and say that they were skipped where there is none.

use std::path::{Path, PathBuf};

use rstest::rstest;
use serde_json::{Value, json};

use crate::expected::{Expected, photographs};
use crate::python;
use crate::support::Place;

const SCRIPT: &str = include_str!("torch.py");

/// Values lie about in [−1, 1]; products of matrices are summed up in another order.
const CLOSE: f64 = 1e-4;

/// Of weights that were rounded to 16 bits: two levels of 256.
const CLOSE_IN_F16: f64 = 2.0 * 2.0 / 255.0;

#[rstest]
#[case("edges2photos", "--recipe official")]
#[case("edges2photos", "--recipe recommended")]
#[case("color_transfer", "--recipe recommended --prediction blend")]
#[case("colorization", "--recipe recommended --prediction palette")]
#[case::grey(
    "color_transfer",
    "--recipe recommended --prediction blend --colour-directions 3 --img-c 1 --img-out-c 1"
)]
#[case::mixed(
    "color_transfer",
    "--recipe recommended --prediction change --normalization batch --last-layer transposed"
)]
fn pytorch_makes_what_the_generator_makes(#[case] task: &str, #[case] options: &str) {
    assert_close(task, options, "safetensors", CLOSE);
}

#[rstest]
#[case("official")]
#[case("recommended --prediction blend")]
fn pytorch_reads_weights_of_16_bits(#[case] recipe: &str) {
    let recipe = format!("--recipe {recipe}");
    assert_close("color_transfer", &recipe, "safetensors-f16", CLOSE_IN_F16);
}

fn python() -> Option<PathBuf> {
    let modules = "numpy, safetensors, torch, tomllib";
    python::with(modules, "numpy, safetensors and torch")
}

/// A run of two steps, exported.
fn exported(task: &str, options: &str, format: &str) -> Place {
    let place = Place::new();
    place.pairs().yosemite().flowers();
    let mut train = place.train(task, "run");
    train.args(["--max-steps", "2"]);
    train.args(options.split_whitespace()).assert().success();
    let mut export = place.command("export");
    export
        .args(["run", "--output", "networks", "--format", format])
        .assert()
        .success();
    place
}

#[rstest]
#[case("")]
#[case::mixed("--no-yuv --normalization batch --conditioning counts --matched-content false")]
fn pytorch_changes_and_reads_maps_as_the_generator_does(#[case] options: &str) {
    let Some(python) = python() else { return };
    let recommended = "--recipe recommended --prediction local_maps --gen-lr 0.05";
    let options = format!("{recommended} {options}");
    let place = exported("color_transfer", &options, "safetensors");
    let expected = Expected::of(&place, "run");
    let images = photographs;
    let job = json!({
        "modules": Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs"),
        "weights": place.root().join("networks/generator.safetensors"),
        "cases": [
            expected.case_of_maps(&images(1, [32, 32], 1), &images(1, [32, 32], 5), &images(1, [32, 32], 1)),
            expected.case_of_maps(&images(2, [96, 64], 2), &images(1, [45, 70], 8), &images(2, [131, 77], 3)),
        ],
    });
    check(&python, &job, CLOSE);
}

/// Trains for two steps and exports. PyTorch's outputs are at most `close` from those of the run's generator.
fn assert_close(task: &str, options: &str, format: &str, close: f64) {
    let Some(python) = python() else { return };
    let place = exported(task, options, format);
    let expected = Expected::of(&place, "run");
    let job = json!({
        "modules": Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs"),
        "weights": place.root().join("networks/generator.safetensors"),
        "cases": [
            expected.case(&photographs(2, [32, 32], 1), &photographs(2, [32, 32], 5)),
            // One reference for both, of another size.
            expected.case(&photographs(2, [96, 64], 2), &photographs(1, [45, 70], 8)),
        ],
    });
    check(&python, &job, close);
}

/// Outputs are at most `close` from those that are expected.
fn check(python: &Path, job: &Value, close: f64) {
    let found = python::run(python, SCRIPT, job);
    let differences = found.as_array().unwrap();
    assert_eq!(differences.len(), 2);
    for difference in differences {
        let difference = difference.as_f64().unwrap_or(f64::NAN);
        assert!(difference <= close, "{differences:?}");
    }
}
