//! HueNet's networks for [Burn](burn): the [`Generator`], a U-Net that is steered by the
//! histograms of a colour reference, and the [`Discriminator`], a PatchGAN.
//!
//! Topology and constants are those of the official code (Avi-Aharon, Arbelle, Riklin Raviv,
//! "Differentiable Histogram Loss Functions for Intensity-based Image-to-Image Translation",
//! TPAMI 2023); width, depth and image size are parameters, and the generator's parts can be
//! chosen ([`GeneratorOptions`]). Everything runs on any [`NetworkBackend`].
//!
//! Nothing here is left to global state: initial weights and dropout masks come from the
//! caller's random generator, so that a seed means the same network on every backend, and how
//! batch normalisation normalises is said in each call ([`Statistics`], [`Pass`]).
//!
//! ```
//! use burn::tensor::{Int, Tensor};
//! use huenet_models::{GeneratorConfig, GeneratorOptions, Pass};
//! use rand::SeedableRng;
//!
//! type B = burn_flex::Flex;
//!
//! let device = Default::default();
//! let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
//! let options = GeneratorOptions {
//!     base_width: 2, depth: 3, bins: 4, height: 8, width: 16, ..Default::default()
//! };
//! let generator = GeneratorConfig::new(options)?.init::<B>(&mut rng, &device);
//!
//! let content = Tensor::zeros([1, 3, 8, 16], &device);
//! let counts = Tensor::<B, 3, Int>::full([1, 3, 4], 32, &device);
//! let output = generator.forward(content, counts, &mut Pass::inference());
//! assert_eq!(output.dims(), [1, 3, 8, 16]);
//! # Ok::<(), huenet_models::ModelError>(())
//! ```

mod backend;
mod batch_norm;
mod blocks;
pub mod constants;
mod dense;
mod discriminator;
mod distribution_encoder;
mod dropout;
mod error;
mod generator;
mod group_norm;
mod histogram_encoder;
mod init;
mod layer;
mod local_maps;
mod matching;
mod modulation;
mod normalization;
mod pass;
mod products;
mod running;
#[cfg(test)]
mod testing;
mod upsample;
mod whole_batch;

pub use backend::NetworkBackend;
pub use batch_norm::BatchNorm;
pub use discriminator::{Discriminator, DiscriminatorConfig, DiscriminatorOptions};
pub use distribution_encoder::DistributionEncoder;
pub use error::ModelError;
pub use generator::{
    Activations, Conditioning, Generator, GeneratorConfig, GeneratorOptions, LastLayer, Prediction,
};
pub use group_norm::GroupNorm;
pub use histogram_encoder::HistogramEncoder;
pub use local_maps::{FittedMaps, MAPS_GRID, MappedImage, sliced};
pub use matching::Matching;
pub use normalization::Normalization;
pub use pass::{BatchPart, Pass, Statistics};
pub use running::RunningVector;
pub use whole_batch::{WholeBatch, Workers};
