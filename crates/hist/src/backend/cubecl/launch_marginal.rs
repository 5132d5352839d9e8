//! Starts the kernels of single images.
//!
//! They check no bounds, so types and shapes are checked before: the images are rows of as many pixels, in single
//! precision and without gaps.
#![expect(
    unsafe_code,
    reason = "kernels check no bounds: each launch says why it keeps them"
)]

use burn::tensor::{DType, Shape, TensorMetadata};
use burn_cubecl::CubeRuntime;
use burn_cubecl::tensor::CubeTensor;
use cubecl::calculate_cube_count_elemwise;
use cubecl::prelude::{CubeCount, CubeDim};

use super::launch::{empty, scale};
use super::marginal;
use super::place::GridLaunch;
use crate::{Binning, Directions};

/// Pixels of a row that one cube adds to a histogram, at least.
const LEAST_CHUNK: usize = 1 << 12;
/// Cubes that add to histograms of rows, beyond one a row.
const MOST_CHUNKS: usize = 1 << 10;

/// The soft histogram of every row, `[rows, K]`.
pub(super) fn marginal<R: CubeRuntime>(x: &CubeTensor<R>, binning: &Binning) -> CubeTensor<R> {
    let [rows, _] = x.shape().dims();
    histograms(x, None, [rows, 1], binning)
}

/// The soft histograms of images `[images, 3, N]` along the directions beyond the channels, `[images · M, K]`.
pub(super) fn directional<R: CubeRuntime>(
    x: &CubeTensor<R>,
    directions: &Directions,
    binning: &Binning,
) -> CubeTensor<R> {
    let along = along(x, directions, binning);
    histograms(
        x,
        Some(along),
        [x.shape()[0], directions.further_count()],
        binning,
    )
}

/// Offset and weights of each direction beyond the channels, `[M, 4]`.
fn along<R: CubeRuntime>(
    x: &CubeTensor<R>,
    directions: &Directions,
    binning: &Binning,
) -> CubeTensor<R> {
    let projections = directions.further(&binning.bins);
    let numbers: Vec<u8> = projections
        .iter()
        .flat_map(|along| [along.offset].into_iter().chain(along.weights))
        .flat_map(|number| (number as f32).to_ne_bytes())
        .collect();
    CubeTensor::new_contiguous(
        x.client.clone(),
        x.device.clone(),
        Shape::new([projections.len(), 4]),
        x.client.create_from_slice(&numbers),
        DType::F32,
    )
}

/// The histogram of each of so many rows, or of so many directions of each of so many images.
fn histograms<R: CubeRuntime>(
    x: &CubeTensor<R>,
    along: Option<CubeTensor<R>>,
    [images, directions]: [usize; 2],
    binning: &Binning,
) -> CubeTensor<R> {
    let pixels = x.shape()[x.shape().num_dims() - 1];
    let (rows, bins) = (images * directions, binning.bins.count());
    let chunks = pixels.div_ceil(LEAST_CHUNK).min(MOST_CHUNKS.div_ceil(rows));
    let chunk = pixels.div_ceil(chunks);
    let chunks = pixels.div_ceil(chunk);
    let sums = empty(x, [rows, chunks, 2 * bins + 1], DType::U32);
    let p = empty(x, [rows, bins], DType::F32);
    let projected = along.is_some();
    let along = along.unwrap_or_else(|| empty(x, [1, 1], DType::F32));
    let cube = CubeDim::new(&x.client, rows * bins);
    // SAFETY: a chunk has `2 K + 1` words, `K` of them in shared memory, which has more; pixels are read up to
    // the end of a row or channel. The second kernel stops at the last bin.
    unsafe {
        marginal::marginal_sums::launch_unchecked::<R>(
            &x.client,
            CubeCount::Static(chunks as u32, rows as u32, 1),
            CubeDim::new_1d(marginal::UNITS),
            x.clone().into_array_arg(),
            along.into_array_arg(),
            sums.clone().into_array_arg(),
            GridLaunch::of(binning),
            pixels as u32,
            chunk as u32,
            directions as u32,
            projected,
        );
        marginal::marginal_finish::launch_unchecked::<R>(
            &x.client,
            calculate_cube_count_elemwise(&x.client, rows * bins, cube),
            cube,
            sums.into_array_arg(),
            p.clone().into_array_arg(),
            GridLaunch::of(binning),
            chunks as u32,
            scale(pixels),
        );
    }
    p
}

/// The gradient of every pixel of images `[images, 3, N]`, given that with respect to the histograms along the
/// directions beyond the channels, `[images, M, K]`.
pub(super) fn directional_gradient<R: CubeRuntime>(
    x: &CubeTensor<R>,
    grad: CubeTensor<R>,
    directions: &Directions,
    binning: &Binning,
) -> CubeTensor<R> {
    let [images, channels, pixels] = x.shape().dims();
    let gradient = empty(x, [images, channels, pixels], DType::F32);
    let cube = CubeDim::new(&x.client, images * pixels);
    // SAFETY: units past the last pixel stop; an image has three channels of pixels, and `grad` a row of `K` bins for
    // each direction.
    unsafe {
        marginal::directional_gradient::launch_unchecked::<R>(
            &x.client,
            calculate_cube_count_elemwise(&x.client, images * pixels, cube),
            cube,
            x.clone().into_array_arg(),
            along(x, directions, binning).into_array_arg(),
            grad.into_array_arg(),
            gradient.clone().into_array_arg(),
            GridLaunch::of(binning),
            pixels as u32,
            directions.further_count() as u32,
            (1.0 / pixels as f64) as f32,
        );
    }
    gradient
}

/// The gradient of every pixel, given that with respect to the histograms, `[rows, K]`.
pub(super) fn marginal_gradient<R: CubeRuntime>(
    x: &CubeTensor<R>,
    grad: CubeTensor<R>,
    binning: &Binning,
) -> CubeTensor<R> {
    let [rows, pixels] = x.shape().dims();
    let gradient = empty(x, [rows, pixels], DType::F32);
    let cube = CubeDim::new(&x.client, rows * pixels);
    // SAFETY: units past the last pixel stop; a row of `grad` has the `K` bins that are read.
    unsafe {
        marginal::marginal_gradient::launch_unchecked::<R>(
            &x.client,
            calculate_cube_count_elemwise(&x.client, rows * pixels, cube),
            cube,
            x.clone().into_array_arg(),
            grad.into_array_arg(),
            gradient.clone().into_array_arg(),
            GridLaunch::of(binning),
            pixels as u32,
            (1.0 / pixels as f64) as f32,
        );
    }
    gradient
}
