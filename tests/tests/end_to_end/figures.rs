//! The figures of `huenet evaluate`, beside those of numpy and scikit-image on the same photographs.
//!
//! The test needs a Python with both packages. Where there is none, it says that it was skipped.

use std::path::Path;

use burn_flex::Flex;
use huenet_data::{Collection, HostBatch, ImageSource, PairDataset, Phase};
use huenet_tasks::{Checkpoint, Recipe, translate};
use image::imageops;
use rstest::rstest;
use serde_json::{Value, json};

use crate::python;
use crate::support::{Place, huenet};

/// The definitions, in numpy.
const FIGURES: &str = include_str!("figures.py");

const HEIGHT: u32 = 32;
const WIDTH: u32 = 64;

/// Two numbers of one figure may differ by so much.
const CLOSE: f64 = 1e-5;
/// The same of histogram matching: values that rounding makes equal, or not, go to other quantiles.
const CLOSE_MATCHED: f64 = 5e-4;
/// Ratios of small differences, which differ by so much times themselves: colours are in single precision.
const RATIOS: [&str; 2] = ["cliffs", "noise"];
const CLOSE_RATIO: f64 = 1e-4;

/// Methods that the script does not have. What they make is measured as what the others make.
const NOT_IN_NUMPY: [&str; 3] = [
    "matched_monge_kantorovich",
    "iterative_distribution_transfer",
    "local_maps",
];

/// Two cuts of each of the demo's photographs, of the size of the networks' images: nothing resizes them.
fn photographs(place: &Place) -> Vec<String> {
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/data/assets");
    let mut names = Vec::new();
    for photograph in ["chelsea", "coffee", "retina", "rocket"] {
        let image = image::open(assets.join(photograph).with_extension("jpg")).unwrap();
        for (number, [x, y]) in [[16, 24], [96, 48]].into_iter().enumerate() {
            let name = format!("photographs/{photograph}-{number}.png");
            let cut = imageops::crop_imm(&image.to_rgb8(), x, y, WIDTH, HEIGHT).to_image();
            cut.save(place.file(&name)).unwrap();
            names.push(name);
        }
    }
    names
}

/// What the run's generator makes of the pairs, all in one batch.
fn generated(place: &Place, pairs: &[[&String; 2]]) -> Vec<f32> {
    let checkpoint = Checkpoint::newest(&place.run("run")).unwrap();
    let recipe = Recipe::new(checkpoint.settings().clone()).unwrap();
    let device = Default::default();
    let (generator, _) = checkpoint.networks::<Flex>(&device).unwrap();
    let files = pairs.iter().flatten();
    let files = files.map(|name| ImageSource::file(place.root().join(name)));
    let images = Collection::from_sources("pairs", Vec::new(), files.collect());
    let preprocessing = *recipe.preprocessing();
    let dataset =
        PairDataset::new(images, Phase::HeldOut, recipe.pairing(), preprocessing).unwrap();
    let paired = recipe.task().is_paired();
    let sample = |i: usize| dataset.pair(2 * i, if paired { 2 * i } else { 2 * i + 1 });
    let batch = HostBatch::new((0..pairs.len()).map(|i| sample(i).unwrap()).collect());
    let output = translate(&recipe, &generator, &batch.to_tensors::<Flex>(&device), 0);
    output.into_data().iter::<f32>().collect()
}

/// Every figure of every method, on eight pairs.
#[rstest]
#[case::of_other_references("color_transfer", 12)]
#[case::of_a_ground_truth("colorization", 14)]
fn figures_are_those_of_numpy_and_scikit_image(#[case] task: &str, #[case] count: usize) {
    let modules = "numpy, scipy.stats, skimage.exposure, skimage.io, skimage.metrics";
    let Some(python) = python::with(modules, "numpy and scikit-image") else {
        return;
    };
    let place = Place::new();
    let names = photographs(&place);
    let grey = task == "colorization";
    let pairs: Vec<[&String; 2]> = (0..names.len())
        .map(|i| {
            [
                &names[i],
                &names[if grey { i } else { (i + 3) % names.len() }],
            ]
        })
        .collect();
    // A generator whose outputs are no images yet, with values beyond those of a screen.
    let mut train = huenet();
    train
        .current_dir(place.root())
        .args(["train", "--task", task, "--name", "run"]);
    train.args([
        "--dataroot",
        ".",
        "--dataset",
        "photographs",
        "--img-h",
        "32",
        "--img-w",
        "64",
    ]);
    train.args([
        "--depth",
        "5",
        "--base-width",
        "4",
        "--max-steps",
        "2",
        "--batch-size",
        "2",
    ]);
    train.assert().success();

    let mut list = "task,batch,index_in_batch,content,reference\n".to_owned();
    for (i, [content, reference]) in pairs.iter().enumerate() {
        list += &format!("{task},0,{i},{content},{reference}\n");
    }
    place.write("pairs.csv", list.as_bytes());
    let mut evaluate = huenet();
    evaluate
        .current_dir(place.root())
        .args(["evaluate", "--run", "run", "--dataroot", "."]);
    evaluate.args(["--pairs", "pairs.csv", "--json", "figures.json"]);
    evaluate.assert().success();
    let text = std::fs::read_to_string(place.root().join("figures.json")).unwrap();
    let measured: Value = serde_json::from_str(&text).unwrap();

    let outputs = generated(&place, &pairs);
    let bytes: Vec<u8> = outputs.into_iter().flat_map(f32::to_le_bytes).collect();
    let job = json!({
        "root": place.root(),
        "pairs": pairs,
        "grey": grey,
        "size": [HEIGHT, WIDTH],
        "outputs": place.write("outputs.f32", &bytes),
    });
    let expected = python::run(&python, FIGURES, &job);

    let methods = measured["methods"].as_array().unwrap();
    let known = |method: &&Value| !NOT_IN_NUMPY.iter().any(|name| method["method"] == *name);
    assert_eq!(methods.iter().filter(known).count(), 5);
    for method in methods.iter().filter(known) {
        let name = method["method"].as_str().unwrap();
        let close = |figure: &str, expected: f64| {
            let close = match name {
                "histogram_matching" => CLOSE_MATCHED,
                _ => CLOSE,
            };
            match RATIOS.contains(&figure) {
                true => close.max(CLOSE_RATIO * expected),
                false => close,
            }
        };
        let found = method["pairs"].as_array().unwrap();
        assert_eq!(found.len(), pairs.len());
        for (i, found) in found.iter().enumerate() {
            let expected = expected[name][i].as_object().unwrap();
            // Figures, and the pair's batch and two names.
            assert_eq!(
                [expected.len() + 3, count + 3],
                [found.as_object().unwrap().len(); 2]
            );
            for (figure, expected) in expected {
                let (found, expected) = (found[figure].as_f64(), expected.as_f64().unwrap());
                let difference = (found.unwrap_or(f64::NAN) - expected).abs();
                assert!(
                    difference <= close(figure, expected),
                    "{figure} of {name}, {:?}: {found:?} is not {expected}",
                    pairs[i]
                );
            }
        }
        for (figure, mean) in method["mean"].as_object().unwrap() {
            let all = (0..pairs.len()).map(|i| expected[name][i][figure].as_f64().unwrap());
            let expected = all.sum::<f64>() / pairs.len() as f64;
            let difference = (mean.as_f64().unwrap() - expected).abs();
            assert!(
                difference <= close(figure, expected),
                "{figure} of {name}: {mean}"
            );
        }
    }
}
