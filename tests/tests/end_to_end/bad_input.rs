//! Bad input: one clear error that names the file or option, the right exit code, no
//! panic, and nothing lost.

use assert_cmd::Command;
use predicates::prelude::*;
use predicates::str::contains;
use rstest::rstest;

use crate::support::{Place, SMALL, metrics};

const USAGE: i32 = 2;
const FAULT: i32 = 1;

/// A name that no folder can have.
const LONG: &str = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk\
    lmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghij\
    klmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghi";

/// Runs a command that must fail with one message holding all of `words`.
fn refused(command: &mut Command, code: i32, words: &[&str]) {
    let assertion = command
        .assert()
        .code(code)
        .stderr(contains("panicked").not());
    let error = String::from_utf8_lossy(&assertion.get_output().stderr).into_owned();
    for word in words {
        assert!(error.contains(word), "the message lacks {word:?}:\n{error}");
    }
}

#[rstest]
#[case(&["--task", "edges2cats"], &["task", "edges2cats", "colorization"])]
#[case(&["--batch-size", "0"], &["batch_size = 0", "give 1 to"])]
#[case(&["--batch-size", "-3"], &["batch_size", "-3", "whole number"])]
#[case(&["--batch-size", "99999999999"], &["batch_size", "99999999999"])]
#[case(&["--bin-num", "1000000000"], &["bin_num"])]
#[case(&["--threads", "1000000"], &["threads", "1024"])]
#[case(&["--workers", "1000000"], &["workers", "256"])]
#[case(&["--base-width", "1000000"], &["base_width"])]
#[case(&["--epochs", "0"], &["epochs"])]
#[case(&["--bin-num", "1"], &["bin_num", "1"])]
#[case(&["--min-val", "1", "--max-val", "-1"], &["min_val"])]
#[case(&["--gen-lr", "NaN"], &["gen_lr", "NaN", "finite"])]
#[case(&["--gen-lr", "0"], &["gen_lr"])]
#[case(&["--hist-loss-weight", "-1"], &["hist_loss_weight"])]
#[case(&["--kernel-width-ratio", "0"], &["kernel_width_ratio"])]
#[case(&["--img-h", "100"], &["img_h", "100", "multiple of 32"])]
#[case(&["--img-w", "0"], &["img_w"])]
#[case(&["--depth", "1"], &["depth"])]
#[case(&["--img-c", "2", "--img-out-c", "2"], &["img_c"])]
#[case(&["--dataset", "demo", "--colour-directions", "2"], &["colour_directions = 2", "give 3", "to 64"])]
#[case(&["--dataset", "demo", "--colour-directions", "5", "--img-c", "1", "--img-out-c", "1"], &["colour_directions = 5", "grey"])]
#[case(&["--img-c", "1"], &["img_out_c"])]
#[case(&["--name", "../elsewhere"], &["name", "../elsewhere", "--output-dir"])]
#[case(&["--jitter", "perhaps"], &["jitter", "perhaps", "true or false"])]
#[case(&["--backend", "abacus"], &["backend", "abacus", "flex"])]
// Of all backends this one is never in the huenet that is tested whole.
#[case(&["--backend", "cuda"], &["cuda", "cargo xtask train --backend cuda"])]
#[case(&["--backend", "cuda"], &["add `--backend cuda` to another `cargo xtask` command"])]
#[case(&["--download"], &["demo", "give --task and --dataroot with --download"])]
#[case(&["--download", "--from", "x"], &["give --task and --dataroot with --download"])]
#[case(&["--from", "x"], &["--download"])]
#[case(&["--device", "cuda:3"], &["flex", "cuda:3", "sees cpu"])]
#[case(&["--bach-size", "4"], &["--bach-size", "--batch-size"])]
#[case(&["--name=--help"], &["name = --help", "hyphen"])]
#[case(&["--name", LONG], &["name = abc", "at most 255 bytes"])]
#[case(&["--dataroot", "~nobody/images"], &["dataroot = ~nobody/images", "home"])]
#[case(&["--resume", "nowhere"], &["there is no run nowhere, and none at all in runs"])]
#[case(&["--config", "nowhere.toml"], &["nowhere.toml"])]
#[case(&["--dataset", "demo", "--task", "colorization", "--img-c", "1", "--img-out-c", "1"], &["img_c", "colours"])]
fn options_that_cannot_be(#[case] options: &[&str], #[case] words: &[&str]) {
    let place = Place::new();
    let overridden = |pair: &&[&str]| !options.contains(&pair[0]);
    let small = SMALL.chunks(2).filter(overridden).flatten();
    refused(
        place.command("train").args(small).args(options),
        USAGE,
        words,
    );
    assert!(!place.root().join("runs").exists(), "nothing is written");
}

#[test]
fn a_task_without_a_data_root_says_how_to_give_one() {
    let place = Place::new();
    let command = &mut place.command("train");
    refused(
        command.args(["--task", "colorization"]),
        USAGE,
        &["--dataroot", "demo"],
    );
}

#[rstest]
#[case("bach_size = 4", &["bad.toml", "bach_size", "`batch_size`"])]
#[case("batch_size = 'four'", &["bad.toml", "batch_size", "whole number"])]
#[case("gen_lr = nan", &["bad.toml", "gen_lr", "nan"])]
#[case("epochs = = 3", &["bad.toml", "TOML"])]
fn settings_files_that_cannot_be(#[case] text: &str, #[case] words: &[&str]) {
    let place = Place::new();
    place.write("bad.toml", text.as_bytes());
    refused(
        place.command("train").args(["--config", "bad.toml"]),
        USAGE,
        words,
    );
}

