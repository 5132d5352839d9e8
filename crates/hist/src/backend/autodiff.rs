//! Differentiation through the histograms, once for all backends.

use burn::backend::Autodiff;
use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use burn_autodiff::NodeId;
use burn_autodiff::checkpoint::base::Checkpointer;
use burn_autodiff::checkpoint::strategy::CheckpointStrategy;
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind};

use super::{HistogramBackend, LossPass, passes, tensors};
use crate::{Binning, Directions, LossTerms};

/// `marginal`, `directional`, `joint` and `losses` are single steps of the graph that keep nothing but their images, and
/// the latter the gradients with respect to the histograms. `with_value` is one that keeps nothing. The other keep their default bodies, which are ordinary tensor operations and so can
/// themselves be differentiated.
impl<B: HistogramBackend, C: CheckpointStrategy> HistogramBackend for Autodiff<B, C> {
    fn marginal(x: FloatTensor<Self>, binning: &Binning) -> FloatTensor<Self> {
        match MarginalStep
            .prepare::<C>([x.node.clone()])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(mut step) => {
                let state = (step.checkpoint(&x), *binning);
                step.finish(state, B::marginal(x.primitive, binning))
            }
            OpsKind::UnTracked(step) => step.finish(B::marginal(x.primitive, binning)),
        }
    }

    fn directional(
        x: FloatTensor<Self>,
        directions: &Directions,
        binning: &Binning,
    ) -> FloatTensor<Self> {
        match DirectionalStep
            .prepare::<C>([x.node.clone()])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(mut step) => {
                let state = (step.checkpoint(&x), *directions, *binning);
                step.finish(state, B::directional(x.primitive, directions, binning))
            }
            OpsKind::UnTracked(step) => {
                step.finish(B::directional(x.primitive, directions, binning))
            }
        }
    }

    fn joint(x: FloatTensor<Self>, y: FloatTensor<Self>, binning: &Binning) -> FloatTensor<Self> {
        let nodes = [x.node.clone(), y.node.clone()];
        match JointStep.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(mut step) => {
                let state = ([step.checkpoint(&x), step.checkpoint(&y)], *binning);
                step.finish(state, B::joint(x.primitive, y.primitive, binning))
            }
            OpsKind::UnTracked(step) => step.finish(B::joint(x.primitive, y.primitive, binning)),
        }
    }

    fn with_value(tracked: FloatTensor<Self>, value: FloatTensor<Self>) -> FloatTensor<Self> {
        match ValueStep
            .prepare::<C>([tracked.node])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(step) => step.finish((), value.primitive),
            OpsKind::UnTracked(step) => step.finish(value.primitive),
        }
    }

    fn losses(
        content: FloatTensor<Self>,
        output: FloatTensor<Self>,
        target: FloatTensor<Self>,
        loss: &LossTerms,
        tracked: bool,
    ) -> LossPass<Self> {
        if tracked {
            // An outer graph wants the gradients, as numbers that this graph can differentiate.
            return tensors::losses(&passes::<Self>(), [content, output], target, loss, tracked);
        }
        let nodes = [content.node.clone(), output.node.clone()];
        let pass = |tracked| {
            let images = (content.primitive.clone(), output.primitive.clone());
            B::losses(images.0, images.1, target.primitive, loss, tracked)
        };
        let values = match LossStep.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(mut step) => {
                let images = [step.checkpoint(&content), step.checkpoint(&output)];
                let pass = pass(true);
                step.finish((images, pass.of_histograms, *loss), pass.values)
            }
            OpsKind::UnTracked(step) => step.finish(pass(false).values),
        };
        LossPass {
            values,
            of_histograms: None,
        }
    }
}

#[derive(Debug)]
struct MarginalStep;

impl<B: HistogramBackend> Backward<B, 1> for MarginalStep {
    type State = (NodeId, Binning);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let grad = grads.consume::<B>(&ops.node);
        let (x, binning) = ops.state;
        let x: FloatTensor<B> = checkpointer.retrieve_node_output(x);
        let [parent] = ops.parents;
        if let Some(parent) = parent {
            grads.register::<B>(parent.id, B::marginal_backward(x, grad, &binning));
        }
    }
}

#[derive(Debug)]
struct DirectionalStep;

impl<B: HistogramBackend> Backward<B, 1> for DirectionalStep {
    type State = (NodeId, Directions, Binning);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let grad = grads.consume::<B>(&ops.node);
        let (x, directions, binning) = ops.state;
        let x: FloatTensor<B> = checkpointer.retrieve_node_output(x);
        let [parent] = ops.parents;
        if let Some(parent) = parent {
            let gradient = B::directional_backward(x, grad, &directions, &binning);
            grads.register::<B>(parent.id, gradient);
        }
    }
}

#[derive(Debug)]
struct JointStep;

impl<B: HistogramBackend> Backward<B, 2> for JointStep {
    type State = ([NodeId; 2], Binning);

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let grad = grads.consume::<B>(&ops.node);
        let ([x, y], binning) = ops.state;
        let x: FloatTensor<B> = checkpointer.retrieve_node_output(x);
        let y: FloatTensor<B> = checkpointer.retrieve_node_output(y);
        let needed = ops.parents.each_ref().map(Option::is_some);
        let gradients = B::joint_backward(x, y, grad, &binning, needed);
        let parents = ops.parents.map(|parent| Some(parent?.id));
        register::<B>(grads, parents, gradients);
    }
}

#[derive(Debug)]
struct ValueStep;

impl<B: HistogramBackend> Backward<B, 1> for ValueStep {
    type State = ();

    fn backward(self, ops: Ops<(), 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<B>(&ops.node);
        let [parent] = ops.parents;
        if let Some(parent) = parent {
            grads.register::<B>(parent.id, grad);
        }
    }
}

#[derive(Debug)]
struct LossStep;

impl<B: HistogramBackend> Backward<B, 2> for LossStep {
    type State = ([NodeId; 2], Option<[FloatTensor<B>; 2]>, LossTerms);

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let grad = grads.consume::<B>(&ops.node);
        let ([content, output], of_histograms, loss) = ops.state;
        let of_histograms = of_histograms
            .expect("a tracked pass finds the gradients with respect to the histograms");
        let content: FloatTensor<B> = checkpointer.retrieve_node_output(content);
        let output: FloatTensor<B> = checkpointer.retrieve_node_output(output);
        let needed = ops.parents.each_ref().map(Option::is_some);
        let gradients = B::losses_backward(content, output, of_histograms, grad, &loss, needed);
        let parents = ops.parents.map(|parent| Some(parent?.id));
        register::<B>(grads, parents, gradients);
    }
}

/// Hands on the gradients that were needed.
fn register<B: Backend>(
    grads: &mut Gradients,
    parents: [Option<NodeId>; 2],
    gradients: [Option<FloatTensor<B>>; 2],
) {
    for (parent, gradient) in parents.into_iter().zip(gradients) {
        if let (Some(parent), Some(gradient)) = (parent, gradient) {
            grads.register::<B>(parent, gradient);
        }
    }
}
