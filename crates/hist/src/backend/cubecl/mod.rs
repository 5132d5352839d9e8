//! CUDA, WGPU and every other backend on CubeCL: one source of kernels for all of them.
//!
//! The kernels work in single precision, for up to [`MOST_BINS`](marginal::MOST_BINS) bins, [`ROWS`] rows
//! and as many entries as 32 bits count; anything else takes the default bodies.
//!
//! Both losses of training with their gradients are five launches, whatever the batch: forward pixels are sorted, added
//! up, and losses made of the sums; backward they are sorted and given their gradients.

#[cfg(all(test, feature = "cuda"))]
mod cuda_tests;
mod distance;
mod fixed;
mod fusion;
mod gradients;
mod joint;
mod launch;
mod launch_marginal;
mod losses;
mod marginal;
mod place;
mod row;
mod structure;
#[cfg(all(test, feature = "wgpu"))]
mod wgpu_tests;

use burn::tensor::ops::{FloatTensor, FloatTensorOps};
use burn::tensor::{DType, Shape, TensorMetadata};
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use burn_cubecl::{BoolElement, CubeBackend, CubeRuntime, FloatElement, IntElement};

use super::{HistogramBackend, LossPass, passes, tensors};
use crate::{Binning, Directions, LossTerms};

/// Rows, at most: WGPU starts no more cubes along an axis.
const ROWS: usize = u16::MAX as usize;

impl<R, F, I, BT> HistogramBackend for CubeBackend<R, F, I, BT>
where
    R: CubeRuntime,
    F: FloatElement,
    I: IntElement,
    BT: BoolElement,
{
    fn marginal(x: FloatTensor<Self>, binning: &Binning) -> FloatTensor<Self> {
        if !has_kernel([&x], binning) {
            return tensors::marginal::<Self>(x, binning);
        }
        launch_marginal::marginal(&into_contiguous(x), binning)
    }

    fn marginal_backward(
        x: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        binning: &Binning,
    ) -> FloatTensor<Self> {
        if !has_kernel([&x, &grad], binning) {
            return tensors::marginal_backward::<Self>(x, grad, binning);
        }
        let (x, grad) = (into_contiguous(x), into_contiguous(grad));
        assert_shape(&grad, [x.shape()[0], binning.bins.count()]);
        launch_marginal::marginal_gradient(&x, grad, binning)
    }

    fn directional(
        x: FloatTensor<Self>,
        directions: &Directions,
        binning: &Binning,
    ) -> FloatTensor<Self> {
        let [images, further] = [x.shape()[0], directions.further_count()];
        if !has_directional_kernel([&x], directions, binning) {
            return tensors::directional::<Self>(x, directions, binning, Self::marginal);
        }
        let x = into_contiguous(x);
        assert_channels(&x);
        let p = launch_marginal::directional(&x, directions, binning);
        Self::float_reshape(p, Shape::new([images, further, binning.bins.count()]))
    }

    fn directional_backward(
        x: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        directions: &Directions,
        binning: &Binning,
    ) -> FloatTensor<Self> {
        if !has_directional_kernel([&x, &grad], directions, binning) {
            let of_marginal = Self::marginal_backward;
            return tensors::directional_backward::<Self>(
                x,
                grad,
                directions,
                binning,
                of_marginal,
            );
        }
        let (x, grad) = (into_contiguous(x), into_contiguous(grad));
        assert_channels(&x);
        let bins = binning.bins.count();
        assert_shape(&grad, [x.shape()[0], directions.further_count(), bins]);
        launch_marginal::directional_gradient(&x, grad, directions, binning)
    }

    fn joint(x: FloatTensor<Self>, y: FloatTensor<Self>, binning: &Binning) -> FloatTensor<Self> {
        if !has_joint_kernel([&x, &y], binning) {
            return tensors::joint::<Self>(x, y, binning);
        }
        let [x, y] = images(x, y);
        launch::Sums::of(&x, &y, binning).joint(binning)
    }

    fn joint_backward(
        x: FloatTensor<Self>,
        y: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        binning: &Binning,
        needed: [bool; 2],
    ) -> [Option<FloatTensor<Self>>; 2] {
        if !has_joint_kernel([&x, &y, &grad], binning) {
            return tensors::joint_backward::<Self>(x, y, grad, binning, needed);
        }
        let [x, y] = images(x, y);
        let (grad, bins) = (into_contiguous(grad), binning.bins.count());
        assert_shape(&grad, [x.shape()[0], bins, bins]);
        launch::gradients([&x, &y], grad, None, binning, needed)
    }

    fn losses(
        content: FloatTensor<Self>,
        output: FloatTensor<Self>,
        target: FloatTensor<Self>,
        loss: &LossTerms,
        tracked: bool,
    ) -> LossPass<Self> {
        if !has_joint_kernel([&content, &output, &target], &loss.binning) {
            return tensors::losses(&passes::<Self>(), [content, output], target, loss, tracked);
        }
        let [content, output] = images(content, output);
        let target = into_contiguous(target);
        assert_shape(&target, [output.shape()[0], loss.binning.bins.count()]);
        let sums = launch::Sums::of(&content, &output, &loss.binning);
        let (values, of_histograms) = sums.losses(target, loss, tracked);
        LossPass {
            values,
            of_histograms,
        }
    }

    fn losses_backward(
        content: FloatTensor<Self>,
        output: FloatTensor<Self>,
        [of_p, of_joint]: [FloatTensor<Self>; 2],
        grad: FloatTensor<Self>,
        loss: &LossTerms,
        needed: [bool; 2],
    ) -> [Option<FloatTensor<Self>>; 2] {
        let all = [&content, &output, &of_p, &of_joint, &grad];
        if !has_joint_kernel(all, &loss.binning) {
            return tensors::losses_backward(
                &passes::<Self>(),
                [content, output],
                [of_p, of_joint],
                grad,
                loss,
                needed,
            );
        }
        let [content, output] = images(content, output);
        let [of_p, of_joint, grad] = [of_p, of_joint, grad].map(into_contiguous);
        let (rows, bins) = (output.shape()[0], loss.binning.bins.count());
        assert_shape(&of_p, [rows, bins]);
        assert_shape(&of_joint, [rows, bins, bins]);
        assert_shape(&grad, [rows, 2]);
        launch::gradients(
            [&content, &output],
            of_joint,
            Some([grad, of_p]),
            &loss.binning,
            needed,
        )
    }
}

