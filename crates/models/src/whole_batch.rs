//! Batches whose images lie with several workers, and the sums that make them one.

use std::fmt::Debug;
use std::sync::Arc;

use burn::backend::Autodiff;
use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{Tensor, TensorData, TensorPrimitive};
use burn_autodiff::checkpoint::base::Checkpointer;
use burn_autodiff::checkpoint::strategy::CheckpointStrategy;
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind};

/// Workers that each have some images of a batch, and add their numbers: processes, or threads.
pub trait Workers: Debug + Send + Sync {
    /// Puts in the place of each value its sum over all workers.
    ///
    /// All workers call it equally often, with equally many values, in forward passes and in backward passes. Each has
    /// to get the same bits.
    fn sum(&self, values: &mut [f64]);
}

/// A batch of which this worker has some images, and others have the rest.
#[derive(Clone, Debug)]
pub struct WholeBatch {
    workers: Arc<dyn Workers>,
    own: usize,
    images: usize,
}

impl WholeBatch {
    /// A batch of `images` images, at least one, of which this worker has `own`.
    ///
    /// A worker that has none still takes part in all sums. It passes any images, which then count for nothing.
    pub fn new(workers: Arc<dyn Workers>, own: usize, images: usize) -> Self {
        Self {
            workers,
            own,
            images,
        }
    }

    /// The images of all workers.
    pub(crate) fn images(&self) -> usize {
        self.images
    }

    /// The mean over the whole batch, given the mean over this worker's images. Its gradient goes to the images of all
    /// workers, if `sum` adds gradients as well.
    ///
    /// # Shapes
    /// - `own`, output: `[channels]`
    pub(crate) fn mean<B: Backend>(&self, own: Tensor<B, 1>, sum: SumOfAll<B>) -> Tensor<B, 1> {
        let share = self.own as f64 / self.images as f64;
        let own = own.mul_scalar(share).into_primitive().tensor();
        let all = sum(own, &self.workers);
        Tensor::from_primitive(TensorPrimitive::Float(all))
    }
}

/// Two are equal if the same workers have as many images of equally large ones.
impl PartialEq for WholeBatch {
    fn eq(&self, other: &Self) -> bool {
        let sizes = |it: &Self| (it.own, it.images);
        Arc::ptr_eq(&self.workers, &other.workers) && sizes(self) == sizes(other)
    }
}

impl Eq for WholeBatch {}

/// The sum of a vector over all workers: [`added`], or [`tracked`] where gradients are.
pub(crate) type SumOfAll<B> = fn(FloatTensor<B>, &Arc<dyn Workers>) -> FloatTensor<B>;

/// The sum of a vector over all workers.
pub(crate) fn added<B: Backend>(own: FloatTensor<B>, workers: &Arc<dyn Workers>) -> FloatTensor<B> {
    let own = Tensor::<B, 1>::from_primitive(TensorPrimitive::Float(own));
    let (shape, dtype, device) = (own.dims(), own.dtype(), own.device());
    let mut values: Vec<f64> = own.into_data().iter::<f64>().collect();
    workers.sum(&mut values);
    let all = TensorData::new(values, shape).convert_dtype(dtype);
    let all = Tensor::<B, 1>::from_data(all, (&device, dtype));
    all.into_primitive().tensor()
}

/// The sum of a vector over all workers, whose gradient is the sum of their gradients.
pub(crate) fn tracked<B: Backend, C: CheckpointStrategy>(
    own: FloatTensor<Autodiff<B, C>>,
    workers: &Arc<dyn Workers>,
) -> FloatTensor<Autodiff<B, C>> {
    let all = added::<B>(own.primitive, workers);
    let step = Backward::<B, 1>::prepare::<C>(SumStep, [own.node]);
    match step.compute_bound().stateful() {
        OpsKind::Tracked(step) => step.finish(workers.clone(), all),
        OpsKind::UnTracked(step) => step.finish(all),
    }
}

#[derive(Debug)]
struct SumStep;

impl<B: Backend> Backward<B, 1> for SumStep {
    type State = Arc<dyn Workers>;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<B>(&ops.node);
        let [parent] = ops.parents;
        if let Some(parent) = parent {
            grads.register::<B>(parent.id, added::<B>(grad, &ops.state));
        }
    }
}
