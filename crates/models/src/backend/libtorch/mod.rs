//! Layers that LibTorch computes and differentiates by itself.
//!
//! Burn differentiates operation by operation. The gradient of a convolution's weights is then a
//! convolution whose kernel is as large as the image, and batch normalisation and LeakyReLU are
//! a dozen passes over memory. LibTorch has kernels for both directions of each of them. So on its
//! backend a layer is one step of Burn's graph, and that step holds the layer's part of a graph of
//! LibTorch's own. What is computed is the same.

mod kernel;
mod layout;

use std::sync::{Arc, Mutex, PoisonError};

use burn::backend::Autodiff;
use burn::nn::conv::Conv2d;
use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{Tensor, TensorPrimitive};
use burn_autodiff::checkpoint::base::Checkpointer;
use burn_autodiff::checkpoint::strategy::CheckpointStrategy;
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind};
use burn_tch::{LibTorch, TchElement, TchTensor};

use super::NetworkBackend;
use crate::batch_norm;
use crate::group_norm;
use crate::layer::{Activation, Convolution, LEAKY_SLOPE, Layer};
use crate::normalization::Norm;
use crate::pass::Statistics;
use crate::whole_batch::{SumOfAll, added, tracked};
use kernel::Kernel;
use layout::{Layout, flat};

/// What a layer computes with: the image, the weights that it has, and its modulation.
const PARTS: usize = 7;

type Parts = [Option<tch::Tensor>; PARTS];

impl<E: TchElement> NetworkBackend for LibTorch<E> {
    fn layer(layer: Layer<'_, Self>, input: Tensor<Self, 4>) -> Tensor<Self, 4> {
        forward(layer, input)
    }

    fn tracked_layer<C: CheckpointStrategy>(
        layer: Layer<'_, Autodiff<Self, C>>,
        input: Tensor<Autodiff<Self, C>, 4>,
    ) -> Tensor<Autodiff<Self, C>, 4> {
        forward(layer, input)
    }
}

/// LibTorch's backend, or the one that tracks gradients on it.
trait OnLibTorch: NetworkBackend {
    /// Adds over workers.
    const SUM_OF_ALL: SumOfAll<Self>;

    /// LibTorch's tensor inside one of this backend.
    fn inner(primitive: FloatTensor<Self>) -> TchTensor;

    /// A tensor without a past.
    fn constant(tensor: TchTensor) -> FloatTensor<Self>;

    /// Runs `layer` on the tensors of `parts`; as a step of the graph where gradients are tracked.
    fn run(
        parts: [Option<FloatTensor<Self>>; PARTS],
        layer: impl FnOnce(&Parts) -> Output,
    ) -> (FloatTensor<Self>, Option<[tch::Tensor; 2]>);
}

impl<E: TchElement> OnLibTorch for LibTorch<E> {
    const SUM_OF_ALL: SumOfAll<Self> = added::<Self>;

    fn inner(primitive: TchTensor) -> TchTensor {
        primitive
    }

    fn constant(tensor: TchTensor) -> TchTensor {
        tensor
    }

    fn run(
        parts: [Option<TchTensor>; PARTS],
        layer: impl FnOnce(&Parts) -> Output,
    ) -> (TchTensor, Option<[tch::Tensor; 2]>) {
        let parts = parts.map(|part| Some(part?.tensor));
        let (image, statistics) = tch::no_grad(|| layer(&parts));
        (TchTensor::new(image), statistics)
    }
}

impl<E: TchElement, C: CheckpointStrategy> OnLibTorch for Autodiff<LibTorch<E>, C> {
    const SUM_OF_ALL: SumOfAll<Self> = tracked::<LibTorch<E>, C>;

    fn inner(primitive: FloatTensor<Self>) -> TchTensor {
        primitive.primitive
    }

    fn constant(tensor: TchTensor) -> FloatTensor<Self> {
        FloatTensor::<Self>::new(tensor)
    }

    fn run(
        parts: [Option<FloatTensor<Self>>; PARTS],
        layer: impl FnOnce(&Parts) -> Output,
    ) -> (FloatTensor<Self>, Option<[tch::Tensor; 2]>) {
        let leaves = parts.each_ref().map(|part| {
            let part = part.as_ref()?;
            let needed = !part.node.requirement.is_none();
            Some(part.primitive.tensor.detach().set_requires_grad(needed))
        });
        let (image, statistics) = tch::with_grad(|| layer(&leaves));
        let result = TchTensor::new(image.detach());
        // A weight that the layer lacks is a constant.
        let absent = Self::constant(result.clone()).node;
        let nodes = parts.each_ref().map(|part| match part {
            Some(part) => part.node.clone(),
            None => absent.clone(),
        });
        let step = Backward::<LibTorch<E>, PARTS>::prepare::<C>(LayerStep, nodes);
        let result = match step.compute_bound().stateful() {
            OpsKind::Tracked(step) => {
                let own = parts.into_iter().flatten().map(|part| part.primitive);
                let graph = Graph {
                    _memory: own.chain([result.clone()]).collect(),
                    leaves,
                    image,
                };
                step.finish(State(Arc::new(Mutex::new(Some(graph)))), result)
            }
            OpsKind::UnTracked(step) => step.finish(result),
        };
        (result, statistics)
    }
}

