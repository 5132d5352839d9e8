//! On CUDA.

type Device = burn_cuda::Cuda;

#[allow(
    clippy::duplicate_mod,
    reason = "a build with both backends has the tests for each of them"
)]
#[path = "histograms.rs"]
mod histograms;
