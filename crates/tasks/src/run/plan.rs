//! How long a run is, and on how many images.

use std::path::PathBuf;

/// What a run is going to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The run's folder.
    pub run: PathBuf,
    /// Images it trains on.
    pub training_images: usize,
    /// Images kept apart.
    pub held_out_images: usize,
    /// Images that the dataset lists but the folder lacks.
    pub skipped: usize,
    /// Whether the run was resumed, has no checkpoint, and so begins with its first step again.
    pub begins_again: bool,
    /// How many checkpoints of later steps than `first_step` were set aside.
    pub superseded: usize,
    /// The processes that train it together; 1: one by itself.
    pub processes: usize,
    /// As many trained it up to its checkpoint, if it was resumed from one.
    pub processes_before: Option<usize>,
    /// Steps in an epoch.
    pub steps_per_epoch: u64,
    /// Steps already done before a resumed run goes on.
    pub first_step: u64,
    /// Steps when it ends.
    pub total_steps: u64,
    /// Epochs when it ends, if no limit of steps ends it sooner.
    pub epochs: u64,
}
