//! Randomness without state: each use of random numbers has a stream of its own,
//! found from the run's seed, so that a resumed run needs no saved generator.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// What random numbers are for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    GeneratorWeights,
    DiscriminatorWeights,
    /// Dropout of one training step.
    Dropout,
    /// Dropout while sampling and evaluating.
    SampleDropout,
    /// Which outputs an image pool exchanges.
    ImagePool,
}

/// The random numbers of `purpose`, number `index` (a step, say), of a run's `seed`.
pub(crate) fn stream(seed: u64, purpose: Purpose, index: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    // 2^48 indices for each purpose: no run has more steps.
    rng.set_stream(((purpose as u64) << 48) | index);
    rng
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;

    #[test]
    fn streams_differ_by_seed_purpose_and_index_and_repeat() {
        let draw = |seed, purpose, index| stream(seed, purpose, index).next_u64();
        let first = draw(1, Purpose::Dropout, 7);
        assert_eq!(first, draw(1, Purpose::Dropout, 7));
        assert_ne!(first, draw(2, Purpose::Dropout, 7));
        assert_ne!(first, draw(1, Purpose::SampleDropout, 7));
        assert_ne!(first, draw(1, Purpose::Dropout, 8));
    }
}
