//! The images of a run: where they come from, and the loaders that read them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use huenet_data::{
    Collection, DataError, Fingerprint, HostBatch, ImageSource, Layout, Loader, PairDataset, Phase,
    Split, demo,
};
use serde::{Deserialize, Serialize};

use crate::run::validation::spread;
use crate::settings::{DEMO_DATASET, SplitChoice, Task};
use crate::step::recipe::Recipe;
use crate::store::error::TaskError;

/// Seed of the 90/10 split. Not the run's: runs with different seeds hold out the same
/// images, as with the official script, whose split has a fixed seed too.
pub const SPLIT_SEED: u64 = 1;

/// Training and held-out images of a run.
pub struct Images {
    train: Loader,
    held_out: Option<Loader>,
    names: ImageNames,
    /// The dataset's folder; empty if the images are built in.
    folder: PathBuf,
    skipped: usize,
}

/// What image files held when a run read them, by their names below the dataset's folder. Those that
/// it has not read yet are not among them.
pub(crate) type Fingerprints = BTreeMap<String, Fingerprint>;

/// Which images a run trains on, to notice when they are others. They may lie elsewhere: names are
/// those below the dataset's folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ImageNames {
    /// How many there are.
    count: usize,
    /// The CRC-32 of their names, in the collection's order.
    crc32: u32,
}

impl ImageNames {
    /// Those of `images`, in the dataset's `folder`.
    fn new(images: &[ImageSource], folder: &Path) -> Self {
        let mut hash = crc32fast::Hasher::new();
        for image in images {
            match image.path() {
                Some(path) => {
                    for part in below(path, folder) {
                        hash.update(part.as_encoded_bytes());
                        hash.update(b"/");
                    }
                }
                None => hash.update(image.name().as_bytes()),
            }
            hash.update(b"\0");
        }
        Self {
            count: images.len(),
            crc32: hash.finalize(),
        }
    }

    /// How these differ from the images `now`, in words.
    pub(crate) fn difference(self, now: Self) -> Option<String> {
        match self == now {
            true => None,
            false if self.count == now.count => Some("their names are others".to_owned()),
            false => Some(format!(
                "there were {}, now there are {}",
                self.count, now.count
            )),
        }
    }
}

/// The part of a path below the dataset's folder.
fn below<'a>(path: &'a Path, folder: &Path) -> &'a Path {
    path.strip_prefix(folder).unwrap_or(path)
}

impl Images {
    /// Finds the images that `recipe` names; opens none of them.
    ///
    /// # Errors
    ///
    /// [`TaskError::Data`] if the folder is missing, empty, or not laid out as the task
    /// needs.
    pub fn open(recipe: &Recipe) -> Result<Self, TaskError> {
        let collection = open_collection(recipe)?;
        let folder = dataset_folder(recipe).unwrap_or_default();
        let dataset = |phase| {
            let (pairing, preprocessing) = (recipe.pairing(), *recipe.preprocessing());
            PairDataset::new(&collection, phase, pairing, preprocessing)
                .map(|dataset| dataset.with_fit(recipe.pair_fit()))
        };
        let order = *recipe.training_order();
        let cache = recipe.settings().cache_mib as u64 * (1 << 20);
        let train = Loader::new(dataset(Phase::Train)?.with_cache(cache), order);
        let held_out = match collection.images(Phase::HeldOut) {
            [] => None,
            _ => Some(Loader::new(
                dataset(Phase::HeldOut)?,
                order.without_shuffle(),
            )),
        };
        Ok(Self {
            train,
            held_out,
            names: ImageNames::new(collection.images(Phase::Train), &folder),
            folder,
            skipped: collection.missing(),
        })
    }

    /// Training batches, shuffled anew each epoch.
    pub fn train(&self) -> &Loader {
        &self.train
    }

    /// Held-out batches, in a fixed order; `None` if the dataset holds nothing out.
    pub fn held_out(&self) -> Option<&Loader> {
        self.held_out.as_ref()
    }

    /// The batch that sample grids show: the first held-out one, else the first that is
    /// trained on.
    ///
    /// # Errors
    ///
    /// [`TaskError::Data`] if an image cannot be read.
    pub fn shown(&self) -> Result<HostBatch, TaskError> {
        let loader = self.held_out.as_ref().unwrap_or(&self.train);
        // A loader is never empty.
        Ok(loader.epoch(0).next().transpose()?.unwrap_or_default())
    }

