//! The joint histogram of two images, and its gradients.

use std::ops::Range;

use fearless_simd::{Level, Simd};

use super::axis::{Axis, Run};
use super::order::Order;
use super::pools::Pooled;
use super::ring::Ring;
use super::rows::{chunk_length, gradients, histograms, row, sum_over_chunks, with_band_width};
use super::simd::{LANES, Lanes, Line, Work, vectorised};
use super::spare::{Borrowed, zeros};
use super::window::Profile;
use crate::Binning;

/// `x, y: [rows, N]` to `[rows, K, K]`.
pub(crate) fn joint<T: Pooled>(
    level: Level,
    x: &[T],
    y: &[T],
    rows: usize,
    binning: &Binning,
) -> Vec<T> {
    with_band_width!(T, binning, LINES => {
        let pass = Pass::<T, LINES>::new(level, binning);
        let (pixels, count) = (x.len() / rows.max(1), binning.bins.count());
        histograms(rows, pixels, count * count, |index| {
            let [x, y] = [x, y].map(|image| row(image, pixels, index));
            let axes = pass.axes(x, y);
            if axes.iter().any(Axis::undefined) {
                return None;
            }
            let table = pass.table(&axes, x, y);
            let mut sums = vec![0.0; count * count];
            fold(&table, &axes, binning, &mut sums, count);
            Some(sums)
        })
    })
}

/// `x, y: [rows, N]`, `grad: [rows, K, K]` to `[rows, N]` for each image that needs it.
pub(crate) fn joint_backward<T: Pooled>(
    level: Level,
    x: &[T],
    y: &[T],
    grad: &[T],
    rows: usize,
    binning: &Binning,
    needed: [bool; 2],
) -> [Option<Vec<T>>; 2] {
    let count = binning.bins.count();
    with_band_width!(T, binning, LINES => {
        let pass = Pass::<T, LINES>::new(level, binning);
        let of_second = |x: &[T], y: &[T], grad: &[T]| {
            pass.gradients_of_second(x, y, rows, |index| Upstream {
                of_joint: row(grad, count * count, index),
                joint_weight: 1.0,
                of_marginal: None,
                marginal_weight: 0.0,
            })
        };
        // With respect to x it is the same sum over the transposed table.
        [
            needed[0].then(|| of_second(y, x, &transposed(grad, count))),
            needed[1].then(|| of_second(x, y, grad)),
        ]
    })
}

/// The tables of all rows, transposed.
pub(super) fn transposed<T: Pooled>(tables: &[T], count: usize) -> Vec<T> {
    let mut transposed = vec![T::zero(); tables.len()];
    let tables = tables.chunks_exact(count * count);
    for (to, from) in transposed.chunks_exact_mut(count * count).zip(tables) {
        for (k, row) in from.chunks_exact(count).enumerate() {
            for (l, &entry) in row.iter().enumerate() {
                to[l * count + k] = entry;
            }
        }
    }
    transposed
}

/// The pixels that are sorted at a time: enough for a table's rows to be worth their handling.
fn block_length(binning: &Binning) -> usize {
    (binning.bins.count().pow(2) / 2).clamp(1 << 15, 1 << 18)
}

/// Adds the table of the slots to that of the bins, whose rows start `stride` entries apart.
pub(super) fn fold(
    table: &[f64],
    axes: &[Axis; 2],
    binning: &Binning,
    sums: &mut [f64],
    stride: usize,
) {
    let columns = axes[1].slots();
    let column_runs = axes[1].runs(binning);
    for (slot, bin) in axes[0].runs(binning).iter().flat_map(Run::pairs) {
        let from = &table[slot * columns..][..columns];
        let to = &mut sums[bin * stride..][..stride];
        column_runs.iter().for_each(|run| run.fold(from, to));
    }
}

/// What a loss says of the histograms of one row of pixels.
pub(super) struct Upstream<'a, T> {
    /// A gradient with respect to the joint histogram.
    pub(super) of_joint: &'a [T],
    /// The factor that goes with it.
    pub(super) joint_weight: f64,
    /// A gradient with respect to the histogram of the image that is differentiated.
    pub(super) of_marginal: Option<&'a [T]>,
    /// The factor that goes with it.
    pub(super) marginal_weight: f64,
}

/// One pass over the pixels of two images, forward or backward.
pub(super) struct Pass<'a, T, const LINES: usize> {
    level: Level,
    binning: &'a Binning,
    windows: Profile<T, LINES>,
    slopes: Profile<T, LINES>,
}

impl<'a, T: Pooled, const LINES: usize> Pass<'a, T, LINES> {
    const WIDTH: usize = LINES * LANES;

