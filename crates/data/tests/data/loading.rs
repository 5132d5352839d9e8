//! Batches: the same ones whatever reads them.

use std::sync::Arc;

use burn::tensor::{DType, FloatDType};
use burn_flex::Flex;
use huenet_data::{
    Collection, DataError, HostBatch, Image, ImageSource, Loader, LoaderConfig, PairDataset,
    PairFit, Pairing, ParameterError, Phase, Preprocessing,
};
use rstest::rstest;
use tempfile::TempDir;

use crate::support::{message, picture, preprocessing, save, write};

/// What must be equal in two equal batches.
type Content = (Vec<f32>, Vec<f32>, Vec<u32>, Vec<(String, String)>);

fn content(batch: HostBatch) -> Content {
    let sources = batch.sources().iter();
    let names = |it: &huenet_data::SampleSources| {
        (
            it.content.name().into_owned(),
            it.reference.name().into_owned(),
        )
    };
    let names = sources.map(names).collect();
    (
        batch.content().to_vec(),
        batch.reference().to_vec(),
        batch.counts().to_vec(),
        names,
    )
}

fn images(count: u8) -> Vec<ImageSource> {
    (0..count)
        .map(|i| ImageSource::memory(format!("{i}"), picture(i, 24, 16)))
        .collect()
}

fn loader(sources: Vec<ImageSource>, batch_size: usize, workers: usize) -> Loader {
    let collection = Collection::from_sources("test", sources, Vec::new());
    let preprocessing = Preprocessing {
        jitter: true,
        ..preprocessing(12, 16)
    };
    let dataset = PairDataset::new(collection, Phase::Train, Pairing::Unpaired, preprocessing);
    let config = LoaderConfig::new(batch_size)
        .and_then(|config| config.with_shuffle(400))
        .and_then(|config| config.with_seed(11).with_workers(workers));
    Loader::new(dataset.expect("valid"), config.expect("valid"))
}

fn batches(loader: &Loader, epoch: u64, skip: usize) -> Vec<Content> {
    let epoch = loader.epoch(epoch).skip_batches(skip);
    epoch
        .map(|batch| content(batch.expect("in memory")))
        .collect()
}

#[test]
fn any_number_of_workers_gives_the_same_batches() {
    let [expected, other] = [0, 1].map(|epoch| batches(&loader(images(23), 4, 0), epoch, 0));
    assert_eq!(expected.len(), 6);
    assert_eq!(expected[5].3.len(), 3, "the last batch holds what is left");
    assert_ne!(expected, other, "epochs differ");
    for workers in [1, 2, 4] {
        let loader = loader(images(23), 4, workers);
        assert_eq!(loader.len(), 6);
        assert_eq!(batches(&loader, 1, 0), other, "{workers} workers");
        assert_eq!(batches(&loader, 0, 0), expected, "{workers} workers");
    }
}

#[test]
fn processes_share_the_batches_of_one() {
    let whole = loader(images(11), 4, 0);
    let expected = batches(&whole, 1, 0);
    for workers in [0, 2] {
        let loader = loader(images(11), 4, workers);
        // Of the last batch, three images, the fourth process has none.
        for processes in [1, 2, 3, 4] {
            let shares: Vec<_> = (0..processes)
                .map(|process| batches(&loader.shared(process, processes), 1, 0))
                .collect();
            for (number, batch) in expected.iter().enumerate() {
                assert_eq!(loader.batch_len(number), batch.3.len());
                let (_, _, counts, names) = batch;
                let pixels = batch.0.len() / names.len();
                for (image, names) in names.iter().enumerate() {
                    let share = &shares[image % processes][number];
                    let place = image / processes;
                    let of = |all: &[f32], at: usize| all[at * pixels..(at + 1) * pixels].to_vec();
                    assert_eq!(of(&share.0, place), of(&batch.0, image));
                    assert_eq!(of(&share.1, place), of(&batch.1, image));
                    assert_eq!(&share.3[place], names);
                }
                let all: usize = shares.iter().map(|share| share[number].3.len()).sum();
                assert_eq!(all, names.len());
                let counted: usize = shares.iter().map(|share| share[number].2.len()).sum();
                assert_eq!(counted, counts.len());
            }
        }
    }
}

