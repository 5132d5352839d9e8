//! How content and reference come from images.

use std::sync::Arc;

use burn::data::dataset::Dataset;
use huenet_data::{
    Collection, ColourSpace, DataError, Direction, Image, ImageSource, PairDataset, Pairing,
    ParameterError, Phase, Preprocessing, ResizeFilter, RgbImage, Sample, resize,
};
use rstest::rstest;

use crate::support::{picture, preprocessing};

pub(crate) fn collection(images: Vec<RgbImage>) -> Collection {
    let source = |(i, image)| ImageSource::memory(format!("image {i}"), image);
    let images: Vec<ImageSource> = images.into_iter().enumerate().map(source).collect();
    Collection::from_sources("test", images.clone(), images)
}

/// The samples of an epoch.
fn samples(
    images: Vec<RgbImage>,
    phase: Phase,
    pairing: Pairing,
    preprocessing: Preprocessing,
    epoch: u64,
) -> Vec<Sample> {
    let dataset = PairDataset::new(collection(images), phase, pairing, preprocessing);
    let epoch = Arc::new(dataset.expect("valid")).epoch(None, 5, epoch);
    epoch.iter().collect::<Result<_, _>>().expect("in memory")
}

fn one(image: RgbImage, pairing: Pairing, preprocessing: Preprocessing) -> Sample {
    samples(vec![image], Phase::Train, pairing, preprocessing, 0).remove(0)
}

fn resized(image: &RgbImage, preprocessing: Preprocessing) -> Image {
    let image = resize::nearest(image, preprocessing.size);
    preprocessing.colour.encode(&image).expect("a valid size")
}

#[test]
fn an_image_is_cut_in_the_middle() {
    let image = picture(1, 21, 8);
    let left = image::imageops::crop_imm(&image, 0, 0, 10, 8).to_image();
    let right = image::imageops::crop_imm(&image, 10, 0, 11, 8).to_image();
    let preprocessing = preprocessing(6, 7);

    let sample = one(
        image.clone(),
        Pairing::SideBySide(Direction::from_a2b(false)),
        preprocessing,
    );
    assert_eq!(sample.content, resized(&left, preprocessing));
    assert_eq!(sample.reference, resized(&right, preprocessing));

    let sample = one(
        image,
        Pairing::SideBySide(Direction::from_a2b(true)),
        preprocessing,
    );
    assert_eq!(sample.content, resized(&right, preprocessing));
    assert_eq!(sample.reference, resized(&left, preprocessing));
}

#[test]
fn an_image_of_one_column_cannot_be_cut() {
    let images = collection(vec![picture(1, 1, 8)]);
    let pairing = Pairing::SideBySide(Direction::BToA);
    let dataset = PairDataset::new(images, Phase::Train, pairing, preprocessing(4, 4));
    let epoch = Arc::new(dataset.expect("valid")).epoch(None, 0, 0);
    let error = epoch.get(0).expect("one sample").expect_err("one column");
    assert!(matches!(error, DataError::TooNarrow { width: 1, .. }));
    assert!(error.to_string().contains("image 0"), "{error}");
}

#[test]
fn grey_is_paired_with_its_colours() {
    let image = picture(1, 9, 8);
    let preprocessing = preprocessing(8, 9);
    let sample = one(
        image.clone(),
        Pairing::GreyToColour(Direction::AToB),
        preprocessing,
    );
    assert_eq!(sample.reference, resized(&image, preprocessing));
    let [red, green, blue] = image.get_pixel(4, 3).0.map(f32::from);
    let grey = (0.2989 * red + 0.587 * green + 0.114 * blue) / 127.5 - 1.0;
    for plane in sample.content.planes().chunks_exact(72) {
        assert!((plane[3 * 9 + 4] - grey).abs() < 1e-6);
    }

    let swapped = one(image, Pairing::GreyToColour(Direction::BToA), preprocessing);
    assert_eq!(
        (swapped.content, swapped.reference),
        (sample.reference, sample.content)
    );
}

#[rstest]
#[case::side_by_side(Pairing::SideBySide(Direction::BToA))]
#[case::grey(Pairing::GreyToColour(Direction::AToB))]
#[case::unpaired(Pairing::Unpaired)]
fn any_two_images_make_a_pair(#[case] pairing: Pairing) {
    let images = vec![picture(1, 20, 9), picture(2, 14, 8)];
    let preprocessing = Preprocessing {
        jitter: true,
        ..preprocessing(6, 7)
    };
    let dataset = PairDataset::new(
        collection(images.clone()),
        Phase::Train,
        pairing,
        preprocessing,
    );
    let dataset = dataset.expect("valid");
    let alone = samples(images, Phase::HeldOut, pairing, preprocessing, 0);
    let pair = dataset.pair(0, 1).expect("in memory");
    assert_eq!(pair.content, alone[0].content);
    assert_eq!(pair.sources.content.name(), "image 0");
    assert_eq!(pair.sources.reference.name(), "image 1");
    let swapped = dataset.pair(1, 0).expect("in memory");
    assert_eq!(swapped.content, alone[1].content);
    if pairing != Pairing::Unpaired {
        assert_eq!(pair.reference, alone[1].reference);
        assert_eq!(pair.counts, alone[1].counts);
        assert_eq!(swapped.reference, alone[0].reference);
    } else {
        // What is one's content is the other's reference.
        assert_eq!(pair.reference, swapped.content);
        assert_eq!(swapped.reference, pair.content);
    }
}