    /// Reads the held-out images that a run of `recipe` is going to look at, so that one that cannot
    /// be read ends no run that has trained for days.
    ///
    /// # Errors
    ///
    /// [`TaskError::Data`] if one cannot be read.
    pub(crate) fn check_held_out(&self, recipe: &Recipe) -> Result<(), TaskError> {
        let Some(held_out) = &self.held_out else {
            return Ok(());
        };
        let settings = recipe.settings();
        let batch_size = held_out.config().batch_size();
        let batches = settings.held_out_images.div_ceil(batch_size);
        for batch in held_out.epoch(0).take(batches) {
            batch?;
        }
        let mut others = spread(settings.validation_images, held_out.dataset().len());
        others.retain(|&position| position >= batches * batch_size);
        for batch in held_out.at(0, &others) {
            batch?;
        }
        Ok(())
    }

    /// What the files that were read so far held.
    pub(crate) fn fingerprints(&self) -> Fingerprints {
        let held = |image: &ImageSource| Some((self.name_of(image)?, image.fingerprint()?));
        self.all().filter_map(held).collect()
    }

    /// From now on, refuses to read files that do not hold what is `known` of them.
    pub(crate) fn expect(&self, known: &Fingerprints) {
        for image in self.all() {
            let known = self.name_of(image).and_then(|name| known.get(&name));
            if let Some(known) = known {
                image.expect(*known);
            }
        }
    }

    fn all(&self) -> impl Iterator<Item = &ImageSource> {
        let held_out = self.held_out.iter();
        std::iter::once(&self.train)
            .chain(held_out)
            .flat_map(|loader| loader.dataset().images())
    }

    /// The name of a file below the dataset's folder, the same on every system; `None` if it is no
    /// text, and for an image in memory.
    fn name_of(&self, image: &ImageSource) -> Option<String> {
        let parts = below(image.path()?, &self.folder).iter();
        let parts: Option<Vec<&str>> = parts.map(|part| part.to_str()).collect();
        Some(parts?.join("/"))
    }

    /// How many images are trained on.
    pub fn train_images(&self) -> usize {
        self.train.dataset().len()
    }

    /// Which images are trained on.
    pub(crate) fn names(&self) -> ImageNames {
        self.names
    }

    /// How many images are held out.
    pub fn held_out_images(&self) -> usize {
        self.held_out
            .as_ref()
            .map_or(0, |loader| loader.dataset().len())
    }

    /// How many images the dataset lists but the folder lacks.
    pub fn skipped(&self) -> usize {
        self.skipped
    }
}

/// The dataset's folder; `None` if the images are built in.
fn dataset_folder(recipe: &Recipe) -> Option<PathBuf> {
    let settings = recipe.settings();
    let root = settings.dataroot.as_ref();
    let root = root.filter(|_| settings.dataset != DEMO_DATASET)?;
    Some(root.join(&settings.dataset))
}

fn open_collection(recipe: &Recipe) -> Result<Collection, DataError> {
    let settings = recipe.settings();
    let Some(folder) = dataset_folder(recipe) else {
        return Ok(match settings.task {
            Task::Edges2photos => demo::side_by_side(),
            Task::Colorization | Task::ColorTransfer => demo::collection(),
        });
    };
    let split = match settings.split {
        SplitChoice::NinetyTen => Split::NinetyTen { seed: SPLIT_SEED },
        SplitChoice::Official => Split::Official,
    };
    // Only side-by-side pairs cannot be told from single images by their folder.
    let layout = (settings.task == Task::Edges2photos).then_some(Layout::Pix2Pix);
    Collection::open(folder, layout, split)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &str, images: &[&str]) -> ImageNames {
        let folder = Path::new(folder);
        let images: Vec<ImageSource> = images
            .iter()
            .map(|name| ImageSource::file(folder.join(name)))
            .collect();
        ImageNames::new(&images, folder)
    }

    #[test]
    fn images_are_told_by_their_names_below_the_dataset() {
        let ours = names("one/set", &["a/1.jpg", "b/2.jpg"]);
        let difference = |folder, images: &[&str]| ours.difference(names(folder, images));
        assert_eq!(difference("two/set", &["a/1.jpg", "b/2.jpg"]), None);
        for others in [
            ["a/1.jpg", "b/3.jpg"],
            ["b/1.jpg", "b/2.jpg"],
            ["b/2.jpg", "a/1.jpg"],
        ] {
            let told = difference("one/set", &others).unwrap();
            assert!(told.contains("names"), "{others:?}: {told}");
        }
        let told = difference("one/set", &["a/1.jpg"]).unwrap();
        assert!(told.contains("were 2") && told.contains("are 1"), "{told}");
    }
}
