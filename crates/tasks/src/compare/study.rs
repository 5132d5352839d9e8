//! A saved generator, the pairs that it is evaluated on, and perhaps a second generator.

use std::path::{Path, PathBuf};

use huenet_data::{ColourSpace, Phase};

use super::method::Method;
use super::other::Other;
use super::pairs::{Pair, Pairs};
use super::pictures::{self, Shown};
use crate::run::checkpoint::Checkpoint;
use crate::run::folder::RunFolder;
use crate::settings::{Layer, SettingsError};
use crate::step::recipe::Recipe;
use crate::store::error::TaskError;
use crate::transfer;

/// Bins of the histograms that figures are of.
pub const BINS: usize = 256;

/// A saved generator, and the images that it is evaluated on. A second generator may get the same images.
pub struct Study {
    pub(super) recipe: Recipe,
    pub(super) checkpoint: Checkpoint,
    pub(super) pairs: Pairs,
    /// The colour space of the figures.
    pub(super) colour: ColourSpace,
    pub(super) other: Option<Other>,
}

/// Which images a [`Study`] has.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Which {
    /// The first images of one part of the dataset, at most so many.
    Part(Phase, usize),
    /// The pairs that a CSV file lists.
    Listed(PathBuf),
}

impl Study {
    /// The generator of the newest checkpoint in `run` (a run's folder, or a checkpoint's), with the run's settings.
    /// `changes` replace some of them: where the images are, and how they are sampled.
    ///
    /// # Errors
    ///
    /// Any [`TaskError`] of checkpoints, settings and images; [`TaskError::Pairs`].
    pub fn new(run: &Path, changes: &[Layer], which: &Which) -> Result<Self, TaskError> {
        let checkpoint = Checkpoint::newest(run)?;
        let settings = checkpoint.settings().with(changes)?;
        let recipe = Recipe::new(settings)?;
        checkpoint.check_configuration(&recipe)?;
        let pairs = match which {
            Which::Part(phase, most) => Pairs::of_dataset(&recipe, *phase, *most)?,
            Which::Listed(path) => {
                let root = recipe.settings().dataroot.as_deref();
                let root = root.ok_or_else(|| SettingsError::Missing {
                    key: "dataroot",
                    reason: "the paths of the pairs lie below it".to_owned(),
                })?;
                Pairs::of_file(&recipe, path, root)?
            }
        };
        let colour = match recipe.colour() {
            ColourSpace::Grey => ColourSpace::Grey,
            ColourSpace::Yuv | ColourSpace::Rgb => ColourSpace::Yuv,
        };
        Ok(Self {
            recipe,
            checkpoint,
            pairs,
            colour,
            other: None,
        })
    }

    /// This study with a second generator: that of the newest checkpoint in `run` (a run's folder, or a checkpoint's).
    /// It gets the same pairs in the same batches, of the same size, resized in the same way. Otherwise they are
    /// prepared by its own settings: in its colour space, counted in its bins. `changes` replace some of its settings,
    /// as in [`new`](Self::new); it is sampled as its own settings say, unless they say how.
    ///
    /// # Errors
    ///
    /// [`TaskError::NotComparable`] if it has another task or direction, or images of another size or with another
    /// number of channels; any [`TaskError`] of checkpoints and settings.
    pub fn against(self, run: &Path, changes: &[Layer]) -> Result<Self, TaskError> {
        let first = (&self.checkpoint, &self.recipe, &self.pairs);
        let other = Other::new(run, changes, first)?;
        Ok(Self {
            other: Some(other),
            ..self
        })
    }

    /// The settings.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// The folder of the generator's run, where its contact sheet goes by default.
    pub fn run(&self) -> PathBuf {
        RunFolder::of(self.checkpoint.folder())
    }

    /// How many pairs there are.
    pub fn pairs(&self) -> usize {
        self.pairs.len()
    }

    /// Whether the only held-out image takes its colours from a training image, since there is no other one.
    pub fn borrows_reference(&self) -> bool {
        self.pairs.borrows_reference()
    }

    /// The names of all pictures that a comparison shows, in the order of the pairs: content,
    /// reference, and what each method makes of them.
    pub fn picture_names(&self) -> Vec<String> {
        let pairs = self.pairs.batches().iter().flatten();
        let of_pair = |(number, pair): (usize, &Pair)| {
            let outputs = self.methods().map(Shown::Output);
            let shown = [Shown::Content, Shown::Reference]
                .into_iter()
                .chain(outputs);
            let names = shown.map(|shown| pictures::name(number, pair, shown));
            names.collect::<Vec<_>>()
        };
        (1..).zip(pairs).flat_map(of_pair).collect()
    }

    /// The methods: those of colours only if the images have colours, the second generator only if there is one.
    pub(super) fn methods(&self) -> impl Iterator<Item = Method> + use<> {
        let colours = self.colour != ColourSpace::Grey;
        let other = self.other.is_some();
        let of_channels = [
            Method::Generator,
            Method::Other,
            Method::Nothing,
            Method::Transfer(transfer::Method::HistogramMatching),
        ];
        let all = Method::ALL.into_iter();
        all.filter(move |method| colours || of_channels.contains(method))
            .filter(move |method| other || *method != Method::Other)
    }
}
