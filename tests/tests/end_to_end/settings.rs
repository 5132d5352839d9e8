//! Settings: where they come from, and how they are shown.

use predicates::prelude::*;
use predicates::str::contains;

use crate::support::{Place, huenet};

fn config(place: &Place, arguments: &[&str], variables: &[(&str, &str)]) -> toml::Table {
    let mut command = huenet();
    command
        .current_dir(place.root())
        .arg("config")
        .args(arguments);
    let output = command.envs(variables.iter().copied()).assert().success();
    String::from_utf8(output.get_output().stdout.clone())
        .unwrap()
        .parse()
        .unwrap()
}

#[test]
fn recipe_then_file_then_environment_then_flags() {
    let place = Place::new();
    place.write(
        "my.toml",
        b"task = 'colorization'\nbatch_size = 2\nepochs = 3\nseed = 4\n",
    );
    let merged = config(
        &place,
        &["--config", "my.toml", "--seed", "6"],
        &[("HUENET_EPOCHS", "5"), ("HUENET_SEED", "5")],
    );
    let whole = |name: &str| merged[name].as_integer().unwrap();
    assert_eq!(
        (whole("batch_size"), whole("epochs"), whole("seed")),
        (2, 5, 6)
    );
    assert_eq!(merged["hist_loss_weight"].as_float(), Some(20.0));
}

#[test]
fn printed_settings_read_back_as_the_same_settings() {
    let place = Place::new();
    let arguments = [
        "--task",
        "edges2photos",
        "--dataroot",
        "d",
        "--img_h",
        "512",
        "--no-yuv",
        "--gen-lr=1e-3",
    ];
    let printed = config(&place, &arguments, &[]);
    place.write("printed.toml", printed.to_string().as_bytes());
    assert_eq!(config(&place, &["--config", "printed.toml"], &[]), printed);
}

#[test]
fn help_and_info_tell_a_newcomer_what_to_do() {
    huenet().arg("--help").assert().success().stdout(
        contains("train")
            .and(contains("Examples:"))
            .and(contains("--task edges2photos")),
    );
    huenet()
        .args(["train", "--help"])
        .assert()
        .success()
        .stdout(
            contains("--kernel-width-ratio")
                .and(contains("[default: 2.5]"))
                .and(contains("--resume")),
        );
    huenet()
        .arg("info")
        .assert()
        .success()
        .stdout(contains("flex"));
}
