//! Distances and gradients are those of the definition, whatever the images are.

use super::{distances, image, loss, with_gradient};
use crate::common::{Double, Tracked, assert_close, binnings, cases, values};
use burn::backend::Autodiff;
use burn::tensor::{DType, Tensor};
use burn_flex::Flex;
use huenet_hist::{
    Binning, Boundary, Directions, EarthMoversDistanceConfig, EmdKind, HistogramBackend,
    HistogramLossConfig, reference,
};
use proptest::prelude::*;

const KINDS: [EmdKind; 3] = [EmdKind::Rms, EmdKind::Squared, EmdKind::L1];

/// Images of three channels whose pixels reach a little out of the range, as single precision has them.
fn images() -> impl Strategy<Value = (Binning, [Vec<f64>; 2])> {
    let colours = || proptest::collection::vec(-0.1..1.1, 3 * 2..3 * 12);
    (binnings(12), colours(), colours()).prop_map(|(binning, x, y)| {
        let (min, max) = (binning.bins.min(), binning.bins.max());
        let place = |t: f64| f64::from((min + t * (max - min)) as f32);
        let image = |all: Vec<f64>| {
            let whole = all.len() / 3 * 3;
            all[..whole].iter().map(|&t| place(t)).collect()
        };
        (binning, [image(x), image(y)])
    })
}

/// The same from the definition: each image is projected onto the unit vector, and the dense formula counts
/// in bins over the direction's own range.
fn by_definition<B: HistogramBackend>(
    binning: &Binning,
    kind: EmdKind,
    directions: usize,
    images: [Tensor<B, 3>; 2],
) -> Tensor<B, 3> {
    let directions = Directions::spread(directions).unwrap();
    let ranges = directions.ranges(&binning.bins);
    let along = directions
        .vectors()
        .iter()
        .zip(ranges)
        .map(|(d, [min, max])| {
            let own = crate::common::binning(
                binning.bins.count(),
                min,
                max,
                binning.kernel.ratio(),
                binning.kernel.boundary(),
            );
            let [p, q] = images.clone().map(|image| {
                let channels = d.iter().enumerate().map(|(channel, d)| {
                    let plane: Tensor<B, 2> = image.clone().narrow(1, channel, 1).squeeze_dim(1);
                    plane.mul_scalar(*d)
                });
                let projected = channels.reduce(|sum, channel| sum + channel).unwrap();
                reference::marginal(projected, &own)
            });
            EarthMoversDistanceConfig::new(own.bins)
                .with_kind(kind)
                .with_cyclic(own.kernel.boundary() == Boundary::Wrap)
                .init()
                .forward_no_reduction(p, q.detach())
                .unsqueeze_dim::<3>(1)
        });
    Tensor::cat(along.collect(), 1)
}

fn agrees<B: HistogramBackend>(
    (binning, [output, reference]): (Binning, [Vec<f64>; 2]),
    directions: usize,
    dtype: DType,
    tolerance: f64,
) {
    for kind in KINDS {
        let expected = {
            let output = image::<Tracked>(&output, DType::F64).require_grad();
            let images = [output.clone(), image(&reference, DType::F64)];
            with_gradient(&output, by_definition(&binning, kind, directions, images))
        };
        let output = image::<Autodiff<B>>(&output, dtype).require_grad();
        let loss = loss(&binning, kind, directions);
        let found = distances(&loss, output.clone(), image(&reference, dtype));
        assert_eq!(found.dims(), [1, directions, 1]);
        let found = with_gradient(&output, found);
        assert_close(&found[0], &expected[0], tolerance);
        // Signs of differences that are nearly 0 are those of rounding.
        if kind != EmdKind::L1 || dtype == DType::F64 {
            assert_close(&found[1], &expected[1], 30.0 * tolerance);
        }
    }
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn ndarray_in_double_precision_is_the_definition(images in images(), directions in 3..20_usize) {
        agrees::<Double>(images, directions, DType::F64, 1e-9);
    }

    #[test]
    fn flex_in_double_precision_is_the_definition(images in images(), directions in 3..20_usize) {
        agrees::<Flex>(images, directions, DType::F64, 1e-9);
    }

    #[test]
    fn flex_in_single_precision_is_the_definition(images in images(), directions in 3..20_usize) {
        agrees::<Flex>(images, directions, DType::F32, 2e-4);
    }

    /// Central differences of the sum of all distances, in double precision.
    #[test]
    fn gradients_are_derivatives((binning, [output, reference]) in images(), directions in 4..14_usize) {
        for kind in KINDS {
            let loss = loss(&binning, kind, directions);
            let total = |output: &[f64]| -> f64 {
                let images = [output, &reference].map(|pixels| image::<Double>(pixels, DType::F64));
                let [output, reference] = images;
                values(distances(&loss, output, reference)).iter().sum()
            };
            let tracked = image::<Tracked>(&output, DType::F64).require_grad();
            let found = distances(&loss, tracked.clone(), image(&reference, DType::F64));
            let found = values(tracked.grad(&found.sum().backward()).unwrap());
            let step = 1e-4 * binning.bins.width() / binning.kernel.ratio();
            let differences: Vec<f64> = (0..output.len())
                .map(|i| {
                    let [mut up, mut down] = [output.clone(), output.clone()];
                    up[i] += step;
                    down[i] -= step;
                    (total(&up) - total(&down)) / (2.0 * step)
                })
                .collect();
            let steepest = binning.kernel.ratio() / binning.bins.width();
            let largest = differences.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
            for (found, expected) in found.iter().zip(&differences) {
                prop_assert!(
                    (found - expected).abs() <= 2e-6 * largest + 1e-8 * steepest,
                    "{kind:?}: {found:e} instead of {expected:e}"
                );
            }
        }
    }

    #[test]
    fn the_order_of_the_pixels_does_not_matter((binning, [output, reference]) in images(), shift in 1..9_usize) {
        let moved: Vec<f64> = output
            .chunks(output.len() / 3)
            .flat_map(|plane| {
                let mut plane = plane.to_vec();
                let by = shift % plane.len();
                plane.rotate_left(by);
                plane
            })
            .collect();
        let loss = loss(&binning, EmdKind::Rms, 12);
        let [before, after] = [&output, &moved].map(|output| {
            let [output, reference] = [output, &reference].map(|it| image::<Double>(it, DType::F64));
            values(distances(&loss, output, reference))
        });
        assert_close(&after, &before, 1e-12);
    }

    /// With the channels alone, all numbers are those of the loss without directions.
    #[test]
    fn the_axes_are_the_channels((binning, [output, reference]) in images()) {
        let plain = HistogramLossConfig::new(binning.bins, binning.kernel);
        let axes = plain.clone().with_directions(Some(Directions::axes()));
        let twelve = plain.clone().with_directions(Some(Directions::spread(12).unwrap()));
        let of = |config: &HistogramLossConfig| {
            let loss = config.init();
            let output = image::<Tracked>(&output, DType::F64).require_grad();
            let distances = distances(&loss, output.clone(), image(&reference, DType::F64));
            let gradient = output.grad(&distances.clone().sum().backward()).unwrap();
            (values(distances), values(gradient))
        };
        prop_assert_eq!(of(&plain), of(&axes));
        prop_assert_eq!(&of(&plain).0, &of(&twelve).0[..3]);
    }
}
