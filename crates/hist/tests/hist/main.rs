//! What a user of the crate relies on: gradients against finite differences, kernels against the dense
//! formulas, the losses' promises, and what is refused.

mod common;
mod config;
mod directions;
mod gradients;
mod histogram_loss;
mod kernels;
mod losses;
mod precision;
mod refused;
