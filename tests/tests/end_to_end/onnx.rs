//! Exported ONNX models, run by onnxruntime, beside the generators they were made of.
//!
//! What needs a Python with onnx and onnxruntime says that it was skipped where there is none.

use std::path::Path;
use std::process::Command;

use predicates::prelude::*;
use predicates::str::contains;
use rstest::rstest;
use serde_json::{Value, json};

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
#[case("color_transfer", "--recipe recommended --prediction blend", "yuv")]
#[case("colorization", "--recipe official", "yuv")]
#[case("colorization", "--recipe recommended --prediction palette", "yuv")]
#[case::grey(
    "color_transfer",
    "--recipe recommended --prediction blend --colour-directions 3 --img-c 1 --img-out-c 1",
    "grey"
)]
#[case::rgb("edges2photos", "--recipe recommended --no-yuv", "rgb")]
#[case::other_bins(
    "color_transfer",
    "--recipe official --min-val -1.5 --max-val 1.2",
    "yuv"
)]
#[case::many_bins(
    "color_transfer",
    "--recipe recommended --prediction blend --bin-num 256",
    "yuv"
)]
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
    let found = run_close(&python, &place, &cases);
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

/// What the script says of the model, whose outputs are those that are expected.
fn run_close(python: &Path, place: &Place, cases: &[Value]) -> Value {
    let job = json!({ "model": place.root().join("model/generator.onnx"), "cases": cases });
    let found = python::run(python, SCRIPT, &job);
    let differences = found["differences"].as_array().unwrap();
    assert_eq!(differences.len(), cases.len());
    for difference in differences {
        let difference = difference.as_f64().unwrap_or(f64::NAN);
        assert!(difference <= CLOSE, "{differences:?}");
    }
    found
}

#[rstest]
#[case("")]
#[case::mixed("--no-yuv --normalization batch --conditioning counts --matched-content false")]
fn onnxruntime_changes_and_reads_maps_as_the_generator_does(#[case] options: &str) {
    let Some(python) = python::with("numpy, onnx, onnxruntime", "numpy, onnx and onnxruntime")
    else {
        return;
    };
    let recommended = "--recipe recommended --prediction local_maps --gen-lr 0.05";
    let place = exported("color_transfer", &format!("{recommended} {options}"));
    let expected = Expected::of(&place, "run");
    let images = photographs;
    let cases = [
        expected.case_of_maps(
            &images(1, [32, 32], 1),
            &images(1, [32, 32], 5),
            &images(1, [32, 32], 1),
        ),
        // One reference for both, of another size.
        expected.case_of_maps(
            &images(2, [96, 64], 2),
            &images(1, [45, 70], 8),
            &images(2, [131, 77], 3),
        ),
        expected.case_of_maps(
            &images(1, [32, 64], 4),
            &images(1, [32, 32], 9),
            &images(1, [1, 1], 3),
        ),
    ];
    let found = run_close(&python, &place, &cases);
    assert_eq!(found["about"]["grid"], "8 8 8");
    assert_eq!(found["inputs"][2], json!(["maps", ["batch", 12, 8, 8, 8]]));
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

/// The Python of the page about export, block by block.
fn python_of_the_page() -> Vec<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/export.md");
    let page = std::fs::read_to_string(page).unwrap().replace("\r\n", "\n");
    let blocks = page.split("```python\n").skip(1);
    let blocks = blocks.map(|rest| rest.split("```").next().unwrap().to_owned());
    blocks.collect()
}

fn run_script(python: &Path, place: &Place, script: &str) {
    let mut run = Command::new(python);
    run.current_dir(place.root()).args(["-c", script]);
    let output = run.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
}

/// How far apart two images are, in levels of 256; both have this width and height.
fn levels_apart(place: &Place, names: [&str; 2], dimensions: (u32, u32)) -> Option<u8> {
    let image = |name: &str| image::open(place.root().join(name)).unwrap().to_rgb8();
    let [found, expected] = names.map(image);
    assert_eq!(found.dimensions(), dimensions);
    assert_eq!(expected.dimensions(), dimensions);
    let pairs = found.as_raw().iter().zip(expected.as_raw());
    pairs.map(|(a, b)| a.abs_diff(*b)).max()
}

#[test]
fn the_python_of_the_page_translates_as_huenet_does() {
    let Some(python) = python::with("numpy, onnxruntime, PIL", "numpy, onnxruntime and Pillow")
    else {
        return;
    };
    let place = exported("color_transfer", "--recipe recommended --prediction blend");
    let model = place.root().join("model/generator.onnx");
    std::fs::rename(model, place.file("networks/generator.onnx")).unwrap();
    let photographs = photographs(2, [32, 32], 6);
    for (photograph, name) in photographs.iter().zip(["photos/1.png", "photos/2.png"]) {
        photograph.save(place.file(name)).unwrap();
    }
    run_script(&python, &place, &python_of_the_page()[0]);
    let mut translate = place.command("translate");
    translate.args(["--run", "run", "--content", "photos/1.png"]);
    translate.args(["--reference", "photos/2.png", "--output", "expected.png"]);
    translate.assert().success();
    // One truncates, the other rounds.
    let largest = levels_apart(&place, ["translated.png", "expected.png"], (32, 32));
    assert!(largest <= Some(2), "{largest:?}");
}

#[test]
fn the_python_of_the_page_reads_maps_as_huenet_does() {
    let modules = "numpy, onnxruntime, PIL, safetensors";
    let packages = "numpy, onnxruntime, Pillow and safetensors";
    let Some(python) = python::with(modules, packages) else {
        return;
    };
    let place = exported(
        "color_transfer",
        "--recipe recommended --prediction local_maps --gen-lr 0.05",
    );
    let model = place.root().join("model/generator.onnx");
    std::fs::rename(model, place.file("mapped/generator.onnx")).unwrap();
    for (name, size, seed) in [
        ("photos/1.png", [131, 77], 6),
        ("photos/2.png", [45, 70], 3),
    ] {
        photographs(1, size, seed)[0]
            .save(place.file(name))
            .unwrap();
    }
    let mut translate = place.command("translate");
    translate.args(["--run", "run", "--content", "photos/1.png"]);
    translate.args(["--reference", "photos/2.png", "--output", "expected.png"]);
    translate.args(["--maps", "fitted.safetensors"]);
    let written = contains("fitted.safetensors\nexpected.png");
    translate.assert().success().stdout(written);
    let blocks = python_of_the_page();
    let (names, _) = blocks[0].split_once("session =").unwrap();
    run_script(&python, &place, &format!("{names}{}", blocks[1]));
    let largest = levels_apart(&place, ["mapped.png", "expected.png"], (131, 77));
    assert!(largest <= Some(1), "{largest:?}");
}
