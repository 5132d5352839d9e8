//! One training step: what it is made of, and what it gives.

pub(crate) mod adam;
pub(crate) mod adversarial;
pub(crate) mod average;
pub(crate) mod cost;
pub(crate) mod deferred;
pub(crate) mod displayable;
#[cfg(feature = "flex")]
pub(crate) mod flex;
pub(crate) mod gan;
pub(crate) mod gradients;
#[cfg(feature = "tch")]
pub(crate) mod libtorch;
pub(crate) mod loss_values;
#[cfg(any(feature = "flex", feature = "tch"))]
pub(crate) mod one_pass;
pub(crate) mod pool;
pub(crate) mod recipe;
pub(crate) mod reconstruction_loss;
pub(crate) mod seeds;
pub(crate) mod ssim_loss;
