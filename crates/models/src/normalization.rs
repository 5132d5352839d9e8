//! Which normalisation the blocks of a network have.

use burn::tensor::backend::Backend;
use serde::{Deserialize, Serialize};

use crate::batch_norm::BatchNorm;
use crate::group_norm::GroupNorm;
use crate::pass::Statistics;

/// What normalises the features, except after the first halving.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Normalization {
    /// Batch normalisation: the official network.
    #[default]
    Batch,
    /// Group normalisation of eight channels: an image's result does not depend on others.
    Group,
}

/// What a block normalises with: a network's first has nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NormKind {
    None,
    Batch,
    Group,
}

impl From<Normalization> for NormKind {
    fn from(normalization: Normalization) -> Self {
        match normalization {
            Normalization::Batch => Self::Batch,
            Normalization::Group => Self::Group,
        }
    }
}

impl NormKind {
    /// How many numbers it holds for each channel.
    pub(crate) fn parameter_count(self) -> usize {
        match self {
            Self::None => 0,
            Self::Batch => 4,
            Self::Group => 2,
        }
    }

    pub(crate) fn batch<B: Backend>(
        self,
        channels: usize,
        device: &B::Device,
    ) -> Option<BatchNorm<B>> {
        (self == Self::Batch).then(|| BatchNorm::new(channels, device))
    }

    pub(crate) fn group<B: Backend>(
        self,
        channels: usize,
        device: &B::Device,
    ) -> Option<GroupNorm<B>> {
        (self == Self::Group).then(|| GroupNorm::new(channels, device))
    }
}

/// The normalisation of a layer.
pub(crate) enum Norm<'a, B: Backend> {
    Batch(&'a BatchNorm<B>, Statistics<'a>),
    Group(&'a GroupNorm<B>),
}

/// The normalisation that a block has.
pub(crate) fn chosen<'a, B: Backend>(
    batch: &'a Option<BatchNorm<B>>,
    group: &'a Option<GroupNorm<B>>,
    statistics: Statistics<'a>,
) -> Option<Norm<'a, B>> {
    let batch = batch.as_ref().map(|norm| Norm::Batch(norm, statistics));
    batch.or_else(|| group.as_ref().map(Norm::Group))
}
