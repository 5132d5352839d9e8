//! What the tests of this crate share.

use burn::backend::Autodiff;
use burn::tensor::backend::Backend;
use burn::tensor::{DType, Tensor, TensorData};
use burn_ndarray::NdArray;
use huenet_hist::{Binning, Bins, Boundary, Kernel};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// Double precision, to compare with formulas.
pub(crate) type Double = NdArray<f64>;
/// Double precision, differentiated.
pub(crate) type Tracked = Autodiff<Double>;

/// A tensor of this element type, whatever the backend's default is.
pub(crate) fn tensor<B: Backend, const D: usize>(
    values: &[f64],
    shape: [usize; D],
    dtype: DType,
) -> Tensor<B, D> {
    let data = TensorData::new(values.to_vec(), shape).convert_dtype(dtype);
    Tensor::from_data(data, (&B::Device::default(), dtype))
}

/// One row of pixels in double precision.
pub(crate) fn row<B: Backend>(values: &[f64]) -> Tensor<B, 2> {
    tensor(values, [1, values.len()], DType::F64)
}

pub(crate) fn values<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> Vec<f64> {
    tensor.into_data().convert::<f64>().into_vec().unwrap()
}

pub(crate) fn binning(count: usize, min: f64, max: f64, ratio: f64, boundary: Boundary) -> Binning {
    Binning {
        bins: Bins::new(count, min, max).unwrap(),
        kernel: Kernel::new(ratio, boundary).unwrap(),
    }
}

/// Few cases, and the same ones every time.
pub(crate) fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(2023),
        ..ProptestConfig::default()
    }
}

pub(crate) fn boundaries() -> impl Strategy<Value = Boundary> {
    prop_oneof![
        Just(Boundary::Reflect),
        Just(Boundary::Wrap),
        Just(Boundary::Open)
    ]
}

/// Bins and kernels of all kinds.
pub(crate) fn binnings(most: usize) -> impl Strategy<Value = Binning> {
    (2..=most, -3.0..3.0, 0.5..4.0, 0.5..8.0, boundaries()).prop_map(
        |(count, min, length, ratio, boundary)| binning(count, min, min + length, ratio, boundary),
    )
}

/// Bins and kernels, and two rows of pixels that reach a little out of the range, rounded to
/// single precision so that both precisions see the same pixels.
pub(crate) fn problems(
    most_bins: usize,
    pixels: std::ops::Range<usize>,
) -> impl Strategy<Value = (Binning, Vec<f64>, Vec<f64>)> {
    let pairs = proptest::collection::vec((-0.2..1.2, -0.2..1.2), pixels);
    (binnings(most_bins), pairs).prop_map(|(binning, pairs)| {
        let (min, max) = (binning.bins.min(), binning.bins.max());
        let place = |t: f64| f64::from((min + t * (max - min)) as f32);
        let (x, y) = pairs.into_iter().map(|(x, y)| (place(x), place(y))).unzip();
        (binning, x, y)
    })
}

/// Panics unless all numbers agree to `tolerance` times the largest of the expected ones.
#[track_caller]
pub(crate) fn assert_close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    let largest = expected
        .iter()
        .fold(f64::MIN_POSITIVE, |most, value| most.max(value.abs()));
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(
            (found - expected).abs() <= tolerance * largest,
            "entry {i} is {found:e} instead of {expected:e} (largest {largest:e})"
        );
    }
}
