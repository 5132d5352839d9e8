//! What the folder of a checkpoint holds, by name.

use burn::record::{FullPrecisionSettings, NamedMpkBytesRecorder};

/// The version of the folder's layout.
pub(super) const FORMAT: u32 = 2;

pub(super) const MANIFEST: &str = "manifest.json";
pub(super) const SETTINGS: &str = "settings.toml";
pub(super) const GENERATOR: &str = "generator.mpk";
pub(super) const DISCRIMINATOR: &str = "discriminator.mpk";
pub(super) const GENERATOR_ADAM: &str = "generator_adam.mpk";
pub(super) const DISCRIMINATOR_ADAM: &str = "discriminator_adam.mpk";
/// Only if there is an image pool.
pub(super) const POOL: &str = "image_pool.mpk";
/// Only if an average of the generator's weights is kept.
pub(super) const AVERAGE: &str = "average.mpk";
/// Only if image files were read; older checkpoints lack it.
pub(super) const IMAGES: &str = "images.json";
pub(super) const FILES: [&str; 5] = [
    SETTINGS,
    GENERATOR,
    DISCRIMINATOR,
    GENERATOR_ADAM,
    DISCRIMINATOR_ADAM,
];

/// How networks and optimisers become bytes.
pub(super) type BytesRecorder = NamedMpkBytesRecorder<FullPrecisionSettings>;