    pub(super) fn new(level: Level, binning: &'a Binning) -> Self {
        let ratio = binning.kernel.ratio();
        Self {
            level,
            binning,
            windows: Profile::windows(ratio),
            slopes: Profile::step_slopes(ratio),
        }
    }

    pub(super) fn axes(&self, x: &[T], y: &[T]) -> [Axis; 2] {
        [x, y].map(|pixels| Axis::spanning(self.level, self.binning, Self::WIDTH, pixels))
    }

    /// The sums of the pixels' outer products, by slots.
    pub(super) fn table(&self, axes: &[Axis; 2], x: &[T], y: &[T]) -> Borrowed<Vec<f64>> {
        let block = block_length(self.binning);
        sum_over_chunks(0..x.len(), chunk_length(x.len(), block), &|chunk: Range<
            usize,
        >| {
            let mut table = zeros(axes[0].slots() * axes[1].slots());
            let mut order = T::orders().take();
            let mut ring = Ring::new(axes[1].slots());
            for (x, y) in x[chunk.clone()].chunks(block).zip(y[chunk].chunks(block)) {
                vectorised(
                    self.level,
                    Count {
                        pass: self,
                        axes,
                        x,
                        y,
                        order: &mut order,
                        ring: &mut ring,
                        table: &mut table,
                    },
                );
            }
            table
        })
    }

    /// The gradients with respect to the pixels of all rows of `y`, given what the loss says of
    /// each row.
    pub(super) fn gradients_of_second<'u>(
        &self,
        x: &[T],
        y: &[T],
        rows: usize,
        upstream: impl Fn(usize) -> Upstream<'u, T> + Sync,
    ) -> Vec<T> {
        let pixels = y.len() / rows.max(1);
        let prepare = |index| {
            let [x, y] = [x, y].map(|image| row(image, pixels, index));
            let axes = self.axes(x, y);
            let steps = self.steps(&axes, pixels, &upstream(index));
            (x, y, axes, steps)
        };
        let chunk = block_length(self.binning);
        gradients(
            rows,
            pixels,
            chunk,
            prepare,
            |(x, y, axes, steps), range, gradient| {
                let work = Gather {
                    pass: self,
                    axes,
                    x: &x[range.clone()],
                    y: &y[range],
                    steps,
                    gradient,
                };
                vectorised(self.level, work);
            },
        )
    }

    /// The upstream gradient `G` of one row on the unfolded axes as its steps from column to
    /// column, `G(k, l) − G(k, l − 1)`, per pixel and kernel width.
    ///
    /// The windows of a pixel `x` add up to 1, so the gradient with respect to the histogram of `y`
    /// is one with respect to the joint histogram that is the same in all rows.
    fn steps(
        &self,
        axes: &[Axis; 2],
        pixels: usize,
        upstream: &Upstream<'_, T>,
    ) -> Borrowed<Vec<T>> {
        let count = self.binning.bins.count();
        let scale = self.binning.kernel.ratio() / self.binning.bins.width() / pixels as f64;
        let columns = axes[1].slots();
        let column_runs = axes[1].runs(self.binning);
        let steps_of = |gradient: &[T], weight: f64, unfolded: &mut [f64], steps: &mut [f64]| {
            column_runs
                .iter()
                .for_each(|run| run.unfold(gradient, unfolded));
            steps[0] = unfolded[0] * (weight * scale);
            for ((step, here), before) in steps[1..].iter_mut().zip(&unfolded[1..]).zip(&*unfolded)
            {
                *step = (here - before) * (weight * scale);
            }
        };
        let mut unfolded = vec![0.0; columns];
        let mut in_all_rows = vec![0.0; columns];
        if let Some(gradient) = upstream.of_marginal {
            steps_of(
                gradient,
                upstream.marginal_weight,
                &mut unfolded,
                &mut in_all_rows,
            );
        }
        let mut table = T::tables().take();
        table.clear();
        table.reserve(axes[0].slots() * columns);
        let mut in_row = vec![0.0; columns];
        let mut kept = axes[0]
            .runs(self.binning)
            .into_iter()
            .flat_map(|run| run.pairs())
            .peekable();
        for slot in 0..axes[0].slots() {
            if let Some((_, bin)) = kept.next_if(|&(kept, _)| kept == slot) {
                let gradient = row(upstream.of_joint, count, bin);
                steps_of(gradient, upstream.joint_weight, &mut unfolded, &mut in_row);
                table.extend(
                    in_row
                        .iter()
                        .zip(&in_all_rows)
                        .map(|(here, all)| T::of(here + all)),
                );
            } else {
                table.extend(in_all_rows.iter().map(|&all| T::of(all)));
            }
        }
        table
    }
}

