//! What is kept in memory changes no sample.

use std::sync::Arc;

use burn::data::dataset::Dataset;
use huenet_data::{
    Collection, Direction, ImageSource, PairDataset, Pairing, Phase, Preprocessing, ResizeFilter,
    Sample,
};
use rstest::rstest;

use crate::pairs::collection;
use crate::support::{picture, preprocessing};

#[rstest]
#[case(Pairing::SideBySide(Direction::BToA))]
#[case(Pairing::GreyToColour(Direction::AToB))]
#[case(Pairing::Unpaired)]
fn the_cache_changes_nothing(
    #[case] pairing: Pairing,
    #[values(ResizeFilter::Nearest, ResizeFilter::Lanczos)] resize: ResizeFilter,
    #[values(false, true)] jitter: bool,
) {
    let preprocessing = Preprocessing {
        resize,
        jitter,
        ..preprocessing(18, 16)
    };
    let images = || collection((0..5).map(|i| picture(i, 41, 30)).collect());
    let dataset = || PairDataset::new(images(), Phase::Train, pairing, preprocessing);
    let without = Arc::new(dataset().expect("valid"));
    // Room for all, for some, for none.
    for bytes in [1 << 20, 5000, 1] {
        let with = Arc::new(dataset().expect("valid").with_cache(bytes));
        for epoch in 0..3 {
            let [expected, actual] = [&without, &with].map(|dataset| {
                let samples = dataset.epoch(std::num::NonZeroUsize::new(8), 5, epoch);
                (0..5)
                    .map(|position| samples.get(position).expect("five").expect("in memory"))
                    .map(|sample| (sample.content, sample.reference, sample.counts))
                    .collect::<Vec<_>>()
            });
            assert_eq!(actual, expected, "{bytes} bytes, epoch {epoch}");
        }
    }
}

#[rstest]
#[case(Pairing::SideBySide(Direction::BToA))]
#[case(Pairing::Unpaired)]
fn the_cache_changes_nothing_between_epochs_and_pairs(
    #[case] pairing: Pairing,
    #[values(Phase::Train, Phase::HeldOut)] phase: Phase,
    #[values(false, true)] pairs_first: bool,
) {
    // Epochs of training images are made from larger ones than pairs are.
    let preprocessing = Preprocessing {
        jitter: true,
        ..preprocessing(64, 48)
    };
    let dataset = |bytes| {
        let images = collection((0..4).map(|i| picture(i, 90, 70)).collect());
        let dataset = PairDataset::new(images, phase, pairing, preprocessing);
        Arc::new(dataset.expect("valid").with_cache(bytes))
    };
    let epoch = |dataset: &Arc<PairDataset>| {
        let epoch = dataset.epoch(None, 5, 0);
        let samples = epoch.iter().collect::<Result<Vec<_>, _>>();
        samples.expect("in memory")
    };
    let pairs = |dataset: &Arc<PairDataset>| {
        [[0, 1], [2, 3], [3, 3]].map(|[a, b]| dataset.pair(a, b).expect("in memory"))
    };
    let content = |samples: &[Sample]| {
        let one = |it: &Sample| (it.content.clone(), it.reference.clone(), it.counts.clone());
        samples.iter().map(one).collect::<Vec<_>>()
    };
    let (without, with) = (dataset(0), dataset(1 << 20));
    let first = if pairs_first {
        pairs(&with).to_vec()
    } else {
        epoch(&with)
    };
    let again = [epoch(&with), pairs(&with).to_vec(), epoch(&with)];
    let expected = [epoch(&without), pairs(&without).to_vec()].map(|them| content(&them));
    assert_eq!(content(&first), expected[usize::from(pairs_first)]);
    for (number, samples) in again.iter().enumerate() {
        assert_eq!(content(samples), expected[number % 2], "{number}");
    }
}

#[test]
fn an_image_in_the_cache_is_not_read_again() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let paths = [0, 1].map(|i| folder.path().join(format!("{i}.png")));
    for (number, path) in (0..).zip(&paths) {
        crate::support::save(path, &picture(number, 20, 20));
    }
    let sources = paths.iter().map(ImageSource::file).collect();
    let collection = Collection::from_sources("mine", sources, Vec::new());
    let dataset = PairDataset::new(
        collection,
        Phase::Train,
        Pairing::Unpaired,
        preprocessing(8, 8),
    );
    let samples = Arc::new(dataset.expect("valid").with_cache(1 << 20)).epoch(None, 0, 0);
    assert!(samples.get(0).expect("two").is_ok() && samples.get(1).expect("two").is_ok());
    paths
        .iter()
        .for_each(|path| std::fs::remove_file(path).expect("removed"));
    assert!(samples.get(0).expect("two").is_ok(), "from memory");
}
