//! What a backend does better than tensor operations, or worse than its tensors promise.

#[cfg(feature = "flex")]
mod flex;
#[cfg(feature = "tch")]
mod libtorch;

use burn::backend::Autodiff;
use burn::nn::conv::Conv2d;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use burn_autodiff::checkpoint::strategy::CheckpointStrategy;
#[cfg(feature = "cubecl")]
use burn_cubecl::{BoolElement, CubeBackend, CubeRuntime, FloatElement, IntElement};
#[cfg(feature = "cubecl")]
use burn_fusion::{Fusion, FusionBackend};
#[cfg(feature = "ndarray")]
use burn_ndarray::{NdArray, NdArrayTensor, SharedArray};

use crate::layer::Layer;
use crate::whole_batch::{added, tracked};

/// A backend that can run the networks.
///
/// All of it has a default in ordinary tensor operations, so `impl NetworkBackend for MyBackend {}` is all
/// that a backend type of your own needs. [`Autodiff`] of any such backend trains them.
///
/// Burn's own backends have it if this crate's feature of their name is enabled, as none is by default:
/// `flex`, `ndarray`, `tch`, `cuda`, `wgpu`, or `cubecl` for any other on CubeCL.
#[diagnostic::on_unimplemented(
    message = "the backend `{Self}` does not run HueNet's networks",
    note = "turn on the feature of huenet-models that has the backend's name: `flex`, `ndarray`, `tch`, `wgpu`, `cuda`, \
            or `cubecl` for others on CubeCL",
    note = "for a backend of your own, write an empty `impl NetworkBackend`"
)]
pub trait NetworkBackend: Backend {
    /// Whether the backend's products of matrices may round what they multiply. The networks then do without
    /// them.
    const ROUNDS_PRODUCTS: bool = false;

    /// Computes one layer.
    #[doc(hidden)]
    fn layer(layer: Layer<'_, Self>, input: Tensor<Self, 4>) -> Tensor<Self, 4> {
        layer.by_operations(input, Conv2d::forward, Self::ROUNDS_PRODUCTS, added::<Self>)
    }

    /// Computes one layer where gradients may be wanted.
    #[doc(hidden)]
    fn tracked_layer<C: CheckpointStrategy>(
        layer: Layer<'_, Autodiff<Self, C>>,
        input: Tensor<Autodiff<Self, C>, 4>,
    ) -> Tensor<Autodiff<Self, C>, 4> {
        layer.by_operations(
            input,
            Conv2d::forward,
            Self::ROUNDS_PRODUCTS,
            tracked::<Self, C>,
        )
    }
}

impl<B: NetworkBackend, C: CheckpointStrategy> NetworkBackend for Autodiff<B, C> {
    const ROUNDS_PRODUCTS: bool = B::ROUNDS_PRODUCTS;

    fn layer(layer: Layer<'_, Self>, input: Tensor<Self, 4>) -> Tensor<Self, 4> {
        B::tracked_layer(layer, input)
    }
}

#[cfg(feature = "ndarray")]
impl<E, I, Q> NetworkBackend for NdArray<E, I, Q>
where
    Self: Backend,
    NdArrayTensor: From<SharedArray<E>> + From<SharedArray<I>>,
{
}

/// On cards with tensor cores CubeCL 0.10 multiplies matrices in TF32, and offers no other way.
#[cfg(feature = "cubecl")]
impl<R, F, I, BT> NetworkBackend for CubeBackend<R, F, I, BT>
where
    R: CubeRuntime,
    F: FloatElement,
    I: IntElement,
    BT: BoolElement,
{
    const ROUNDS_PRODUCTS: bool = true;
}

#[cfg(feature = "cubecl")]
impl<B: FusionBackend + NetworkBackend> NetworkBackend for Fusion<B> {
    const ROUNDS_PRODUCTS: bool = B::ROUNDS_PRODUCTS;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Double, FlexAutodiff};

    #[test]
    fn the_processors_backends_multiply_matrices() {
        const { assert!(!Double::ROUNDS_PRODUCTS && !FlexAutodiff::ROUNDS_PRODUCTS) };
    }
}
