//! Reads one batch, in any thread.

use burn::data::dataset::Dataset;

use crate::{DataError, EpochSamples, HostBatch};

/// Reads any batch of an epoch.
#[derive(Debug, Clone)]
pub(crate) struct BatchReader {
    pub(crate) samples: EpochSamples,
    pub(crate) batch_size: usize,
    /// Which samples of each batch are read.
    pub(crate) share: Share,
}

/// Samples number `first`, `first + step`, … of each batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Share {
    pub(crate) first: usize,
    pub(crate) step: usize,
}

impl BatchReader {
    /// The batch at an index, or the error of its first sample that fails.
    pub(crate) fn read(&self, batch: usize) -> Result<HostBatch, DataError> {
        let first = batch * self.batch_size;
        (first + self.share.first..first + self.batch_size)
            .step_by(self.share.step)
            .map_while(|position| self.samples.get(position))
            .collect::<Result<_, _>>()
            .map(HostBatch::new)
    }
}