/// Adds the outer product of every pixel's two bands to the table.
struct Count<'a, T, const LINES: usize> {
    pass: &'a Pass<'a, T, LINES>,
    axes: &'a [Axis; 2],
    x: &'a [T],
    y: &'a [T],
    order: &'a mut Order<T>,
    ring: &'a mut Ring<T, LINES>,
    table: &'a mut [f64],
}

impl<T: Pooled, const LINES: usize> Work for Count<'_, T, LINES> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self {
            pass,
            axes,
            x,
            y,
            order,
            ring,
            table,
        } = self;
        let columns = axes[1].slots();
        let width = LINES * LANES;
        order.sort(simd, axes, x, y);
        let take = |ring: &mut Ring<T, LINES>, table: &mut [f64], rows: Range<usize>| {
            for row in rows {
                ring.take(row, &mut table[row * columns..][..columns]);
            }
        };
        let in_columns = pass.windows.rotated(simd, 0);
        // In memory, where every number is at hand for all lanes without a shuffle.
        let mut columns_of = [[Line::splat(T::zero()); LINES]; LANES];
        // The ring has the rows from here on, and the sums over so many pixels.
        let (mut first, mut summed) = (0, 0_usize);
        // Of pixels all over the image, an entry sees this part.
        let most = T::SUMMANDS.saturating_mul((columns / width / 2).max(1));
        for (slot, pixels) in order.by_slot() {
            take(ring, table, first..slot.min(first + width));
            first = slot;
            let in_rows = pass.windows.rotated(simd, slot);
            for (part, pixels) in pixels.chunks(T::SUMMANDS).enumerate() {
                summed += pixels.len();
                if part > 0 || summed > most {
                    take(ring, table, first..first + width);
                    summed = pixels.len();
                }
                for pixels in pixels.chunks(LANES) {
                    for (pixel, columns) in pixels.iter().zip(&mut columns_of) {
                        let (growth, decay) = pixel.in_columns;
                        in_columns.store(simd, growth, decay, columns);
                    }
                    for (pixel, columns) in pixels.iter().zip(&columns_of) {
                        let (growth, decay) = pixel.in_rows;
                        let rows = in_rows.of(simd, growth, decay);
                        ring.add(simd, &rows, pixel.column as usize, columns);
                    }
                }
            }
        }
        take(ring, table, first..first + width);
    }
}

/// Contracts the steps of the upstream gradient with every pixel's windows in `x` and slopes in `y`.
struct Gather<'a, T, const LINES: usize> {
    pass: &'a Pass<'a, T, LINES>,
    axes: &'a [Axis; 2],
    x: &'a [T],
    y: &'a [T],
    steps: &'a [T],
    gradient: &'a mut [T],
}

impl<T: Pooled, const LINES: usize> Work for Gather<'_, T, LINES> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self {
            pass,
            axes,
            x,
            y,
            steps,
            gradient,
        } = self;
        let columns = axes[1].slots();
        let width = LINES * LANES;
        let mut order = T::orders().take();
        order.sort(simd, axes, x, y);
        let mut ring = Ring::<T, LINES>::new(columns);
        let in_columns = pass.slopes.rotated(simd, 0);
        let mut columns_of = [[Line::splat(T::zero()); LINES]; LANES];
        let mut products = [T::Lanes::<S>::splat(simd, T::zero()); LANES];
        let mut sums = Line::splat(T::zero());
        // The ring has the rows up to here.
        let mut end = 0;
        for (slot, pixels) in order.by_slot() {
            for row in end.max(slot)..slot + width {
                ring.put(row, &steps[row * columns..][..columns]);
            }
            end = slot + width;
            let in_rows = pass.windows.rotated(simd, slot);
            for pixels in pixels.chunks(LANES) {
                for (pixel, columns) in pixels.iter().zip(&mut columns_of) {
                    let (growth, decay) = pixel.in_columns;
                    in_columns.store(simd, growth, decay, columns);
                }
                for ((pixel, columns), product) in pixels.iter().zip(&columns_of).zip(&mut products)
                {
                    let (growth, decay) = pixel.in_rows;
                    let rows = in_rows.of(simd, growth, decay);
                    *product = ring.contract(simd, &rows, pixel.column as usize, columns);
                }
                T::Lanes::<S>::sums(products).store(&mut sums.0);
                for (pixel, &sum) in pixels.iter().zip(&sums.0) {
                    gradient[pixel.index as usize] = sum;
                }
            }
        }
    }
}
