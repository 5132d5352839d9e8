use std::fmt;

use serde::{Deserialize, Serialize};

use crate::random::{Purpose, stream};
use crate::{DataError, ImageSource, shuffle};

/// Which part of a collection is used: there are these two, and no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The images that the networks learn from.
    Train,
    /// The images that they never learn from.
    HeldOut,
}

/// How a list of images is divided, if it has no folders for its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Split {
    /// The official script's: the sorted list is shuffled, and the first round(0.9 · n) images
    /// are for training (ties to even; at least one of two or more images is held out).
    NinetyTen {
        /// Seed of the shuffle.
        seed: u64,
    },
    /// The split of the dataset's authors, in `setid.mat` (Flowers-102 only): `trnid` is for training;
    /// `valid` and then `tstid` are held out.
    Official,
}

/// The images of a dataset, divided into a training and a held-out part, each in a fixed order.
#[derive(Clone)]
pub struct Collection {
    name: String,
    train: Vec<ImageSource>,
    held_out: Vec<ImageSource>,
    missing: usize,
    hint: &'static str,
}

impl Collection {
    /// A collection of images listed by the caller.
    pub fn from_sources(
        name: impl Into<String>,
        train: Vec<ImageSource>,
        held_out: Vec<ImageSource>,
    ) -> Self {
        let hint = "list at least one image for this part";
        Self {
            name: name.into(),
            train,
            held_out,
            missing: 0,
            hint,
        }
    }

    /// What to do about an empty part, for the error message.
    pub(crate) fn with_hint(mut self, hint: &'static str) -> Self {
        self.hint = hint;
        self
    }

    pub(crate) fn with_missing(mut self, missing: usize) -> Self {
        self.missing = missing;
        self
    }

    /// Divides a sorted list by [`Split::NinetyTen`].
    pub(crate) fn ninety_ten(name: String, images: Vec<ImageSource>, seed: u64) -> Self {
        let count = images.len();
        let order = shuffle::buffered(count, count, &mut stream(Purpose::Split, seed, 0, 0));
        let rounded = (0.9 * count as f64).round_ties_even() as usize;
        let (train, held_out) = order.split_at(if count < 2 {
            count
        } else {
            rounded.min(count - 1)
        });
        let pick = |indices: &[usize]| indices.iter().map(|&i| images[i].clone()).collect();
        Self::from_sources(name, pick(train), pick(held_out))
            .with_hint("two or more images are needed to hold one out")
    }

    /// The folder, or the collection's own name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The images of one part, in their fixed order.
    pub fn images(&self, phase: Phase) -> &[ImageSource] {
        match phase {
            Phase::Train => &self.train,
            Phase::HeldOut => &self.held_out,
        }
    }

    /// How many images the official split names that have no file. It is above 0 for a subset of
    /// Flowers-102, which is read all the same, and 0 for all other collections.
    pub fn missing(&self) -> usize {
        self.missing
    }

    pub(crate) fn empty_phase(&self, phase: Phase) -> DataError {
        let part = match phase {
            Phase::Train => "training",
            Phase::HeldOut => "held-out",
        };
        DataError::EmptyPhase {
            collection: self.name.clone(),
            part,
            fix: self.hint,
        }
    }
}

impl AsRef<Self> for Collection {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl fmt::Debug for Collection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collection")
            .field("name", &self.name)
            .field("train", &self.train.len())
            .field("held_out", &self.held_out.len())
            .field("missing", &self.missing)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn images(count: usize) -> Vec<ImageSource> {
        (0..count)
            .map(|i| ImageSource::file(format!("{i:04}.png")))
            .collect()
    }

    fn names(collection: &Collection, phase: Phase) -> Vec<String> {
        collection
            .images(phase)
            .iter()
            .map(|image| image.name().into_owned())
            .collect()
    }

    #[rstest]
    #[case(0, 0)]
    #[case(1, 1)]
    #[case(2, 1)]
    #[case(5, 4)]
    #[case(10, 9)]
    #[case(15, 14)]
    #[case(510, 459)]
    fn nine_tenths_are_for_training(#[case] count: usize, #[case] train: usize) {
        let collection = Collection::ninety_ten("x".into(), images(count), 3);
        assert_eq!(collection.images(Phase::Train).len(), train);
        assert_eq!(collection.images(Phase::HeldOut).len(), count - train);
        let mut all = [
            names(&collection, Phase::Train),
            names(&collection, Phase::HeldOut),
        ]
        .concat();
        all.sort();
        assert_eq!(
            all,
            images(count)
                .iter()
                .map(|i| i.name().into_owned())
                .collect::<Vec<_>>()
        );
    }

    #[test]
    fn the_split_depends_on_the_seed_alone() {
        let held_out = |seed| {
            names(
                &Collection::ninety_ten("x".into(), images(100), seed),
                Phase::HeldOut,
            )
        };
        assert_eq!(held_out(1), held_out(1));
        assert_ne!(held_out(1), held_out(2));
    }
}
