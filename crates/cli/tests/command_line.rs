//! The command line: settings, where they come from and how they are shown; help; info.

use assert_cmd::Command;
use predicates::prelude::*;
use predicates::str::contains;
use tempfile::TempDir;

fn huenet() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_huenet"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("HUENET_") {
            command.env_remove(name);
        }
    }
    command
}

/// What `huenet config` prints, run in `folder`.
fn config(folder: &TempDir, arguments: &[&str], variables: &[(&str, &str)]) -> toml::Table {
    let mut command = huenet();
    command
        .current_dir(folder.path())
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
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("my.toml"),
        "task = 'colorization'\nbatch_size = 2\nepochs = 3\nseed = 4\n",
    )
    .unwrap();
    let merged = config(
        &folder,
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
    let folder = tempfile::tempdir().unwrap();
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
    let printed = config(&folder, &arguments, &[]);
    std::fs::write(folder.path().join("printed.toml"), printed.to_string()).unwrap();
    assert_eq!(config(&folder, &["--config", "printed.toml"], &[]), printed);
}

#[test]
fn settings_that_cannot_be_are_refused_as_by_train() {
    huenet()
        .args(["config", "--bin-num", "1"])
        .assert()
        .code(2)
        .stderr(contains("bin_num"));
    huenet()
        .args(["config", "--task", "colorization", "--img-h", "100"])
        .assert()
        .code(2)
        .stderr(contains("img_h = 100"));
}

#[test]
fn the_last_of_a_flag_given_twice_counts() {
    let folder = tempfile::tempdir().unwrap();
    let settings = config(&folder, &["--seed", "1", "--seed", "2"], &[]);
    assert_eq!(settings["seed"].as_integer(), Some(2));
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
