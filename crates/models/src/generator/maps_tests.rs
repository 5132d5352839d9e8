//! A generator that changes fitted maps.

use super::*;
use crate::local_maps::MAPS_GRID;
use crate::testing::{
    DoubleAutodiff, Flex, FlexAutodiff, NdArray, check_parameter_gradients_by_steps, counts,
    largest_difference, rng, trainable, values, waves, weighted_sum,
};
use crate::{ModelError, Normalization};
use burn::module::{AutodiffModule, Param};
use burn::record::{FullPrecisionSettings, NamedMpkBytesRecorder, Recorder};
use burn::tensor::DType::{self, F32, F64};
use rstest::rstest;

fn options(depth: usize, [height, width]: [usize; 2]) -> GeneratorOptions {
    GeneratorOptions {
        base_width: 2,
        depth,
        bins: 4,
        height,
        width,
        conditioning: Conditioning::Modulation,
        normalization: Normalization::Group,
        prediction: Prediction::LocalMaps,
        dropout: false,
        ..Default::default()
    }
}

fn generator<B: NetworkBackend>(options: GeneratorOptions) -> Generator<B> {
    let config = GeneratorConfig::new(options).unwrap();
    config.init(&mut rng(5), &Default::default())
}

/// A generator that has learned something.
fn trained<B: NetworkBackend>(options: GeneratorOptions, dtype: DType) -> Generator<B> {
    let mut generator = generator::<B>(options);
    let layer = generator.maps.as_mut().unwrap();
    let shape = layer.weight().dims();
    *layer.weight() = Param::from_tensor(waves(shape, dtype, 0.9));
    generator
}

fn content<B: Backend>(batch: usize, [height, width]: [usize; 2], dtype: DType) -> Tensor<B, 4> {
    waves([batch, 3, height, width], dtype, 0.0)
}

fn fitted<B: Backend>(batch: usize, size: [usize; 2], dtype: DType) -> FittedMaps<B> {
    let [levels, rows, columns] = MAPS_GRID;
    let [height, width] = size;
    FittedMaps {
        maps: waves([batch, 12, levels, rows, columns], dtype, 0.6),
        luma: waves([batch, 1, height, width], dtype, 0.2).abs(),
    }
}

fn mapped<B: NetworkBackend>(
    generator: &Generator<B>,
    batch: usize,
    size: [usize; 2],
    dtype: DType,
) -> MappedImage<B> {
    generator.mapped(
        content(batch, size, dtype),
        counts([batch, 3, 4], 100),
        fitted(batch, size, dtype),
        &mut Pass::batch_statistics(None),
    )
}

/// Deeper than the grid, as deep, less deep, and images that are smaller than the grid.
const SHAPES: [(usize, [usize; 2]); 5] = [
    (5, [32, 64]),
    (2, [32, 32]),
    (2, [64, 32]),
    (3, [8, 16]),
    (2, [4, 4]),
];

#[test]
fn before_training_the_image_is_what_the_fitted_maps_make() {
    for (depth, size) in SHAPES {
        let options = options(depth, size);
        let image = mapped(&generator::<Flex>(options), 2, size, F32);
        let FittedMaps { maps, luma } = fitted::<Flex>(2, size, F32);
        let expected = sliced(maps.clone(), content(2, size, F32), luma);
        assert_eq!(values(image.output), values(expected));
        assert_eq!(values(image.maps), values(maps));
        assert!(values(image.change).iter().all(|change| *change == 0.0));
    }
}

#[test]
fn every_backend_changes_maps_alike() {
    for (depth, size) in SHAPES {
        let options = options(depth, size);
        let flex = mapped(&trained::<Flex>(options, F32), 2, size, F32);
        let ndarray = mapped(&trained::<NdArray>(options, F32), 2, size, F32);
        let change = values(flex.change);
        assert!(change.iter().any(|change| change.abs() > 1e-3));
        assert!(largest_difference(&change, &values(ndarray.change)) < 1e-5);
        let (flex, ndarray) = (values(flex.output), values(ndarray.output));
        assert!(largest_difference(&flex, &ndarray) < 1e-4);
    }
}

