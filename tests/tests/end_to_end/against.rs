//! `huenet evaluate --against`: two trained models on the same pairs.

use predicates::prelude::*;
use predicates::str::contains;
use rstest::rstest;
use serde_json::Value;

use crate::support::{Place, names};

fn place() -> Place {
    let place = Place::new();
    place.flowers().yosemite();
    place
}

fn trained(place: &Place, task: &str, name: &str, more: &[&str]) {
    let mut command = place.train(task, name);
    command.args(["--max-steps", "3"]).args(more);
    command.assert().success();
}

/// On three training images: more pairs than are held out.
fn evaluate(place: &Place, run: &str, more: &[&str]) -> assert_cmd::assert::Assert {
    let mut command = place.command("evaluate");
    command.args(["--run", run, "--part", "train", "--images", "3"]);
    command.args(more);
    command.assert()
}

/// What is printed, and what is written as JSON.
fn evaluated(place: &Place, run: &str, more: &[&str]) -> (String, Value) {
    let told = evaluate(place, run, &[&["--json", "figures.json"], more].concat()).success();
    let text = std::fs::read_to_string(place.root().join("figures.json")).unwrap();
    let printed = String::from_utf8_lossy(&told.get_output().stdout).into_owned();
    (printed, serde_json::from_str(&text).unwrap())
}

fn method<'a>(json: &'a Value, name: &str) -> &'a Value {
    let all = json["methods"].as_array().unwrap();
    all.iter().find(|method| method["method"] == name).unwrap()
}

fn differences(json: &Value) -> &serde_json::Map<String, Value> {
    json["against"]["differences"].as_object().unwrap()
}

#[rstest]
#[case("color_transfer")]
#[case("colorization")]
fn a_model_does_not_differ_from_itself(#[case] task: &str) {
    let place = place();
    trained(&place, task, "run", &[]);
    let (text, json) = evaluated(&place, "run", &["--against", "latest"]);
    let (this, other) = (method(&json, "generator"), method(&json, "other"));
    assert_eq!(this["mean"], other["mean"]);
    assert_eq!(this["pairs"], other["pairs"]);
    assert!(!differences(&json).is_empty());
    for (name, difference) in differences(&json) {
        assert_eq!(difference["mean"], 0.0, "{name}: {difference}");
        assert_eq!(
            difference["interval"],
            serde_json::json!([0.0, 0.0]),
            "{name}"
        );
        assert_eq!(difference["left_out"], 0, "{name}");
        if !difference["better"].is_null() {
            assert_eq!([&difference["better"], &difference["equal"]], [0.0, 1.0]);
        }
    }
    let row = |start: &str| text.lines().find(|line| line.starts_with(start)).unwrap();
    let cells = |start: &str| row(start).split_once(" | ").unwrap().1.to_owned();
    assert_eq!(cells("| this model |"), cells("| run run |"));
    let emd = row("| emd | ");
    assert!(
        emd.starts_with("| emd | 0.0000 [0.0000, 0.0000] | less | 0 % of "),
        "{emd}"
    );
}

