//! `huenet evaluate`: a trained model beside methods that need no training.

use std::path::{Path, PathBuf};

use predicates::prelude::*;
use predicates::str::contains;
use rstest::rstest;
use serde_json::Value;

use crate::support::{Place, huenet};

/// A short run with the official number of bins.
fn trained(place: &Place, task: &str, name: &str, more: &[&str]) {
    let mut command = place.train(task, name);
    command
        .args(["--bin-num", "256", "--max-steps", "3"])
        .args(more)
        .assert()
        .success();
}

fn evaluate(place: &Place, run: &str, more: &[&str]) -> assert_cmd::Command {
    let mut command = huenet();
    command
        .current_dir(place.root())
        .args(["evaluate", "--run", run])
        .args(more);
    command
}

/// Evaluates, and reads what was written.
fn evaluated(place: &Place, run: &str, more: &[&str]) -> Value {
    let json = place.root().join("figures.json");
    let mut command = evaluate(place, run, more);
    command.arg("--json").arg(&json).assert().success();
    serde_json::from_str(&std::fs::read_to_string(json).unwrap()).unwrap()
}

fn method<'a>(json: &'a Value, name: &str) -> &'a Value {
    let all = json["methods"].as_array().unwrap();
    all.iter().find(|method| method["method"] == name).unwrap()
}

fn mean(json: &Value, name: &str, figure: &str) -> f64 {
    method(json, name)["mean"][figure]
        .as_f64()
        .unwrap_or_else(|| panic!("{name} has no {figure}: {json:#}"))
}

fn assert_near(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-5, "{a} and {b}");
}

#[rstest]
#[case("color_transfer", false)]
#[case("colorization", true)]
fn figures_are_those_of_the_runs_own_evaluation(#[case] task: &str, #[case] paired: bool) {
    let place = Place::new();
    place.flowers().yosemite();
    trained(&place, task, "run", &[]);
    let json = evaluated(&place, "run", &[]);
    let own = std::fs::read_to_string(place.run("run").join("evaluation.json")).unwrap();
    let own: Value = serde_json::from_str(&own).unwrap();
    let own = |name: &str| own[name].as_f64().unwrap();
    assert_near(mean(&json, "generator", "emd"), own("emd"));
    assert_near(mean(&json, "nothing", "emd"), own("emd_doing_nothing"));
    assert_near(
        mean(&json, "generator", "h_content_given_output"),
        own("h_content_given_output"),
    );
    assert_near(
        mean(&json, "nothing", "h_content_given_output"),
        own("h_doing_nothing"),
    );
    assert_near(mean(&json, "nothing", "ssim_luma"), 1.0);
    assert_near(mean(&json, "generator", "swd"), own("swd"));
    assert_near(mean(&json, "nothing", "swd"), own("swd_doing_nothing"));
    for name in ["cliffs", "noise"] {
        let (found, own) = (mean(&json, "generator", name), own(name));
        assert!(
            (found - own).abs() < 1e-4 * own,
            "{name}: {found} and {own}"
        );
        assert_eq!(mean(&json, "nothing", name), 1.0);
        // A single pair has no interval.
        let interval = &method(&json, "generator")["interval"][name];
        if let [Some(low), Some(high)] = [0, 1].map(|end| interval[end].as_f64()) {
            assert!(low <= found && found <= high, "{name}: {found}, {interval}");
        } else {
            assert!(interval.is_null() && !paired, "{name}: {interval}");
        }
    }
    for name in ["generator", "reinhard", "monge_kantorovich"] {
        let channels = ["emd_y", "emd_u", "emd_v"].map(|figure| mean(&json, name, figure));
        assert_near(mean(&json, name, "emd"), channels.iter().sum::<f64>() / 3.0);
        let has = |figure: &str| method(&json, name)["mean"][figure].is_number();
        assert_eq!([has("psnr"), has("ssim")], [paired; 2]);
    }
    if !paired {
        // Matching gives each channel the reference's histogram, by construction.
        assert!(mean(&json, "histogram_matching", "emd") < 0.01, "{json:#}");
    }
}

