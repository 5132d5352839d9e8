//! The images of a run: where they come from, and the loaders that read them.

use huenet_data::{
    Collection, DataError, HostBatch, Layout, Loader, PairDataset, ParameterError, Phase, Split,
    demo,
};

use crate::error::TaskError;
use crate::recipe::Recipe;
use crate::settings::{DEMO_DATASET, SplitChoice};
use crate::task::Task;

/// Seed of the 90/10 split. Not the run's: runs with different seeds hold out the same
/// images, as with the official script, whose split has a fixed seed too.
pub const SPLIT_SEED: u64 = 1;

/// Training and held-out images of a run.
pub struct Images {
    train: Loader,
    held_out: Option<Loader>,
    skipped: usize,
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
        let dataset = |phase| {
            PairDataset::new(
                &collection,
                phase,
                recipe.pairing(),
                *recipe.preprocessing(),
            )
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

    /// How many images are trained on.
    pub fn train_images(&self) -> usize {
        self.train.dataset().len()
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

fn open_collection(recipe: &Recipe) -> Result<Collection, DataError> {
    let settings = recipe.settings();
    let Some(root) = settings
        .dataroot
        .as_ref()
        .filter(|_| settings.dataset != DEMO_DATASET)
    else {
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
    Collection::open(root.join(&settings.dataset), layout, split)
}

impl From<ParameterError> for TaskError {
    fn from(error: ParameterError) -> Self {
        Self::Data(error.into())
    }
}
