//! Starts the kernels of pairs of images.
//!
//! They check no bounds, so types and shapes are checked before: the images are rows of as many pixels, in single
//! precision and without gaps.
#![expect(
    unsafe_code,
    reason = "kernels check no bounds: each launch says why it keeps them"
)]

use burn::tensor::{DType, Shape, TensorMetadata};
use burn_cubecl::CubeRuntime;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::tensor::CubeTensor;
use cubecl::calculate_cube_count_elemwise;
use cubecl::prelude::{CubeCount, CubeDim};

use super::gradients::{self, Wanted};
use super::losses;
use super::place::GridLaunch;
use super::row::{self, TermsLaunch};
use super::{fixed, joint};
use crate::{Binning, Boundary, LossTerms};

/// Cubes along an axis of a launch.
const CUBES: usize = 1 << 15;

/// What becomes a share, of a sum over so many pixels.
pub(super) fn scale(pixels: usize) -> f32 {
    (1.0 / pixels as f64 / f64::from(fixed::ONE)) as f32
}

/// An uninitialised tensor where `like` is. Its rows lie without gaps, as the kernels have it: an ordinary
/// tensor on CUDA may begin each of them where the card reads best.
pub(super) fn empty<R: CubeRuntime, const D: usize>(
    like: &CubeTensor<R>,
    shape: [usize; D],
    dtype: DType,
) -> CubeTensor<R> {
    empty_device_contiguous_dtype(
        like.client.clone(),
        like.device.clone(),
        Shape::new(shape),
        dtype,
    )
}

/// How the walks through pairs of pixels are shared out.
struct Walk {
    tiles: u32,
    edges: u32,
    /// Pixels of a row.
    pixels: usize,
    /// Chunks that are sorted by themselves.
    chunks: usize,
    /// Cubes that have a row.
    cubes: u32,
    /// How often each of their groups takes a span.
    spans: u32,
}

impl Walk {
    fn through(pixels: usize, binning: &Binning) -> Self {
        let (tiles, edges) = joint::tiles_and_edges(binning.kernel);
        let each = (joint::GROUPS * joint::SPAN) as usize;
        let spans = pixels.div_ceil(each * CUBES);
        Self {
            tiles,
            edges,
            pixels,
            chunks: pixels.div_ceil(joint::CHUNK as usize),
            cubes: pixels.div_ceil(each * spans) as u32,
            spans: spans as u32,
        }
    }

    /// The order of the pixels, and which chunks have one without a place. Clears `sums`, so many words a row.
    fn sort<R: CubeRuntime>(
        &self,
        [x, y]: [&CubeTensor<R>; 2],
        sums: &CubeTensor<R>,
        words: usize,
        binning: &Binning,
    ) -> [CubeTensor<R>; 2] {
        let rows = x.shape()[0];
        let order = empty(x, [rows, self.pixels], DType::U32);
        let undefined = empty(x, [rows, self.chunks], DType::U32);
        let units = match x.client.properties().hardware.max_units_per_cube < 1024 {
            true => 256,
            false => 1024,
        };
        // SAFETY: the images have as many pixels as `order` has numbers, `sums` as many words as are said to be a
        // row's, and keys are below the number of those in shared memory.
        unsafe {
            joint::sort::launch_unchecked::<R>(
                &x.client,
                CubeCount::Static(self.chunks as u32, rows as u32, 1),
                CubeDim::new_1d(units),
                x.clone().into_array_arg(),
                y.clone().into_array_arg(),
                order.clone().into_array_arg(),
                undefined.clone().into_array_arg(),
                sums.clone().into_array_arg(),
                GridLaunch::of(binning),
                self.pixels as u32,
                joint::CHUNK,
                joint::blocks_of_cell(binning.bins.count() as u32, self.edges),
                words as u32,
                self.edges,
                units,
            );
        }
        [order, undefined]
    }
}

/// The sums of joint histograms and of the histograms of `y`, as whole numbers.
pub(super) struct Sums<R: CubeRuntime> {
    sums: CubeTensor<R>,
    undefined: CubeTensor<R>,
    chunks: usize,
    rows: usize,
    pixels: usize,
}

impl<R: CubeRuntime> Sums<R> {
    /// Those of rows of pixels.
    pub(super) fn of(x: &CubeTensor<R>, y: &CubeTensor<R>, binning: &Binning) -> Self {
        let [rows, pixels] = x.shape().dims();
        let walk = Walk::through(pixels, binning);
        let words = joint::words(binning.bins.count());
        let sums = empty(x, [rows, words], DType::U32);
        let [order, undefined] = walk.sort([x, y], &sums, words, binning);
        // SAFETY: pixels are read up to the end of a row, and bins are folded into the range, so that entries are
        // among the words of their row.
        unsafe {
            joint::joint_sums::launch_unchecked::<R>(
                &x.client,
                CubeCount::Static(walk.cubes, rows as u32, walk.tiles * walk.tiles),
                CubeDim::new_1d(joint::UNITS),
                x.clone().into_array_arg(),
                y.clone().into_array_arg(),
                order.into_array_arg(),
                sums.clone().into_array_arg(),
                GridLaunch::of(binning),
                pixels as u32,
                words as u32,
                walk.spans,
                walk.tiles,
                walk.edges,
            );
        }
        Self {
            sums,
            undefined,
            chunks: walk.chunks,
            rows,
            pixels,
        }
    }

