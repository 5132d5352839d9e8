//! Image-to-image translation datasets for [Burn](burn).
//!
//! The crate reads the folders that the field publishes (pix2pix, CycleGAN, Oxford Flowers-102)
//! as well as a bare folder of images, and turns them into batches of a *content image*, a
//! *colour reference* and the hard histogram of the reference, prepared as in the official code
//! of HueNet (Avi-Aharon, Arbelle, Riklin Raviv, "Differentiable Histogram Loss Functions for
//! Intensity-based Image-to-Image Translation", TPAMI 2023).
//!
//! ```text
//! folder ──► Collection ──► PairDataset ──► Loader ──► HostBatch ──► Batch<B>
//!            which files     what a pair     order,      f32 planes    tensors on
//!            are which       is, and its     threads     and counts    a device
//!                            preparation
//! ```
//!
//! - [`Collection::open`] finds the images of a folder and divides them into a training and a
//!   held-out part; [`demo::collection`] is one that needs no folder at all.
//! - [`PairDataset`] says how content and reference come from an image ([`Pairing`]), and how
//!   they are resized, cropped, flipped and coloured ([`Preprocessing`]).
//! - [`Loader`] shuffles, decodes in worker threads and makes batches.
//!
//! Every random choice is a pure function of the seed, the epoch and the position in the epoch:
//! the same seed gives the same bytes with any number of workers, and an epoch can be entered
//! in its middle ([`Epoch::skip_batches`]).
//!
//! # Example
//!
//! ```
//! use burn_flex::Flex;
//! use huenet_data::{
//!     ColourSpace, CountBins, ImageSize, Loader, LoaderConfig, PairDataset, Pairing, Phase,
//!     Preprocessing, ResizeFilter, demo,
//! };
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let preprocessing = Preprocessing {
//!     size: ImageSize::new(32, 32)?,
//!     resize: ResizeFilter::Nearest,
//!     colour: ColourSpace::Yuv,
//!     jitter: true,
//!     counts: CountBins::new(64, -1.0, 1.0)?,
//! };
//! let dataset =
//!     PairDataset::new(demo::collection(), Phase::Train, Pairing::Unpaired, preprocessing)?;
//! let loader = Loader::new(dataset, LoaderConfig::new(4)?.with_seed(7).with_workers(2)?);
//!
//! for batch in loader.epoch(0).take(1) {
//!     let batch = batch?.to_tensors::<Flex>(&Default::default());
//!     assert_eq!(batch.content.dims(), [4, 3, 32, 32]);
//!     assert_eq!(batch.reference.dims(), [4, 3, 32, 32]);
//!     assert_eq!(batch.counts.dims(), [4, 3, 64]);
//! }
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "download")]
pub mod archive;
pub mod aside;
pub mod check;
pub mod colour;
pub mod demo;
#[cfg(feature = "download")]
pub mod download;
pub mod layout;
pub mod mat;
pub mod prepare;
pub mod resize;

mod areas;
mod batch;
mod batch_reader;
mod cache;
mod collection;
mod counts;
mod dataset;
mod decode;
mod decoded;
mod error;
mod image;
mod jpeg;
mod kinds;
mod loader;
mod pair_fit;
mod pairing;
mod photograph;
mod png;
mod prefetch;
mod preprocessing;
mod profile;
mod random;
mod shuffle;
mod size;
mod source;
mod tiff;

pub use ::image::RgbImage;

pub use areas::{Area, areas};
pub use batch::{Batch, HostBatch};
pub use collection::{Collection, Phase, Split};
pub use colour::ColourSpace;
pub use counts::CountBins;
pub use dataset::{EpochSamples, PairDataset, Sample, SampleSources};
pub use decode::{MAX_FILE_BYTES, decode_image, is_decoding, read_image};
pub use error::{DataError, ParameterError};
pub use image::Image;
pub use layout::Layout;
pub use loader::{DEFAULT_SHUFFLE_BUFFER, Epoch, Loader, LoaderConfig};
pub use pair_fit::PairFit;
pub use pairing::{Direction, Pairing};
pub use photograph::{Depth, Photograph, WriteOptions, Written};
pub use preprocessing::Preprocessing;
pub use resize::ResizeFilter;
pub use size::ImageSize;
pub use source::{Fingerprint, ImageSource};