/// One layer; in tensor operations if it has running statistics or a padding that LibTorch has not. What follows the
/// convolution is in tensor operations as well if the statistics are those of images that lie elsewhere.
fn forward<B: OnLibTorch>(layer: Layer<'_, B>, input: Tensor<B, 4>) -> Tensor<B, 4> {
    if let Some(Norm::Batch(_, Statistics::Whole { .. })) = layer.norm {
        let convolved = forward(Layer::of(layer.convolution), input);
        return layer.after_convolution(convolved, B::SUM_OF_ALL);
    }
    let running = matches!(layer.norm, Some(Norm::Batch(_, Statistics::Running)));
    let kernel = Kernel::of(&layer.convolution).filter(|_| !running);
    let Some(kernel) = kernel else {
        return layer.by_operations(input, Conv2d::forward, B::ROUNDS_PRODUCTS, B::SUM_OF_ALL);
    };
    let (weight, bias) = match layer.convolution {
        Convolution::Plain(conv)
        | Convolution::Framed(conv)
        | Convolution::OfDoubled(conv)
        | Convolution::ThenDoubled(conv) => (&conv.weight, &conv.bias),
        Convolution::Transposed(conv) => (&conv.weight, &conv.bias),
    };
    let norm = layer.norm.as_ref().map(|norm| match norm {
        Norm::Batch(norm, _) => norm.parameters(),
        Norm::Group(norm) => norm.parameters(),
    });
    let [gamma, beta] = norm.map_or([None, None], |norm| norm.map(Some));
    let (scale, shift) = layer
        .modulation
        .map(|modulation| (modulation.scale, modulation.shift))
        .unzip();
    let parts = [
        Some(primitive(input)),
        Some(primitive(weight.val())),
        bias.as_ref().map(|bias| primitive(bias.val())),
        gamma.map(primitive),
        beta.map(primitive),
        scale.map(primitive),
        shift.map(primitive),
    ];
    let mask = layer.mask.map(|mask| B::inner(primitive(mask)));
    let operations = Operations {
        kernel,
        groups: matches!(layer.norm, Some(Norm::Group(_))),
        mask: mask.as_ref(),
        activation: layer.activation,
        layout: None,
    };
    let (image, statistics) = B::run(parts, |parts| operations.compute(parts));
    if let (
        Some(Norm::Batch(
            norm,
            Statistics::Batch {
                update_running: true,
            },
        )),
        Some(statistics),
    ) = (layer.norm, statistics)
    {
        let [mean, variance] = statistics.map(|vector| tensor(B::constant(TchTensor::new(vector))));
        norm.remember(mean, variance);
    }
    tensor(image)
}

/// An image, and where there is batch normalisation the batch's mean and unbiased variance.
type Output = (tch::Tensor, Option<[tch::Tensor; 2]>);

/// A layer, in LibTorch's operations.
struct Operations<'a> {
    kernel: Kernel,
    /// Whether channels are normalised in groups, if they are.
    groups: bool,
    mask: Option<&'a TchTensor>,
    activation: Activation,
    /// In which order entries are, if that is not the faster one.
    layout: Option<Layout>,
}

impl Operations<'_> {
    fn layout_of(&self, input: &tch::Tensor, weight: &tch::Tensor) -> Layout {
        let faster = || {
            let entries = self.kernel.entries(input, weight);
            Layout::of(input.device(), entries, weight.numel() as i64)
        };
        self.layout.unwrap_or_else(faster)
    }

    fn compute(&self, parts: &Parts) -> Output {
        let [input, weight, bias, gamma, beta, scale, shift] = parts.each_ref().map(Option::as_ref);
        let input = input.expect("a layer has an image");
        let weight = weight.expect("a convolution has weights");
        let input = &self.layout_of(input, weight).arrange(input);
        let mut image = self.kernel.convolve(input, weight, bias);
        let mut statistics = None;
        let mut modulation = scale.zip(shift);
        match gamma.zip(beta) {
            Some(affine) if self.groups => {
                // With the channels of a pixel side by side, a batch cannot be taken for one image.
                let taken = match image.is_contiguous() {
                    true => modulation.take(),
                    false => None,
                };
                image = group_normalise(&image, affine, taken);
            }
            Some(affine) => {
                let (normal, of_batch) = batch_normalise(&image, affine);
                image = normal;
                statistics = Some(of_batch);
            }
            None => {}
        }
        if let Some((scale, shift)) = modulation {
            let planes = |vector: &tch::Tensor| vector.unsqueeze(-1).unsqueeze(-1);
            image = planes(shift).addcmul(&image, &(planes(scale) + 1.0));
        }
        if let Some(mask) = self.mask {
            image *= &mask.tensor;
        }
        image = match self.activation {
            Activation::None => image,
            // The derivative of LeakyReLU at x, times x. The bindings let the slope be chosen
            // here only.
            Activation::LeakyRelu => image
                .detach()
                .leaky_relu_backward(&image, LEAKY_SLOPE, false),
            Activation::Relu => image.relu_(),
            Activation::Tanh => image.tanh_(),
        };
        if matches!(self.activation, Activation::None | Activation::Tanh) {
            // No layer follows.
            image = image.contiguous();
        }
        (image, statistics)
    }
}

