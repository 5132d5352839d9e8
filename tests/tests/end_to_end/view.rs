//! What a run lets its user see: validation figures, the report, event files, the live page.

use predicates::prelude::*;
use rstest::rstest;

use crate::support::{Place, assert_same_run, page_data, resume, validations};

fn lines(place: &Place, run: &str) -> Vec<serde_json::Value> {
    validations(&place.run(run))
}

#[rstest]
#[case("edges2photos", true)]
#[case("color_transfer", false)]
fn each_epoch_is_validated_on_held_out_images(#[case] task: &str, #[case] paired: bool) {
    let place = Place::new();
    place.pairs().flowers();
    let mut command = place.train(task, "run");
    command.args(["--epochs", "2"]).assert().success();
    let lines = lines(&place, "run");
    assert_eq!(lines.len(), 2);
    for (epoch, line) in (1..).zip(&lines) {
        assert_eq!(line["epoch"], epoch);
        let figure = |name: &str| line[name].as_f64();
        assert!(
            figure("emd").is_some_and(|emd| (0.0..1.0).contains(&emd)),
            "{line}"
        );
        assert_eq!(line["emd_channels"].as_array().unwrap().len(), 3);
        for name in ["histogram_intersection", "ssim_luma"] {
            assert!(
                figure(name).is_some_and(|f| (-1.0..=1.0).contains(&f)),
                "{name} in {line}"
            );
        }
        assert!(
            figure("h_content_given_output").is_some_and(|h| h >= 0.0),
            "{line}"
        );
        assert!(
            figure("swd").is_some_and(|swd| (0.0..1.0).contains(&swd)),
            "{line}"
        );
        // Of what is painted on edges nobody asks to be as smooth.
        for name in ["cliffs", "noise"] {
            let found = figure(name);
            assert_eq!(found.is_some(), task == "color_transfer", "{line}");
            assert!(found.is_none_or(|ratio| ratio > 0.0), "{line}");
        }
        assert_eq!(figure("psnr").is_some(), paired, "{line}");
        assert_eq!(figure("ssim").is_some(), paired, "{line}");
    }
}

#[test]
fn a_resumed_run_validates_as_one_that_was_never_stopped() {
    let place = Place::new();
    place.flowers();
    let train = |name: &str, steps: &str| {
        let mut command = place.train("color_transfer", name);
        command
            .args(["--epochs", "3", "--cp-freq", "1", "--max-steps", steps])
            .assert()
            .success();
    };
    train("whole", "12");
    train("stopped", "8");
    let checkpoints = place.run("stopped").join("checkpoints");
    std::fs::remove_dir_all(checkpoints.join("step-00000008")).unwrap();
    resume(&place, "runs/stopped")
        .args(["--max-steps", "12"])
        .assert()
        .success();
    assert_eq!(lines(&place, "whole").len(), 3);
    assert_same_run(&place, "whole", "stopped");
}

#[test]
fn validation_can_be_turned_off() {
    let place = Place::new();
    place.flowers();
    let mut command = place.train("color_transfer", "run");
    command
        .args(["--epochs", "1", "--validation-images", "0"])
        .assert()
        .success();
    assert!(!place.run("run").join("validation.jsonl").exists());
}

/// The data in a report.
fn report(place: &Place, run: &str) -> serde_json::Value {
    page_data(&place.run(run))
}

