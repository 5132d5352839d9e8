use burn::tensor::DType;
use burn_flex::Flex;
use huenet_data::{CountBins, Loader, LoaderConfig, PairDataset, Pairing, Phase, Preprocessing};
use huenet_data::{ResizeFilter, demo};
use huenet_models::sliced;
use rstest::rstest;
use std::sync::Arc;

use super::*;
use crate::transfer::ColourMap;

const SIDES: [usize; 2] = [24, 40];

fn loader(colour: ColourSpace, fit: Option<Arc<dyn PairFit>>) -> Loader {
    let preprocessing = Preprocessing {
        size: ImageSize::new(SIDES[0], SIDES[1]).unwrap(),
        resize: ResizeFilter::Bilinear,
        colour,
        jitter: true,
        counts: CountBins::new(8, -1.0, 1.0).unwrap(),
    };
    let images = demo::collection();
    let dataset = PairDataset::new(images, Phase::Train, Pairing::Unpaired, preprocessing).unwrap();
    Loader::new(dataset.with_fit(fit), LoaderConfig::new(2).unwrap())
}

fn batch(colour: ColourSpace, fit: Option<Arc<dyn PairFit>>) -> Batch<Flex> {
    let batch = loader(colour, fit).epoch(0).next().unwrap().unwrap();
    batch.to_tensors_as(&Default::default(), burn::tensor::FloatDType::F32)
}

fn values<const D: usize>(tensor: Tensor<Flex, D>) -> Vec<f32> {
    tensor.into_data().iter().collect()
}

/// What the networks compute is what `transfer` makes of the same pixels.
#[rstest]
#[case(ColourSpace::Yuv)]
#[case(ColourSpace::Rgb)]
fn a_batch_is_sliced_as_photographs_are(#[case] colour: ColourSpace) {
    let batch = batch(colour, Some(Arc::new(MapsFit::new(colour))));
    let FittedMaps { maps, luma } = fitted_maps(colour, &batch);
    assert_eq!(maps.dtype(), DType::F32);
    let sliced = values(sliced(maps, batch.content.clone(), luma));
    let [contents, references] =
        [&batch.content, &batch.reference].map(|images| values(images.clone()));
    let fit = MapsFit::new(colour);
    let size = ImageSize::new(SIDES[0], SIDES[1]).unwrap();
    let (pixels, planes) = (size.pixels(), 3 * size.pixels());
    for image in 0..2 {
        let of = |all: &[f32]| fit.sample(size, &all[image * planes..(image + 1) * planes]);
        let content = of(&contents);
        let maps = LocalMaps::fit(&content, &of(&references), &fit.options);
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
    let colour = ColourSpace::Yuv;
    let [fitted, plain] = [
        Some(Arc::new(MapsFit::new(colour)) as Arc<dyn PairFit>),
        None,
    ]
    .map(|fit| values(fitted_maps(colour, &batch(colour, fit)).maps));
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
    let fit = MapsFit::new(colour);
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
