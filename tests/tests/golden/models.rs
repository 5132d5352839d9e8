//! The networks, against the official ones run by TensorFlow (`models`), and the running
//! statistics after a training pass (`train_step`).
//!
//! The truth is the float64 run. How far a float32 run may be from it is set by how far the
//! official float32 run is (`official_f32_error_against_f64`): rounding grows through the layers
//! in both alike.

use std::collections::BTreeMap;

use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use burn::tensor::backend::Backend;
use burn_autodiff::Autodiff;
use huenet_models::{Activations, Discriminator, Pass, Statistics};
use huenet_tests::golden::{Golden, scalar};
use huenet_tests::golden_networks::{
    CONDITIONAL, GENERATOR, UNCONDITIONAL, gradients, load_counts, load_discriminator,
    load_generator, load_images, weights,
};
use rstest::rstest;

type Flex = burn_flex::Flex;
type NdArray = burn_ndarray::NdArray<f32>;

/// Our float32 error may be this many times the official one's: rounding, not a formula.
const SLACK: f64 = 4.0;

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

fn relative_l2(got: &[f64], truth: &[f64]) -> f64 {
    assert_eq!(got.len(), truth.len());
    let difference: f64 = got.iter().zip(truth).map(|(g, t)| (g - t).powi(2)).sum();
    let size: f64 = truth.iter().map(|t| t * t).sum();
    (difference / size).sqrt()
}

/// Asserts that `got` is as close to `truth` as the official float32 run of `what` is.
fn assert_close(golden: &Golden, what: &str, got: &[f64], truth: &[f64]) {
    let official = scalar(&golden.json()["official_f32_error_against_f64"][what]["rel_l2"]);
    let error = relative_l2(got, truth);
    println!("{what}: {error:.1e} against the official {official:.1e}");
    assert!(
        error < SLACK * official,
        "{what}: {error:e}, the official float32 run {official:e}"
    );
}

fn run_generator(golden: &Golden, pass: &mut Pass<'_>) -> Activations<Flex> {
    let device = Default::default();
    let generator = load_generator::<Flex>(golden, &device);
    let content = load_images(golden, "input_u8", &device);
    generator.activations(content, load_counts(golden, &device), pass)
}

#[rstest]
#[case("infer", Pass::inference())]
#[case("train", Pass::batch_statistics(None))]
fn generator_output(#[case] mode: &str, #[case] mut pass: Pass<'static>) {
    let golden = Golden::open("models");
    let output = run_generator(&golden, &mut pass).output;
    // The files keep rows and columns 0, 5, 10, … of the image, and figures of the whole.
    let whole = channels_last(output.clone());
    let kept = channels_last(output.slice([
        burn::tensor::s![..],
        burn::tensor::s![..],
        burn::tensor::s![..;5],
        burn::tensor::s![..;5],
    ]));
    let name = format!("out/gen.{mode}.f64");
    assert_close(&golden, &format!("gen.{mode}"), &kept, &golden.f64s(&name));

    let figures = &golden.json()["statistics_of_full_outputs"][&name];
    let l2 = whole.iter().map(|v| v * v).sum::<f64>().sqrt();
    let lowest = whole.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = whole.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mean = whole.iter().sum::<f64>() / whole.len() as f64;
    for (figure, got) in [
        ("l2", l2),
        ("min", lowest),
        ("max", highest),
        ("mean", mean),
    ] {
        let expected = scalar(&figures[figure]);
        // A few of float32's units in the last place, at magnitudes up to one (l2: relative).
        let tolerance = 3e-6 * expected.abs().max(1.0);
        assert!(
            (got - expected).abs() < tolerance,
            "{figure}: {got} instead of {expected}"
        );
    }
}