#[test]
fn the_report_has_the_whole_run_in_one_file() {
    let place = Place::new();
    place.pairs();
    let name = "a <b>bold & \"quoted\" run";
    let mut command = place.train("edges2photos", name);
    command.args(["--epochs", "3"]).assert().success();
    let data = report(&place, name);
    assert_eq!(
        (&data["run"], &data["state"]),
        (&name.into(), &"finished".into())
    );
    assert_eq!(
        data["losses"]["steps"],
        serde_json::json!([1, 2, 3, 4, 5, 6])
    );
    assert_eq!(data["losses"]["values"].as_array().unwrap().len(), 5);
    assert_eq!(
        data["validation"]["epochs"],
        serde_json::json!([1.0, 2.0, 3.0])
    );
    let figures = data["validation"]["figures"].as_array().unwrap();
    let psnr = figures.iter().find(|figure| figure[0] == "psnr").unwrap();
    assert!(
        psnr[1]
            .as_array()
            .unwrap()
            .iter()
            .all(|value| value.is_number()),
        "{psnr}"
    );
    let grids = data["grids"].as_array().unwrap();
    assert_eq!(grids.len(), 4);
    assert!(
        grids
            .iter()
            .all(|grid| grid["src"].as_str().unwrap().starts_with("data:image/jpeg"))
    );
    let images = data["distributions"]["images"].as_array().unwrap();
    assert_eq!(images.len(), 2);
    for channel in images[0]["channels"].as_array().unwrap() {
        for which in ["content", "reference", "output"] {
            let mass: f64 = channel[which]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(serde_json::Value::as_f64)
                .sum();
            assert!((mass - 1.0).abs() < 0.01, "{which} has {mass}");
        }
        assert!(
            channel["joint"]
                .as_str()
                .unwrap()
                .starts_with("data:image/png")
        );
    }
    assert!(data["evaluation"]["emd"].is_number());
    assert!(!data["machine"]["processor"].as_str().unwrap().is_empty());
    assert!(
        data["speed"]["outside"]
            .as_f64()
            .is_some_and(|share| (0.0..1.0).contains(&share))
    );

    let page = std::fs::read_to_string(place.run(name).join("report.html")).unwrap();
    assert!(page.contains("<title>a &lt;b&gt;bold &amp; &quot;") && !page.contains("<b>bold"));
    assert!(
        !page.contains("http://")
            || page.matches("http://").count()
                == page.matches("http://www.w3.org/2000/svg").count()
    );
}

#[test]
fn a_resumed_runs_report_has_what_came_before() {
    let place = Place::new();
    place.flowers();
    let mut command = place.train("color_transfer", "run");
    command
        .args(["--epochs", "3", "--cp-freq", "1", "--max-steps", "6"])
        .assert()
        .success();
    // A line cut short, as a crash leaves it.
    let metrics = place.run("run").join("metrics.jsonl");
    let text = std::fs::read_to_string(&metrics).unwrap();
    std::fs::write(&metrics, text + "{\"step\":").unwrap();
    std::fs::remove_file(place.run("run").join("report.html")).unwrap();
    resume(&place, "runs/run")
        .args(["--max-steps", "8"])
        .assert()
        .success();
    let data = report(&place, "run");
    assert_eq!(
        data["losses"]["steps"],
        serde_json::json!([1, 2, 3, 4, 5, 6, 7, 8])
    );
    // The first end, in the middle of an epoch, is none for the run that went on.
    assert_eq!(data["validation"]["epochs"], serde_json::json!([1.0, 2.0]));
    let steps: Vec<_> = data["grids"]
        .as_array()
        .unwrap()
        .iter()
        .map(|grid| &grid["step"])
        .collect();
    assert_eq!(steps, [0, 4, 8]);
}

#[test]
fn a_report_that_cannot_be_written_is_a_warning() {
    let place = Place::new();
    place.flowers();
    let mut command = place.train("color_transfer", "run");
    command
        .args(["--epochs", "2", "--cp-freq", "1", "--max-steps", "4"])
        .assert()
        .success();
    let report = place.run("run").join("report.html");
    std::fs::remove_file(&report).unwrap();
    std::fs::create_dir(&report).unwrap();
    std::fs::write(report.join("in the way"), "").unwrap();
    resume(&place, "runs/run")
        .args(["--max-steps", "8"])
        .assert()
        .success()
        .stderr(predicates::str::contains("warning").and(predicates::str::contains("report.html")));
}

#[test]
fn the_report_of_a_finished_run_that_is_resumed_is_whole() {
    let place = Place::new();
    place.flowers();
    let mut command = place.train("color_transfer", "run");
    command.args(["--epochs", "1"]).assert().success();
    let before = report(&place, "run");
    assert!(before["distributions"].is_object(), "{before}");
    resume(&place, "runs/run").assert().success();
    let after = report(&place, "run");
    for part in ["state", "distributions", "grids", "validation", "losses"] {
        assert!(before[part] == after[part], "{part} differs");
    }
}

#[test]
fn the_report_of_a_run_that_failed_says_so() {
    let place = Place::new();
    place.flowers();
    let mut command = place.train("color_transfer", "run");
    command
        // So heavy that no loss is a finite number.
        .args(["--hist-loss-weight", "1e39"])
        .assert()
        .code(1);
    assert_eq!(report(&place, "run")["state"], "failed");
}
