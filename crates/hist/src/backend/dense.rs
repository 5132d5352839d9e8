//! The default bodies: the dense formulas, in chunks of pixels.

use burn::backend::Autodiff;
use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{DType, Tensor, TensorPrimitive};

use super::{HistogramBackend, LossPass};
use crate::{Binning, HistogramLoss, reference};

pub(super) fn marginal<B: Backend>(x: FloatTensor<B>, binning: &Binning) -> FloatTensor<B> {
    let x = tensor::<B, 2>(x);
    let dtype = x.dtype();
    primitive(reference::marginal(widened(x), binning), dtype)
}

pub(super) fn marginal_backward<B: Backend>(
    x: FloatTensor<B>,
    grad: FloatTensor<B>,
    binning: &Binning,
) -> FloatTensor<B> {
    let (x, grad) = (tensor::<B, 2>(x), tensor::<B, 2>(grad));
    let dtype = x.dtype();
    let (x, grad) = (widened(x), widened(grad).unsqueeze_dim::<3>(2));
    let pixels = x.dims()[1] as f64;
    let gradients = reference::chunks(&x, binning).map(|(start, length)| {
        let x = x.clone().narrow(1, start, length);
        let (_, slopes) = reference::windows_and_slopes(x, binning);
        slopes.matmul(grad.clone()).squeeze_dim::<2>(2)
    });
    primitive(
        Tensor::cat(gradients.collect(), 1).mul_scalar(1.0 / pixels),
        dtype,
    )
}

pub(super) fn joint<B: Backend>(
    x: FloatTensor<B>,
    y: FloatTensor<B>,
    binning: &Binning,
) -> FloatTensor<B> {
    let (x, y) = (tensor::<B, 2>(x), tensor::<B, 2>(y));
    let dtype = x.dtype();
    primitive(reference::joint(widened(x), widened(y), binning), dtype)
}

pub(super) fn joint_backward<B: Backend>(
    x: FloatTensor<B>,
    y: FloatTensor<B>,
    grad: FloatTensor<B>,
    binning: &Binning,
    needed: [bool; 2],
) -> [Option<FloatTensor<B>>; 2] {
    let (x, y, grad) = (tensor::<B, 2>(x), tensor::<B, 2>(y), tensor::<B, 3>(grad));
    let dtype = x.dtype();
    let (x, y, grad) = (widened(x), widened(y), widened(grad));
    let [x_needed, y_needed] = needed;
    // With respect to y it is the same sum over the transposed table.
    let gradient_of_x = x_needed
        .then(|| first_gradient(x.clone(), y.clone(), grad.clone().swap_dims(1, 2), binning));
    let gradient_of_y = y_needed.then(|| first_gradient(y, x, grad, binning));
    [gradient_of_x, gradient_of_y].map(|gradient| Some(primitive(gradient?, dtype)))
}

pub(super) fn losses<B: HistogramBackend>(
    content: FloatTensor<B>,
    output: FloatTensor<B>,
    target: FloatTensor<B>,
    loss: &HistogramLoss,
    tracked: bool,
) -> LossPass<B> {
    let p = tensor::<B, 2>(B::marginal(output.clone(), &loss.binning));
    let joint = tensor::<B, 3>(B::joint(content, output, &loss.binning));
    let target = tensor::<B, 2>(target);
    let dtype = p.dtype();
    if !tracked {
        let values = values_of(loss, p, joint, target);
        return LossPass {
            values: primitive(values, dtype),
            of_histograms: None,
        };
    }
    // The histograms are small: their part of the graph is differentiated here and now.
    let p = Tensor::<Autodiff<B>, 2>::from_inner(p).require_grad();
    let joint = Tensor::<Autodiff<B>, 3>::from_inner(joint).require_grad();
    let values = values_of(loss, p.clone(), joint.clone(), Tensor::from_inner(target));
    // A row's loss depends on its own histograms alone, so that one pass gives all gradients.
    let gradients = values.clone().sum().backward();
    let of_p = p.grad(&gradients).unwrap_or_else(|| p.inner().zeros_like());
    let of_joint = joint
        .grad(&gradients)
        .unwrap_or_else(|| joint.inner().zeros_like());
    LossPass {
        values: primitive(values.inner(), dtype),
        of_histograms: Some([primitive(of_p, dtype), primitive(of_joint, dtype)]),
    }
}

/// The losses given the histograms, `[rows, 2]`.
fn values_of<B: Backend>(
    loss: &HistogramLoss,
    p: Tensor<B, 2>,
    joint: Tensor<B, 3>,
    target: Tensor<B, 2>,
) -> Tensor<B, 2> {
    let distances = loss.distance.distances(p, target);
    let structures = loss.structure.measures(joint).squeeze_dim::<2>(2);
    Tensor::cat(vec![distances, structures], 1)
}

pub(super) fn losses_backward<B: HistogramBackend>(
    content: FloatTensor<B>,
    output: FloatTensor<B>,
    [of_p, of_joint]: [FloatTensor<B>; 2],
    grad: FloatTensor<B>,
    loss: &HistogramLoss,
    needed: [bool; 2],
) -> [Option<FloatTensor<B>>; 2] {
    let grad = tensor::<B, 2>(grad);
    let dtype = grad.dtype();
    let of_p = tensor::<B, 2>(of_p) * grad.clone().narrow(1, 0, 1);
    let of_joint = tensor::<B, 3>(of_joint) * grad.narrow(1, 1, 1).unsqueeze_dim::<3>(2);
    let of_joint = primitive(of_joint, dtype);
    let [of_content, of_output] =
        B::joint_backward(content, output.clone(), of_joint, &loss.binning, needed);
    let of_output = of_output.map(|of_output| {
        let through_p = B::marginal_backward(output, primitive(of_p, dtype), &loss.binning);
        primitive(tensor::<B, 2>(of_output) + tensor::<B, 2>(through_p), dtype)
    });
    [of_content, of_output]
}

