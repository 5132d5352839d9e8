//! The networks, against the official ones run by TensorFlow (`models`), and the running
//! statistics after a training pass (`train_step`).
//!
//! The truth is the float64 run. How far a float32 run may be from it is set by how far the
//! official float32 run is (`official_f32_error_against_f64`): rounding grows through the layers
//! in both alike.

use std::collections::BTreeMap;

use crate::compare::{assert_close, assert_close_scalar, l2, sampled};
use crate::device::device;
use crate::golden::{Golden, scalar};
use crate::golden_networks::{
    CONDITIONAL, GENERATOR, UNCONDITIONAL, load_counts, load_discriminator, load_generator,
    load_images, weights,
};
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, s};
use huenet_models::{Activations, NetworkBackend, Pass, Statistics};
use serde_json::Value;

/// Our float32 error may be this many times the official one's: rounding, not a formula.
const SLACK: f64 = 4.0;

/// Relative l2 error allowed for running statistics. Both are float32 runs, and an error of the
/// batch's statistics enters by 0.01.
const RUNNING: f64 = 1e-6;

const TRAIN: Statistics = Statistics::Batch {
    update_running: true,
};
const BATCH: Statistics = Statistics::Batch {
    update_running: false,
};

/// Row-major values in the order `[batch, height, width, channels]`.
fn channels_last<B: Backend>(images: Tensor<B, 4>) -> Vec<f64> {
    images
        .permute([0, 2, 3, 1])
        .into_data()
        .iter::<f64>()
        .collect()
}

/// The tensor `out/{what}` of `models`, if it is stored.
fn output(golden: &Golden, what: &str) -> Option<Vec<f64>> {
    golden.named(&golden.json()["tensors_by_use"], &format!("out/{what}"))
}

/// How far the official float32 run of `what` is from the float64 one.
fn official_error<'a>(golden: &'a Golden, what: &str) -> &'a Value {
    &golden.json()["official_f32_error_against_f64"][what]
}

/// Runs `check`, which returns whether the golden numbers have what it needs, on each of
/// `cases`. At least one must be there.
fn on_some_case<T: std::fmt::Debug>(
    cases: impl IntoIterator<Item = T>,
    mut check: impl FnMut(&T) -> bool,
) {
    let mut compared = 0;
    for case in cases {
        if check(&case) {
            compared += 1;
        } else {
            println!("no golden numbers for {case:?}");
        }
    }
    assert!(compared > 0, "the golden numbers hold nothing to compare");
}

fn run_generator<B: NetworkBackend>(golden: &Golden, pass: &mut Pass<'_>) -> Activations<B> {
    let device = device::<B>();
    let generator = load_generator::<B>(golden, &device);
    let content = load_images(golden, "input_u8", &device);
    generator.activations(content, load_counts(golden, &device), pass)
}

/// The generator's image, in training and in inference.
///
/// # Panics
///
/// If any number differs, or there is nothing to compare.
pub fn generator_output<B: NetworkBackend>() {
    let golden = Golden::open("models");
    on_some_case(["infer", "train"], |mode| {
        let what = format!("gen.{mode}");
        let Some(truth) = output(&golden, &format!("{what}.f64")) else {
            return false;
        };
        let mut pass = match *mode {
            "infer" => Pass::inference(),
            _ => Pass::batch_statistics(None),
        };
        let image = run_generator::<B>(&golden, &mut pass).output;
        let error = official_error(&golden, &what);
        let allowed = SLACK * scalar(&error["rel_l2"]);

        // The files keep rows and columns 0, n, 2n, … of the image, and figures of the whole.
        let [batch, channels, height, _] = image.dims();
        let rows = (truth.len() / batch / channels).isqrt();
        let step = height.div_ceil(rows) as isize;
        let kept = image.clone().slice(s![.., .., ..;step, ..;step]);
        assert_close(&what, &channels_last(kept), &truth, allowed);

        let whole = channels_last(image);
        let figures = &golden.json()["statistics_of_full_outputs"][format!("out/{what}.f64")];
        let length = scalar(&figures["l2"]);
        assert_close_scalar(&format!("{what}: l2"), l2(&whole), length, allowed);
        let mean = whole.iter().sum::<f64>() / whole.len() as f64;
        let lowest = whole.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = whole.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        // A mean is off by no more than the root of the mean square.
        let of_mean = allowed * length / (whole.len() as f64).sqrt();
        let of_extremes = SLACK * scalar(&error["max_abs"]);
        for (figure, found, allowed) in [
            ("mean", mean, of_mean),
            ("min", lowest, of_extremes),
            ("max", highest, of_extremes),
        ] {
            let expected = scalar(&figures[figure]);
            let error = (found - expected).abs();
            assert!(
                error <= allowed,
                "{what}: {figure} is {found} instead of {expected} (±{allowed:.1e})"
            );
        }
        true
    });
}

/// Every layer of the generator, in training.
///
/// # Panics
///
/// If any number differs, or there is nothing to compare.
pub fn generator_layers<B: NetworkBackend>() {
    let golden = Golden::open("models");
    let seen = run_generator::<B>(&golden, &mut Pass::batch_statistics(None));
    let histogram: Vec<f64> = seen.histogram.into_data().iter::<f64>().collect();
    let mut layers = BTreeMap::from([("hist.dense".to_owned(), (histogram, 1))]);
    for (kind, blocks) in [("down", seen.downs), ("up", seen.ups)] {
        for (i, block) in blocks.into_iter().enumerate() {
            let channels = block.dims()[1];
            layers.insert(format!("{kind}{i}"), (channels_last(block), channels));
        }
    }
    on_some_case(layers.keys(), |&layer| {
        let (found, channels) = &layers[layer];
        compare_layer(&golden, layer, found, *channels)
    });
}

