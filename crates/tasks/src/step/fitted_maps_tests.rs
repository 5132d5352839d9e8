use burn::tensor::DType;
use burn_flex::Flex;
use huenet_data::{
    CountBins, Direction, Loader, LoaderConfig, PairDataset, Pairing, Phase, Preprocessing,
};
use huenet_data::{ResizeFilter, demo};
use huenet_models::sliced;
use rstest::rstest;
use std::sync::Arc;

use super::*;
use crate::transfer::ColourMap;

const SIDES: [usize; 2] = [24, 40];

fn loader(task: Task, colour: ColourSpace, fit: Option<Arc<dyn PairFit>>) -> Loader {
    let pairing = match task {
        Task::Colorization => Pairing::GreyToColour(Direction::AToB),
        _ => Pairing::Unpaired,
    };
    let preprocessing = Preprocessing {
        size: ImageSize::new(SIDES[0], SIDES[1]).unwrap(),
        resize: ResizeFilter::Bilinear,
        colour,
        jitter: true,
        counts: CountBins::new(8, -1.0, 1.0).unwrap(),
    };
    let images = demo::collection();
    let dataset = PairDataset::new(images, Phase::Train, pairing, preprocessing).unwrap();
    Loader::new(dataset.with_fit(fit), LoaderConfig::new(2).unwrap())
}

fn batch(task: Task, colour: ColourSpace, fit: Option<Arc<dyn PairFit>>) -> Batch<Flex> {
    let batch = loader(task, colour, fit).epoch(0).next().unwrap().unwrap();
    batch.to_tensors_as(&Default::default(), burn::tensor::FloatDType::F32)
}

fn values<const D: usize>(tensor: Tensor<Flex, D>) -> Vec<f32> {
    tensor.into_data().iter().collect()
}

/// What the networks compute is what `transfer` makes of the same pixels.
#[rstest]
#[case(Task::ColorTransfer, ColourSpace::Yuv)]
#[case(Task::ColorTransfer, ColourSpace::Rgb)]
#[case(Task::Colorization, ColourSpace::Yuv)]
#[case(Task::Colorization, ColourSpace::Rgb)]
fn a_batch_is_sliced_as_photographs_are(#[case] task: Task, #[case] colour: ColourSpace) {
    let fit = MapsFit::new(task, colour);
    let batch = batch(task, colour, Some(Arc::new(fit.clone())));
    let FittedMaps { maps, luma } = fitted_maps(&fit, &batch);
    assert_eq!(maps.dtype(), DType::F32);
    let sliced = values(sliced(maps, batch.content.clone(), luma));
    let [contents, references] =
        [&batch.content, &batch.reference].map(|images| values(images.clone()));
    let size = ImageSize::new(SIDES[0], SIDES[1]).unwrap();
    let (pixels, planes) = (size.pixels(), 3 * size.pixels());
    for image in 0..2 {
        let of = |all: &[f32]| fit.sample(size, &all[image * planes..(image + 1) * planes]);
        let content = of(&contents);
        let reference = of(&references);
        let maps = match task {
            Task::Colorization => LocalMaps::colouring(&reference, fit.options.grid()),
            _ => LocalMaps::fit(&content, &reference, &fit.options),
        };
        let mut expected = content.pixels().to_vec();
        for (row, pixels) in expected.chunks_mut(size.width()).enumerate() {
            maps.map_row(row, size.height(), pixels);
        }
        let mut moved = 0.0_f32;
        for (i, expected) in expected.iter().enumerate() {
            let found = [0, 1, 2].map(|c| sliced[image * planes + c * pixels + i]);
            let found = colour.decode_pixel(found).map(|value| (value + 1.0) / 2.0);
            for c in 0..3 {
                let off = (found[c] - expected[c]).abs();
                assert!(off < 2e-5, "pixel {i}: {found:?} and {expected:?}");
                moved = moved.max((found[c] - content.pixels()[i][c]).abs());
            }
        }
        assert!(moved > 0.1, "{moved}");
    }
}

#[test]
fn what_the_dataset_did_not_fit_is_fitted_here() {
    let (task, colour) = (Task::ColorTransfer, ColourSpace::Yuv);
    let fit = MapsFit::new(task, colour);
    let [fitted, plain] = [Some(Arc::new(fit.clone()) as Arc<dyn PairFit>), None]
        .map(|given| values(fitted_maps(&fit, &batch(task, colour, given)).maps));
    assert_eq!(fitted, plain);
}

#[rstest]
#[case(ColourSpace::Yuv)]
#[case(ColourSpace::Rgb)]
fn maps_survive_the_way_to_the_networks_and_back(#[case] colour: ColourSpace) {
    let basis = Basis::of(colour);
    let map: [f32; VALUES] = std::array::from_fn(|i| ((i * i) as f32 * 0.7).sin());
    let back = basis.in_rgb(&basis.in_space(&map));
    for (back, map) in back.iter().zip(map) {
        assert!((back - map).abs() < 1e-5, "{back} and {map}");
    }
    let fit = MapsFit::new(Task::ColorTransfer, colour);
    let cells = LEVELS * ROWS * COLUMNS;
    let maps: Vec<f32> = basis
        .in_space(&map)
        .iter()
        .flat_map(|value| vec![*value; cells])
        .collect();
    let photograph = fit.for_photograph(&maps).unwrap();
    for (found, expected) in photograph.maps().iter().zip(map.iter().cycle()) {
        assert!((found - expected).abs() < 1e-5, "{found} and {expected}");
    }
    let mut broken = maps.clone();
    broken[5] = f32::NAN;
    assert!(fit.for_photograph(&broken).is_err());
}