#[test]
fn generator_layers_in_training() {
    let golden = Golden::open("models");
    let seen = run_generator(&golden, &mut Pass::batch_statistics(None));
    let histogram: Vec<f64> = seen.histogram.into_data().iter::<f64>().collect();
    compare_layer(&golden, "hist.dense", &histogram, 1);
    for (kind, layers) in [("down", seen.downs), ("up", seen.ups)] {
        for (i, layer) in layers.into_iter().enumerate() {
            let channels = layer.dims()[1];
            compare_layer(
                &golden,
                &format!("{kind}{i}"),
                &channels_last(layer),
                channels,
            );
        }
    }
}

/// Compares a layer's output whole where the files keep it whole, else each channel's mean and
/// mean square. Of inner layers only the float32 run is kept, whose own error comes on top.
fn compare_layer(golden: &Golden, layer: &str, got: &[f64], channels: usize) {
    let what = format!("inner.{layer}.train");
    let stem = format!("out/{what}.f32");
    let official = scalar(&golden.json()["official_f32_error_against_f64"][&what]["rel_l2"]);
    let compare = |got: &[f64], name: &str, rounding: f64| {
        let error = relative_l2(got, &golden.f64s(name));
        let tolerance = (SLACK + 1.0) * official + rounding;
        println!("{name}: {error:.1e}, tolerance {tolerance:.1e}");
        assert!(
            error < tolerance,
            "{name}: {error:e}, tolerance {tolerance:e}"
        );
    };
    if golden.has(&stem) {
        return compare(got, &stem, 0.0);
    }
    let pixels = (got.len() / channels) as f64;
    let mean = |value: fn(f64) -> f64| -> Vec<f64> {
        let of = |c| {
            got.iter()
                .skip(c)
                .step_by(channels)
                .map(|&v| value(v))
                .sum::<f64>()
        };
        (0..channels).map(|c| of(c) / pixels).collect()
    };
    // The means, unlike the mean squares, were added up in float32, over up to 32768 pixels.
    compare(&mean(|v| v), &format!("{stem}.channel_mean"), 1e-5);
    compare(
        &mean(|v| v * v),
        &format!("{stem}.channel_mean_square"),
        1e-7,
    );
}

fn discriminators<B: Backend>() {
    let golden = Golden::open("models");
    let device = Default::default();
    let input = load_images::<B>(&golden, "input_u8", &device);
    let target = load_images::<B>(&golden, "target_u8", &device);
    for (mode, statistics) in [("infer", Statistics::Running), ("train", BATCH)] {
        let conditional = load_discriminator::<B>(&golden, CONDITIONAL, &device);
        let logits = conditional.forward(Some(input.clone()), target.clone(), statistics);
        let what = format!("disc_cond_real.{mode}");
        let truth = golden.f64s(&format!("out/{what}.f64"));
        assert_close(&golden, &what, &channels_last(logits), &truth);

        let unconditional = load_discriminator::<B>(&golden, UNCONDITIONAL, &device);
        let logits = unconditional.forward(None, input.clone(), statistics);
        let what = format!("disc_uncond_real.{mode}");
        let truth = golden.f64s(&format!("out/{what}.f64"));
        assert_close(&golden, &what, &channels_last(logits), &truth);
    }
}

#[test]
fn discriminator_logits_on_flex() {
    discriminators::<Flex>();
}

#[test]
fn discriminator_logits_on_ndarray() {
    discriminators::<NdArray>();
}

