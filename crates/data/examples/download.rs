//! Downloads a published dataset and counts its images:
//! `download NAME DATAROOT [FILE|URL]`.

use std::path::Path;

use huenet_data::download::{Bytes, Dataset, Downloader, Event, Source};
use huenet_data::{Collection, Phase, Split};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (name, dataroot, from) = match arguments.as_slice() {
        [name, dataroot] => (name, dataroot, None),
        [name, dataroot, from] => (name, dataroot, Some(from)),
        _ => return Err("usage: download NAME DATAROOT [FILE|URL]".into()),
    };
    let dataset = Dataset::find(name)?;
    println!("{}\n{}", dataset.about, dataset.rights);

    let mut downloader = Downloader::new();
    if let Some(from) = from {
        downloader = downloader.with_source(Source::parse(from)?);
    }
    let installed = downloader.install(dataset, Path::new(dataroot), &mut |event| match event {
        Event::Asking { address, have, .. } => println!("{address}, from byte {have}"),
        Event::Retrying { fault, wait, .. } => println!("{fault}; next try in {wait:?}"),
        Event::NextAddress { fault, .. } => println!("{fault}; next address"),
        Event::Note { text } => println!("{text}"),
        _ => {}
    })?;
    println!(
        "{} files, {} in {}",
        installed.files,
        Bytes(installed.bytes),
        installed.path.display()
    );

    let split = Split::NinetyTen { seed: 1 };
    let collection = Collection::open(&installed.path, Some(dataset.layout), split)?;
    println!(
        "{} training images, {} held out",
        collection.images(Phase::Train).len(),
        collection.images(Phase::HeldOut).len()
    );
    Ok(())
}