#[test]
fn a_table_and_a_contact_sheet_are_made() {
    let place = Place::new();
    place.pairs();
    trained(&place, "edges2photos", "run", &[]);
    let titles = [
        "| this model |",
        "| doing nothing |",
        "| histogram matching |",
        "| Reinhard |",
        "| Monge–Kantorovich |",
        "| Monge–Kantorovich, then matching |",
        "| iterative distribution transfer |",
        "| local maps |",
        "| emd_other |",
        "| swd |",
        "| psnr, dB |",
    ];
    let output = evaluate(&place, "latest", &[]).assert().success();
    let text = String::from_utf8_lossy(&output.get_output().stdout).into_owned();
    for title in titles {
        assert!(text.contains(title), "{title} in {text}");
    }
    // An output is not to be as smooth as edges are.
    assert!(!text.contains("| cliffs |") && !text.contains("| noise |"));
    let sheet = image::open(place.run("run").join("evaluation.png")).unwrap();
    // Content, reference, model, and all methods but doing nothing: 32 pixels, four times.
    assert_eq!(sheet.width(), 6 + 9 * (128 + 6));

    let checkpoint = place.run("run").join("checkpoints/step-00000003");
    let elsewhere = place.root().join("sheet.png");
    let more = ["--images", "1", "--sheet", "sheet.png"];
    evaluate(&place, checkpoint.to_str().unwrap(), &more)
        .assert()
        .success();
    let small = image::open(elsewhere).unwrap();
    assert!(small.height() < sheet.height());
}

fn pairs_file(place: &Place, lines: &[&str]) -> PathBuf {
    let text = format!(
        "task,batch,index_in_batch,content,reference\n{}\n",
        lines.join("\n")
    );
    place.write("pairs.csv", text.as_bytes())
}

#[test]
fn a_file_of_pairs_says_who_is_in_a_batch_with_whom() {
    let place = Place::new();
    place.pairs();
    trained(&place, "edges2photos", "run", &[]);
    let [one, two] = ["edges2shoes/val/1_AB.jpg", "edges2shoes/val/2_AB.jpg"];
    let line = |batch: u32, index: u32, content: &str, reference: &str| {
        format!("edges2photos,{batch},{index},{content},{reference}")
    };
    let figures = |lines: &[String], mode: &str| {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let file = pairs_file(&place, &lines);
        let more = ["--pairs", file.to_str().unwrap(), "--sample-mode", mode];
        let json = evaluated(&place, "run", &more);
        method(&json, "generator")["pairs"]
            .as_array()
            .unwrap()
            .clone()
    };
    // In any order of lines, and with other tasks among them.
    let together = [
        line(4, 1, two, two),
        "color_transfer,4,0,no/such.jpg,file.jpg".to_owned(),
        line(4, 0, one, one),
    ];
    let apart = [line(0, 0, one, one), line(1, 0, two, two)];
    let emd = |pairs: &[Value]| -> Vec<f64> {
        pairs
            .iter()
            .map(|pair| pair["emd"].as_f64().unwrap())
            .collect()
    };
    let listed = figures(&together, "batch");
    assert_eq!(listed[0]["content"], one);
    let json = evaluated(&place, "run", &["--sample-mode", "batch"]);
    assert_eq!(
        emd(&listed),
        emd(method(&json, "generator")["pairs"].as_array().unwrap())
    );
    assert_ne!(emd(&listed), emd(&figures(&apart, "batch")));
    let [running, alone] = [&together[..], &apart[..]].map(|lines| emd(&figures(lines, "running")));
    for (running, alone) in running.iter().zip(&alone) {
        assert_near(*running, *alone);
    }
    // Without a ground truth there are no figures to one.
    let crossed = figures(&[line(0, 0, one, two), line(0, 1, two, two)], "running");
    assert!(crossed[0]["psnr"].is_null() && crossed[1]["psnr"].is_number());
    assert!(
        crossed[0]["emd_other"].is_null(),
        "there is no other reference"
    );
}

#[rstest]
#[case::outside("edges2photos,0,0,../x.jpg,a.jpg", "line 2")]
#[case::unknown("sharpening,0,0,a.jpg,a.jpg", "sharpening")]
#[case::number("edges2photos,first,0,a.jpg,a.jpg", "line 2")]
#[case::columns("edges2photos,0,0,a.jpg", "line 2")]
#[case::other_task("colorization,0,0,a.jpg,a.jpg", "no pair of edges2photos")]
#[case::twice("edges2photos,0,0,a.jpg,a.jpg\nedges2photos,0,0,b.jpg,b.jpg", "line 3")]
#[case::missing("edges2photos,0,0,no such.jpg,no such.jpg", "no such.jpg")]
fn a_bad_file_of_pairs_is_named(#[case] lines: &str, #[case] message: &str) {
    let place = Place::new();
    place.pairs();
    trained(&place, "edges2photos", "run", &[]);
    let file = pairs_file(&place, &[lines]);
    evaluate(&place, "run", &["--pairs", file.to_str().unwrap()])
        .assert()
        .code(1)
        .stderr(contains(message).and(contains("pairs.csv").or(contains("no such.jpg"))));
    assert!(!place.run("run").join("evaluation.png").exists());
}

