//! Random streams that are pure functions of where they are used.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// The purpose of a stream. Streams of different purposes are independent.
#[derive(Clone, Copy)]
#[repr(u64)]
pub(crate) enum Purpose {
    /// The order of the content images.
    ContentOrder = 1,
    /// The order of the references, if they are drawn separately from the content images.
    ReferenceOrder = 2,
    /// Crop and flip of a pair or a content image.
    ContentJitter = 3,
    /// Crop and flip of a reference, if drawn separately from those of the content image.
    ReferenceJitter = 4,
    /// The division into a training and a held-out part.
    Split = 5,
    /// A scene of the demo set.
    Scene = 6,
}

/// The generator of one purpose at one place. Equal arguments give equal streams; the four
/// numbers fill ChaCha's 256-bit key, so different arguments give unrelated ones.
pub(crate) fn stream(purpose: Purpose, seed: u64, epoch: u64, index: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    for (part, value) in key
        .chunks_exact_mut(8)
        .zip([seed, epoch, index, purpose as u64])
    {
        part.copy_from_slice(&value.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}