#[test]
fn holds_as_many_numbers_as_it_says() {
    for (depth, size) in SHAPES {
        for conditioning in [Conditioning::Counts, Conditioning::Modulation] {
            let options = GeneratorOptions {
                conditioning,
                ..options(depth, size)
            };
            let config = GeneratorConfig::new(options).unwrap();
            let generator = generator::<FlexAutodiff>(options);
            assert_eq!(trainable(&generator), config.parameter_count());
        }
    }
}

#[rstest]
#[case(7, [128, 128], 3)]
#[case(8, [256, 256], 3)]
#[case(5, [128, 256], 1)]
#[case(3, [128, 128], 0)]
#[case(3, [8, 8], 2)]
fn no_level_is_larger_than_the_grid_has_to_be(
    #[case] depth: usize,
    #[case] size: [usize; 2],
    #[case] doublings: usize,
) {
    let config = GeneratorConfig::new(options(depth, size)).unwrap();
    assert_eq!(config.ups().len(), doublings);
}

#[test]
fn gradients_are_those_of_finite_differences() {
    let size = [16, 32];
    let generator = trained::<DoubleAutodiff>(options(3, size), F64);
    fn loss<B: NetworkBackend>(generator: &Generator<B>) -> Tensor<B, 1> {
        weighted_sum(mapped(generator, 2, [16, 32], F64).output)
    }
    let checked = check_parameter_gradients_by_steps(1e-7, &generator, loss, loss, 1e-4);
    assert!(checked > 15, "{checked}");
}

#[test]
fn before_training_the_last_layer_alone_learns() {
    let size = [16, 32];
    let generator = generator::<FlexAutodiff>(options(3, size));
    let image = mapped(&generator, 2, size, F32);
    let gradients = weighted_sum(image.output).backward();
    let mut layer = generator.maps.unwrap();
    let gradient = layer.weight().val().grad(&gradients);
    let gradient = values(gradient.expect("the last layer is trained"));
    assert!(gradient.iter().any(|slope| *slope != 0.0));
}

#[test]
fn a_record_holds_everything_to_the_bit() {
    let size = [16, 32];
    let recorder = NamedMpkBytesRecorder::<FullPrecisionSettings>::default();
    let first = trained::<FlexAutodiff>(options(3, size), F32);
    let output = |generator: &Generator<FlexAutodiff>| {
        values(mapped(&generator.valid(), 1, size, F32).output)
    };
    let bytes = recorder.record(first.clone().into_record(), ()).unwrap();
    let record = recorder.load(bytes, &Default::default()).unwrap();
    let loaded = generator::<FlexAutodiff>(options(3, size)).load_record(record);
    assert_eq!(output(&loaded), output(&first));
}

#[test]
fn the_histograms_steer_the_change() {
    let size = [16, 32];
    for conditioning in [Conditioning::Counts, Conditioning::Modulation] {
        let options = GeneratorOptions {
            conditioning,
            ..options(3, size)
        };
        let generator = trained::<Flex>(options, F32);
        let change = |pixels| {
            let counts = counts::<Flex>([1, 3, 4], pixels);
            let fitted = fitted(1, size, F32);
            let mut pass = Pass::inference();
            values(
                generator
                    .mapped(content(1, size, F32), counts, fitted, &mut pass)
                    .change,
            )
        };
        assert!(largest_difference(&change(100), &change(37)) > 0.0);
    }
}

#[test]
fn a_larger_content_image_has_the_same_grid() {
    let image = mapped(
        &trained::<Flex>(options(3, [16, 32]), F32),
        1,
        [48, 32],
        F32,
    );
    assert_eq!(image.output.dims(), [1, 3, 48, 32]);
    assert_eq!(image.maps.dims(), [1, 12, 8, 8, 8]);
}

#[test]
fn grey_images_have_no_colour_maps() {
    let grey = GeneratorOptions {
        input_channels: 1,
        output_channels: 1,
        ..options(3, [16, 32])
    };
    let error = GeneratorConfig::new(grey).unwrap_err();
    assert_eq!(error, ModelError::MapsOfChannels { channels: 1 });
    assert!(error.to_string().contains("not of 1"), "{error}");
}

#[test]
#[should_panic(expected = "needs fitted ones")]
fn without_fitted_maps_there_is_nothing_to_change() {
    let size = [16, 32];
    let generator = generator::<Flex>(options(3, size));
    generator.forward(
        content(1, size, F32),
        counts([1, 3, 4], 100),
        &mut Pass::inference(),
    );
}