/// Compares a layer's output whole where the files keep it whole, else each channel's mean and
/// mean square. Of inner layers only the float32 run is kept, whose own error comes on top.
fn compare_layer(golden: &Golden, layer: &str, found: &[f64], channels: usize) -> bool {
    let what = format!("inner.{layer}.train");
    let allowed = (SLACK + 1.0) * scalar(&official_error(golden, &what)["rel_l2"]);
    if let Some(truth) = output(golden, &format!("{what}.f32")) {
        assert_close(&what, found, &truth, allowed);
        return true;
    }
    let pixels = (found.len() / channels) as f64;
    let mean = |value: fn(f64) -> f64| -> Vec<f64> {
        let of = |c| {
            let values = found.iter().skip(c).step_by(channels);
            values.map(|&v| value(v)).sum::<f64>()
        };
        (0..channels).map(|c| of(c) / pixels).collect()
    };
    let mut compared = false;
    // The means, unlike the mean squares, were added up in float32, over up to 32768 pixels.
    for (figure, means, rounding) in [
        ("channel_mean", mean(|v| v), 1e-5),
        ("channel_mean_square", mean(|v| v * v), 1e-7),
    ] {
        if let Some(truth) = output(golden, &format!("{what}.f32.{figure}")) {
            let what = format!("{what}: {figure}");
            assert_close(&what, &means, &truth, allowed + rounding);
            compared = true;
        }
    }
    compared
}

/// Both discriminators' logits, in training and in inference.
///
/// # Panics
///
/// If any number differs, or there is nothing to compare.
pub fn discriminator_logits<B: NetworkBackend>() {
    let golden = Golden::open("models");
    let device = device::<B>();
    let input = load_images::<B>(&golden, "input_u8", &device);
    let target = load_images::<B>(&golden, "target_u8", &device);
    let cases = ["cond", "uncond"].map(|network| [(network, "infer"), (network, "train")]);
    on_some_case(cases.into_iter().flatten(), |&(network, mode)| {
        let what = format!("disc_{network}_real.{mode}");
        let Some(truth) = output(&golden, &format!("{what}.f64")) else {
            return false;
        };
        let statistics = match mode {
            "infer" => Statistics::Running,
            _ => BATCH,
        };
        // The unconditional one's real images are the content images.
        let (prefix, condition, image) = match network {
            "cond" => (CONDITIONAL, Some(input.clone()), target.clone()),
            _ => (UNCONDITIONAL, None, input.clone()),
        };
        let network = load_discriminator::<B>(&golden, prefix, &device);
        let logits = network.forward(condition, image, statistics);
        let allowed = SLACK * scalar(&official_error(&golden, &what)["rel_l2"]);
        assert_close(&what, &channels_last(logits), &truth, allowed);
        true
    });
}

/// Running statistics after the first training step: one pass of the generator; of the
/// discriminator one over the real batch, then one over the generated. A case's losses do not
/// matter for them, so that one case for each discriminator is enough.
///
/// # Panics
///
/// If any number differs, or there is nothing to compare.
pub fn running_statistics<B: NetworkBackend>() {
    let golden = Golden::open("models");
    let steps = Golden::open("train_step");
    let device = device::<B>();
    let generator = load_generator::<B>(&golden, &device);
    let input = load_images(&golden, "input_u8", &device);
    let target = load_images(&golden, "target_u8", &device);
    let mut pass = Pass::new(TRAIN, None);
    let generated = generator.forward(input.clone(), load_counts(&golden, &device), &mut pass);

    on_some_case([CONDITIONAL, UNCONDITIONAL], |&prefix| {
        let conditional = prefix == CONDITIONAL;
        let discriminator = load_discriminator(&golden, prefix, &device);
        let (condition, real) = match conditional {
            true => (Some(input.clone()), target.clone()),
            false => (None, input.clone()),
        };
        discriminator.forward(condition.clone(), real, TRAIN);
        discriminator.forward(condition, generated.clone(), TRAIN);
        let mut statistics = weights(GENERATOR, &generator);
        statistics.extend(weights(prefix, &discriminator));
        statistics.retain(|name, _| name.contains(".moving_"));

        let same_network = |case: &&Value| case["paired"].as_bool() == Some(conditional);
        let mut cases = steps.cases().iter().filter(same_network);
        cases.any(|case| compare_statistics(&steps, case, &statistics))
    });
}

/// Compares running statistics with those that the case stores, if it stores any: then it must
/// store all of them.
fn compare_statistics(
    steps: &Golden,
    case: &Value,
    statistics: &BTreeMap<String, Vec<f64>>,
) -> bool {
    let entry = |name: &String| &case["per_weight"][name];
    if statistics
        .keys()
        .all(|name| entry(name)["after.f32"].is_null())
    {
        return false;
    }
    for (name, found) in statistics {
        let truth = steps.named(entry(name), "after.f32");
        let truth = truth.unwrap_or_else(|| panic!("{} lacks {name}", case["name"]));
        let found = sampled(steps, entry(name), found);
        assert_close(name, &found, &truth, RUNNING);
    }
    true
}
