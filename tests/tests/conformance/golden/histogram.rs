//! The histograms and their losses in double precision, and the dense formulas.

use burn::backend::Autodiff;
use burn::tensor::DType;
use burn_flex::Flex;
use burn_ndarray::NdArray;
use huenet_tests::parity::histogram::{self, Dense, OnePass};
use huenet_tests::parity::losses;

#[test]
fn dense_reference_in_single_precision() {
    histogram::agrees::<Autodiff<Flex>>(Dense, DType::F32);
}

#[test]
fn dense_reference_in_double_precision() {
    histogram::agrees::<Autodiff<Flex>>(Dense, DType::F64);
}

#[test]
fn ndarray_kernel_in_double_precision() {
    histogram::agrees::<Autodiff<NdArray<f64>>>(OnePass::default(), DType::F64);
    losses::agrees::<Autodiff<NdArray<f64>>>(DType::F64);
}

#[test]
fn flex_kernel_in_double_precision() {
    histogram::agrees::<Autodiff<Flex>>(OnePass::default(), DType::F64);
    losses::agrees::<Autodiff<Flex>>(DType::F64);
}
