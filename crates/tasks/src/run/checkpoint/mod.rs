//! Checkpoints: both networks, both optimisers and the place in the run. A checkpoint's folder appears only
//! when it is complete.
//!
//! ```text
//! RUN/checkpoints/step-XXXXXXXX/
//!   generator.mpk  discriminator.mpk  generator_adam.mpk  discriminator_adam.mpk
//!   image_pool.mpk   earlier outputs, if the settings keep some
//!   average.mpk      the average of the generator's weights, if the settings keep one
//!   images.json      length and CRC-32 of each image file that the run has read
//!   settings.toml    the run's settings then; --config reads it
//!   manifest.json    format, version, place in the run, length and CRC-32 of each file
//! ```

mod layout;
mod manifest;
mod save;
mod saved;
mod shelf;

pub(crate) use manifest::is_checkpoint;
pub(crate) use save::Contents;
pub use saved::Checkpoint;
pub(crate) use shelf::{Shelf, name_before_aside};

#[cfg(test)]
mod tests;
