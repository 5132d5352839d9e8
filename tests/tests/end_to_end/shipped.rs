//! The models that ship with `huenet`, on photographs.

use image::RgbImage;
use predicates::prelude::*;
use predicates::str::{contains, is_empty};
use rstest::rstest;

use crate::expected::photographs;
use crate::support::{Place, names};

/// A place with a content `a.png` and two references, `r.png` and `s.png`, and no run.
fn place() -> Place {
    let place = Place::new();
    let save = |name: &str, size, seed| {
        let [photograph] = &photographs(1, size, seed)[..] else {
            panic!("one was asked for");
        };
        photograph.save(place.file(name)).unwrap();
    };
    save("a.png", [300, 200], 1);
    save("r.png", [120, 160], 5);
    place.image("s.png", 90, 90, 33);
    place
}

fn translate(place: &Place, reference: &str, output: &str, more: &[&str]) -> assert_cmd::Command {
    let mut command = place.command("translate");
    command.args(["--content", "a.png", "--reference", reference]);
    command.args(["--output", output]).args(more);
    command
}

fn open(place: &Place, name: &str) -> RgbImage {
    image::open(place.root().join(name)).unwrap().into_rgb8()
}

#[rstest]
#[case("color_transfer", &[])]
#[case("color_transfer", &["--task", "color_transfer"])]
#[case("colorization", &["--task", "colorization"])]
fn a_photograph_is_translated_without_a_run(#[case] task: &str, #[case] more: &[&str]) {
    let place = place();
    for (reference, output) in [("r.png", "1.png"), ("r.png", "2.png"), ("s.png", "3.png")] {
        translate(&place, reference, output, more)
            .assert()
            .success()
            .stdout(format!("{output}\n"))
            .stderr(is_empty());
    }
    let [content, result, other] = ["a.png", "1.png", "3.png"].map(|name| open(&place, name));
    assert_eq!(result.dimensions(), content.dimensions());
    assert_ne!(result, content);
    assert_ne!(result, other, "another reference, another result");
    let bytes = |name: &str| std::fs::read(place.root().join(name)).unwrap();
    assert!(bytes("1.png") == bytes("2.png"), "the same again");

    let text = String::from_utf8_lossy(&bytes("1.png")).into_owned();
    let version = env!("CARGO_PKG_VERSION");
    let made_by =
        format!("translate, {task}, recommended recipe, model {task} of huenet {version}, step ");
    assert!(text.contains(&made_by), "{text}");
    assert_eq!(names(place.root()).len(), 6, "nothing else is written");
}

#[test]
fn a_task_without_a_model_and_a_task_beside_a_run_are_refused() {
    let place = place();
    let refused = |more: &[&str], words: &[&str]| {
        let mut translate = translate(&place, "r.png", "n.png", more);
        let assert = translate.assert().code(2);
        for word in words {
            assert!(
                contains(*word).eval(&String::from_utf8_lossy(&assert.get_output().stderr)),
                "{word}: {assert}"
            );
        }
    };
    let advice = ["edges2photos", "train --task edges2photos", "--run latest"];
    refused(&["--task", "edges2photos"], &advice);
    refused(
        &["--task", "edges2cats"],
        &["edges2cats", "color_transfer, colorization"],
    );
    let both = ["--task", "colorization", "--run", "latest"];
    refused(&both, &["--task", "cannot be used with", "--run"]);
    assert!(!place.root().join("n.png").exists());
}

#[test]
fn help_and_info_name_the_models() {
    let place = Place::new();
    let mut help = place.command("translate");
    help.arg("--help")
        .assert()
        .success()
        .stdout(contains("--task <TASK>").and(contains("Which model that ships")));
    let sizes = "color_transfer +[0-9.]+ MiB\n +colorization +[0-9.]+ MiB\n";
    let mut info = place.command("info");
    let sizes = predicates::str::is_match(sizes).unwrap();
    info.assert().success().stdout(sizes);
}

/// The models may have been trained on a backend that few have.
#[test]
fn the_models_compute_on_the_default_backend_unless_another_is_asked_for() {
    let place = place();
    let wanted = |more: &[&str]| {
        let mut command = place.command("wanted-backend");
        command.args(["translate", "--content", "a.png", "--reference", "r.png"]);
        command.args(["--output", "n.png"]).args(more);
        let output = command.assert().success().get_output().stdout.clone();
        String::from_utf8(output).unwrap().trim_end().to_owned()
    };
    assert_eq!(wanted(&[]), "flex");
    assert_eq!(wanted(&["--task", "colorization"]), "flex");
    assert_eq!(wanted(&["--backend", "ndarray"]), "ndarray");
}
