use super::*;
use crate::pass::Statistics;
use crate::testing::{
    DoubleAutodiff, Flex, FlexAutodiff, NdArray, check_input_gradient, check_parameter_gradients,
    counts, largest_difference, rng, trainable, values, waves, weighted_sum,
};
use burn::module::AutodiffModule;
use burn::optim::{AdamConfig, GradientsParams, Optimizer};
use burn::record::{FullPrecisionSettings, NamedMpkBytesRecorder, Recorder};
use burn::tensor::DType::{F32, F64};
use rstest::rstest;

const PIXELS: usize = 16 * 8;

fn tiny() -> GeneratorConfig {
    GeneratorConfig::new(GeneratorOptions {
        base_width: 2,
        depth: 3,
        bins: 4,
        height: 16,
        width: 8,
        ..Default::default()
    })
    .unwrap()
}

fn generator<B: NetworkBackend>(seed: u64) -> Generator<B> {
    tiny().init(&mut rng(seed), &Default::default())
}

fn content<B: Backend>(batch: usize) -> Tensor<B, 4> {
    waves([batch, 3, 16, 8], F32, 0.0)
}

fn histograms<B: Backend>(batch: usize) -> Tensor<B, 3, Int> {
    counts([batch, 3, 4], PIXELS)
}

/// Inference, and training with dropout.
fn run<B: NetworkBackend>(batch: usize, training: bool) -> Vec<f64> {
    let mut dropout = rng(9);
    let mut pass = if training {
        Pass::training(&mut dropout)
    } else {
        Pass::inference()
    };
    values(generator::<B>(5).forward(content(batch), histograms(batch), &mut pass))
}

#[rstest]
#[case(1, false)]
#[case(1, true)]
#[case(3, true)]
fn one_seed_one_network_on_every_backend(#[case] batch: usize, #[case] training: bool) {
    let flex = run::<Flex>(batch, training);
    assert_eq!(flex.len(), batch * 3 * 16 * 8);
    assert!(flex.iter().all(|v| (-1.0..=1.0).contains(v)));
    assert!(largest_difference(&flex, &run::<NdArray>(batch, training)) < 1e-5);
    assert_eq!(flex, run::<Flex>(batch, training));
}

#[rstest]
#[case(GeneratorOptions { base_width: 4, ..Default::default() }, 892_786, 892_106)]
// Batch norms of 4 and 8 channels on the way down, of 4 and 2 on the way up, each carrying a
// running mean and variance.
#[case(*tiny().options(), tiny().parameter_count(), tiny().parameter_count() - 2 * 18)]
fn holds_as_many_numbers_as_it_says(
    #[case] options: GeneratorOptions,
    #[case] total: usize,
    #[case] expected: usize,
) {
    let config = GeneratorConfig::new(options).unwrap();
    let generator = config.init::<FlexAutodiff>(&mut rng(0), &Default::default());
    assert_eq!(
        (config.parameter_count(), generator.num_params()),
        (total, total)
    );
    assert_eq!(trainable(&generator), expected);
}

#[rstest]
#[case::shallowest(2, 4, 4, 1)]
#[case::one_pixel_bottleneck(4, 16, 16, 1)]
#[case::oblong(2, 8, 20, 2)]
fn any_depth_and_shape(
    #[case] depth: usize,
    #[case] height: usize,
    #[case] width: usize,
    #[case] batch: usize,
) {
    let options = GeneratorOptions {
        base_width: 1,
        depth,
        input_channels: 1,
        output_channels: 2,
        bins: 3,
        height,
        width,
        ..Default::default()
    };
    let config = GeneratorConfig::new(options).unwrap();
    let generator = config.init::<Flex>(&mut rng(0), &Default::default());
    let content = waves([batch, 1, height, width], F32, 0.0);
    let counts = counts([batch, 2, 3], height * width);
    let output = generator.forward(content, counts, &mut Pass::batch_statistics(None));
    assert_eq!(output.dims(), [batch, 2, height, width]);
    assert!(values(output).iter().all(|v| v.is_finite()));
}

#[test]
fn a_larger_content_image_passes() {
    let content = waves::<Flex, 4>([1, 3, 32, 24], F32, 0.0);
    let output = generator(5).forward(content, histograms(1), &mut Pass::inference());
    assert_eq!(output.dims(), [1, 3, 32, 24]);
}

#[test]
#[should_panic(expected = "10x8 pixels given to a generator whose sides must be multiples of 8")]
fn says_which_images_it_takes() {
    let content = waves::<Flex, 4>([1, 3, 10, 8], F32, 0.0);
    generator(5).forward(content, histograms(1), &mut Pass::inference());
}

#[test]
fn the_histograms_steer_the_output() {
    let generator = generator::<Flex>(5);
    let other = counts::<Flex>([1, 3, 4], 50);
    let a = generator.forward(content(1), histograms(1), &mut Pass::inference());
    let b = generator.forward(content(1), other, &mut Pass::inference());
    assert!(largest_difference(&values(a), &values(b)) > 0.0);
}

