//! Settings: shown with their origins, documented, reproduced from a run's own file.

use std::path::{Path, PathBuf};

use predicates::prelude::*;
use predicates::str::contains;

use crate::support::{Place, assert_same_run, huenet};

fn config(place: &Place, arguments: &[&str]) -> assert_cmd::Command {
    let mut command = place.command("config");
    command.args(arguments);
    command
}

fn output(command: &mut assert_cmd::Command) -> String {
    let output = command.assert().success().get_output().stdout.clone();
    String::from_utf8(output).unwrap()
}

/// What precedes and follows the comment of a setting's line.
fn line<'a>(text: &'a str, key: &str) -> (&'a str, &'a str) {
    let mut lines = text.lines();
    let line = lines.find(|line| line.starts_with(&format!("{key} = ")));
    let (value, origin) = line.expect(key).rsplit_once('#').expect("an origin");
    (value.trim(), origin.trim())
}

#[test]
fn every_value_is_printed_with_where_it_comes_from() {
    let place = Place::new();
    place.write(
        "my.toml",
        b"task = 'colorization'\nbatch-size = 2\nepochs = 3\nseed = 5\n",
    );
    let arguments = ["--config", "my.toml", "--seed", "7", "--no-jitter"];
    let text = output(config(&place, &arguments).env("HUENET_EPOCHS", "4"));
    for (key, value, origin) in [
        ("task", "task = \"colorization\"", "my.toml"),
        ("batch_size", "batch_size = 2", "my.toml"),
        ("epochs", "epochs = 4", "HUENET_EPOCHS"),
        ("seed", "seed = 7", "command line"),
        ("jitter", "jitter = false", "command line"),
        (
            "hist_loss_weight",
            "hist_loss_weight = 20.0",
            "default of colorization",
        ),
    ] {
        assert_eq!(line(&text, key), (value, origin));
    }
    assert!(text.contains("# dataroot is not set"), "{text}");
    // It is a settings file.
    place.write("printed.toml", text.as_bytes());
    let again = output(&mut config(&place, &["--config", "printed.toml"]));
    let values = |text: &str| -> Vec<String> {
        let lines = text.lines().filter_map(|line| line.split_once('#'));
        lines.map(|(value, _)| value.trim().to_owned()).collect()
    };
    assert_eq!(values(&text), values(&again));
    assert_eq!(line(&again, "gen_lr").1, "printed.toml");

    let demo = output(&mut config(&place, &[]));
    assert_eq!(
        line(&demo, "img_h"),
        ("img_h = 64", "default of the demo, recommended recipe")
    );
    let recommended = ["--recipe", "recommended", "--task", "colorization"];
    let recommended = output(&mut config(&place, &recommended));
    assert_eq!(
        line(&recommended, "gan_loss"),
        (
            "gan_loss = \"hinge\"",
            "default of colorization, recommended recipe"
        )
    );
    let json = output(config(&place, &["--json"]).env("HUENET_NAME", "x"));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let expected = serde_json::json!({ "value": "x", "origin": "HUENET_NAME" });
    assert_eq!(json["name"], expected);
    assert_eq!(json["dataroot"]["value"], serde_json::Value::Null);
}

#[test]
fn an_empty_variable_is_as_one_that_is_not_set() {
    let place = Place::new();
    let without = output(&mut config(&place, &[]));
    let mut command = config(&place, &[]);
    let with = command.env("HUENET_EPOCHS", "").env("HUENET_NAME", "");
    assert_eq!(output(with), without);
}

/// Where no shell has replaced it: in quotes, after `=`, in files and variables.
#[cfg(unix)]
#[test]
fn a_tilde_is_the_users_home() {
    let place = Place::new();
    place.flowers();
    place.write("home.toml", b"dataroot = '~'\nmax_steps = 1\n");
    let at_home = |verb: &str| {
        let mut command = place.command(verb);
        command.env("HOME", place.root());
        command
    };
    at_home("train")
        .args(["--config", "~/home.toml", "--task", "color_transfer"])
        .args(["--name", "run", "--output-dir=~/there"])
        .args(crate::support::SMALL)
        .assert()
        .success();
    assert!(place.root().join("there/run/config.toml").is_file());
    at_home("train")
        .args(["--resume", "~/there/run"])
        .env("HUENET_OUTPUT_DIR", "~/there")
        .assert()
        .success();
    let mut runs = at_home("runs");
    let runs = runs.env("HUENET_OUTPUT_DIR", "~/there").assert();
    runs.success().stdout(contains("\nrun "));
    assert!(!place.root().join("~").exists());
}

fn docs(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    root.join("docs").join(name)
}

#[test]
fn the_reference_and_the_schema_are_those_of_the_binary() {
    for (option, file) in [
        ("--reference", "settings.md"),
        ("--schema", "settings.schema.json"),
    ] {
        let printed = output(huenet().args(["config", option]));
        let checked_in = std::fs::read_to_string(docs(file))
            .unwrap()
            .replace("\r\n", "\n");
        assert!(
            printed == checked_in,
            "docs/{file} has drifted: `cargo xtask huenet config {option} > docs/{file}`"
        );
    }
}

#[test]
fn the_schema_describes_what_a_run_saves() {
    let schema = std::fs::read(docs("settings.schema.json")).unwrap();
    let schema: serde_json::Value = serde_json::from_slice(&schema).unwrap();
    assert_eq!(schema["additionalProperties"], false);
    let place = Place::new();
    place.flowers();
    let mut command = place.train("color_transfer", "run");
    command.args(["--max-steps", "1"]).assert().success();
    let saved = std::fs::read_to_string(place.run("run").join("config.toml")).unwrap();
    let saved: toml::Table = saved.parse().unwrap();
    for (key, value) in &saved {
        let property = &schema["properties"][key];
        let fits = match property["type"].as_str() {
            Some("integer") => value.as_integer().is_some_and(|number| number >= 0),
            Some("number") => value.is_float(),
            Some("boolean") => value.is_bool(),
            Some("string") => value.as_str().is_some_and(|text| {
                let words = property["enum"].as_array();
                words.is_none_or(|words| words.iter().any(|word| word == text))
            }),
            _ => false,
        };
        assert!(fits, "{key} = {value} against {property}");
    }
    let optional = ["device", "output_pre_dir"];
    let known = schema["properties"].as_object().unwrap();
    for key in known.keys().filter(|key| !optional.contains(&key.as_str())) {
        assert!(saved.contains_key(key), "{key}");
    }
}

#[test]
fn a_runs_own_file_reproduces_it() {
    let place = Place::new();
    place.flowers();
    let mut command = place.train("color_transfer", "first");
    command
        .args(["--epochs", "2", "--label-smoothing", "0.2", "--seed", "9"])
        .args(["--no-jitter", "--gen-lr", "0.0003", "--image-pool", "2"])
        .assert()
        .success();
    place
        .command("train")
        .args(["--config", "runs/first/config.toml"])
        .assert()
        .code(2)
        .stderr(contains("runs/first").and(contains("--name")));
    place
        .command("train")
        .args(["--config", "runs/first/config.toml", "--name", "second"])
        .assert()
        .success();
    assert_same_run(&place, "first", "second");
}