#[rstest]
#[case::latin_1(
    b"task,batch,index_in_batch,content,reference\nedges2photos,0,0,gr\xfcn.jpg,a.jpg\n",
    "line 2: it is not UTF-8"
)]
#[case::latin_1_heading(
    b"task,batch,index_in_batch,content,r\xe9f\n",
    "line 1: it is not UTF-8"
)]
#[case::utf_16(b"\xff\xfet\0a\0s\0k\0,\0b\0\n\0", "line 1: it is not UTF-8")]
#[case::semicolons(
    b"task;batch;index_in_batch;content;reference\nedges2photos;0;0;a.jpg;a.jpg\n",
    "line 1: its columns are separated by semicolons: separate them by commas"
)]
#[case::tabs(
    b"task\tbatch\tindex_in_batch\tcontent\treference\n",
    "line 1: its columns are separated by tabs"
)]
#[case::other_columns(
    b"task,batch,content,reference\nedges2photos,0,a.jpg,a.jpg\n",
    "line 1: it has no column index_in_batch"
)]
#[case::empty(b"", "line 1: it has no column task")]
#[case::number(
    b"task,batch,index_in_batch,content,reference\nedges2photos,0,first,a.jpg,a.jpg\n",
    "line 2: \"first\" in the column index_in_batch is no whole number"
)]
fn a_file_that_is_no_list_of_pairs_is_told_what_is_expected(
    #[case] file: &[u8],
    #[case] message: &str,
) {
    let place = Place::new();
    place.pairs();
    trained(&place, "edges2photos", "run", &[]);
    let file = place.write("pairs.csv", file);
    let expected = "the columns task, batch, index_in_batch, content and reference";
    evaluate(&place, "run", &["--pairs", file.to_str().unwrap()])
        .assert()
        .code(1)
        .stderr(contains(format!("pairs.csv, {message}")).and(contains(expected)));
}

#[test]
fn columns_may_come_in_any_order_and_with_others() {
    let place = Place::new();
    place.pairs();
    trained(&place, "edges2photos", "run", &[]);
    let text = "\u{feff}note,reference,content,index_in_batch,batch,task\n\
                \"one, two\",edges2shoes/val/1_AB.jpg,edges2shoes/val/1_AB.jpg,0,0,edges2photos\n";
    let file = place.write("pairs.csv", text.as_bytes());
    let json = evaluated(&place, "run", &["--pairs", file.to_str().unwrap()]);
    assert_eq!(
        method(&json, "nothing")["pairs"].as_array().unwrap().len(),
        1
    );
}

#[test]
fn a_contact_sheet_is_what_its_name_says() {
    let place = Place::new();
    place.flowers();
    trained(&place, "color_transfer", "run", &[]);
    for name in ["sheet.jpg", "sheet.webp"] {
        evaluate(&place, "run", &["--sheet", name])
            .assert()
            .code(2)
            .stdout("")
            .stderr(contains(
                "the contact sheet is a PNG file: name it sheet.png",
            ));
        assert!(!place.root().join(name).exists());
    }
    for name in ["sheet.PNG", "sheet"] {
        evaluate(&place, "run", &["--sheet", name])
            .assert()
            .success();
        let bytes = std::fs::read(place.root().join(name)).unwrap();
        assert!(bytes.starts_with(b"\x89PNG"));
    }
}

/// Devices and pipes are written to, not replaced.
#[cfg(target_os = "linux")]
#[test]
fn a_file_that_takes_nothing_is_an_error_after_the_table() {
    let place = Place::new();
    place.flowers();
    trained(&place, "color_transfer", "run", &[]);
    std::os::unix::fs::symlink("/dev/full", place.root().join("full.png")).unwrap();
    for option in ["--json", "--sheet"] {
        evaluate(&place, "run", &[option, "full.png"])
            .assert()
            .code(1)
            .stdout(contains("| doing nothing |"))
            .stderr(contains("cannot write full.png: No space left"));
        assert!(place.root().join("full.png").is_symlink());
    }
    // The one does not keep the other from being written.
    assert!(place.run("run").join("evaluation.png").exists());
}