/// Two images of the same pixels, without gaps.
fn images<R: CubeRuntime>(x: CubeTensor<R>, y: CubeTensor<R>) -> [CubeTensor<R>; 2] {
    let [x, y] = [x, y].map(into_contiguous);
    assert_shape::<R, 2>(&y, x.shape().dims());
    [x, y]
}

/// Whether the kernels can do it, given all tensors that they would read, the pixels first.
fn has_kernel<R: CubeRuntime, const N: usize>(
    tensors: [&CubeTensor<R>; N],
    binning: &Binning,
) -> bool {
    let x = tensors[0];
    tensors.iter().all(|tensor| tensor.dtype == DType::F32)
        && binning.bins.count() <= marginal::MOST_BINS as usize
        && x.shape()[0] <= ROWS
        && x.meta.num_elements() < u32::MAX as usize
}

/// Whether those of joint histograms can: they have many more entries.
fn has_joint_kernel<R: CubeRuntime, const N: usize>(
    tensors: [&CubeTensor<R>; N],
    binning: &Binning,
) -> bool {
    let words = tensors[0].shape()[0] * joint::words(binning.bins.count());
    has_kernel(tensors, binning) && words < u32::MAX as usize
}

/// Whether those of histograms along directions can: a row is one of them.
fn has_directional_kernel<R: CubeRuntime, const N: usize>(
    tensors: [&CubeTensor<R>; N],
    directions: &Directions,
    binning: &Binning,
) -> bool {
    let rows = tensors[0].shape()[0] * directions.further_count();
    has_kernel(tensors, binning) && rows <= ROWS
}

/// # Panics
///
/// If it is not of images of three channels.
fn assert_channels<R: CubeRuntime>(x: &CubeTensor<R>) {
    let [images, _, pixels] = x.shape().dims();
    assert_shape(x, [images, Directions::CHANNELS, pixels]);
}

/// # Panics
///
/// If a tensor has another shape than the kernels would index it by.
fn assert_shape<R: CubeRuntime, const D: usize>(tensor: &CubeTensor<R>, shape: [usize; D]) {
    assert_eq!(
        tensor.shape(),
        Shape::new(shape),
        "a tensor of the wrong shape for the other pixels"
    );
}
