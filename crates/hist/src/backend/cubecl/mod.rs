//! CUDA, WGPU and every other backend on CubeCL: one source of kernels for all of them.
//!
//! The kernels work in single precision, for up to [`MOST_BINS`](kernels::MOST_BINS) bins, [`ROWS`] rows
//! and as many entries as 32 bits count; anything else takes the default bodies. They are launched without
//! checks of their own, so types and shapes are checked here.

#[cfg(all(test, feature = "cuda"))]
mod cuda_tests;
mod fusion;
mod kernels;
mod place;

use burn::tensor::ops::FloatTensor;
use burn::tensor::{DType, Shape, TensorMetadata};
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::tensor::CubeTensor;
use burn_cubecl::{BoolElement, CubeBackend, CubeRuntime, FloatElement, IntElement};
use cubecl::calculate_cube_count_elemwise;
use cubecl::prelude::{CubeCount, CubeDim};

use self::place::{GridLaunch, LANES};
use super::{HistogramBackend, tensors};
use crate::Binning;

/// Pixels of a row that one cube adds up, at least; more cubes than one need a table each.
const CHUNK: usize = 1 << 16;
/// Rows, at most: WGPU starts no more cubes along an axis.
const ROWS: usize = u16::MAX as usize;
/// Entries of the tables of one row's chunks, at most.
const ENTRIES: usize = 1 << 22;

#[expect(
    unsafe_code,
    reason = "kernels check no bounds: each launch says why it keeps them"
)]
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
        let x = into_contiguous(x);
        let bins = binning.bins.count();
        let [rows, pixels] = x.shape().dims();
        let plan = Chunks::of(pixels, bins);
        let groups = kernels::groups(bins as u32);
        let p = empty(&x, [rows, plan.count, bins]);
        // SAFETY: the tensors are of f32; the kernel writes to entries `< rows · chunks · bins` and reads
        // pixels `< rows · pixels`, which are the sizes of the tensors.
        unsafe {
            kernels::marginal_sums::launch_unchecked::<R>(
                &x.client,
                CubeCount::Static(plan.count as u32, rows as u32, 1),
                CubeDim::new_1d(groups * LANES),
                x.clone().into_tensor_arg(),
                p.clone().into_tensor_arg(),
                GridLaunch::of(binning),
                pixels as u32,
                plan.length as u32,
                (1.0 / pixels as f64) as f32,
                groups,
            );
        }
        sum_of_chunks::<Self>(p, plan, [rows, bins])
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
        let [rows, pixels] = x.shape().dims();
        assert_shape(&grad, [rows, binning.bins.count()]);
        let gradient = empty(&x, [rows, pixels]);
        let unit_count = rows * pixels;
        let cube = CubeDim::new(&x.client, unit_count);
        // SAFETY: the tensors are of f32; units past the last pixel stop; there are as many gradients as
        // pixels, and the table of each row has `bins` entries.
        unsafe {
            kernels::marginal_gradient::launch_unchecked::<R>(
                &x.client,
                calculate_cube_count_elemwise(&x.client, unit_count, cube),
                cube,
                x.clone().into_tensor_arg(),
                grad.into_tensor_arg(),
                gradient.clone().into_tensor_arg(),
                GridLaunch::of(binning),
                pixels as u32,
                (1.0 / pixels as f64) as f32,
            );
        }
        gradient
    }

    fn joint(x: FloatTensor<Self>, y: FloatTensor<Self>, binning: &Binning) -> FloatTensor<Self> {
        if !has_joint_kernel([&x, &y], binning) {
            return tensors::joint::<Self>(x, y, binning);
        }
        let (x, y) = (into_contiguous(x), into_contiguous(y));
        let bins = binning.bins.count();
        let [rows, pixels] = x.shape().dims();
        assert_shape(&y, [rows, pixels]);
        let plan = Chunks::of(pixels, bins * bins);
        let groups = kernels::groups(bins as u32);
        let joint = empty(&x, [rows, plan.count, bins, bins]);
        // SAFETY: the tensors are of f32; the kernel writes to entries `< rows · chunks · bins²` and reads
        // pixels `< rows · pixels` of both images, which are the sizes of the tensors.
        unsafe {
            kernels::joint_sums::launch_unchecked::<R>(
                &x.client,
                CubeCount::Static(bins as u32, plan.count as u32, rows as u32),
                CubeDim::new_1d(groups * LANES),
                x.clone().into_tensor_arg(),
                y.into_tensor_arg(),
                joint.clone().into_tensor_arg(),
                GridLaunch::of(binning),
                pixels as u32,
                plan.length as u32,
                (1.0 / pixels as f64) as f32,
                groups,
            );
        }
        sum_of_chunks::<Self>(joint, plan, [rows, bins, bins])
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
        let (x, y, grad) = (
            into_contiguous(x),
            into_contiguous(y),
            into_contiguous(grad),
        );
        let [rows, pixels] = x.shape().dims();
        let bins = binning.bins.count();
        assert_shape(&y, [rows, pixels]);
        assert_shape(&grad, [rows, bins, bins]);
        let bins = bins as u32;
        let gradient = |moving: &CubeTensor<R>, fixed: &CubeTensor<R>, strides: [u32; 2]| {
            let gradient = empty(moving, [rows, pixels]);
            let unit_count = rows * pixels;
            let cube = CubeDim::new(&moving.client, unit_count);
            // SAFETY: the tensors are of f32; units past the last pixel stop; both images have as many
            // pixels as there are gradients, and the table of each row has `bins²` entries.
            unsafe {
                kernels::joint_gradient::launch_unchecked::<R>(
                    &moving.client,
                    calculate_cube_count_elemwise(&moving.client, unit_count, cube),
                    cube,
                    moving.clone().into_tensor_arg(),
                    fixed.clone().into_tensor_arg(),
                    grad.clone().into_tensor_arg(),
                    gradient.clone().into_tensor_arg(),
                    GridLaunch::of(binning),
                    pixels as u32,
                    (1.0 / pixels as f64) as f32,
                    strides[0],
                    strides[1],
                );
            }
            gradient
        };
        [
            needed[0].then(|| gradient(&x, &y, [bins, 1])),
            needed[1].then(|| gradient(&y, &x, [1, bins])),
        ]
    }
}