#[test]
fn a_variable_that_names_no_setting() {
    let place = Place::new();
    let mut command = place.command("train");
    refused(
        command.env("HUENET_EPOCH", "3"),
        USAGE,
        &["HUENET_EPOCH", "`epochs`"],
    );
}

#[test]
fn folders_that_are_missing_empty_or_files() {
    let place = Place::new();
    let train = |task| place.train(task, "run");
    refused(&mut train("edges2photos"), FAULT, &["edges2shoes"]);
    refused(
        train("color_transfer").args(["--dataset", "unheard_of"]),
        FAULT,
        &["unheard_of"],
    );

    std::fs::create_dir_all(place.root().join("edges2shoes/train")).unwrap();
    refused(&mut train("edges2photos"), FAULT, &["train"]);

    place.write("102flowers", b"not a folder");
    refused(&mut train("color_transfer"), FAULT, &["102flowers"]);
    assert!(!place.run("run").exists(), "no run folder is left behind");
}

#[rstest]
#[case("3_AB.jpg", b"")]
#[case("3_AB.jpg", b"this is a text")]
#[case("3_AB.png", b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR")]
fn images_that_cannot_be_read_are_named(#[case] name: &str, #[case] bytes: &[u8]) {
    let place = Place::new();
    place.pairs();
    place.write(&format!("edges2shoes/train/{name}"), bytes);
    refused(&mut place.train("edges2photos", "run"), FAULT, &[name]);
}

#[test]
fn a_truncated_jpeg_is_named() {
    let place = Place::new();
    place.pairs();
    let path = place.file("edges2shoes/train/2_AB.jpg");
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    refused(
        &mut place.train("edges2photos", "run"),
        FAULT,
        &["2_AB.jpg"],
    );
}

#[test]
fn a_start_that_fails_leaves_the_name_free() {
    let place = Place::new();
    place.pairs();
    let broken = place.write("edges2shoes/val/0_AB.jpg", b"");
    refused(
        &mut place.train("edges2photos", "run"),
        FAULT,
        &["0_AB.jpg"],
    );
    std::fs::remove_file(broken).unwrap();
    place
        .train("edges2photos", "run")
        .args(["--max-steps", "1"])
        .assert()
        .success();
}

#[test]
fn a_held_out_image_is_looked_at_before_the_first_step() {
    let place = Place::new();
    place.pairs();
    for number in 3..=9 {
        place.image(&format!("edges2shoes/val/{number}_AB.jpg"), 96, 48, number);
    }
    // Not among those that samples show, and the last that validation and evaluation look at.
    for (number, images) in [
        (5, ["--validation-images", "2", "--held-out-images", "5"]),
        (7, ["--validation-images", "4", "--held-out-images", "0"]),
    ] {
        let name = format!("{number}_AB.jpg");
        let path = place.file(&format!("edges2shoes/val/{name}"));
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        let mut command = place.train("edges2photos", "run");
        refused(
            command.args(images).args(["--epochs", "1"]),
            FAULT,
            &[&name],
        );
        assert!(!place.run("run").exists(), "it has begun");
        std::fs::write(&path, &bytes).unwrap();
    }
}

#[test]
fn an_image_too_narrow_to_cut_in_two_is_named() {
    let place = Place::new();
    place.pairs().image("edges2shoes/train/9_AB.png", 1, 30, 1);
    refused(
        &mut place.train("edges2photos", "run"),
        FAULT,
        &["9_AB.png"],
    );
}

#[test]
fn an_output_folder_that_cannot_be_made() {
    let place = Place::new();
    place
        .flowers()
        .write("runs", b"a file where the folder should be");
    refused(
        &mut place.train("color_transfer", "run"),
        FAULT,
        &["runs", "--output-dir"],
    );
}

#[test]
fn a_run_is_never_overwritten_by_accident() {
    let place = Place::new();
    place.flowers();
    place
        .train("color_transfer", "run")
        .args(["--max-steps", "1"])
        .assert()
        .success();
    let again = &mut place.train("color_transfer", "run");
    refused(again, USAGE, &["run", "--name", "--resume"]);
    assert_eq!(metrics(&place.run("run")).len(), 1);
}

#[test]
fn a_checkpoint_from_another_configuration_or_damaged() {
    let place = Place::new();
    place.flowers();
    place
        .train("color_transfer", "first")
        .args(["--max-steps", "1"])
        .assert()
        .success();
    let from = |name: &str| {
        let mut command = place.train("color_transfer", name);
        command.args(["--max-steps", "1", "--output-pre-dir", "runs/first"]);
        command
    };
    let mut wider = place.command("train");
    wider.args([
        "--task",
        "color_transfer",
        "--dataroot",
        ".",
        "--output-pre-dir",
        "runs/first",
    ]);
    wider.args([
        "--img-h",
        "32",
        "--img-w",
        "32",
        "--depth",
        "5",
        "--base-width",
        "3",
    ]);
    refused(
        &mut wider,
        FAULT,
        &["first", "base_width is 2 there and 3 here"],
    );

    let generator = place
        .run("first")
        .join("checkpoints/step-00000001/generator.mpk");
    let mut bytes = std::fs::read(&generator).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&generator, bytes).unwrap();
    refused(&mut from("second"), FAULT, &["generator.mpk", "checksum"]);

    std::fs::remove_dir_all(place.run("first").join("checkpoints")).unwrap();
    let missing = ["runs/first has saved no checkpoint", "--resume runs/first"];
    refused(&mut from("third"), USAGE, &missing);
}
