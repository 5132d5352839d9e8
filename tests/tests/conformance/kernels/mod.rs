//! The histogram kernels of the backends on CubeCL against those of a CPU in double precision. WGPU runs
//! on a software device too, CUDA needs a card.
//!
//! Where there is no device the tests say that they were skipped, unless `HUENET_NEED_DEVICE` is set.

#[cfg(feature = "cuda")]
mod cuda;
#[cfg(feature = "wgpu")]
mod wgpu;
