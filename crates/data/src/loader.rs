use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::Arc;

use burn::data::dataset::Dataset;

use crate::batch_reader::{BatchReader, Share};
use crate::prefetch::Prefetch;
use crate::{DataError, HostBatch, PairDataset, ParameterError};

/// The shuffle buffer of the official code, in images.
pub const DEFAULT_SHUFFLE_BUFFER: usize = 400;

/// How a [`Loader`] orders, groups and reads samples. Valid by construction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoaderConfig {
    batch_size: NonZeroUsize,
    shuffle: Option<NonZeroUsize>,
    seed: u64,
    workers: usize,
}

impl LoaderConfig {
    /// The largest batch.
    pub const MAX_BATCH_SIZE: usize = 1 << 16;
    /// The most worker threads.
    pub const MAX_WORKERS: usize = 256;

    /// Batches of `batch_size` samples, in order, with seed 0 and no worker threads.
    ///
    /// # Errors
    ///
    /// [`ParameterError::Setting`] unless `batch_size` is 1 to [`Self::MAX_BATCH_SIZE`].
    pub fn new(batch_size: usize) -> Result<Self, ParameterError> {
        let batch_size = at_least_one("batch_size", batch_size, Self::MAX_BATCH_SIZE)?;
        Ok(Self {
            batch_size,
            shuffle: None,
            seed: 0,
            workers: 0,
        })
    }

    /// Shuffles each epoch with a buffer of this many samples
    /// ([`DEFAULT_SHUFFLE_BUFFER`] in the official code).
    ///
    /// # Errors
    ///
    /// [`ParameterError::Setting`] if `buffer` is 0. A buffer of 1 keeps the order.
    pub fn with_shuffle(self, buffer: usize) -> Result<Self, ParameterError> {
        let buffer = at_least_one("shuffle buffer", buffer, usize::MAX)?;
        Ok(Self {
            shuffle: Some(buffer),
            ..self
        })
    }

    /// Keeps the order of the dataset, as held-out images should.
    #[must_use]
    pub fn without_shuffle(self) -> Self {
        Self {
            shuffle: None,
            ..self
        }
    }

    /// The seed of every random choice: order, crop, flip.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Reads ahead in this many threads. The batches do not depend on their number. With 0, each batch
    /// is read when it is asked for, in the caller's thread.
    ///
    /// # Errors
    ///
    /// [`ParameterError::Setting`] if there are more than [`Self::MAX_WORKERS`].
    pub fn with_workers(self, workers: usize) -> Result<Self, ParameterError> {
        if workers > Self::MAX_WORKERS {
            let (name, max) = ("workers", Self::MAX_WORKERS);
            return Err(ParameterError::Setting {
                name,
                value: workers,
                min: 0,
                max,
            });
        }
        Ok(Self { workers, ..self })
    }

    /// Samples in a batch, at least 1.
    pub fn batch_size(&self) -> usize {
        self.batch_size.get()
    }

    /// Samples in the shuffle's buffer, if the order is shuffled.
    pub fn shuffle(&self) -> Option<usize> {
        self.shuffle.map(NonZeroUsize::get)
    }

    /// The seed of every random choice.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The number of worker threads.
    pub fn workers(&self) -> usize {
        self.workers
    }
}

fn at_least_one(
    name: &'static str,
    value: usize,
    max: usize,
) -> Result<NonZeroUsize, ParameterError> {
    NonZeroUsize::new(value)
        .filter(|&checked| checked.get() <= max)
        .ok_or(ParameterError::Setting {
            name,
            value,
            min: 1,
            max,
        })
}

/// Makes the batches of a dataset, epoch by epoch.
///
/// The batches of an epoch are a pure function of the dataset, the seed and the epoch's number.
/// The last batch of an epoch holds what is left, and may be smaller.
#[derive(Debug, Clone)]
pub struct Loader {
    dataset: Arc<PairDataset>,
    config: LoaderConfig,
    share: Share,
}

impl Loader {
    /// A loader of a dataset.
    pub fn new(dataset: impl Into<Arc<PairDataset>>, config: LoaderConfig) -> Self {
        Self {
            dataset: dataset.into(),
            config,
            share: Share { first: 0, step: 1 },
        }
    }