#[test]
fn grey_cannot_be_learnt_from_grey() {
    let preprocessing = Preprocessing {
        colour: ColourSpace::Grey,
        ..preprocessing(4, 4)
    };
    let images = collection(vec![picture(1, 4, 4)]);
    let pairing = Pairing::GreyToColour(Direction::AToB);
    let error = PairDataset::new(images, Phase::Train, pairing, preprocessing).expect_err("grey");
    assert!(matches!(
        error,
        DataError::Parameter(ParameterError::GreyReference)
    ));
}

#[test]
fn an_empty_part_is_refused_with_the_way_to_fill_it() {
    let images = vec![ImageSource::memory("only", picture(1, 4, 4))];
    let collection = Collection::from_sources("mine", images, Vec::new());
    let held_out = Phase::HeldOut;
    let dataset = PairDataset::new(collection, held_out, Pairing::Unpaired, preprocessing(4, 4));
    let error = dataset.expect_err("nothing is held out").to_string();
    assert!(error.contains("mine has no held-out images"), "{error}");
}

#[test]
fn counts_are_those_of_the_reference_after_jitter() {
    let preprocessing = Preprocessing {
        jitter: true,
        ..preprocessing(16, 16)
    };
    let images = (0..6).map(|i| picture(i, 30, 20)).collect();
    for sample in samples(images, Phase::Train, Pairing::Unpaired, preprocessing, 3) {
        assert_eq!(sample.counts, preprocessing.count(&sample.reference));
        for counts in sample.counts.chunks_exact(16) {
            assert_eq!(counts.iter().sum::<u32>(), 256);
        }
    }
}

#[test]
fn both_halves_get_the_same_crop_and_flip() {
    // Twice the same image, side by side.
    let half = picture(1, 40, 30);
    let mut image = RgbImage::new(80, 30);
    for x in [0, 40] {
        image::imageops::replace(&mut image, &half, x, 0);
    }
    let preprocessing = Preprocessing {
        jitter: true,
        ..preprocessing(32, 32)
    };
    let pairing = Pairing::SideBySide(Direction::BToA);
    let samples = samples(vec![image; 12], Phase::Train, pairing, preprocessing, 0);
    for sample in &samples {
        assert_eq!(sample.content, sample.reference);
    }
    assert!(
        samples
            .iter()
            .any(|sample| sample.content != samples[0].content)
    );
}

#[test]
fn jitter_changes_with_the_epoch_and_spares_held_out_images() {
    let images = || vec![picture(1, 40, 30); 4];
    let preprocessing = Preprocessing {
        jitter: true,
        ..preprocessing(32, 32)
    };
    let contents = |phase, epoch| {
        let samples = samples(images(), phase, Pairing::Unpaired, preprocessing, epoch);
        samples
            .into_iter()
            .map(|sample| sample.content)
            .collect::<Vec<_>>()
    };
    assert_eq!(contents(Phase::Train, 1), contents(Phase::Train, 1));
    assert_ne!(contents(Phase::Train, 1), contents(Phase::Train, 2));
    let plain = resized(&images()[0], preprocessing);
    assert!(
        contents(Phase::HeldOut, 2)
            .iter()
            .all(|content| *content == plain)
    );
}

#[test]
fn unpaired_images_are_drawn_independently() {
    let images = (0..40).map(|i| picture(i, 4, 4)).collect();
    let dataset = PairDataset::new(
        collection(images),
        Phase::Train,
        Pairing::Unpaired,
        preprocessing(4, 4),
    );
    let dataset = Arc::new(dataset.expect("valid"));
    let pairs = |shuffle: Option<usize>, epoch| -> Vec<(String, String)> {
        let shuffle = shuffle.and_then(std::num::NonZeroUsize::new);
        let epoch = dataset.epoch(shuffle, 9, epoch);
        (0..40)
            .filter_map(|position| epoch.sources(position))
            .map(|it| {
                (
                    it.content.name().into_owned(),
                    it.reference.name().into_owned(),
                )
            })
            .collect()
    };
    let shuffled = pairs(Some(400), 0);
    let (contents, references): (Vec<_>, Vec<_>) = shuffled.into_iter().unzip();
    let mut both = [contents, references];
    assert_ne!(both[0], both[1]);
    both.iter_mut().for_each(|side| side.sort());
    assert_eq!(
        both[0], both[1],
        "each image is once content and once reference"
    );
    assert_ne!(
        pairs(Some(400), 0),
        pairs(Some(400), 1),
        "reshuffled each epoch"
    );

    let fixed = pairs(None, 0);
    assert_eq!(
        fixed,
        pairs(None, 1),
        "without shuffling every epoch has the same pairs"
    );
    assert!(fixed.is_sorted_by_key(|it| it.0[6..].parse::<u32>().expect("a number")));
}