/// The same picture, brighter, is a similar one. Of luma in [−1, 1] its SSIM would be −0.933.
#[test]
fn ssim_of_luma_counts_from_black() {
    let place = Place::new();
    place.flowers();
    trained(&place, "color_transfer", "run", &[]);
    for (name, brighter) in [("dark.png", 0.0), ("bright.png", 115.0)] {
        let grey = |x: u32, y: u32| {
            let (x, y) = (f64::from(x), f64::from(y));
            (70.0 + 30.0 * (x / 3.0).sin() * (y / 4.0).cos()).floor() + brighter
        };
        let pixel = |x, y| image::Rgb([grey(x, y) as u8; 3]);
        let image = image::RgbImage::from_fn(32, 32, pixel);
        image.save(place.file(name)).unwrap();
    }
    let file = pairs_file(&place, &["color_transfer,0,0,dark.png,bright.png"]);
    let json = evaluated(&place, "run", &["--pairs", file.to_str().unwrap()]);
    // scikit-image 0.26.0, with data_range=1.0.
    let found = mean(&json, "histogram_matching", "ssim_luma");
    assert!((found - 0.655_571_956).abs() < 1e-4, "{found}");
}

#[test]
fn a_run_in_rgb_is_measured_in_yuv_too() {
    let place = Place::new();
    place.flowers();
    trained(&place, "color_transfer", "yuv", &[]);
    trained(&place, "color_transfer", "rgb", &["--no-yuv"]);
    let [yuv, rgb] = ["yuv", "rgb"].map(|run| evaluated(&place, run, &["--part", "train"]));
    for name in ["nothing", "reinhard"] {
        for figure in ["emd", "emd_v", "emd_other", "ssim_luma", "swd"] {
            let [yuv, rgb] = [&yuv, &rgb].map(|json| mean(json, name, figure));
            assert!((yuv - rgb).abs() < 1e-4, "{name} {figure}: {yuv} and {rgb}");
        }
    }
}

#[test]
fn files_that_cannot_be_written_are_named_before_anything_is_measured() {
    let place = Place::new();
    place.flowers();
    trained(&place, "color_transfer", "run", &[]);
    let long = "figures".repeat(50);
    for (option, path) in [
        ("--sheet", "no/folder.png"),
        ("--json", "102flowers"),
        ("--json", long.as_str()),
    ] {
        evaluate(&place, "run", &[option, path])
            .assert()
            .code(1)
            .stdout("")
            .stderr(contains(format!("cannot write {path}: ")).and(contains(option)))
            .stderr(contains(".partial").not());
    }
    assert!(!place.run("run").join("evaluation.png").exists());
}

#[test]
fn variables_change_what_flags_can_and_flags_win() {
    let place = Place::new();
    place.flowers();
    trained(&place, "color_transfer", "run", &[]);
    let from_variable = |more: &[&str]| {
        let mut command = evaluate(&place, "run", more);
        command.env("HUENET_DATASET", "unheard_of");
        command.env("HUENET_BATCH_SIZE", "1");
        command.assert()
    };
    from_variable(&[]).code(1).stderr(contains("unheard_of"));
    from_variable(&["--dataset", "102flowers"]).success();
}

#[test]
fn what_cannot_be_evaluated_is_named() {
    let place = Place::new();
    evaluate(&place, "nothing", &[])
        .assert()
        .code(2)
        .stderr(contains("nothing"));
    place.flowers();
    trained(&place, "color_transfer", "run", &[]);
    let more = ["--json", "no/folder/figures.json"];
    evaluate(&place, "run", &more)
        .assert()
        .code(1)
        .stderr(contains(
            Path::new("no/folder/figures.json").display().to_string(),
        ));
    evaluate(&place, "run", &["--images", "0"])
        .assert()
        .code(2)
        .stderr(contains("--images 0").and(contains("pairs").not()));
    evaluate(&place, "run", &["--sample-mode", "best"])
        .assert()
        .code(2)
        .stderr(contains("best"));
}
