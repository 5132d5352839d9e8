//! The parts of the recommended recipe: another adversarial loss, a reconstruction loss, an
//! average of the generator's weights, learning rates that fall towards the end.

use std::collections::BTreeMap;
use std::path::Path;

use burn_flex::Flex;
use huenet_tasks::Checkpoint;
use huenet_tests::golden_networks::{self, GENERATOR};
use predicates::prelude::*;
use predicates::str::contains;

use crate::support::{Place, assert_same_run, losses, metrics, names, page_data, resume, weights};

/// The losses that not every run has.
const FURTHER: [&str; 2] = ["gen_reconstruction_loss", "gen_ssim_loss"];

/// Six steps.
const LENGTH: [&str; 6] = [
    "--epochs",
    "3",
    "--max-steps",
    "6",
    "--save-every-steps",
    "3",
];

fn place() -> Place {
    let place = Place::new();
    place.pairs().flowers();
    place
}

fn train(place: &Place, task: &str, name: &str, more: &[&str]) {
    let mut command = place.train(task, name);
    command.args(LENGTH).args(more).assert().success();
}

/// The weights of the generator that is used, of the newest checkpoint.
fn used(run: &Path) -> BTreeMap<String, Vec<f64>> {
    let checkpoint = Checkpoint::newest(run).unwrap();
    let (generator, _) = checkpoint.networks::<Flex>(&Default::default()).unwrap();
    golden_networks::weights(GENERATOR, &generator)
}

fn trained(run: &Path) -> BTreeMap<String, Vec<f64>> {
    let of_generator = |(name, _): &(String, _)| name.starts_with(GENERATOR);
    weights(run).into_iter().filter(of_generator).collect()
}

#[test]
fn a_recommended_run_resumes_exactly() {
    let place = place();
    for (task, weight) in [("edges2photos", "0"), ("color_transfer", "5")] {
        let [whole, again] = ["whole", "again"].map(|name| format!("{task}-{name}"));
        for name in [&whole, &again] {
            let options = ["--recipe", "recommended", "--ssim-loss-weight", weight];
            train(&place, task, name, &options);
        }
        // Where the rates fall already.
        resume(&place, &format!("runs/{again}/checkpoints/step-00000003"))
            .assert()
            .success();
        assert_same_run(&place, &whole, &again);
        let [whole, again] = [whole, again].map(|name| place.run(&name));
        assert!(used(&whole) == used(&again));
        let drawn = page_data(&whole)["losses"]["names"].to_string();
        let is_paired = task == "edges2photos";
        for (name, is_there) in FURTHER.into_iter().zip([is_paired, !is_paired]) {
            let of = |run: &Path| -> Vec<Option<f64>> {
                metrics(run)
                    .iter()
                    .map(|step| step[name].as_f64())
                    .collect()
            };
            let all = of(&whole);
            assert_eq!(all, of(&again));
            assert!(all.iter().all(|loss| loss.is_some() == is_there), "{all:?}");
            assert_eq!(drawn.contains(name), is_there);
        }
    }
}

#[test]
fn a_run_along_further_directions_of_colour_space_resumes_exactly() {
    let place = place();
    for name in ["whole", "again"] {
        let options = ["--recipe", "recommended", "--colour-directions", "12"];
        train(&place, "color_transfer", name, &options);
    }
    let checkpoint = "runs/again/checkpoints/step-00000003";
    resume(&place, checkpoint)
        .args(["--colour-directions", "3"])
        .assert()
        .code(2)
        .stderr(contains("colour_directions"));
    resume(&place, checkpoint).assert().success();
    assert_same_run(&place, "whole", "again");
}

