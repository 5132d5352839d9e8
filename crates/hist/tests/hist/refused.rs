//! What histograms and losses refuse, rather than count something else.

use crate::common::{binning, tensor};
use burn::tensor::{DType, Tensor};
use burn_flex::Flex;
use huenet_hist::{
    Binning, Boundary, HistogramLossConfig, JointHistogramConfig, SoftHistogramConfig, reference,
};
use rstest::rstest;

type B = Flex;

fn of_four_bins() -> Binning {
    binning(4, 0.0, 1.0, 2.5, Boundary::Reflect)
}

fn image<const D: usize>(shape: [usize; D], dtype: DType) -> Tensor<B, D> {
    tensor(&vec![0.3; shape.iter().product()], shape, dtype)
}

fn joint<const D: usize, const D2: usize>(x: Tensor<B, D>, y: Tensor<B, D>) -> Tensor<B, D2> {
    let binning = of_four_bins();
    let joint = JointHistogramConfig::new(binning.bins, binning.kernel).init();
    joint.forward(x, y)
}

fn losses<const D: usize>(content: Tensor<B, D>, output: Tensor<B, D>, target: Tensor<B, D>) {
    let binning = of_four_bins();
    let loss = HistogramLossConfig::new(binning.bins, binning.kernel).init();
    loss.forward_no_reduction(content, output, target);
}

#[rstest]
#[should_panic(expected = "at least one pixel")]
fn images_without_pixels(#[values([2, 0, 5], [0, 3, 5], [2, 3, 0])] shape: [usize; 3]) {
    let binning = of_four_bins();
    SoftHistogramConfig::new(binning.bins, binning.kernel)
        .init()
        .forward(image(shape, DType::F32));
}

#[rstest]
#[should_panic(expected = "at least one pixel")]
fn pairs_without_pixels(#[values([2, 0, 5], [0, 3, 5], [2, 3, 0])] shape: [usize; 3]) {
    joint::<3, 4>(image(shape, DType::F32), image(shape, DType::F32));
}

#[rstest]
#[should_panic(expected = "at least one pixel")]
fn losses_of_no_pixels(#[values([2, 0, 5], [0, 3, 5], [2, 3, 0])] shape: [usize; 3]) {
    let target = image([shape[0], shape[1], 4], DType::F32);
    losses(image(shape, DType::F32), image(shape, DType::F32), target);
}

#[test]
#[should_panic(expected = "of the same element type")]
fn pairs_of_two_element_types() {
    joint::<2, 3>(image([1, 5], DType::F32), image([1, 5], DType::F16));
}

#[rstest]
#[should_panic(expected = "of the same element type")]
#[case(DType::F16, DType::F32)]
#[should_panic(expected = "of the same element type")]
#[case(DType::F32, DType::F64)]
fn losses_of_two_element_types(#[case] content: DType, #[case] target: DType) {
    let output = image([1, 5], DType::F32);
    losses(image([1, 5], content), output, image([1, 4], target));
}

/// More pixels would be left out in silence, one row would be counted for all.
#[rstest]
#[should_panic(expected = "two images of the same shape")]
#[case([1, 4], [1, 8])]
#[should_panic(expected = "two images of the same shape")]
#[case([3, 4], [1, 4])]
fn pairs_of_two_shapes_in_the_reference(#[case] x: [usize; 2], #[case] y: [usize; 2]) {
    reference::joint(image(x, DType::F32), image(y, DType::F32), &of_four_bins());
}
