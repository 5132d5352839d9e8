//! What the project promises of its numbers: the conformance suite for every backend compiled in
//! (`cargo xtask test --backend NAME` runs that of one), the official numbers that do not depend on the
//! backend (`golden`), and the kernels that only backends on CubeCL have (`kernels`).

mod golden;
#[cfg(any(feature = "wgpu", feature = "cuda"))]
mod kernels;

huenet_tests::conformance!(flex, burn_flex::Flex);
huenet_tests::conformance!(ndarray, burn_ndarray::NdArray<f32>, but no official training steps);
#[cfg(feature = "tch")]
huenet_tests::conformance!(tch, burn_tch::LibTorch<f32>);
// Vulkan specification, "Precision and Operation of SPIR-V Instructions".
#[cfg(feature = "wgpu")]
huenet_tests::conformance!(wgpu, burn_wgpu::Wgpu, adding in another order, logarithms to 21 bits);
// One unit in the last place: CUDA C++ Programming Guide, "Mathematical Functions".
#[cfg(feature = "cuda")]
huenet_tests::conformance!(cuda, burn_cuda::Cuda, adding in another order, logarithms to 23 bits);
