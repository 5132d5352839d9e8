//! How a forward pass is run: which statistics normalise, and whether dropout is on.

use rand::Rng;

use crate::whole_batch::WholeBatch;

/// Which mean and variance batch normalisation subtracts and divides by.
///
/// The choice is always the caller's: it is not read off the backend, so that a network can be
/// run with batch statistics without gradients (as the official code draws its samples), or
/// frozen with gradients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Statistics<'a> {
    /// Those of the batch at hand (Keras: `training=True`).
    Batch {
        /// Whether the running statistics move towards the batch's, as they do in training.
        update_running: bool,
    },
    /// Those of a batch of which other workers have the other images. Each worker has to run the same passes.
    Whole {
        /// The batch, and who has it.
        batch: &'a WholeBatch,
        /// As for a batch that is here.
        update_running: bool,
    },
    /// The running ones, collected in training (Keras: `training=False`).
    Running,
}

impl Statistics<'_> {
    /// The same, which leave running statistics as they are.
    #[must_use]
    pub fn unremembered(self) -> Self {
        match self {
            Self::Batch { .. } => Self::Batch {
                update_running: false,
            },
            Self::Whole { batch, .. } => Self::Whole {
                batch,
                update_running: false,
            },
            Self::Running => Self::Running,
        }
    }
}

/// The images that a pass has of a batch whose other images are elsewhere: numbers `first`, `first + step`,
/// `first + 2·step`, … of `whole`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchPart {
    /// The number of the first one.
    pub first: usize,
    /// How far it is from each to the next, at least 1.
    pub step: usize,
    /// The images of the whole batch.
    pub whole: usize,
}

/// One forward pass through the generator: the [`Statistics`] that normalise, and the random
/// numbers dropout draws its masks from (none: dropout is off).
///
/// The masks come from the caller's generator, never from the backend's own, so that a seed
/// gives the same masks on every backend.
///
/// ```
/// use huenet_models::{Pass, Statistics};
/// use rand::SeedableRng;
///
/// let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(0);
/// assert_eq!(Pass::inference().statistics(), Statistics::Running);
/// assert_eq!(
///     Pass::training(&mut rng).statistics(),
///     Statistics::Batch { update_running: true }
/// );
/// ```
pub struct Pass<'a> {
    statistics: Statistics<'a>,
    dropout: Option<&'a mut dyn Rng>,
    part: Option<BatchPart>,
}

impl<'a> Pass<'a> {
    /// Any combination of statistics and dropout.
    pub fn new(statistics: Statistics<'a>, dropout: Option<&'a mut dyn Rng>) -> Self {
        Self {
            statistics,
            dropout,
            part: None,
        }
    }

    /// This pass of a part of a batch. Dropout's masks are then those that the whole batch would have.
    #[must_use]
    pub fn of_part(self, part: BatchPart) -> Self {
        Self {
            part: Some(part),
            ..self
        }
    }

    /// Training: batch statistics, running statistics updated, dropout on.
    pub fn training(dropout: &'a mut dyn Rng) -> Self {
        Self::new(
            Statistics::Batch {
                update_running: true,
            },
            Some(dropout),
        )
    }

    /// Batch statistics that leave no trace: running statistics stay as they are. With an `Rng`
    /// dropout is on, which is how the official code draws its samples (it lets the running
    /// statistics move as well).
    pub fn batch_statistics(dropout: Option<&'a mut dyn Rng>) -> Self {
        Self::new(
            Statistics::Batch {
                update_running: false,
            },
            dropout,
        )
    }

    /// Inference: running statistics, no dropout; each image's result is independent of the
    /// rest of its batch.
    pub fn inference() -> Self {
        Self::new(Statistics::Running, None)
    }

    /// The statistics of this pass.
    pub fn statistics(&self) -> Statistics<'a> {
        self.statistics
    }

    /// The part of a batch that the pass has; `None` if all of it.
    pub(crate) fn part(&self) -> Option<BatchPart> {
        self.part
    }

    /// Where dropout's masks are drawn from; `None` when dropout is off.
    pub(crate) fn dropout(&mut self) -> Option<&mut (dyn Rng + 'a)> {
        self.dropout.as_deref_mut()
    }
}

impl std::fmt::Debug for Pass<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pass")
            .field("statistics", &self.statistics)
            .field("dropout", &self.dropout.is_some())
            .field("part", &self.part)
            .finish()
    }
}
