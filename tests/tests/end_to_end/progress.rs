//! What a run prints: on a terminal, elsewhere, for programs; and its log.

use std::path::Path;

use predicates::prelude::*;
use predicates::str::{contains, is_match};

use crate::support::{Place, losses, resume};

const TASK: &str = "color_transfer";

/// All that a run on these few images says beside what it prints.
const WARNED: &str = r"\Awarning: only one image is held out, so [^\n]*\n\z";

fn place() -> Place {
    let place = Place::new();
    place.flowers();
    place
}

fn json_lines(text: &str) -> Vec<serde_json::Value> {
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
        .collect()
}

fn log(run: &Path) -> Vec<serde_json::Value> {
    json_lines(&std::fs::read_to_string(run.join("log.jsonl")).unwrap())
}

/// What a command shows on a terminal of a kind and of 100 columns, which util-linux's `script`
/// provides.
#[cfg(target_os = "linux")]
fn on_a_terminal(place: &Place, command: &assert_cmd::Command, kind: Option<&str>) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<String> = words
        .map(|word| format!("'{}'", word.to_string_lossy()))
        .collect();
    let line = format!("stty cols 100 rows 30; exec {}", words.join(" "));
    let mut script = crate::support::surroundings(place, command, "script");
    match kind {
        Some(kind) => script.env("TERM", kind),
        None => script.env_remove("TERM"),
    };
    let output = script
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .stdin(std::process::Stdio::null())
        .output()
        .expect("script starts");
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{shown}");
    shown
}

#[cfg(target_os = "linux")]
#[test]
fn a_terminal_shows_where_the_run_is() {
    let place = place();
    let mut command = place.train(TASK, "run");
    command.args(["--epochs", "12"]);
    let shown = on_a_terminal(&place, &command, Some("xterm"));
    let step = is_match(
        r"epoch \d+/12  step \d+/48 \(\d+\.\d %\)  \d+\.\d\d s/step  0:00:\d\d left  \d+ MiB",
    );
    assert!(step.unwrap().eval(&shown), "{shown}");
    for text in [
        "total",
        "structure",
        "now ",
        "mean ",
        "\u{1b}[",
        "saved runs/run",
    ] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    // The display is gone in the end, and the report is there.
    let (_, end) = shown.rsplit_once("evaluating").unwrap();
    assert!(end.contains("EMD to the reference"), "{end}");
}

/// A terminal on which nothing can be drawn anew gets lines.
#[cfg(target_os = "linux")]
#[test]
fn a_plain_terminal_shows_lines() {
    let place = place();
    for (name, kind) in [("dumb", Some("dumb")), ("none", None)] {
        let mut command = place.train(TASK, name);
        command.args(["--max-steps", "2"]);
        let shown = on_a_terminal(&place, &command, kind);
        for text in ["step 1/2 ", "step 2/2 ", &format!("saved runs/{name}")] {
            assert!(shown.contains(text), "{text}: {shown}");
        }
        assert!(!shown.contains('\u{1b}'), "{shown}");
    }
}

#[test]
fn nothing_is_evaluated_where_nothing_is_held_out() {
    let place = place();
    place.pairs();
    let mut command = place.train(TASK, "none");
    let done = command.args(["--max-steps", "1", "--held-out-images", "0"]);
    done.assert().success().stdout(contains("evaluating").not());
    std::fs::remove_dir_all(place.root().join("edges2shoes/val")).unwrap();
    let mut command = place.train("edges2photos", "run");
    let done = command.args(["--max-steps", "1"]).assert().success();
    done.stdout(contains("nothing is held out").and(contains("evaluating").not()));
}

