//! The conformance suite, for every backend compiled in: `cargo xtask test --backend NAME` runs
//! that of one.

huenet_tests::conformance!(flex, burn_flex::Flex);
huenet_tests::conformance!(ndarray, burn_ndarray::NdArray<f32>, but no official training steps);
#[cfg(feature = "tch")]
huenet_tests::conformance!(tch, burn_tch::LibTorch<f32>);
