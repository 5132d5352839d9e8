//! What only the backends on CubeCL have, on whichever of them is compiled in: WGPU runs on a software
//! device too, CUDA needs a card.
//!
//! Where there is no device the tests say that they were skipped, unless `HUENET_NEED_DEVICE` is set.

#![cfg(any(feature = "wgpu", feature = "cuda"))]

mod kernels;

#[cfg(all(feature = "cuda", not(feature = "wgpu")))]
type Device = burn_cuda::Cuda;
#[cfg(feature = "wgpu")]
type Device = burn_wgpu::Wgpu;
