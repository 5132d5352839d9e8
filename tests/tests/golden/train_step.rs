//! Three training steps of each task: losses, gradients, updated weights.
//!
//! Gradients and losses are compared with the official code in f64, updates with what it
//! computed in f32. Tolerances follow the README of the golden numbers: the published
//! f32 code itself is off by the error the file lists for each gradient, and updates
//! of weights whose gradient is near Adam's epsilon are ill-conditioned (up to 1.6e-2
//! of their length).

use std::collections::BTreeMap;

use burn_autodiff::Autodiff;
use burn_flex::Flex;
use huenet_data::Batch;
use huenet_tasks::settings::StructureReference;
use huenet_tasks::{Gan, HistogramLosses, Recipe, Settings, StepLosses, Task};
use huenet_tests::golden::{Golden, scalar};
use huenet_tests::golden_networks::{
    CONDITIONAL, GENERATOR, UNCONDITIONAL, gradients, load_counts, load_discriminator,
    load_generator, load_images, weights,
};
use serde_json::Value;

type B = Autodiff<Flex>;

/// Relative error allowed for a loss, against f64.
const LOSS: f64 = 2e-5;
/// Relative l2 error allowed for a gradient: so many times the published f32 code's own.
const GRADIENT_FACTOR: f64 = 10.0;
/// The same, at least.
const GRADIENT_FLOOR: f64 = 5e-5;
/// Relative l2 error allowed for an update.
const UPDATE: f64 = 3e-2;
/// Relative l2 error allowed for running statistics.
const STATISTICS: f64 = 1e-5;

#[test]
fn three_steps_of_each_task() {
    let (models, steps) = (Golden::open("models"), Golden::open("train_step"));
    for case in steps.cases() {
        check(&models, &steps, case);
    }
}

fn check(models: &Golden, steps: &Golden, case: &Value) {
    let device = Default::default();
    let name = case["name"].as_str().expect("a case has a name");
    let task: Task = name.parse().expect("a case is named after its task");
    let recipe = recipe(models, case, task);
    let prefix = if task.is_paired() {
        CONDITIONAL
    } else {
        UNCONDITIONAL
    };
    let mut gan = Gan::<B>::with_networks(
        &recipe,
        load_generator(models, &device),
        load_discriminator(models, prefix, &device),
    );
    let batch = Batch {
        content: load_images(models, "input_u8", &device),
        reference: load_images(models, "target_u8", &device),
        counts: load_counts(models, &device),
    };
    let losses = HistogramLosses::new(&recipe);
    let expected = case["losses_of_steps_1_2_3"]["f64"]
        .as_array()
        .expect("losses are listed");

    let before = both(&gan, prefix);
    let (values, found) = gan.gradients(&recipe, &losses, &batch, None);
    check_losses(name, 1, &values, &expected[0]);
    let mut slopes = gradients(GENERATOR, &gan.generator, &found.generator);
    slopes.extend(gradients(prefix, &gan.discriminator, &found.discriminator));
    gan = gan.update(&recipe, found);
    let after = both(&gan, prefix);

    let per_weight = case["per_weight"].as_object().expect("weights are listed");
    assert_eq!(
        per_weight.len(),
        before.len(),
        "{name}: every weight is listed"
    );
    for (weight, entry) in per_weight {
        let place = format!("{name}: {weight}");
        let pick = |values: &[f64]| -> Vec<f64> {
            match entry["index"].as_str() {
                Some(index) => steps
                    .f64s(index)
                    .iter()
                    .map(|&i| values[i as usize])
                    .collect(),
                None => values.to_vec(),
            }
        };
        let expected_after = steps.f64s(entry["after.f32"].as_str().expect("values are stored"));
        let (was, is) = (pick(&before[weight]), pick(&after[weight]));
        if weight.contains("moving_") {
            assert_close(&place, &is, &expected_after, STATISTICS);
            continue;
        }
        // The bias before batch norm has no gradient but rounding noise, and Adam turns
        // noise into steps.
        if weight.starts_with("g.up") && weight.ends_with("conv.bias") {
            continue;
        }
        let slope = &slopes[weight];
        let truth = steps.f64s(entry["grad.f64"].as_str().expect("gradients are stored"));
        let own_error = scalar(&entry["grad_rel_l2_error_f32"]);
        let allowed = (GRADIENT_FACTOR * own_error).max(GRADIENT_FLOOR);
        assert_close(&format!("{place}, gradient"), &pick(slope), &truth, allowed);
        let length = scalar(&entry["grad_l2"]["f64"]);
        let error = (l2(slope) / length - 1.0).abs();
        assert!(
            error < allowed,
            "{place}: gradient's length {} against {length}",
            l2(slope)
        );
        let step = |to: &[f64]| -> Vec<f64> { to.iter().zip(&was).map(|(a, b)| a - b).collect() };
        assert_close(
            &format!("{place}, update"),
            &step(&is),
            &step(&expected_after),
            UPDATE,
        );
    }

    for (step, expected) in expected.iter().enumerate().skip(1) {
        let values;
        (gan, values) = gan.step(&recipe, &losses, &batch, None);
        check_losses(name, step + 1, &values, expected);
    }
}

fn recipe(models: &Golden, case: &Value, task: Task) -> Recipe {
    let whole = |name: &str| models.json()[name].as_u64().expect(name) as usize;
    let weight = |name: &str| scalar(&case["weights_of_losses"][name]);
    let official = Settings::official(task);
    let settings = Settings {
        dataroot: Some("unused".into()),
        img_h: whole("image"),
        img_w: whole("image"),
        bin_num: whole("bin_num"),
        base_width: official.base_width / whole("width_divisor"),
        gan_loss_weight: weight("gan"),
        mi_loss_weight: weight("mi"),
        hist_loss_weight: weight("hist"),
        // What the published script compares with in colour transfer.
        structure_reference: match task {
            Task::ColorTransfer => StructureReference::Reference,
            _ => StructureReference::Content,
        },
        ..official
    };
    Recipe::new(settings).expect("the golden settings are valid")
}

fn both(gan: &Gan<B>, prefix: &str) -> BTreeMap<String, Vec<f64>> {
    let mut all = weights(GENERATOR, &gan.generator);
    all.extend(weights(prefix, &gan.discriminator));
    all
}

fn check_losses(name: &str, step: usize, found: &StepLosses, expected: &Value) {
    for (loss, value) in found.named() {
        let truth = scalar(&expected[loss]);
        // Rounding of the first steps grows: each starts from slightly other weights.
        let allowed = LOSS * 10f64.powi(step as i32 - 1);
        let error = (value / truth - 1.0).abs();
        assert!(
            error < allowed,
            "{name}, step {step}: {loss} {value} against {truth}: {error:.1e}"
        );
    }
}

fn assert_close(place: &str, found: &[f64], expected: &[f64], allowed: f64) {
    assert_eq!(found.len(), expected.len(), "{place}");
    let difference: Vec<f64> = found.iter().zip(expected).map(|(a, b)| a - b).collect();
    let error = l2(&difference) / l2(expected).max(f64::MIN_POSITIVE);
    assert!(
        error <= allowed,
        "{place}: relative l2 error {error:.2e}, allowed {allowed:.2e}"
    );
}

fn l2(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum::<f64>().sqrt()
}
