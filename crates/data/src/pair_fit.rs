//! What is fitted to a pair of images before a network sees it.

use std::fmt;

use crate::Image;

/// Fits something to each pair of a [`PairDataset`](crate::PairDataset): numbers that a network is given beside both
/// images. It runs in the loader's threads.
pub trait PairFit: fmt::Debug + Send + Sync {
    /// The numbers of a content image and its colour reference, as many for every pair. They may depend on the two
    /// images alone, so that the batches do not depend on the threads.
    fn fit(&self, content: &Image, reference: &Image) -> Vec<f32>;
}
