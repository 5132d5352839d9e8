//! Histograms, losses and their gradients against the dense formulas in double precision.

use burn::tensor::backend::AutodiffBackend;
use burn::tensor::{DType, Tensor, TensorData};
use burn_autodiff::Autodiff;
use burn_flex::Flex;
use huenet_hist::{
    Binning, Bins, Boundary, Directions, EarthMoversDistance, EarthMoversDistanceConfig,
    HistogramBackend, HistogramLossConfig, JointHistogramConfig, Kernel, SoftHistogramConfig,
    StructureLoss, StructureLossConfig, reference,
};

use crate::device::device;
use crate::parity::report::{Report, Truth, values};

type Reference = Autodiff<Flex>;

const ROWS: usize = 2;
/// No multiple of anything.
const PIXELS: usize = 307;

/// Compares what the backend computes with the formulas as they stand, for all borders, few and
/// many bins, sharp and soft windows.
///
/// # Panics
///
/// If a number differs by more than rounding.
pub fn agree<B: HistogramBackend>() {
    let mut report = Report::new(DType::F32);
    for (count, ratio) in [(2, 5.0), (16, 2.5), (65, 1.0), (256, 2.5)] {
        for boundary in [Boundary::Reflect, Boundary::Wrap, Boundary::Open] {
            report.enter(&format!("{count} bins, ratio {ratio}, {boundary:?}"));
            let binning = Binning {
                bins: Bins::new(count, -1.0, 1.0).expect("these bins are possible"),
                kernel: Kernel::new(ratio, boundary).expect("these kernels are possible"),
            };
            compare::<B>(&binning, &mut report);
        }
    }
    report.finish();
}

/// Compares distances along directions of colour space, and their gradient, with the formulas: colours are
/// projected onto each direction, and counted in bins over the direction's own range.
///
/// # Panics
///
/// If a number differs by more than rounding.
pub fn agree_along_directions<B: HistogramBackend>() {
    let mut report = Report::new(DType::F32);
    let directions = Directions::spread(9).expect("so many directions are possible");
    let [output, reference] = colours();
    for (count, ratio) in [(16, 2.5), (65, 1.0), (256, 2.5)] {
        report.enter(&format!("{count} bins, ratio {ratio}, {directions}"));
        let binning = Binning {
            bins: Bins::new(count, -1.0, 1.0).expect("these bins are possible"),
            kernel: Kernel::new(ratio, Boundary::Reflect).expect("these kernels are possible"),
        };
        let loss = HistogramLossConfig::new(binning.bins, binning.kernel)
            .with_directions(Some(directions))
            .init();
        let image = |pixels: &[f64]| {
            tensor::<Autodiff<B>, 2>(pixels, [3, PIXELS], DType::F32).unsqueeze_dim::<3>(0)
        };
        let tracked = image(&output).require_grad();
        let target = loss.target(image(&reference));
        let distances = loss
            .forward_no_reduction(image(&output), tracked.clone(), target)
            .distances;
        let gradients = weighted(distances.clone()).backward();
        let found = [values(distances.inner()), gradient(&tracked, &gradients)];

        let [expected, of_output] = dense_along(&directions, &binning, [&output, &reference]);
        report.compare_loss("distances along directions", &found[0], &expected);
        let slack = 1e-4 * of_output.iter().fold(0.0, |a: f64, v| a.max(v.abs()));
        let truth = Truth::exact(of_output);
        report.compare_with_slack("d distances/d output", &found[1], &truth, slack);
    }
    report.finish();
}

/// The same numbers from the formulas.
fn dense_along(directions: &Directions, binning: &Binning, images: [&[f64]; 2]) -> [Vec<f64>; 2] {
    let [output, reference] =
        images.map(|pixels| tensor::<Reference, 2>(pixels, [3, PIXELS], DType::F64));
    let output = output.require_grad();
    let ranges = directions.ranges(&binning.bins);
    let distances = directions
        .vectors()
        .iter()
        .zip(ranges)
        .map(|(d, [min, max])| {
            let bins = Bins::new(binning.bins.count(), min, max).expect("a range is no point");
            let kernel = binning.kernel;
            let [p, q] = [&output, &reference].map(|image| {
                let weights = tensor::<Reference, 2>(d, [3, 1], DType::F64);
                let along = (image.clone() * weights).sum_dim(0);
                reference::marginal(along, &Binning { bins, kernel })
            });
            let distance = EarthMoversDistanceConfig::new(bins).init();
            distance.forward_no_reduction(p, q)
        });
    let distances = Tensor::cat(distances.collect(), 0).unsqueeze_dim::<3>(0);
    let gradients = weighted(distances.clone()).backward();
    [values(distances.inner()), gradient(&output, &gradients)]
}

/// Two images of three channels.
fn colours() -> [Vec<f64>; 2] {
    let channels = pixels();
    [0, 1].map(|row| {
        let plane = |channel: &Vec<f64>| channel[row * PIXELS..][..PIXELS].to_vec();
        channels.iter().flat_map(plane).collect()
    })
}