/// Each model is measured as it is by itself, whatever it works in: bins, colour space, fits, statistics. The images are
/// resized as those of the first.
#[rstest]
#[case::colour_space_and_bins(&["--no-yuv", "--bin-num", "16"])]
#[case::local_maps(&["--prediction", "local_maps"])]
#[case::recommended(&["--recipe", "recommended", "--prediction", "blend", "--resize", "nearest"])]
fn differences_are_those_of_two_evaluations(#[case] other: &[&str]) {
    let place = place();
    trained(&place, "color_transfer", "one", &[]);
    trained(&place, "color_transfer", "two", other);
    let (_, one) = evaluated(&place, "one", &[]);
    let (_, two) = evaluated(&place, "two", &[]);
    assert!(one.get("against").is_none());
    let (text, both) = evaluated(&place, "one", &["--against", "runs/two"]);
    assert_eq!(method(&both, "generator"), method(&one, "generator"));
    // The images of both runs are the same but for roundings where the colour spaces are others.
    let [alone, beside] =
        [(&two, "generator"), (&both, "other")].map(|(json, name)| method(json, name));
    let close = |a: f64, b: f64| (a - b).abs() < 1e-4 * (1.0 + a.abs());
    for (name, difference) in differences(&both) {
        let mean = |method: &Value| method["mean"][name].as_f64().unwrap();
        let [one, two] = [method(&one, "generator"), alone].map(mean);
        assert!(
            close(mean(beside), two),
            "{name}: {} and {two}",
            mean(beside)
        );
        let found = difference["mean"].as_f64().unwrap();
        assert!(
            close(found, one - two),
            "{name}: {found}, not {one} - {two}"
        );
        let [low, high] = [0, 1].map(|end| difference["interval"][end].as_f64().unwrap());
        assert!(low <= found && found <= high, "{name}: {difference}");
    }
    assert_ne!(differences(&both)["emd"]["mean"], 0.0);
    assert_eq!(both["against"]["run"], "two");
    assert_eq!(both["against"]["step"], 3);
    assert_eq!(both["methods"][1]["method"], "other");
    let titles: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split(" | ").next())
        .collect();
    let this = titles
        .iter()
        .position(|title| *title == "| this model")
        .unwrap();
    assert_eq!(titles[this + 1], "| run two");
    assert!(
        text.contains("\nthis model − run two: mean difference"),
        "{text}"
    );
}

/// Of a paired task: the figures to a ground truth differ, too.
#[test]
fn a_ground_truth_says_which_model_is_better() {
    let place = place();
    trained(&place, "colorization", "one", &[]);
    trained(&place, "colorization", "two", &["--seed", "5"]);
    let (_, json) = evaluated(&place, "one", &["--against", "two"]);
    let pairs = |name: &str| -> Vec<f64> {
        let pairs = method(&json, name)["pairs"].as_array().unwrap().iter();
        pairs.map(|pair| pair["psnr"].as_f64().unwrap()).collect()
    };
    let (this, other) = (pairs("generator"), pairs("other"));
    let wins = this.iter().zip(&other).filter(|(this, other)| this > other);
    let psnr = &differences(&json)["psnr"];
    assert_eq!(psnr["better_is"], "greater");
    assert_eq!(psnr["pairs"], this.len());
    assert_eq!(psnr["better"], wins.count() as f64 / this.len() as f64);
}

#[test]
fn two_checkpoints_of_one_run_can_be_compared() {
    let place = place();
    trained(
        &place,
        "color_transfer",
        "run",
        &["--save-every-steps", "1"],
    );
    let earlier = "runs/run/checkpoints/step-00000001";
    let (text, json) = evaluated(&place, "run", &["--against", earlier]);
    assert_eq!([&json["step"], &json["against"]["step"]], [3, 1]);
    assert!(
        text.contains("run run was trained on 102flowers, step 1, "),
        "{text}"
    );
    assert_ne!(differences(&json)["emd"]["mean"], 0.0);
}

/// A run may have any name: that of a method, or one that a table would take for its own.
#[rstest]
#[case("reinhard", "| run reinhard |")]
#[cfg_attr(unix, case("a|b<c>", "| run a\\|b<c> |"))]
fn a_run_named_like_a_method_is_a_row_and_a_file_of_its_own(#[case] name: &str, #[case] row: &str) {
    let place = place();
    trained(&place, "color_transfer", "run", &[]);
    trained(&place, "color_transfer", "other", &["--seed", "5"]);
    std::fs::rename(place.run("other"), place.run(name)).unwrap();
    let alone = ["--outputs", "alone", "--sheet", "alone.png"];
    evaluate(&place, "run", &alone).success();
    let more = [
        "--outputs",
        "both",
        "--html",
        "page.html",
        "--sheet",
        "both.png",
    ];
    let (text, json) = evaluated(&place, "run", &[&["--against", name], &more[..]].concat());
    assert_eq!(
        text.lines().filter(|line| line.starts_with(row)).count(),
        1,
        "{text}"
    );
    assert_eq!(json["against"]["run"], name);

    let [alone, both] = ["alone", "both"].map(|folder| names(&place.root().join(folder)));
    let further: Vec<_> = both.iter().filter(|name| !alone.contains(name)).collect();
    assert_eq!(
        further,
        ["0001-other.png", "0002-other.png", "0003-other.png"]
    );
    let read = |file: &str| image::open(place.root().join(file)).unwrap().to_rgb8();
    assert!(read("both/0001-other.png") != read("both/0001-generator.png"));
    // A column more.
    let [alone, both] = ["alone.png", "both.png"].map(|file| read(file).width());
    assert_eq!(both, alone + 128 + 6);

    let page = std::fs::read_to_string(place.root().join("page.html")).unwrap();
    let shown = format!("run {name}")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    assert!(
        page.contains(&format!("<th scope=\"row\">{shown}</th>")),
        "{page}"
    );
    assert!(page.contains(&format!("<h2>Differences from {shown}</h2>")));
    assert!(page.contains("aria-label=\"intervals of the differences\""));
}