/// A pixel of each image.
#[derive(Debug)]
struct FirstPixels;

impl PairFit for FirstPixels {
    fn fit(&self, content: &Image, reference: &Image) -> Vec<f32> {
        vec![content.planes()[0], reference.planes()[0]]
    }
}

#[test]
fn what_is_fitted_belongs_to_its_pair() {
    for workers in [0, 2] {
        let plain = loader(images(23), 4, workers);
        let dataset = PairDataset::clone(plain.dataset());
        let fitting = Loader::new(
            dataset.with_fit(Some(Arc::new(FirstPixels))),
            *plain.config(),
        );
        let (mut fitted, mut expected) = (Vec::new(), Vec::new());
        for (batch, plain) in fitting.epoch(1).zip(plain.epoch(1)) {
            let (batch, plain) = (batch.expect("in memory"), plain.expect("in memory"));
            let [count, channels, height, width] = batch.shape();
            let image = channels * height * width;
            for i in 0..count {
                expected.extend([batch.content()[i * image], batch.reference()[i * image]]);
            }
            fitted.extend_from_slice(batch.fitted());
            let tensors = batch.to_tensors_as::<Flex>(&Default::default(), FloatDType::F64);
            let tensor = tensors.fitted.expect("there is a fit");
            assert_eq!((tensor.dims(), tensor.dtype()), ([count, 2], DType::F64));
            assert!(plain.fitted().is_empty());
            assert!(
                plain
                    .to_tensors::<Flex>(&Default::default())
                    .fitted
                    .is_none()
            );
            assert_eq!(content(batch), content(plain), "the images are the same");
        }
        assert_eq!(fitted, expected);
    }
}

#[rstest]
#[case(0)]
#[case(2)]
fn an_epoch_can_be_entered_anywhere(#[case] workers: usize) {
    let loader = loader(images(23), 4, workers);
    let whole = batches(&loader, 7, 0);
    for skip in [1, 4, 6, 7, usize::MAX] {
        assert_eq!(batches(&loader, 7, skip), whole[skip.min(6)..]);
        assert_eq!(loader.epoch(7).skip_batches(skip).len(), 6 - skip.min(6));
    }
    let mut epoch = loader.epoch(7);
    assert_eq!(
        content(epoch.next().expect("a batch").expect("in memory")),
        whole[0]
    );
    let rest: Vec<_> = epoch
        .skip_batches(2)
        .map(|batch| content(batch.expect("in memory")))
        .collect();
    assert_eq!(rest, whole[3..], "also after the first batch");
}

#[test]
fn positions_that_there_are_not_make_no_batches() {
    let loader = loader(images(5), 2, 0);
    let sizes = |positions: &[usize]| -> Vec<usize> {
        let batches = loader.at(0, positions);
        batches
            .map(|batch| batch.expect("in memory").len())
            .collect()
    };
    assert_eq!(sizes(&[4, 7, 0, 9, 9, 9, 2]), [2, 1]);
    assert_eq!(sizes(&[5, usize::MAX]), [0; 0]);
}

#[rstest]
#[case(0)]
#[case(1)]
#[case(3)]
fn an_error_comes_in_its_place_and_names_the_file(#[case] workers: usize) {
    let folder = TempDir::new().expect("a folder");
    let paths: Vec<_> = (0..8)
        .map(|i| folder.path().join(format!("{i}.png")))
        .collect();
    paths.iter().for_each(|path| save(path, &picture(1, 8, 8)));
    write(&paths[5], b"no image");
    let images: Vec<ImageSource> = paths.into_iter().map(ImageSource::file).collect();
    let collection = Collection::from_sources("test", Vec::new(), images);
    let pairing = Pairing::GreyToColour(huenet_data::Direction::AToB);
    let dataset = PairDataset::new(collection, Phase::HeldOut, pairing, preprocessing(8, 8));
    let config = LoaderConfig::new(2).and_then(|config| config.with_workers(workers));
    let loader = Loader::new(dataset.expect("valid"), config.expect("valid"));

    let batches: Vec<Result<HostBatch, DataError>> = loader.epoch(0).collect();
    let sound: Vec<bool> = batches.iter().map(Result::is_ok).collect();
    assert_eq!(sound, [true, true, false, true]);
    let error = message(batches[2].as_ref().expect_err("the third batch"));
    assert!(error.contains("5.png"), "{error}");
}