fn unpaired(count: u8, phase: Phase) -> Arc<PairDataset> {
    let images = collection((0..count).map(|i| picture(i, 4, 4)).collect());
    let dataset = PairDataset::new(images, phase, Pairing::Unpaired, preprocessing(4, 4));
    Arc::new(dataset.expect("valid"))
}

#[test]
fn no_image_is_its_own_reference() {
    for (count, phase) in (2..12).flat_map(|it| [(it, Phase::Train), (it, Phase::HeldOut)]) {
        let dataset = unpaired(count, phase);
        for (seed, epoch) in (0..20).flat_map(|seed| (0..3).map(move |epoch| (seed, epoch))) {
            for shuffle in [
                None,
                std::num::NonZeroUsize::new(3),
                std::num::NonZeroUsize::new(400),
            ] {
                let epoch = dataset.epoch(shuffle, seed, epoch);
                let sources = (0..dataset.len()).map(|it| epoch.sources(it).expect("a pair"));
                let pairs: Vec<_> = sources
                    .map(|it| {
                        [
                            it.content.name().into_owned(),
                            it.reference.name().into_owned(),
                        ]
                    })
                    .collect();
                assert!(pairs.iter().all(|[a, b]| a != b), "{pairs:?}");
                let mut references: Vec<_> = pairs.iter().map(|it| &it[1]).collect();
                references.sort();
                references.dedup();
                assert_eq!(references.len(), dataset.len(), "each is a reference once");
            }
        }
    }
}

#[test]
fn the_only_held_out_image_takes_the_colours_of_a_training_image() {
    let sources = |names: &[&str]| {
        let each = names.iter().enumerate();
        each.map(|(i, name)| ImageSource::memory(*name, picture(i as u8 + 1, 4, 4)))
            .collect()
    };
    let only = vec![ImageSource::memory("c", picture(9, 4, 4))];
    let collection = Collection::from_sources("mine", sources(&["a", "b"]), only);
    let dataset =
        |phase, pairing| PairDataset::new(&collection, phase, pairing, preprocessing(4, 4));
    let held_out = dataset(Phase::HeldOut, Pairing::Unpaired).expect("a pair");
    assert!(held_out.borrows_reference());
    assert_eq!((held_out.len(), held_out.images().len()), (1, 1));
    let epoch = Arc::new(held_out).epoch(None, 7, 0);
    let pair = epoch.sources(0).expect("one");
    assert_eq!((&*pair.content.name(), &*pair.reference.name()), ("c", "a"));
    assert!(epoch.sources(1).is_none() && epoch.get(1).is_none());
    let sample = epoch.get(0).expect("one").expect("in memory");
    assert_ne!(sample.content, sample.reference);
    let grey = dataset(Phase::HeldOut, Pairing::GreyToColour(Direction::AToB));
    assert!(!grey.expect("one").borrows_reference());

    let alone = Collection::from_sources("mine", sources(&["a"]), sources(&["c"]));
    let error = PairDataset::new(&alone, Phase::Train, Pairing::Unpaired, preprocessing(4, 4));
    let error = error.expect_err("nothing to take colours from").to_string();
    assert!(error.contains("mine has only one image"), "{error}");
}

#[test]
fn smooth_filters_are_applied_to_each_half_alone() {
    // A black and a white half: a filter that looked across the middle would make grey.
    let mut image = RgbImage::new(80, 30);
    image::imageops::replace(
        &mut image,
        &RgbImage::from_pixel(40, 30, [255; 3].into()),
        40,
        0,
    );
    for resize in [
        ResizeFilter::Bilinear,
        ResizeFilter::Bicubic,
        ResizeFilter::Lanczos,
    ] {
        let preprocessing = Preprocessing {
            resize,
            ..preprocessing(8, 8)
        };
        let pairing = Pairing::SideBySide(Direction::BToA);
        let sample = one(image.clone(), pairing, preprocessing);
        assert!(sample.content.planes().iter().all(|&value| value == -1.0));
        assert!(sample.reference.planes().iter().all(|&value| value == 1.0));
    }
}
