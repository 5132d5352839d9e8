//! What a user of the crate relies on: gradients against finite differences, kernels against the dense
//! formulas, the losses' promises, and what is refused.

mod common;
mod config;
mod directions;
// The example that draws the book's figures brings its test.
#[allow(dead_code, reason = "nothing calls its main function here")]
#[path = "../../examples/figures/main.rs"]
mod figures;
mod gradients;
mod histogram_loss;
mod kernels;
mod losses;
mod precision;
mod refused;
mod sharded;