#[test]
fn each_part_does_something() {
    let place = place();
    let train = |name: &str, length: &[&str], more: &[&str]| {
        let mut command = place.train("edges2photos", name);
        let options = [&["--recipe", "recommended"], length, more].concat();
        command.args(options).assert().success();
        losses(&place.run(name))
    };
    // The second step sees what the first has changed.
    let two_steps = ["--max-steps", "2", "--validation-images", "0"];
    let parts = [
        ["--matched-content", "false"],
        ["--prediction", "image"],
        ["--prediction", "change"],
        ["--displayable", "false"],
        ["--last-layer", "transposed"],
        ["--normalization", "batch"],
        ["--dis-normalization", "batch"],
        ["--dis-batch-share", "1"],
        ["--dropout", "true"],
        ["--gan-loss", "cross_entropy"],
        ["--gan-loss", "least_squares"],
        ["--reconstruction-loss-weight", "0"],
        ["--ssim-loss-weight", "5"],
        ["--colour-directions", "12"],
    ];
    let short = train("short", &two_steps, &[]);
    for part in parts {
        let name = part.concat();
        let found = train(name.trim_start_matches('-'), &two_steps, &part);
        assert_ne!(found, short, "{name}");
    }
    let counts = ["--prediction", "image", "--conditioning", "counts"];
    assert_ne!(
        train("counts", &two_steps, &counts),
        losses(&place.run("predictionimage"))
    );
    let all = train("all", &LENGTH, &[]);
    assert_ne!(train("steady", &LENGTH, &["--decay-share", "0"]), all);
    // An average is looked at, and changes nothing that is trained.
    assert_eq!(train("last", &LENGTH, &["--average-decay", "0"]), all);
    let checkpoint = |name: &str| names(&place.run(name).join("checkpoints/step-00000006"));
    assert!(checkpoint("all").contains(&"average.mpk".to_owned()));
    assert!(!checkpoint("last").contains(&"average.mpk".to_owned()));
    let [all, last] = ["all", "last"].map(|name| place.run(name));
    assert!(trained(&all) == trained(&last));
    assert!(used(&last) == trained(&last));
    for (name, average) in used(&all) {
        let same = average == trained(&all)[&name];
        assert_eq!(same, name.contains("moving"), "{name}");
    }
    let picture = |run: &Path| std::fs::read(run.join("samples/last.png")).unwrap();
    assert!(picture(&all) != picture(&last));
}

#[test]
fn the_length_of_a_run_whose_rates_have_fallen_cannot_change() {
    let place = place();
    let share = ["--decay-share", "0.5"];
    train(&place, "color_transfer", "run", &share);
    for (flag, value) in [("--max-steps", "8"), ("--epochs", "1")] {
        let key = flag.trim_start_matches('-').replace('-', "_");
        resume(&place, "runs/run/checkpoints/step-00000006")
            .args([flag, value])
            .assert()
            .code(2)
            .stderr(contains(format!("{key} = {value}")).and(contains("decay_share 0.5")));
    }
    resume(&place, "runs/run/checkpoints/step-00000003")
        .args(["--epochs-decay", "1"])
        .assert()
        .code(2)
        .stderr(contains("decay_share = 0.5"));
    // After three of six steps they have not begun to.
    resume(&place, "runs/run/checkpoints/step-00000003")
        .args(["--max-steps", "8"])
        .assert()
        .success();
    assert_eq!(metrics(&place.run("run")).len(), 8);
}

#[test]
fn a_run_can_start_from_the_weights_of_one_of_the_other_recipe() {
    let place = place();
    // Weights of one network are none of another.
    let network = [
        "--conditioning=counts",
        "--matched-content=false",
        "--prediction=image",
        "--last-layer=transposed",
        "--normalization=batch",
        "--dis-normalization=batch",
    ];
    for (first, then) in [("official", "recommended"), ("recommended", "official")] {
        let options = [&["--recipe", first], &network[..]].concat();
        train(&place, "color_transfer", first, &options);
        let name = format!("{then}-after");
        let before = format!("runs/{first}");
        let options = [
            &["--recipe", then, "--output-pre-dir", &before],
            &network[..],
        ]
        .concat();
        train(&place, "color_transfer", &name, &options);
        let run = place.run(&name);
        let averaged = used(&run) != trained(&run);
        assert_eq!(averaged, then == "recommended");
    }
}

#[test]
fn weights_of_another_network_are_refused_by_the_names_of_its_parts() {
    let place = place();
    train(&place, "color_transfer", "official", &[]);
    place
        .train("color_transfer", "after")
        .args([
            "--recipe",
            "recommended",
            "--output-pre-dir",
            "runs/official",
        ])
        .assert()
        .code(1)
        .stderr(contains(
            "conditioning is \"counts\" there and \"modulation\" here",
        ));
}
