//! Fitted colour maps, refined by gradient descent on the losses of training.
//!
//! ```text
//! LocalMaps, content, reference ──► Objective ──► Adam on a change to the maps ──► LocalMaps
//! ```

mod counting;
mod objective;
mod options;

use burn::backend::Autodiff;
use burn::optim::SimpleOptimizer;
use burn::tensor::{DType, ElementConversion, Tensor};

pub use options::RefineOptions;

use crate::step::adam_rule::Adam;
use crate::step::backend::TrainingBackend;
use crate::transfer::{LocalMaps, Sample, TransferError};
use objective::Objective;

/// How far Adam moves a coefficient in the first step. The rate falls by as much from step to step, to 0 after the
/// last one.
const RATE: f64 = 0.005;

/// Changes maps that were fitted to a pair ([`LocalMaps::fit`]) by gradient descent on the losses of training, and
/// returns the changed ones. What is made small, of the content as the maps change it and as a screen shows it:
///
/// - the earth mover's distance to the reference's colours, the mean over the channels of YUV and nine further
///   directions of colour space ([`HistogramLoss`](huenet_hist::HistogramLoss) in the bins of the recommended recipe);
/// - what the loss of the content's structure ([`ssim_loss`](crate::ssim_loss())) grows by beyond that of the fitted maps;
/// - the unlikeness of the changes to neighbouring cells ([`smoothness_loss`](crate::smoothness_loss)). One change to
///   the whole image costs nothing.
///
/// The change starts from 0. Of all steps that with the least loss is returned, so the loss is never above that of the
/// fitted maps. The same input gives the same bits on a backend whose kernels promise this, as Flex does, for any
/// number of threads.
///
/// Pixels count by their weights. The colours are counted of as many pixels as have a weight, drawn evenly by weight.
/// In the structure, what a mask hides is the same before and after. An image whose shorter side has fewer than seven pixels
/// has no structure to compare.
///
/// # Errors
///
/// [`TransferError::Maps`] if the changed maps are not finite. Only maps with huge values become so.
///
/// # Example
///
/// ```
/// use burn_flex::Flex;
/// use huenet_tasks::transfer::{FitOptions, LocalMaps, Sample};
/// use huenet_tasks::{RefineOptions, refine};
///
/// let content = Sample::new(2, 1, vec![[0.1, 0.2, 0.3], [0.5, 0.5, 0.4]])?;
/// let reference = Sample::new(1, 2, vec![[0.9, 0.4, 0.1], [0.6, 0.1, 0.2]])?;
/// let fitted = LocalMaps::fit(&content, &reference, &FitOptions::default());
/// let options = RefineOptions::default().with_steps(3)?;
/// let refined = refine::<Flex>(&fitted, &content, &reference, &options, &Default::default())?;
/// assert_eq!(refined.grid(), fitted.grid());
/// # Ok::<(), huenet_tasks::transfer::TransferError>(())
/// ```
pub fn refine<B: TrainingBackend>(
    maps: &LocalMaps,
    content: &Sample,
    reference: &Sample,
    options: &RefineOptions,
    device: &B::Device,
) -> Result<LocalMaps, TransferError> {
    if options.steps() == 0 {
        return Ok(maps.clone());
    }
    let content = counting::thinned(content, options.working_side())?;
    let objective = Objective::<Autodiff<B>>::new(maps, &content, reference, options, device);
    let change = descend(&objective, maps, options.steps(), device);
    let change: Vec<f32> = change.into_data().iter::<f32>().collect();
    let cells = maps.grid().cells();
    let changed = maps.maps().iter().enumerate().map(|(i, value)| {
        let (cell, coefficient) = (i / LocalMaps::VALUES, i % LocalMaps::VALUES);
        value + change[coefficient * cells + cell]
    });
    LocalMaps::new(maps.grid(), changed.collect())
}

/// The change with the least loss that so many steps of Adam come by, `[1, 12, levels, rows, columns]`.
fn descend<B: TrainingBackend>(
    objective: &Objective<Autodiff<B>>,
    maps: &LocalMaps,
    steps: usize,
    device: &B::Device,
) -> Tensor<B, 5> {
    let grid = maps.grid();
    let shape = [
        1,
        LocalMaps::VALUES,
        grid.levels(),
        grid.rows(),
        grid.columns(),
    ];
    let adam = Adam::new(0.9);
    let mut change = Tensor::<B, 5>::zeros(shape, (device, DType::F32));
    let mut state = None;
    let mut best = change.clone();
    let mut least = f64::INFINITY;
    for step in 0..=steps {
        let tracked = Tensor::<Autodiff<B>, 5>::from_inner(change.clone()).require_grad();
        let loss = objective.loss(tracked.clone());
        let value = loss.clone().into_scalar().elem::<f64>();
        if value < least {
            (best, least) = (change.clone(), value);
        }
        if step == steps {
            break;
        }
        // The loss depends on the change, so there is one.
        let Some(gradient) = tracked.grad(&loss.backward()) else {
            break;
        };
        let rate = RATE * (1.0 - step as f64 / steps as f64);
        (change, state) = adam.step(rate, change, gradient, state);
    }
    best
}

#[cfg(test)]
mod tests;
