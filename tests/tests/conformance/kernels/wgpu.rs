//! On WGPU.

type Device = burn_wgpu::Wgpu;

#[allow(
    clippy::duplicate_mod,
    reason = "a build with both backends has the tests for each of them"
)]
#[path = "histograms.rs"]
mod histograms;
