//! The seam between training and the backends.

#[cfg(feature = "flex")]
mod flex;
#[cfg(feature = "tch")]
mod libtorch;
#[cfg(any(feature = "flex", feature = "tch"))]
mod one_pass;

use burn::backend::Autodiff;
use burn::tensor::Tensor;
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn_autodiff::checkpoint::strategy::CheckpointStrategy;
#[cfg(feature = "cubecl")]
use burn_cubecl::{BoolElement, CubeBackend, CubeRuntime, FloatElement, IntElement};
#[cfg(feature = "cubecl")]
use burn_fusion::{Fusion, FusionBackend};
#[cfg(feature = "ndarray")]
use burn_ndarray::{NdArray, NdArrayTensor, SharedArray};
use huenet_hist::HistogramBackend;
use huenet_models::NetworkBackend;

use crate::step::adam_rule::{Adam, AdamTensors};

/// A backend that can train, measure and apply HueNet.
///
/// Every method has a body in ordinary tensor operations, so `impl TrainingBackend for MyBackend {}` is all
/// that a backend type of your own needs beside the same for [`NetworkBackend`] and [`HistogramBackend`].
///
/// Burn's own backends have all three if this crate's feature of their name is enabled, as none is by default:
/// `flex`, `ndarray`, `tch`, `cuda`, `wgpu`, or `cubecl` for any other on CubeCL.
#[diagnostic::on_unimplemented(
    message = "the backend `{Self}` does not train HueNet",
    note = "turn on the feature of huenet-tasks that has the backend's name: `flex`, `ndarray`, `tch`, `wgpu`, `cuda`, \
            or `cubecl` for others on CubeCL",
    note = "for a backend of your own, write an empty `impl TrainingBackend`"
)]
pub trait TrainingBackend: NetworkBackend + HistogramBackend {
    /// One step of Adam with the gradient `grad`, at a `rate` that includes the bias correction.
    ///
    /// # Shapes
    ///
    /// All have one shape.
    fn adam<const D: usize>(
        adam: &Adam,
        rate: f64,
        before: AdamTensors<Self, D>,
        grad: Tensor<Self, D>,
    ) -> AdamTensors<Self, D> {
        adam.moved_by_operations(rate, before, grad)
    }

    /// `average`, moved by `share` of its way to `trained`: average + share · (trained − average).
    ///
    /// # Shapes
    ///
    /// Both have one shape, which the result has too.
    fn average<const D: usize>(
        average: Tensor<Self, D>,
        trained: Tensor<Self, D>,
        share: f64,
    ) -> Tensor<Self, D> {
        average_by_operations(average, trained, share)
    }
}

fn average_by_operations<B: Backend, const D: usize>(
    average: Tensor<B, D>,
    trained: Tensor<B, D>,
    share: f64,
) -> Tensor<B, D> {
    average.clone() + (trained - average).mul_scalar(share)
}

/// A backend that training tracks gradients on: [`Autodiff`] of a [`TrainingBackend`].
pub trait TrackedBackend: TrainingBackend + AutodiffBackend<InnerBackend: TrainingBackend> {}

impl<B> TrackedBackend for B where
    B: TrainingBackend + AutodiffBackend<InnerBackend: TrainingBackend>
{
}

impl<B: TrainingBackend, C: CheckpointStrategy> TrainingBackend for Autodiff<B, C> {}

#[cfg(feature = "ndarray")]
impl<E, I, Q> TrainingBackend for NdArray<E, I, Q>
where
    Self: NetworkBackend + HistogramBackend,
    NdArrayTensor: From<SharedArray<E>> + From<SharedArray<I>>,
{
}

#[cfg(feature = "cubecl")]
impl<R, F, I, BT> TrainingBackend for CubeBackend<R, F, I, BT>
where
    R: CubeRuntime,
    F: FloatElement,
    I: IntElement,
    BT: BoolElement,
{
}

#[cfg(feature = "cubecl")]
impl<B: FusionBackend + TrainingBackend> TrainingBackend for Fusion<B> {}