    /// A loader of the same batches that reads only the samples number `process`, `process + processes`,
    /// `process + 2·processes`, … of each: those of one of several processes, which train on a batch together. The
    /// samples are the same that one loader reads. A batch at the end of an epoch may leave a process none; then its
    /// [`HostBatch`] is empty.
    ///
    /// # Panics
    ///
    /// If `process` is not less than `processes`.
    #[must_use]
    pub fn shared(&self, process: usize, processes: usize) -> Self {
        assert!(process < processes, "process {process} of {processes}");
        Self {
            share: Share {
                first: process,
                step: processes,
            },
            ..self.clone()
        }
    }

    /// How many samples a batch of an epoch has, with those of all processes.
    ///
    /// `batch` is its number in the epoch, less than [`len`](Self::len).
    pub fn batch_len(&self, batch: usize) -> usize {
        let size = self.config.batch_size();
        self.dataset.len().saturating_sub(batch * size).min(size)
    }

    /// The number of batches of an epoch, at least 1.
    pub fn len(&self) -> usize {
        self.dataset.len().div_ceil(self.config.batch_size())
    }

    /// Always false: a dataset is never empty.
    pub fn is_empty(&self) -> bool {
        self.dataset.is_empty()
    }

    /// The dataset.
    pub fn dataset(&self) -> &Arc<PairDataset> {
        &self.dataset
    }

    /// How samples are ordered, grouped and read.
    pub fn config(&self) -> &LoaderConfig {
        &self.config
    }

    /// Batches of the samples at some positions of an epoch, in the order of `positions`. They
    /// are read on the calling thread, as the iterator is asked for them; positions beyond the
    /// last sample are left out.
    pub fn at(
        &self,
        epoch: u64,
        positions: &[usize],
    ) -> impl Iterator<Item = Result<HostBatch, DataError>> {
        let LoaderConfig { shuffle, seed, .. } = self.config;
        let samples = self.dataset.epoch(shuffle, seed, epoch);
        // Filtered before they are grouped, so that no batch is empty.
        let positions = positions.iter().filter(|&&it| it < self.dataset.len());
        let positions: Vec<usize> = positions.copied().collect();
        let batches = positions.chunks(self.config.batch_size());
        let batches: Vec<_> = batches.map(<[usize]>::to_vec).collect();
        batches.into_iter().map(move |positions| {
            let samples = positions.iter().filter_map(|&it| samples.get(it));
            samples.collect::<Result<_, _>>().map(HostBatch::new)
        })
    }

    /// The batches of an epoch. Epochs can be asked for in any order.
    pub fn epoch(&self, epoch: u64) -> Epoch {
        let LoaderConfig {
            batch_size,
            shuffle,
            seed,
            workers,
        } = self.config;
        Epoch {
            reader: BatchReader {
                samples: self.dataset.epoch(shuffle, seed, epoch),
                batch_size: batch_size.get(),
                share: self.share,
            },
            remaining: 0..self.len(),
            workers,
            prefetch: None,
        }
    }
}

/// The batches of one epoch, in order.
///
/// If a sample cannot be read, an error takes the place of its batch; the later batches can still be
/// read. Worker threads start with the first batch, read a bounded
/// number of batches ahead, and stop when the iterator is dropped.
#[derive(Debug)]
pub struct Epoch {
    reader: BatchReader,
    remaining: Range<usize>,
    workers: usize,
    prefetch: Option<Prefetch>,
}

impl Epoch {
    /// Leaves out the next `batches` batches without reading them. Call it before the first batch: so a
    /// run that was stopped in an epoch continues there, with the same batches.
    #[must_use]
    pub fn skip_batches(mut self, batches: usize) -> Self {
        self.prefetch = None;
        let start = self.remaining.start.saturating_add(batches);
        self.remaining.start = start.min(self.remaining.end);
        self
    }
}

impl Iterator for Epoch {
    type Item = Result<HostBatch, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        let remaining = self.remaining.clone();
        let batch = self.remaining.next()?;
        if self.workers == 0 {
            return Some(self.reader.read(batch));
        }
        let prefetch = self
            .prefetch
            .get_or_insert_with(|| Prefetch::start(self.reader.clone(), remaining, self.workers));
        Some(prefetch.next(batch))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.remaining.size_hint()
    }
}

impl ExactSizeIterator for Epoch {}

impl std::iter::FusedIterator for Epoch {}