fn compare<B: HistogramBackend>(binning: &Binning, report: &mut Report) {
    let (images, expected) = (pixels(), dense(binning));
    let [content, output, target] =
        images.map(|image| rows::<Autodiff<B>>(&image, DType::F32).require_grad());

    let p = SoftHistogramConfig::new(binning.bins, binning.kernel)
        .init()
        .forward(output.clone());
    let joint: Tensor<Autodiff<B>, 3> = JointHistogramConfig::new(binning.bins, binning.kernel)
        .init()
        .forward(content.clone(), output.clone());
    let mut found = vec![
        ("p", values(p.clone().inner())),
        ("joint", values(joint.clone().inner())),
    ];
    let gradients = (weighted(p) + weighted(joint)).backward();
    found.push(("d histograms/d content", gradient(&content, &gradients)));
    found.push(("d histograms/d output", gradient(&output, &gradients)));

    let loss = HistogramLossConfig::new(binning.bins, binning.kernel).init();
    let target = loss.target(target);
    let losses = loss.forward_no_reduction(content.clone(), output.clone(), target);
    found.push(("distances", values(losses.distances.clone().inner())));
    found.push(("structures", values(losses.structures.clone().inner())));
    let gradients = (losses.distances.sum() + losses.structures.sum()).backward();
    found.push(("d losses/d content", gradient(&content, &gradients)));
    found.push(("d losses/d output", gradient(&output, &gradients)));

    for ((what, found), expected) in found.into_iter().zip(expected) {
        let truth = Truth::exact(expected);
        // The pixels' gradients are sums in which much cancels.
        let slack = if what.starts_with("d ") {
            1e-4 * truth.values.iter().fold(0.0, |a: f64, v| a.max(v.abs()))
        } else {
            1e-6
        };
        report.compare_with_slack(what, &found, &truth, slack);
    }
}

/// The same numbers, in the same order, from the formulas.
fn dense(binning: &Binning) -> Vec<Vec<f64>> {
    let [content, output, target] =
        pixels().map(|image| rows::<Reference>(&image, DType::F64).require_grad());
    let p = reference::marginal(output.clone(), binning);
    let joint = reference::joint(content.clone(), output.clone(), binning);
    let mut expected = vec![values(p.clone().inner()), values(joint.clone().inner())];
    let gradients = (weighted(p.clone()) + weighted(joint.clone())).backward();
    expected.push(gradient(&content, &gradients));
    expected.push(gradient(&output, &gradients));

    let p = reference::marginal(output.clone(), binning);
    let joint = reference::joint(content.clone(), output.clone(), binning);
    let target = reference::marginal(target, binning).detach();
    let distance: EarthMoversDistance = EarthMoversDistanceConfig::new(binning.bins)
        .with_cyclic(binning.kernel.boundary() == Boundary::Wrap)
        .init();
    let structure: StructureLoss = StructureLossConfig::new().init();
    let distances = distance.forward_no_reduction(p, target);
    let structures = structure.forward_no_reduction(joint).squeeze_dim::<2>(2);
    expected.push(values(distances.clone().inner()));
    expected.push(values(structures.clone().inner()));
    let gradients = (distances.sum() + structures.sum()).backward();
    expected.push(gradient(&content, &gradients));
    expected.push(gradient(&output, &gradients));
    expected
}

/// Three images, some of whose pixels are out of the range, as single precision has them.
fn pixels() -> [Vec<f64>; 3] {
    [0.3, 1.7, 2.9].map(|phase| {
        let values = (0..ROWS * PIXELS).map(|i| {
            let i = i as f64;
            f64::from((1.15 * (i * 2.3 + phase).sin() * (i * 0.37).cos()) as f32)
        });
        values.collect()
    })
}

fn rows<B: AutodiffBackend>(values: &[f64], dtype: DType) -> Tensor<B, 2> {
    tensor(values, [ROWS, PIXELS], dtype)
}

fn tensor<B: AutodiffBackend, const D: usize>(
    values: &[f64],
    shape: [usize; D],
    dtype: DType,
) -> Tensor<B, D> {
    let data = TensorData::new(values.to_vec(), shape).convert_dtype(dtype);
    Tensor::from_data(data, (&device::<B>(), dtype))
}

/// A sum that every entry enters differently.
fn weighted<B: AutodiffBackend, const D: usize>(table: Tensor<B, D>) -> Tensor<B, 1> {
    let count: usize = table.dims().iter().product();
    let weights: Vec<f64> = (0..count).map(|i| (i as f64 * 0.61).sin()).collect();
    let data = TensorData::new(weights, table.dims()).convert_dtype(table.dtype());
    let weights = Tensor::from_data(data, (&table.device(), table.dtype()));
    (table * weights).sum()
}

fn gradient<B: AutodiffBackend, const D: usize>(
    image: &Tensor<B, D>,
    gradients: &B::Gradients,
) -> Vec<f64> {
    values(image.grad(gradients).expect("the image is tracked"))
}
