//! Where a run is.

use serde::{Deserialize, Serialize};

/// A place in a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Steps done.
    pub step: u64,
    /// The epoch under way, from 0.
    pub epoch: u64,
    /// Batches of that epoch done.
    pub batch: usize,
}