#[test]
fn elsewhere_it_prints_lines() {
    let place = place();
    let mut command = place.train(TASK, "run");
    let output = command
        .args([
            "--max-steps",
            "60",
            "--epochs",
            "20",
            "--validation-images",
            "0",
        ])
        .assert()
        .success()
        .stderr(is_match(WARNED).unwrap())
        .stdout(contains("\u{1b}").not())
        .stdout(contains("EMD to the reference"))
        .get_output()
        .stdout
        .clone();
    let output = String::from_utf8(output).unwrap();
    let steps: Vec<&str> = output
        .lines()
        .filter(|line| line.starts_with("step "))
        .collect();
    assert_eq!(steps.len(), 3, "{output}");
    let line = is_match(
        r"^step 50/60  epoch 13/20  total [\d.]+  gan [\d.]+  structure [\d.]+  emd [\d.]+  disc [\d.]+  [\d.]+ s/step  0:00:\d\d left  \d+ MiB$",
    );
    assert!(line.unwrap().eval(steps[1]), "{}", steps[1]);
}

#[test]
fn quiet_is_quiet() {
    let place = place();
    let mut command = place.train(TASK, "run");
    command
        .args(["--max-steps", "2", "--quiet"])
        .assert()
        .success()
        .stdout("runs/run\n")
        .stderr(is_match(WARNED).unwrap());
}

#[test]
fn programs_get_a_json_object_a_line() {
    let place = place();
    let mut command = place.train(TASK, "run");
    let output = command
        .args(["--epochs", "1", "--log-format", "json"])
        .assert()
        .success()
        .stderr("")
        .get_output()
        .stdout
        .clone();
    let events = json_lines(&String::from_utf8(output).unwrap());
    let names: Vec<_> = events
        .iter()
        .map(|event| event["event"].as_str().unwrap())
        .collect();
    let expected = [
        "started",
        "warning",
        "step",
        "step",
        "validated",
        "saved",
        "evaluating",
        "finished",
    ];
    assert_eq!(names, expected);
    assert_eq!(
        (&events[0]["total_steps"], &events[0]["run"]),
        (&4.into(), &"runs/run".into())
    );
    assert_eq!(
        (&events[3]["step"], &events[3]["total_steps"]),
        (&4.into(), &4.into())
    );
    let last = losses(&place.run("run"))[3];
    assert_eq!(events[3]["losses"]["gen_hist_loss"], last[3]);
    assert!(events[3]["mean_losses"]["disc_loss"].is_number());
    assert!(events[4]["emd"].is_number() && events[7]["evaluation"]["emd"].is_number());

    let mut command = place.train(TASK, "run");
    let failed = command
        .args(["--log-format", "json"])
        .assert()
        .code(2)
        .stdout("");
    let error = json_lines(&String::from_utf8_lossy(&failed.get_output().stderr));
    assert_eq!(error.len(), 1);
    assert_eq!(error[0]["event"], "error");
    assert!(error[0]["message"].as_str().unwrap().contains("runs/run"));
}

#[test]
fn a_run_has_a_log_that_goes_on_when_it_is_resumed() {
    let place = place();
    let mut command = place.train(TASK, "run");
    command
        .args(["--max-steps", "3"])
        .assert()
        .success()
        .stderr(is_match(WARNED).unwrap());
    let run = place.run("run");
    let messages = |log: &[serde_json::Value]| -> Vec<String> {
        let text = |line: &serde_json::Value| line["message"].as_str().unwrap().to_owned();
        log.iter().map(text).collect()
    };
    let first = log(&run);
    assert_eq!(messages(&first)[0], "training starts");
    assert!(first[0]["timestamp"].is_string() && first[0]["level"] == "INFO");
    assert_eq!(first.last().unwrap()["message"], "all steps are done");
    assert!(!messages(&first).contains(&"step".to_owned()));

    resume(&place, "run")
        .args(["--max-steps", "5", "--verbose"])
        .assert()
        .success()
        .stderr(contains("changed on resuming").and(contains("setting=\"max_steps\"")))
        .stderr(contains("DEBUG").and(contains("step=5")))
        .stdout(contains("step 5/5"));
    let both = log(&run);
    assert_eq!(both[..first.len()], first[..]);
    let steps = messages(&both)
        .iter()
        .filter(|message| *message == "step")
        .count();
    assert_eq!(steps, 2);
}
