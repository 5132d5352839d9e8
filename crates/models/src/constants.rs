//! The numbers beside the weights: what it takes to rebuild the networks elsewhere, in a file format or another
//! framework.

pub use crate::batch_norm::EPSILON as BATCH_NORM_EPSILON;
pub use crate::generator::{BLEND_OPEN, PALETTE_COLOURS};
pub use crate::group_norm::{EPSILON as GROUP_NORM_EPSILON, group_size};
pub use crate::layer::LEAKY_SLOPE;
pub use crate::matching::QUANTILES;
