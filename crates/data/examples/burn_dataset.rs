//! A folder of images as a Burn `Dataset`, by index and through Burn's own `DataLoader`:
//! `cargo run -p huenet-data --example burn_dataset -- [DIR]`. Without a folder it is the demo set.

use std::error::Error;
use std::num::NonZeroUsize;
use std::sync::Arc;

use burn::data::dataloader::DataLoaderBuilder;
use burn::data::dataloader::batcher::Batcher;
use burn::data::dataset::Dataset;
use burn::data::dataset::transform::{Mapper, MapperDataset};
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use burn_flex::{Flex, FlexDevice};
use huenet_data::{
    Collection, ColourSpace, CountBins, DataError, ImageSize, PairDataset, Pairing, Phase,
    Preprocessing, ResizeFilter, Sample, Split, demo,
};

/// An item that can be cloned, as Burn's loader wants it: with the text of an error in its place.
type Item = Result<Sample, String>;

struct Cloneable;

impl Mapper<Result<Sample, DataError>, Item> for Cloneable {
    fn map(&self, item: &Result<Sample, DataError>) -> Item {
        match item {
            Ok(sample) => Ok(sample.clone()),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// Makes one tensor, `[N, channels, height, width]`, of the content images that Burn's loader hands
/// over.
#[derive(Clone)]
struct Contents;

impl<B: Backend> Batcher<B, Item, Result<Tensor<B, 4>, String>> for Contents {
    fn batch(&self, samples: Vec<Item>, device: &B::Device) -> Result<Tensor<B, 4>, String> {
        let tensor = |sample: Sample| {
            let (size, channels) = (sample.content.size(), sample.content.channels());
            let shape = [1, channels, size.height(), size.width()];
            Tensor::from_data(TensorData::new(sample.content.into_planes(), shape), device)
        };
        let images = samples.into_iter().map(|sample| sample.map(tensor));
        Ok(Tensor::cat(images.collect::<Result<Vec<_>, _>>()?, 0))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let collection = match std::env::args().nth(1) {
        Some(folder) => Collection::open(folder, None, Split::NinetyTen { seed: 0 })?,
        None => demo::collection(),
    };
    let preprocessing = Preprocessing {
        size: ImageSize::new(64, 64)?,
        resize: ResizeFilter::Bilinear,
        colour: ColourSpace::Rgb,
        jitter: true,
        counts: CountBins::new(64, -1.0, 1.0)?,
    };
    let dataset = PairDataset::new(collection, Phase::Train, Pairing::Unpaired, preprocessing)?;
    let epoch = Arc::new(dataset).epoch(NonZeroUsize::new(400), 7, 0);

    // By index, as any Burn dataset.
    println!("{} samples", epoch.len());
    if let Some(sample) = epoch.get(0).transpose()? {
        let sources = &sample.sources;
        println!(
            "the first: {} in the colours of {}",
            sources.content.name(),
            sources.reference.name()
        );
    }

    // Through Burn's loader. The epoch has its order already, so that it need not shuffle.
    let loader = DataLoaderBuilder::<Flex, _, _>::new(Contents)
        .batch_size(8)
        .num_workers(2)
        .set_device(FlexDevice)
        .build(MapperDataset::new(epoch, Cloneable));
    for batch in loader.iter() {
        let batch = batch?;
        println!(
            "images {:?}, mean {:.3}",
            batch.dims(),
            batch.mean().into_scalar()
        );
    }
    Ok(())
}
