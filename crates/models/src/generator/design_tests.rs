//! The parts that can be chosen, each alone and all together.

use super::*;
use crate::Normalization;
use crate::testing::{
    DoubleAutodiff, Flex, FlexAutodiff, NdArray, check_parameter_gradients, counts,
    largest_difference, rng, trainable, values, waves, weighted_sum,
};
use burn::module::AutodiffModule;
use burn::record::{FullPrecisionSettings, NamedMpkBytesRecorder, Recorder};
use burn::tensor::DType::{F32, F64};
use rstest::rstest;

fn official() -> GeneratorOptions {
    GeneratorOptions {
        base_width: 2,
        depth: 3,
        bins: 4,
        height: 16,
        width: 8,
        ..Default::default()
    }
}

fn all() -> GeneratorOptions {
    GeneratorOptions {
        conditioning: Conditioning::Modulation,
        normalization: Normalization::Group,
        last_layer: LastLayer::Resize,
        prediction: Prediction::Blend,
        matched_content: true,
        dropout: false,
        ..official()
    }
}

/// Everything chosen, and each part alone.
fn designs() -> [GeneratorOptions; 8] {
    let one = |choose: fn(&mut GeneratorOptions)| {
        let mut options = official();
        choose(&mut options);
        options
    };
    [
        all(),
        one(|o| o.conditioning = Conditioning::Modulation),
        one(|o| o.normalization = Normalization::Group),
        one(|o| o.last_layer = LastLayer::Resize),
        one(|o| o.prediction = Prediction::Change),
        one(|o| {
            o.prediction = Prediction::Palette;
            o.conditioning = Conditioning::Modulation;
        }),
        one(|o| {
            o.prediction = Prediction::Palette;
            o.conditioning = Conditioning::Modulation;
            o.matched_content = true;
        }),
        one(|o| o.matched_content = true),
    ]
}

fn generator<B: NetworkBackend>(options: GeneratorOptions, seed: u64) -> Generator<B> {
    let config = GeneratorConfig::new(options).unwrap();
    config.init(&mut rng(seed), &Default::default())
}

fn content<B: Backend>(batch: usize) -> Tensor<B, 4> {
    waves([batch, 3, 16, 8], F32, 0.0)
}

fn histograms<B: Backend>(batch: usize) -> Tensor<B, 3, Int> {
    counts([batch, 3, 4], 16 * 8)
}

fn run<B: NetworkBackend>(options: GeneratorOptions, batch: usize) -> Tensor<B, 4> {
    let mut pass = Pass::batch_statistics(None);
    generator::<B>(options, 5).forward(content(batch), histograms(batch), &mut pass)
}

#[test]
fn one_seed_one_network_on_every_backend() {
    for options in designs() {
        let flex = values(run::<Flex>(options, 2));
        assert_eq!(flex.len(), 2 * 3 * 16 * 8);
        let ndarray = values(run::<NdArray>(options, 2));
        assert!(largest_difference(&flex, &ndarray) < 1e-5, "{options:?}");
        assert!(largest_difference(&flex, &values(run::<Flex>(official(), 2))) > 1e-3);
    }
}

#[test]
fn holds_as_many_numbers_as_it_says() {
    for options in designs() {
        let config = GeneratorConfig::new(options).unwrap();
        let generator = generator::<FlexAutodiff>(options, 0);
        let running = match options.normalization {
            Normalization::Batch => 2 * 18,
            Normalization::Group => 0,
        };
        assert_eq!(
            trainable(&generator) + running,
            config.parameter_count(),
            "{options:?}"
        );
        let (said, held) = (config.parameter_count(), generator.num_params());
        assert_eq!(said, held, "{options:?}");
    }
}

#[test]
fn gradients_are_those_of_finite_differences() {
    for options in designs() {
        let generator = generator::<DoubleAutodiff>(options, 5);
        let content = waves::<DoubleAutodiff, 4>([2, 3, 16, 8], F64, 0.0);
        fn loss<B: NetworkBackend>(
            generator: &Generator<B>,
            content: Tensor<B, 4>,
        ) -> Tensor<B, 1> {
            let mut dropout = rng(9);
            let mut pass = Pass::batch_statistics(Some(&mut dropout));
            weighted_sum(generator.forward(content, histograms(2), &mut pass))
        }
        let checked = check_parameter_gradients(
            &generator,
            |generator| loss(generator, content.clone()),
            |generator| loss(generator, content.clone().inner()),
            1e-4,
        );
        assert!(checked > 20);
    }
}