#[test]
fn an_epoch_can_be_dropped_at_any_time() {
    let loader = loader(images(40), 1, 4);
    drop(loader.epoch(0));
    for taken in [1, 2, 17, 40] {
        assert_eq!(
            loader.epoch(0).take(taken).filter(Result::is_ok).count(),
            taken
        );
    }
    let mut epoch = loader.epoch(1);
    assert_eq!(epoch.by_ref().count(), 40);
    assert!(epoch.next().is_none());
}

#[test]
fn workers_read_a_bounded_number_of_batches_ahead() {
    // Files that vanish once the first batch is there: batches far ahead must not have been read.
    let folder = TempDir::new().expect("a folder");
    let paths: Vec<_> = (0..40)
        .map(|i| folder.path().join(format!("{i}.png")))
        .collect();
    paths.iter().for_each(|path| save(path, &picture(1, 8, 8)));
    let images = paths.iter().map(ImageSource::file).collect();
    let collection = Collection::from_sources("test", images, Vec::new());
    let pairing = Pairing::GreyToColour(huenet_data::Direction::AToB);
    let dataset = PairDataset::new(collection, Phase::Train, pairing, preprocessing(8, 8));
    let config = LoaderConfig::new(1).and_then(|config| config.with_workers(2));
    let mut epoch = Loader::new(dataset.expect("valid"), config.expect("valid")).epoch(0);
    assert!(epoch.next().is_some_and(|batch| batch.is_ok()));
    paths
        .iter()
        .for_each(|path| std::fs::remove_file(path).expect("removed"));
    let failed = epoch.filter(Result::is_err).count();
    assert!(
        failed >= 30,
        "{failed} of 39 batches were read after the files were gone"
    );
}

#[test]
fn tensors_hold_the_batch() {
    let device = Default::default();
    let loader = loader(images(3), 2, 0);
    let batch = loader.epoch(0).next().expect("a batch").expect("in memory");
    assert_eq!(batch.shape(), [2, 3, 12, 16]);
    let tensors = batch.to_tensors::<Flex>(&device);
    assert_eq!(tensors.content.dims(), [2, 3, 12, 16]);
    assert_eq!(tensors.reference.dims(), [2, 3, 12, 16]);
    assert_eq!(tensors.counts.dims(), [2, 3, 16]);
    let values = |tensor: burn::tensor::Tensor<Flex, 4>| {
        tensor
            .into_data()
            .convert::<f32>()
            .into_vec::<f32>()
            .expect("f32")
    };
    assert_eq!(values(tensors.content), batch.content());
    assert_eq!(values(tensors.reference), batch.reference());
    let counts: Vec<u32> = tensors.counts.into_data().iter::<u32>().collect();
    assert_eq!(counts, batch.counts());

    let wide = batch.to_tensors_as::<Flex>(&device, FloatDType::F64);
    assert_eq!(wide.content.dtype(), DType::F64);
    assert_eq!(values(wide.reference), batch.reference());
}

#[test]
fn impossible_settings_are_refused() {
    let setting = |error| match error {
        ParameterError::Setting { name, .. } => name,
        other => panic!("{other}"),
    };
    assert_eq!(
        setting(LoaderConfig::new(0).expect_err("zero")),
        "batch_size"
    );
    assert_eq!(
        setting(LoaderConfig::new(usize::MAX).expect_err("huge")),
        "batch_size"
    );
    let config = LoaderConfig::new(1).expect("valid");
    assert_eq!(
        setting(config.with_shuffle(0).expect_err("zero")),
        "shuffle buffer"
    );
    assert_eq!(
        setting(config.with_workers(100_000).expect_err("many")),
        "workers"
    );
}
