//! Shows what a folder of images is read as: `cargo run -p huenet-data --example inspect -- DIR
//! [WORKERS]`. Without a folder it shows the demo set.

use std::error::Error;
use std::time::Instant;

use burn_flex::Flex;
use huenet_data::{
    Collection, ColourSpace, CountBins, DEFAULT_SHUFFLE_BUFFER, Direction, ImageSize, Layout,
    Loader, LoaderConfig, PairDataset, Pairing, Phase, Preprocessing, ResizeFilter, Split, demo,
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next();
    let workers = arguments.next().map_or(Ok(2), |workers| workers.parse())?;

    let (collection, pairing) = match &folder {
        None => (demo::collection(), Pairing::Unpaired),
        Some(folder) => {
            let layout = Layout::discover(folder)?;
            println!("{folder}: {}", layout.name());
            let pairing = match layout {
                Layout::Pix2Pix => Pairing::SideBySide(Direction::BToA),
                Layout::CycleGan => Pairing::GreyToColour(Direction::AToB),
                _ => Pairing::Unpaired,
            };
            let split = match layout {
                Layout::Flowers => Split::Official,
                _ => Split::NinetyTen { seed: 0 },
            };
            (Collection::open(folder, Some(layout), split)?, pairing)
        }
    };
    println!("{collection:?}");

    let preprocessing = Preprocessing {
        size: ImageSize::new(256, 256)?,
        resize: ResizeFilter::Nearest,
        colour: ColourSpace::Yuv,
        jitter: true,
        counts: CountBins::new(256, -1.0, 1.0)?,
    };
    for phase in [Phase::Train, Phase::HeldOut] {
        let dataset = PairDataset::new(&collection, phase, pairing, preprocessing)?;
        let config = LoaderConfig::new(4)?.with_shuffle(DEFAULT_SHUFFLE_BUFFER)?;
        let loader = Loader::new(dataset, config.with_workers(workers)?);

        let (start, mut samples) = (Instant::now(), 0);
        for (number, batch) in loader.epoch(0).enumerate() {
            let batch = batch?;
            samples += batch.len();
            if number == 0 {
                for sources in batch.sources() {
                    println!(
                        "  {} -> {}",
                        sources.content.name(),
                        sources.reference.name()
                    );
                }
                let tensors = batch.to_tensors::<Flex>(&Default::default());
                println!(
                    "  content {:?}, reference {:?}, counts {:?}",
                    tensors.content.dims(),
                    tensors.reference.dims(),
                    tensors.counts.dims()
                );
            }
        }
        let rate = samples as f64 / start.elapsed().as_secs_f64();
        println!(
            "{phase:?}: {samples} samples in {} batches, {rate:.0} a second with {workers} workers",
            loader.len()
        );
    }
    Ok(())
}