    /// The joint histograms, `[rows, K, K]`.
    pub(super) fn joint(self, binning: &Binning) -> CubeTensor<R> {
        let bins = binning.bins.count();
        let joint = empty(&self.sums, [self.rows, bins, bins], DType::F32);
        let client = self.sums.client.clone();
        let cube = CubeDim::new(&client, self.rows * bins * bins);
        // SAFETY: units past the last entry stop, and the sums of a row have more words than it has entries.
        unsafe {
            joint::joint_finish::launch_unchecked::<R>(
                &client,
                calculate_cube_count_elemwise(&client, self.rows * bins * bins, cube),
                cube,
                self.sums.into_array_arg(),
                self.undefined.into_array_arg(),
                joint.clone().into_array_arg(),
                GridLaunch::of(binning),
                self.chunks as u32,
                joint::words(bins) as u32,
                scale(self.pixels),
            );
        }
        joint
    }

    /// Both losses, `[rows, 2]`, and if `tracked` their gradients with respect to the histograms of `y` and the joint
    /// histograms, `[rows, K]` and `[rows, K, K]`.
    pub(super) fn losses(
        self,
        target: CubeTensor<R>,
        loss: &LossTerms,
        tracked: bool,
    ) -> (CubeTensor<R>, Option<[CubeTensor<R>; 2]>) {
        let bins = loss.binning.bins.count();
        let of = |shape: [usize; 3]| empty(&self.sums, shape, DType::F32);
        let values = empty(&self.sums, [self.rows, 2], DType::F32);
        let of_p = empty(&self.sums, [self.rows, bins], DType::F32);
        let of_joint = match tracked {
            true => of([self.rows, bins, bins]),
            false => of([1, 1, 1]),
        };
        let along = of([self.rows, 4, bins]);
        let terms = TermsLaunch::new(
            joint::words(bins) as u32,
            self.chunks as u32,
            scale(self.pixels),
            loss.binning.bins.width() as f32,
            loss.distance,
            loss.binning.kernel.boundary() == Boundary::Wrap,
            loss.structure,
        );
        // SAFETY: a cube has a row of each tensor; that of `of_joint` is written only if `tracked`.
        unsafe {
            losses::losses::launch_unchecked::<R>(
                &self.sums.client,
                CubeCount::Static(self.rows as u32, 1, 1),
                CubeDim::new_1d(row::UNITS),
                self.sums.clone().into_array_arg(),
                self.undefined.into_array_arg(),
                target.into_array_arg(),
                values.clone().into_array_arg(),
                of_p.clone().into_array_arg(),
                of_joint.clone().into_array_arg(),
                along.into_array_arg(),
                GridLaunch::of(&loss.binning),
                terms,
                tracked,
            );
        }
        (values, tracked.then_some([of_p, of_joint]))
    }
}

/// The gradients of every pixel of `x` and `y`, each only if `needed`, given those with respect to the joint histograms
/// `[rows, K, K]`, and if losses count those with respect to them `[rows, 2]` and to the histograms of `y` `[rows, K]`.
pub(super) fn gradients<R: CubeRuntime>(
    [x, y]: [&CubeTensor<R>; 2],
    of_joint: CubeTensor<R>,
    of_losses: Option<[CubeTensor<R>; 2]>,
    binning: &Binning,
    needed: [bool; 2],
) -> [Option<CubeTensor<R>>; 2] {
    if needed == [false; 2] {
        return [None, None];
    }
    let [rows, pixels] = x.shape().dims();
    let walk = Walk::through(pixels, binning);
    let nothing = || empty(x, [1, 1], DType::F32);
    let [order, _] = walk.sort([x, y], &empty(x, [1, 1], DType::U32), 0, binning);
    let [of_x, of_y] = needed.map(|needed| match needed {
        true => empty(x, [rows, pixels], DType::F32),
        false => nothing(),
    });
    let wanted = Wanted {
        of_x: needed[0],
        of_y: needed[1],
        losses: of_losses.is_some(),
    };
    let [grad, of_p] = of_losses.unwrap_or_else(|| [nothing(), nothing()]);
    // SAFETY: pixels are read and written up to the end of a row, and bins are folded into the range, so that entries
    // are among those of their row. Tensors that are not `wanted` are neither read nor written.
    unsafe {
        gradients::gradients::launch_unchecked::<R>(
            &x.client,
            CubeCount::Static(walk.cubes, rows as u32, 1),
            CubeDim::new_1d(joint::UNITS),
            x.clone().into_array_arg(),
            y.clone().into_array_arg(),
            order.into_array_arg(),
            of_p.into_array_arg(),
            of_joint.into_array_arg(),
            grad.into_array_arg(),
            of_x.clone().into_array_arg(),
            of_y.clone().into_array_arg(),
            GridLaunch::of(binning),
            pixels as u32,
            walk.spans,
            (1.0 / pixels as f64) as f32,
            wanted,
            walk.tiles,
            walk.edges,
        );
    }
    [needed[0].then_some(of_x), needed[1].then_some(of_y)]
}