/// Group normalisation by γ and β, then the modulation by scale and shift.
fn group_normalise(
    image: &tch::Tensor,
    (gamma, beta): (&tch::Tensor, &tch::Tensor),
    modulation: Option<(&tch::Tensor, &tch::Tensor)>,
) -> tch::Tensor {
    let size = image.size();
    let groups = size[1] / group_norm::group_size(size[1] as usize) as i64;
    let Some((scale, shift)) = modulation else {
        return image.group_norm(groups, Some(gamma), Some(beta), group_norm::EPSILON, true);
    };
    // Each channel of each image has a γ and a β of its own, as if all were channels of one.
    let gain = scale + 1.0;
    let (gamma, beta) = (gamma * &gain, shift.addcmul(beta, &gain));
    image
        .reshape([1, size[0] * size[1], size[2], size[3]])
        .group_norm(
            size[0] * groups,
            Some(gamma.flatten(0, -1)),
            Some(beta.flatten(0, -1)),
            group_norm::EPSILON,
            true,
        )
        .reshape(size)
}

/// The normalised image, and the batch's mean and unbiased variance.
fn batch_normalise(
    image: &tch::Tensor,
    (gamma, beta): (&tch::Tensor, &tch::Tensor),
) -> (tch::Tensor, [tch::Tensor; 2]) {
    let size = image.size();
    let options = (image.kind(), image.device());
    let vector = || tch::Tensor::zeros([size[1]], options);
    // A momentum of one writes the batch's own statistics into these.
    let (mean, variance) = (vector(), vector());
    let normal = image.batch_norm(
        Some(gamma),
        Some(beta),
        Some(&mean),
        Some(&variance),
        true,
        1.0,
        batch_norm::EPSILON,
        true,
    );
    // Of a single value the unbiased variance would be 0/0.
    let single = size[0] * size[2] * size[3] == 1;
    let variance = if single { vector() } else { variance };
    // LibTorch keeps its own for the backward pass; Burn may write to these.
    (normal, [mean.copy(), variance.copy()])
}

/// A layer's part of LibTorch's graph.
#[derive(Debug)]
struct Graph {
    leaves: Parts,
    image: tch::Tensor,
    /// LibTorch keeps some of this memory for the backward pass. As long as it is held here, Burn
    /// does not write to it.
    _memory: Vec<TchTensor>,
}

impl Graph {
    /// The gradients with respect to the leaves that need one.
    fn backward(self, grad: &tch::Tensor) -> Parts {
        // The bindings start from ones. The product's own gradient is then `grad`.
        let [image, grad] = flat(&self.image, grad);
        let start = image.dot(&grad);
        let mut needed = self
            .leaves
            .map(|leaf| leaf.filter(tch::Tensor::requires_grad));
        let wanted: Vec<&tch::Tensor> = needed.iter().flatten().collect();
        let mut found = tch::Tensor::run_backward(&[start], &wanted, false, false).into_iter();
        for leaf in needed.iter_mut().flatten() {
            // One for each.
            if let Some(gradient) = found.next() {
                *leaf = gradient.detach();
            }
        }
        // The optimisers' one pass over memory takes weights and gradients in Burn's order.
        let [_, weights @ ..] = &mut needed;
        for gradient in weights.iter_mut().flatten() {
            *gradient = gradient.contiguous();
        }
        needed
    }
}

#[derive(Clone, Debug)]
struct State(Arc<Mutex<Option<Graph>>>);

#[derive(Debug)]
struct LayerStep;

impl<E: TchElement> Backward<LibTorch<E>, PARTS> for LayerStep {
    type State = State;

    fn backward(self, ops: Ops<State, PARTS>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<LibTorch<E>>(&ops.node);
        let graph = ops
            .state
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        // A step is taken once.
        let Some(graph) = graph else { return };
        let gradients = graph.backward(&grad.tensor);
        for (parent, gradient) in ops.parents.into_iter().zip(gradients) {
            if let (Some(parent), Some(gradient)) = (parent, gradient) {
                grads.register::<LibTorch<E>>(parent.id, TchTensor::new(gradient));
            }
        }
    }
}

fn primitive<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> FloatTensor<B> {
    tensor.into_primitive().tensor()
}

fn tensor<B: Backend, const D: usize>(primitive: FloatTensor<B>) -> Tensor<B, D> {
    Tensor::from_primitive(TensorPrimitive::Float(primitive))
}

#[cfg(test)]
mod tests;
