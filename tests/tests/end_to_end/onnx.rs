//! Exported ONNX models, run by onnxruntime, beside the generators they were made of.
//!
//! What needs a Python with onnx and onnxruntime says that it was skipped where there is none.

use std::path::Path;
use std::process::Command;

use predicates::prelude::*;
use predicates::str::contains;
use rstest::rstest;
use serde_json::json;

use crate::expected::{Expected, photographs};
use crate::python;
use crate::support::{Place, names};

const SCRIPT: &str = include_str!("onnx.py");

/// Values lie about in [−1, 1]; products of matrices are summed up in another order.
const CLOSE: f64 = 1e-4;

/// A run of two steps, exported.
fn exported(task: &str, options: &str) -> Place {
    let place = Place::new();
    place.pairs().yosemite().flowers();
    let mut train = place.train(task, "run");
    train.args(["--max-steps", "2"]);
    train.args(options.split_whitespace()).assert().success();
    let mut export = place.command("export");
    export.args(["run", "--format", "onnx", "--output", "model"]);
    let written = contains("model/generator.onnx");
    export.assert().success().stdout(written);
    place
}

#[rstest]
#[case("edges2photos", "--recipe official", "yuv")]
#[case("edges2photos", "--recipe recommended", "yuv")]
#[case("color_transfer", "--recipe official", "yuv")]
#[case("color_transfer", "--recipe recommended", "yuv")]
#[case("colorization", "--recipe official", "yuv")]
#[case("colorization", "--recipe recommended", "yuv")]
#[case::grey(
    "color_transfer",
    "--recipe recommended --img-c 1 --img-out-c 1",
    "grey"
)]
#[case::rgb("edges2photos", "--recipe recommended --no-yuv", "rgb")]
#[case::other_bins(
    "color_transfer",
    "--recipe official --min-val -1.5 --max-val 1.2",
    "yuv"
)]
#[case::many_bins("color_transfer", "--recipe recommended --bin-num 256", "yuv")]
#[case::matched_beside_counts("edges2photos", "--recipe official --matched-content", "yuv")]
#[case::mixed(
    "color_transfer",
    "--recipe recommended --prediction change --normalization batch --last-layer transposed",
    "yuv"
)]
fn onnxruntime_makes_what_the_generator_makes(
    #[case] task: &str,
    #[case] options: &str,
    #[case] colours: &str,
) {
    let Some(python) = python::with("numpy, onnx, onnxruntime", "numpy, onnx and onnxruntime")
    else {
        return;
    };
    let place = exported(task, options);
    let expected = Expected::of(&place, "run");
    let cases = [
        expected.case(&photographs(2, [32, 32], 1), &photographs(2, [32, 32], 5)),
        expected.case(&photographs(2, [96, 64], 2), &photographs(2, [45, 70], 8)),
        // One reference for both.
        expected.case(&photographs(2, [64, 32], 3), &photographs(1, [32, 32], 9)),
        expected.case(&photographs(1, [32, 64], 4), &photographs(1, [320, 200], 7)),
    ];
    let job = json!({ "model": place.root().join("model/generator.onnx"), "cases": cases });
    let found = python::run(&python, SCRIPT, &job);

    let differences = found["differences"].as_array().unwrap();
    assert_eq!(differences.len(), cases.len());
    for difference in differences {
        let difference = difference.as_f64().unwrap_or(f64::NAN);
        assert!(difference <= CLOSE, "{differences:?}");
    }
    let about = &found["about"];
    for (name, expected) in [
        ("task", task),
        ("model", "run"),
        ("recipe", options.split(' ').nth(1).unwrap()),
        ("step", "2"),
        ("colours", colours),
        ("height", "32"),
        ("multiple", "32"),
    ] {
        assert_eq!(about[name], expected, "{name}");
    }
    let settings = about["settings"].as_str().unwrap();
    let settings: toml::Table = settings.parse().unwrap();
    assert_eq!(settings["img_h"].as_integer(), Some(32));
    let channels = if colours == "grey" { 1 } else { 3 };
    let content = json!(["content", ["batch", channels, "height", "width"]]);
    assert_eq!(found["inputs"][0], content);
}

#[test]
fn a_model_replaces_no_file_and_other_formats_are_refused() {
    let place = exported("edges2photos", "");
    let files = |folder: &str| names(&place.root().join(folder));
    assert_eq!(files("model"), ["generator.onnx"]);
    let size = std::fs::metadata(place.root().join("model/generator.onnx")).unwrap();
    let export = |format: &str| {
        let mut export = place.command("export");
        export.args(["run", "--output", "model", "--format", format]);
        export.assert()
    };
    export("onnx")
        .code(2)
        .stderr(contains("model/generator.onnx already exists").and(contains("--output")));
    export("tflite")
        .code(2)
        .stderr(contains("tflite").and(contains("safetensors, safetensors-f16, onnx")));
    // The other format's files have other names.
    export("safetensors").success();
    assert_eq!(files("model").len(), 4);
    let path: &Path = &place.root().join("model/generator.onnx");
    assert_eq!(std::fs::metadata(path).unwrap().len(), size.len());
}

/// The Python of the page about export, as it stands there.
#[test]
fn the_python_of_the_page_translates_as_huenet_does() {
    let Some(python) = python::with("numpy, onnxruntime, PIL", "numpy, onnxruntime and Pillow")
    else {
        return;
    };
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/export.md");
    let page = std::fs::read_to_string(page).unwrap().replace("\r\n", "\n");
    let (_, rest) = page.split_once("```python\n").unwrap();
    let (script, _) = rest.split_once("```").unwrap();

    let place = exported("color_transfer", "--recipe recommended");
    let model = place.root().join("model/generator.onnx");
    std::fs::rename(model, place.file("networks/generator.onnx")).unwrap();
    let photographs = photographs(2, [32, 32], 6);
    for (photograph, name) in photographs.iter().zip(["photos/1.png", "photos/2.png"]) {
        photograph.save(place.file(name)).unwrap();
    }
    let mut run = Command::new(python);
    run.current_dir(place.root()).args(["-c", script]);
    let output = run.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let mut translate = place.command("translate");
    translate.args(["--run", "run", "--content", "photos/1.png"]);
    translate.args(["--reference", "photos/2.png", "--output", "expected.png"]);
    translate.assert().success();

    let image = |name: &str| image::open(place.root().join(name)).unwrap().to_rgb8();
    let [found, expected] = ["translated.png", "expected.png"].map(image);
    assert_eq!(found.dimensions(), (32, 32));
    let pairs = found.as_raw().iter().zip(expected.as_raw());
    let largest = pairs.map(|(a, b)| a.abs_diff(*b)).max();
    // One truncates, the other rounds.
    assert!(largest <= Some(2), "{largest:?}");
}