/// `1/N · Σ_kl G(k, l) φ_k′(x_i) φ_l(y_i)`, given the transpose of `G`.
fn first_gradient<B: Backend>(
    x: Tensor<B, 2>,
    y: Tensor<B, 2>,
    grad_transposed: Tensor<B, 3>,
    binning: &Binning,
) -> Tensor<B, 2> {
    let pixels = x.dims()[1] as f64;
    let gradients = reference::chunks(&x, binning).map(|(start, length)| {
        let (_, slopes) =
            reference::windows_and_slopes(x.clone().narrow(1, start, length), binning);
        let windows = reference::windows(y.clone().narrow(1, start, length), binning);
        let seen = windows.matmul(grad_transposed.clone());
        (seen * slopes).sum_dim(2).squeeze_dim::<2>(2)
    });
    Tensor::cat(gradients.collect(), 1).mul_scalar(1.0 / pixels)
}

fn tensor<B: Backend, const D: usize>(primitive: FloatTensor<B>) -> Tensor<B, D> {
    Tensor::from_primitive(TensorPrimitive::Float(primitive))
}

fn primitive<B: Backend, const D: usize>(tensor: Tensor<B, D>, dtype: DType) -> FloatTensor<B> {
    let tensor = if tensor.dtype() == dtype {
        tensor
    } else {
        tensor.cast(dtype)
    };
    tensor.into_primitive().tensor()
}

/// Half precision cannot tell the bins of a fine histogram apart: compute in single precision.
fn widened<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> Tensor<B, D> {
    match tensor.dtype() {
        DType::F16 | DType::BF16 => tensor.cast(DType::F32),
        _ => tensor,
    }
}

/// Every backend here overrides the default bodies of the losses: they are called by name.
#[cfg(all(test, feature = "ndarray"))]
mod tests {
    use burn::tensor::TensorData;
    use burn_ndarray::NdArray;

    use super::*;
    use crate::{Bins, Boundary, EmdKind, HistogramLossConfig, Kernel, StructureKind};

    type B = NdArray<f64>;

    fn rows(columns: usize, number: impl Fn(usize) -> f64) -> FloatTensor<B> {
        let entries = (0..2 * columns).map(number).collect::<Vec<_>>();
        let data = TensorData::new(entries, [2, columns]);
        let tensor = Tensor::<B, 2>::from_data(data, (&Default::default(), DType::F64));
        tensor.into_primitive().tensor()
    }

    fn numbers<const D: usize>(primitive: FloatTensor<B>) -> Vec<f64> {
        tensor::<B, D>(primitive).into_data().into_vec().unwrap()
    }

    #[track_caller]
    fn assert_close(found: Vec<f64>, expected: Vec<f64>) {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.into_iter().zip(expected) {
            assert!(
                (found - expected).abs() <= 1e-11 * (1.0 + expected.abs()),
                "{found} instead of {expected}"
            );
        }
    }

    #[test]
    fn the_losses_of_a_backend_without_a_kernel_are_those_of_the_kernel() {
        let kinds = [
            (
                Boundary::Reflect,
                EmdKind::Rms,
                StructureKind::ConditionalEntropy,
            ),
            (
                Boundary::Wrap,
                EmdKind::Squared,
                StructureKind::RelativeMutualInformation,
            ),
            (
                Boundary::Open,
                EmdKind::L1,
                StructureKind::NegativeMutualInformation,
            ),
        ];
        for (boundary, distance, structure) in kinds {
            let bins = Bins::new(9, -1.0, 1.0).unwrap();
            let loss = HistogramLossConfig::new(bins, Kernel::new(2.5, boundary).unwrap())
                .with_distance(distance)
                .with_structure(structure)
                .init();
            let content = || rows(40, |i| (0.9 * i as f64).sin());
            let output = || rows(40, |i| (0.37 * i as f64).cos() * 0.8);
            let target = || rows(9, |i| (1.0 + (i % 9) as f64) / 45.0);
            let grad = || rows(2, |i| 1.0 - 0.3 * i as f64);

            let untracked = losses::<B>(content(), output(), target(), &loss, false);
            assert!(untracked.of_histograms.is_none());
            let found = losses::<B>(content(), output(), target(), &loss, true);
            let expected = B::losses(content(), output(), target(), &loss, true);
            let values = numbers::<2>(expected.values.clone());
            assert_close(numbers::<2>(untracked.values), values.clone());
            assert_close(numbers::<2>(found.values.clone()), values);

            let [found, expected] = [found, expected].map(|pass| pass.of_histograms.unwrap());
            let needed = [true, true];
            let expected = B::losses_backward(content(), output(), expected, grad(), &loss, needed);
            let found = losses_backward::<B>(content(), output(), found, grad(), &loss, needed);
            for (found, expected) in found.into_iter().zip(expected) {
                assert_close(
                    numbers::<2>(found.unwrap()),
                    numbers::<2>(expected.unwrap()),
                );
            }
        }
    }
}