#[test]
fn flags_of_an_evaluation_are_for_both_models() {
    let place = place();
    trained(&place, "color_transfer", "one", &[]);
    trained(
        &place,
        "color_transfer",
        "two",
        &["--sample-mode", "running"],
    );
    let mode = |more: &[&str]| {
        let (_, json) = evaluated(&place, "one", &[&["--against", "two"], more].concat());
        [&json["sample_mode"], &json["against"]["sample_mode"]]
            .map(|mode| mode.as_str().unwrap().to_owned())
    };
    assert_eq!(mode(&[]), ["batch", "running"]);
    assert_eq!(mode(&["--sample-mode", "running"]), ["running", "running"]);
    assert_eq!(
        mode(&["--dataset", "summer2winter_yosemite"]),
        ["batch", "running"]
    );
}

/// The images are those of the first run: those of the second may be gone.
#[test]
fn the_other_run_needs_no_images() {
    let place = place();
    trained(&place, "color_transfer", "one", &[]);
    trained(
        &place,
        "color_transfer",
        "two",
        &["--dataset", "summer2winter_yosemite"],
    );
    std::fs::remove_dir_all(place.root().join("summer2winter_yosemite")).unwrap();
    let (text, json) = evaluated(&place, "one", &["--against", "two"]);
    assert_eq!(json["against"]["dataset"], "summer2winter_yosemite");
    assert!(
        text.contains("run two was trained on summer2winter_yosemite, step 3"),
        "{text}"
    );
}

#[test]
fn runs_that_cannot_have_the_same_pairs_are_both_named() {
    let place = place();
    place.pairs();
    trained(&place, "color_transfer", "run", &[]);
    trained(&place, "colorization", "task", &[]);
    trained(&place, "color_transfer", "size", &["--img-w", "64"]);
    trained(
        &place,
        "color_transfer",
        "grey",
        &["--img-c", "1", "--img-out-c", "1"],
    );
    for (other, difference) in [
        (
            "task",
            "task is color_transfer in the former and colorization in the latter",
        ),
        ("size", "img_w is 32 in the former and 64 in the latter"),
        ("grey", "img_c is 3 in the former and 1 in the latter"),
    ] {
        evaluate(
            &place,
            "run",
            &["--against", other, "--json", "figures.json"],
        )
        .code(2)
        .stdout("")
        .stderr(
            contains(difference)
                .and(contains("runs/run and "))
                .and(contains(format!("runs/{other} "))),
        );
    }
    trained(&place, "edges2photos", "left", &[]);
    trained(&place, "edges2photos", "right", &["--a2b"]);
    evaluate(&place, "left", &["--against", "right"])
        .code(2)
        .stderr(contains(
            "a2b is false in the former and true in the latter",
        ));
    assert!(!place.root().join("figures.json").exists());
    assert!(!place.run("run").join("evaluation.png").exists());
}

#[test]
fn another_run_that_is_not_there_is_named() {
    let place = place();
    trained(&place, "color_transfer", "run", &[]);
    evaluate(&place, "run", &["--against", "rum"])
        .code(2)
        .stdout("")
        .stderr(contains("there is no run rum").and(contains("run")));
    place.write("runs/none/config.toml", b"task = \"color_transfer\"\n");
    evaluate(&place, "run", &["--against", "none"])
        .code(2)
        .stderr(contains("runs/none has saved no checkpoint yet"));
}
