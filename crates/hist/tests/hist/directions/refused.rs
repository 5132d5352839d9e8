//! What has no colours to compare is refused.

use super::loss;
use crate::common::{Double, binning, row, tensor};
use burn::tensor::DType;
use huenet_hist::{Boundary, Directions, EmdKind};
use rstest::rstest;

#[rstest]
#[should_panic(expected = "images of three channels")]
#[case::two_channels([1, 2, 6], 7)]
#[should_panic(expected = "at least one pixel")]
#[case::no_pixels([2, 3, 0], 7)]
#[should_panic(expected = "a target histogram for each")]
#[case::targets_of_channels([1, 3, 4], 3)]
fn what_has_no_colours_is_refused(#[case] shape: [usize; 3], #[case] targets: usize) {
    let loss = loss(
        &binning(4, 0.0, 1.0, 2.5, Boundary::Reflect),
        EmdKind::Rms,
        7,
    );
    let output = tensor::<Double, 3>(&vec![0.3; shape.iter().product()], shape, DType::F64);
    let target = tensor(
        &vec![0.25; shape[0] * targets * 4],
        [shape[0], targets, 4],
        DType::F64,
    );
    loss.forward_no_reduction(output.clone(), output, target);
}

#[test]
#[should_panic(expected = "images of three channels")]
fn rows_of_pixels_are_no_colours() {
    let binning = binning(4, 0.0, 1.0, 2.5, Boundary::Reflect);
    loss(&binning, EmdKind::Rms, 7).target(row::<Double>(&[0.3; 9]));
}

#[rstest]
#[case(0)]
#[case(2)]
#[case(65)]
fn fewer_or_more_directions_than_possible_are_refused(#[case] count: usize) {
    let message = Directions::spread(count).unwrap_err().to_string();
    let expected = format!("{count} directions of colour space are not possible");
    assert!(message.starts_with(&expected), "{message}");
    assert!(
        message.contains("between 3 (the channels) and 64"),
        "{message}"
    );
}
