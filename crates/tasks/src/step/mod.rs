//! One training step: what it is made of, and what it gives.

pub(crate) mod adam;
pub(crate) mod adam_rule;
pub(crate) mod adversarial;
pub(crate) mod average;
pub(crate) mod backend;
pub(crate) mod cost;
pub(crate) mod deferred;
pub(crate) mod displayable;
pub(crate) mod fitted_maps;
pub(crate) mod gan;
pub(crate) mod generate;
pub(crate) mod gradients;
pub(crate) mod loss_values;
pub(crate) mod pool;
pub(crate) mod recipe;
pub(crate) mod reconstruction_loss;
pub(crate) mod running_statistics;
pub(crate) mod seeds;
pub(crate) mod shared;
pub(crate) mod smoothness_loss;
pub(crate) mod ssim_loss;