/// Running statistics after the first training step of the paired tasks: one pass of the
/// generator; of the discriminator one over the real batch, then one over the generated.
#[test]
fn running_statistics_after_a_training_pass() {
    let golden = Golden::open("models");
    let device = Default::default();
    let generator = load_generator::<Flex>(&golden, &device);
    let discriminator: Discriminator<Flex> = load_discriminator(&golden, CONDITIONAL, &device);
    let input = load_images(&golden, "input_u8", &device);
    let target = load_images(&golden, "target_u8", &device);
    let mut pass = Pass::new(TRAIN, None);
    let generated = generator.forward(input.clone(), load_counts(&golden, &device), &mut pass);
    discriminator.forward(Some(input.clone()), target, TRAIN);
    discriminator.forward(Some(input), generated, TRAIN);

    let steps = Golden::open("train_step");
    let mut compared = 0;
    for (prefix, weights) in [
        (GENERATOR, weights(GENERATOR, &generator)),
        (CONDITIONAL, weights(CONDITIONAL, &discriminator)),
    ] {
        compared += compare_statistics(&steps, &weights);
        assert!(weights.keys().all(|name| name.starts_with(prefix)));
    }
    // Mean and variance of 14 batch norms of the generator and 3 of the discriminator.
    assert_eq!(compared, 2 * (14 + 3));
}

fn compare_statistics(steps: &Golden, weights: &BTreeMap<String, Vec<f64>>) -> usize {
    let statistics = weights.iter().filter(|(name, _)| name.contains(".moving_"));
    statistics
        .map(|(name, got)| {
            // Both are float32 runs; an error of the batch's statistics enters by 0.01.
            let truth = steps.f64s(&format!("edges2photos/{name}.after.f32"));
            let error = relative_l2(got, &truth);
            assert!(error < 1e-6, "{name}: {error:e}");
        })
        .count()
}

/// The gradients of the discriminator's loss in the first training step of the paired tasks:
/// cross entropy against one on the real batch, against zero on the generated one.
#[test]
fn gradients_of_the_discriminator_loss() {
    let golden = Golden::open("models");
    let device = Default::default();
    let generator = load_generator::<Flex>(&golden, &device);
    let discriminator = load_discriminator::<Autodiff<Flex>>(&golden, CONDITIONAL, &device);
    let input = load_images::<Flex>(&golden, "input_u8", &device);
    let target = load_images(&golden, "target_u8", &device);
    let mut pass = Pass::new(TRAIN, None);
    let generated = generator.forward(input.clone(), load_counts(&golden, &device), &mut pass);

    let judge = |image| {
        let condition = Tensor::from_inner(input.clone());
        discriminator.forward(Some(condition), Tensor::from_inner(image), TRAIN)
    };
    // ln(1 + e^x) is the cross entropy of logit x against zero, of −x against one.
    let softplus =
        |x: Tensor<Autodiff<Flex>, 4>| relu(x.clone()) + x.abs().neg().exp().add_scalar(1.0).log();
    let loss = softplus(judge(target).neg()).mean() + softplus(judge(generated)).mean();

    let steps = Golden::open("train_step");
    let case = &steps.cases()[0];
    let expected = scalar(&case["losses_of_steps_1_2_3"]["f64"][0]["disc_loss"]);
    let value: f64 = loss.clone().into_data().iter::<f64>().sum();
    assert!(
        (value - expected).abs() < 1e-5,
        "loss {value} instead of {expected}"
    );

    let taken = GradientsParams::from_grads(loss.backward(), &discriminator);
    let gradients = gradients(CONDITIONAL, &discriminator, &taken);
    for (name, got) in &gradients {
        let weight = &case["per_weight"][name];
        let tensor = |key: &str| weight[key].as_str().map(|name| steps.f64s(name));
        let truth = tensor("grad.f64").unwrap_or_else(|| panic!("{name} has no golden gradient"));
        let kept: Vec<f64> = match tensor("index") {
            Some(index) => index.iter().map(|&i| got[i as usize]).collect(),
            None => got.clone(),
        };
        let official = scalar(&weight["grad_rel_l2_error_f32"]);
        let error = relative_l2(&kept, &truth);
        println!("{name}: {error:.1e} against the official {official:.1e}");
        // The float64 run's images come from a resize in float32: 1.2e-6 in its gradients.
        assert!(
            error < SLACK * official + 1.2e-6,
            "{name}: {error:e}, official {official:e}"
        );
    }
    assert_eq!(gradients.len(), 12);
}
