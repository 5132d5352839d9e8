//! How a forward pass is run: which statistics normalise, and whether dropout is on.

use rand::Rng;

/// Which mean and variance batch normalisation subtracts and divides by.
///
/// The choice is always the caller's: it is not read off the backend, so that a network can be
/// run with batch statistics without gradients (as the official code draws its samples), or
/// frozen with gradients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Statistics {
    /// Those of the batch at hand (Keras: `training=True`).
    Batch {
        /// Whether the running statistics move towards the batch's, as they do in training.
        update_running: bool,
    },
    /// The running ones, collected in training (Keras: `training=False`).
    Running,
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
    statistics: Statistics,
    dropout: Option<&'a mut dyn Rng>,
}

impl<'a> Pass<'a> {
    /// Any combination of statistics and dropout.
    pub fn new(statistics: Statistics, dropout: Option<&'a mut dyn Rng>) -> Self {
        Self {
            statistics,
            dropout,
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
    pub fn statistics(&self) -> Statistics {
        self.statistics
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
            .finish()
    }
}