#[test]
fn a_record_holds_everything_to_the_bit() {
    for options in designs() {
        let recorder = NamedMpkBytesRecorder::<FullPrecisionSettings>::default();
        let trained = generator::<FlexAutodiff>(options, 5);
        trained.forward(content(3), histograms(3), &mut Pass::training(&mut rng(1)));
        let output = |generator: &Generator<FlexAutodiff>| {
            let mut pass = Pass::inference();
            values(
                generator
                    .valid()
                    .forward(content(1), histograms(1), &mut pass),
            )
        };
        let bytes = recorder.record(trained.clone().into_record(), ()).unwrap();
        let record = recorder.load(bytes, &Default::default()).unwrap();
        let loaded = generator::<FlexAutodiff>(options, 6).load_record(record);
        assert_eq!(output(&loaded), output(&trained));
    }
}

#[rstest]
#[case(Prediction::Change, 0.05)]
#[case(Prediction::Palette, 0.5)]
fn before_training_the_content_stays_nearly_as_it_is(
    #[case] prediction: Prediction,
    #[case] tolerance: f64,
) {
    let options = GeneratorOptions {
        prediction,
        ..all()
    };
    let output = run::<Flex>(options, 1);
    let difference = largest_difference(&values(output), &values(content::<Flex>(1)));
    assert!(difference < tolerance, "{difference}");
}

#[test]
fn before_training_a_blend_is_nearly_the_matched_content() {
    let matched = Matching::new(&content::<Flex>(1), histograms(1)).matched();
    let difference = largest_difference(&values(run::<Flex>(all(), 1)), &values(matched));
    assert!(difference < 0.5, "{difference}");
}

#[rstest]
#[case(Conditioning::Counts, true, "need conditioning \"modulation\"")]
#[case(Conditioning::Modulation, false, "\"blend\" needs matched_content")]
fn a_blend_needs_the_distributions_and_the_matched_content(
    #[case] conditioning: Conditioning,
    #[case] matched_content: bool,
    #[case] expected: &str,
) {
    let options = GeneratorOptions {
        conditioning,
        matched_content,
        ..all()
    };
    let message = GeneratorConfig::new(options).unwrap_err().to_string();
    assert!(message.contains(expected), "{message}");
}

#[test]
fn normalised_in_groups_an_image_is_translated_alone() {
    let pair = run::<Flex>(all(), 2).narrow(0, 0, 1);
    assert!(largest_difference(&values(pair), &values(run::<Flex>(all(), 1))) < 1e-6);
}

#[test]
fn a_larger_content_image_and_a_smaller_reference_pass() {
    let content = waves::<Flex, 4>([1, 3, 32, 24], F32, 0.0);
    let counts = counts::<Flex>([1, 3, 4], 9);
    let output = generator(all(), 5).forward(content, counts, &mut Pass::inference());
    assert_eq!(output.dims(), [1, 3, 32, 24]);
}

#[rstest]
#[case(Conditioning::Modulation)]
#[case(Conditioning::Counts)]
fn the_histograms_steer_the_output(#[case] conditioning: Conditioning) {
    let options = GeneratorOptions {
        conditioning,
        matched_content: false,
        prediction: Prediction::Change,
        ..all()
    };
    let generator = generator::<Flex>(options, 5);
    let output = |counts| values(generator.forward(content(1), counts, &mut Pass::inference()));
    let other = counts::<Flex>([1, 3, 4], 50);
    assert!(largest_difference(&output(histograms(1)), &output(other)) > 0.0);
}

#[test]
fn a_change_needs_channels_to_change() {
    let options = GeneratorOptions {
        input_channels: 1,
        ..all()
    };
    let message = GeneratorConfig::new(options).unwrap_err().to_string();
    assert!(
        message.contains("puts out 3 channels and is given 1"),
        "{message}"
    );
}
