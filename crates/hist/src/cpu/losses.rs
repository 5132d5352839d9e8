//! The two losses of training, from one pass over the pixels.

use fearless_simd::Level;
use rayon::prelude::*;

use super::axis::Axis;
use super::distance::distance;
use super::joint::{Pass, Upstream, fold, transposed};
use super::marginal;
use super::pools::Pooled;
use super::rows::{row, with_band_width};
use super::structure::{Joint, measure};
use crate::LossTerms;

/// The losses of rows of images, and, if they are `tracked`, their gradients with respect to the
/// histograms.
///
/// `content, output: [rows, N]`, `target: [rows, K]` to `[rows, 2]`, the earth mover's distances and
/// the structure losses; and to `[rows, K]` and `[rows, K, K]`, or nothing.
pub(crate) fn losses<T: Pooled>(
    level: Level,
    images: [&[T]; 2],
    target: &[T],
    rows: usize,
    loss: &LossTerms,
    tracked: bool,
) -> [Vec<T>; 3] {
    let (pixels, count) = (images[1].len() / rows.max(1), loss.binning.bins.count());
    let room = if tracked { rows } else { 0 };
    let mut values = vec![T::nan(); 2 * rows];
    let mut of_marginals = vec![T::nan(); room * count];
    // Every entry is written, whatever it was before.
    let mut of_joints = match tracked {
        true => T::gradients().take().keep(),
        false => Vec::new(),
    };
    of_joints.resize(room * count * count, T::nan());
    with_band_width!(T, loss.binning, LINES => {
        let pass = Pass::<T, LINES>::new(level, &loss.binning);
        values
            .par_chunks_exact_mut(2)
            .zip(optional_rows(&mut of_marginals, count, rows))
            .zip(optional_rows(&mut of_joints, count * count, rows))
            .enumerate()
            .for_each(|(index, ((values, of_marginal), of_joint))| {
                let [content, output] = images.map(|image| row(image, pixels, index));
                let (p, joint) = histograms(level, &pass, content, output, loss);
                if let Some(p) = p {
                    let target = row(target, count, index);
                    let (value, gradient) = distance(loss, &p, target);
                    values[0] = T::of(value);
                    for (to, value) in of_marginal.into_iter().flatten().zip(gradient) {
                        *to = T::of(value);
                    }
                }
                if let Some(joint) = joint {
                    let (kind, scale) = (loss.structure, 1.0 / pixels as f64);
                    let value = measure(level, kind, joint, scale, of_joint);
                    values[1] = T::of(value);
                } else {
                    of_joint.into_iter().for_each(|entries| entries.fill(T::nan()));
                }
            });
    });
    [values, of_marginals, of_joints]
}

/// Keeps the memory of gradients that [`losses`] found, for the next time.
pub(crate) fn take_back<T: Pooled>(gradients: Vec<T>) {
    T::gradients().give(gradients);
}

/// The rows of a table of so many columns, or nothing for each of them if the table is empty.
fn optional_rows<T>(table: &mut [T], columns: usize, rows: usize) -> Vec<Option<&mut [T]>> {
    let mut optional: Vec<_> = table.chunks_exact_mut(columns).map(Some).collect();
    optional.resize_with(rows, || None);
    optional
}

/// The output's histogram and the sums of the joint histogram, each unless a pixel it needs has no
/// place.
fn histograms<T: Pooled, const LINES: usize>(
    level: Level,
    pass: &Pass<'_, T, LINES>,
    content: &[T],
    output: &[T],
    loss: &LossTerms,
) -> (Option<Vec<f64>>, Option<Joint>) {
    let binning = &loss.binning;
    let (per_pixel, count) = (1.0 / output.len() as f64, binning.bins.count());
    let scaled = |mut sums: Vec<f64>| {
        sums.iter_mut().for_each(|sum| *sum *= per_pixel);
        sums
    };
    let axes = pass.axes(content, output);
    if axes.iter().any(Axis::undefined) {
        return (marginal::sums(level, output, binning).map(scaled), None);
    }
    let table = pass.table(&axes, content, output);
    // The windows of a content pixel add up to 1 over all slots of its axis, so the sums of the
    // table's columns are those of the output's windows alone.
    let mut slots = vec![0.0; axes[1].slots()];
    for row in table.chunks_exact(axes[1].slots()) {
        slots
            .iter_mut()
            .zip(row)
            .for_each(|(sum, entry)| *sum += entry);
    }
    let mut p = vec![0.0; count];
    axes[1]
        .runs(binning)
        .iter()
        .for_each(|run| run.fold(&slots, &mut p));
    let mut joint = Joint::new(count);
    joint.add(|sums, stride| fold(&table, &axes, binning, sums, stride));
    (Some(scaled(p)), Some(joint))
}

/// The gradients with respect to the pixels of content and output, each if needed.
///
/// `of_marginals: [rows, K]` and `of_joints: [rows, K, K]` are the gradients of the losses with
/// respect to the histograms, `upstream: [rows, 2]` that with respect to the losses.
pub(crate) fn losses_backward<T: Pooled>(
    level: Level,
    [content, output]: [&[T]; 2],
    [of_marginals, of_joints]: [&[T]; 2],
    upstream: &[T],
    rows: usize,
    loss: &LossTerms,
    needed: [bool; 2],
) -> [Option<Vec<T>>; 2] {
    let count = loss.binning.bins.count();
    with_band_width!(T, loss.binning, LINES => {
        let pass = Pass::<T, LINES>::new(level, &loss.binning);
        let of_second = |x, y, of_marginals: Option<&[T]>, of_joints: &[T]| {
            pass.gradients_of_second(x, y, rows, |index| Upstream {
                of_joint: row(of_joints, count * count, index),
                joint_weight: upstream[2 * index + 1].wide(),
                of_marginal: of_marginals.map(|table| row(table, count, index)),
                marginal_weight: upstream[2 * index].wide(),
            })
        };
        [
            needed[0].then(|| of_second(output, content, None, &transposed(of_joints, count))),
            needed[1].then(|| of_second(content, output, Some(of_marginals), of_joints)),
        ]
    })
}