#[test]
fn in_inference_an_image_is_translated_alone() {
    let generator = generator::<Flex>(5);
    let both = generator.forward(content(2), histograms(2), &mut Pass::inference());
    let second = generator.forward(
        content(2).narrow(0, 1, 1),
        histograms(2).narrow(0, 1, 1),
        &mut Pass::inference(),
    );
    assert!(largest_difference(&values(both.narrow(0, 1, 1)), &values(second)) < 1e-6);
}

#[test]
fn dropout_draws_from_the_pass_alone() {
    let generator = generator::<Flex>(5);
    let run = |seed: Option<u64>| {
        let mut dropout = seed.map(rng);
        let dropout = dropout.as_mut().map(|rng| rng as &mut dyn Rng);
        let mut pass = Pass::batch_statistics(dropout);
        values(generator.forward(content(2), histograms(2), &mut pass))
    };
    assert_eq!(run(Some(1)), run(Some(1)));
    assert_ne!(run(Some(1)), run(Some(2)));
    assert_ne!(run(Some(1)), run(None));
}

#[test]
fn gradients_are_those_of_finite_differences() {
    let generator = generator::<DoubleAutodiff>(5);
    let content = waves::<DoubleAutodiff, 4>([2, 3, 16, 8], F64, 0.0);
    fn loss<B: NetworkBackend>(generator: &Generator<B>, content: Tensor<B, 4>) -> Tensor<B, 1> {
        let mut dropout = rng(9);
        let mut pass = Pass::batch_statistics(Some(&mut dropout));
        let output = generator.forward(content, histograms(2), &mut pass);
        weighted_sum(output)
    }
    let checked = check_parameter_gradients(
        &generator,
        |generator| loss(generator, content.clone()),
        |generator| loss(generator, content.clone().inner()),
        1e-6,
    );
    // 3 + 2·2 halvings and their norms, 3 + 2 of the encoder, 2·4 doublings, 2 of the last layer.
    assert_eq!(checked, 7 + 5 + 8 + 2);
    let corner = content.clone().slice([0..1, 0..1, 0..3, 0..3]);
    check_input_gradient(
        corner,
        |corner| {
            let whole = content
                .clone()
                .slice_assign([0..1, 0..1, 0..3, 0..3], corner);
            loss(&generator, whole)
        },
        1e-6,
    );
}

#[test]
fn a_few_steps_of_adam_lower_a_loss() {
    let mut generator = generator::<FlexAutodiff>(5);
    let mut adam = AdamConfig::new().init();
    let mut dropout = rng(2);
    let target = waves::<FlexAutodiff, 4>([2, 3, 16, 8], F32, 2.0).mul_scalar(0.5);
    let mut losses = Vec::new();
    for _ in 0..12 {
        let mut pass = Pass::training(&mut dropout);
        let output = generator.forward(content(2), histograms(2), &mut pass);
        let loss = (output - target.clone()).powi_scalar(2).mean();
        losses.push(values(loss.clone())[0]);
        let gradients = GradientsParams::from_grads(loss.backward(), &generator);
        generator = adam.step(5e-3, generator, gradients);
    }
    assert!(losses[11] < 0.8 * losses[0], "{losses:?}");
}

#[test]
fn a_record_holds_everything_to_the_bit() {
    let recorder = NamedMpkBytesRecorder::<FullPrecisionSettings>::default();
    let trained = generator::<FlexAutodiff>(5);
    let before = trained.valid();
    trained.forward(content(3), histograms(3), &mut Pass::training(&mut rng(1)));
    let output = |generator: &Generator<Flex>| {
        values(generator.forward(content(1), histograms(1), &mut Pass::inference()))
    };
    let bytes = recorder.record(trained.clone().into_record(), ()).unwrap();
    let record = recorder.load(bytes.clone(), &Default::default()).unwrap();
    let loaded = generator::<FlexAutodiff>(6).load_record(record);

    let expected = output(&trained.valid());
    assert_eq!(output(&loaded.valid()), expected);
    assert_eq!(recorder.record(loaded.into_record(), ()).unwrap(), bytes);
    // The running statistics had moved, and are part of it.
    assert_ne!(output(&before), expected);
}

#[test]
fn statistics_are_kept_out_of_reach_of_clones() {
    let generator = generator::<Flex>(5);
    let clone = generator.clone();
    let output = |generator: &Generator<Flex>| {
        values(generator.forward(content(1), histograms(1), &mut Pass::inference()))
    };
    let before = output(&generator);
    clone.forward(
        content(3),
        histograms(3),
        &mut Pass::new(
            Statistics::Batch {
                update_running: true,
            },
            None,
        ),
    );
    assert_eq!(output(&generator), before);
    assert_ne!(output(&clone), before);
}
