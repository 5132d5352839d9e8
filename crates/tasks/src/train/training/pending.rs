//! A step whose losses nobody has looked at.

use std::time::{Duration, Instant};

use burn::tensor::backend::Backend;

use crate::run::position::Position;
use crate::step::deferred::DeferredLosses;

/// A step whose losses are still on the device.
pub(super) struct Pending<B: Backend> {
    /// Where the run was before it.
    pub(super) before: Position,
    pub(super) took: Duration,
    pub(super) waited: Duration,
    pub(super) ended: Instant,
    pub(super) deferred: DeferredLosses<B>,
}
