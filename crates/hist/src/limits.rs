//! The ranges of what describes a histogram.

/// The fewest bins a histogram can have.
pub(crate) const MIN_COUNT: usize = 2;
/// The most bins a histogram can have.
pub(crate) const MAX_COUNT: usize = 1 << 16;
/// The softest kernel, as the ratio of bin width to kernel width.
pub(crate) const MIN_RATIO: f64 = 0.25;
/// The hardest kernel.
pub(crate) const MAX_RATIO: f64 = 64.0;
/// The channels of a colour: the fewest directions of colour space that are compared.
pub(crate) const CHANNELS: usize = 3;
/// The most directions of colour space that are compared.
pub(crate) const MAX_DIRECTIONS: usize = 64;