/// Whether the kernels can do it, given all tensors that they would read, the pixels first.
fn has_kernel<R: CubeRuntime, const N: usize>(
    tensors: [&CubeTensor<R>; N],
    binning: &Binning,
) -> bool {
    let x = tensors[0];
    tensors.iter().all(|tensor| tensor.dtype == DType::F32)
        && binning.bins.count() <= kernels::MOST_BINS as usize
        && x.shape()[0] <= ROWS
        && x.meta.num_elements() < u32::MAX as usize
}

/// Whether those of joint histograms can: they have many more entries.
fn has_joint_kernel<R: CubeRuntime, const N: usize>(
    tensors: [&CubeTensor<R>; N],
    binning: &Binning,
) -> bool {
    let [rows, pixels] = tensors[0].shape().dims();
    let entries = binning.bins.count() * binning.bins.count();
    let tables = rows * Chunks::of(pixels, entries).count;
    has_kernel(tensors, binning) && tables.saturating_mul(entries) < u32::MAX as usize
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

/// An uninitialised tensor where `like` is. Its rows lie without gaps, as the kernels have it: an ordinary
/// tensor on CUDA may begin each of them where the card reads best.
fn empty<R: CubeRuntime, const D: usize>(like: &CubeTensor<R>, shape: [usize; D]) -> CubeTensor<R> {
    empty_device_contiguous_dtype(
        like.client.clone(),
        like.device.clone(),
        Shape::new(shape),
        DType::F32,
    )
}

/// How the pixels of a row are shared out among cubes.
#[derive(Clone, Copy)]
struct Chunks {
    count: usize,
    length: usize,
}

impl Chunks {
    /// Depends on nothing but the sizes, so that the sums have the same order on all machines.
    fn of(pixels: usize, entries: usize) -> Self {
        let most = (ENTRIES / entries).max(1);
        let count = pixels.div_ceil(CHUNK).clamp(1, most);
        let length = pixels.div_ceil(count);
        Self {
            count: pixels.div_ceil(length),
            length,
        }
    }
}

/// The sum over the second dimension.
fn sum_of_chunks<B: HistogramBackend>(
    sums: FloatTensor<B>,
    chunks: Chunks,
    shape: impl Into<Shape>,
) -> FloatTensor<B> {
    let sums = match chunks.count {
        1 => sums,
        _ => B::float_sum_dim(sums, 1),
    };
    B::float_reshape(sums, shape.into())
}
