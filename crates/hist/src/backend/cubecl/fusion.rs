//! The same through Burn's fusion, which collects operations before it runs them.

use std::marker::PhantomData;

use burn::tensor::ops::FloatTensor;
use burn::tensor::{DType, Shape, TensorMetadata};
use burn_fusion::stream::{Operation, OperationStreams};
use burn_fusion::{Fusion, FusionBackend};
use burn_ir::{CustomOpIr, HandleContainer, OperationIr, TensorIr};

use super::super::{HistogramBackend, LossPass};
use crate::{Binning, Directions, LossTerms};

/// Which operation.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Marginal(Binning),
    MarginalBackward(Binning),
    Directional(Directions, Binning),
    DirectionalBackward(Directions, Binning),
    Joint(Binning),
    /// With respect to which of the images.
    JointBackward(Binning, [bool; 2]),
    /// Whether the gradients with respect to the histograms come with the losses.
    Losses(LossTerms, bool),
    /// With respect to which of the images.
    LossesBackward(LossTerms, [bool; 2]),
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Marginal(_) => "soft_histogram",
            Self::MarginalBackward(_) => "soft_histogram_backward",
            Self::Directional(..) => "directional_histograms",
            Self::DirectionalBackward(..) => "directional_histograms_backward",
            Self::Joint(_) => "joint_histogram",
            Self::JointBackward(_, [true, true]) => "joint_histogram_backward",
            Self::JointBackward(_, [true, false]) => "joint_histogram_backward_first",
            Self::JointBackward(..) => "joint_histogram_backward_second",
            Self::Losses(_, true) => "histogram_losses_tracked",
            Self::Losses(..) => "histogram_losses",
            Self::LossesBackward(_, [true, true]) => "histogram_losses_backward",
            Self::LossesBackward(_, [true, false]) => "histogram_losses_backward_first",
            Self::LossesBackward(..) => "histogram_losses_backward_second",
        }
    }

    /// What `B` makes of the inputs, in the order in which the operation was registered.
    fn run<B: HistogramBackend>(
        self,
        mut inputs: impl Iterator<Item = FloatTensor<B>>,
    ) -> Vec<FloatTensor<B>> {
        let mut next = || {
            inputs
                .next()
                .expect("an operation has the inputs it was made with")
        };
        let wanted = |found: [Option<FloatTensor<B>>; 2]| found.into_iter().flatten().collect();
        match self {
            Self::Marginal(binning) => vec![B::marginal(next(), &binning)],
            Self::MarginalBackward(binning) => {
                vec![B::marginal_backward(next(), next(), &binning)]
            }
            Self::Directional(directions, binning) => {
                vec![B::directional(next(), &directions, &binning)]
            }
            Self::DirectionalBackward(directions, binning) => {
                let found = B::directional_backward(next(), next(), &directions, &binning);
                vec![found]
            }
            Self::Joint(binning) => vec![B::joint(next(), next(), &binning)],
            Self::JointBackward(binning, needed) => {
                wanted(B::joint_backward(next(), next(), next(), &binning, needed))
            }
            Self::Losses(loss, tracked) => {
                let pass = B::losses(next(), next(), next(), &loss, tracked);
                let of_histograms = pass.of_histograms.into_iter().flatten();
                [pass.values].into_iter().chain(of_histograms).collect()
            }
            Self::LossesBackward(loss, needed) => {
                let (content, output) = (next(), next());
                let of_histograms = [next(), next()];
                let found =
                    B::losses_backward(content, output, of_histograms, next(), &loss, needed);
                wanted(found)
            }
        }
    }
}

/// An operation to be run later.
#[derive(Debug)]
struct Later<B> {
    kind: Kind,
    tensors: CustomOpIr,
    backend: PhantomData<fn() -> B>,
}

impl<B: FusionBackend + HistogramBackend> Operation<B::FusionRuntime> for Later<B> {
    fn execute(&self, handles: &mut HandleContainer<B::Handle>) {
        let inputs: Vec<FloatTensor<B>> = self
            .tensors
            .inputs
            .iter()
            .map(|tensor| handles.get_float_tensor::<B>(tensor))
            .collect();
        let found = self.kind.run::<B>(inputs.into_iter());
        for (output, found) in self.tensors.outputs.iter().zip(found) {
            handles.register_float_tensor::<B>(&output.id, found);
        }
    }
}

/// Registers an operation whose outputs have the given shapes and types.
fn register<B: FusionBackend + HistogramBackend, const N: usize>(
    kind: Kind,
    inputs: [FloatTensor<Fusion<B>>; N],
    outputs: impl IntoIterator<Item = (Shape, DType)>,
) -> std::vec::IntoIter<FloatTensor<Fusion<B>>> {
    let client = inputs[0].client.clone();
    let streams = OperationStreams::with_inputs(inputs.iter());
    let outputs: Vec<TensorIr> = outputs
        .into_iter()
        .map(|(shape, dtype)| TensorIr::uninit(client.create_empty_handle(), shape, dtype))
        .collect();
    let tensors = CustomOpIr::new(kind.name(), &inputs.map(|input| input.into_ir()), &outputs);
    let operation = Later::<B> {
        kind,
        tensors: tensors.clone(),
        backend: PhantomData,
    };
    client
        .register(streams, OperationIr::Custom(tensors), operation)
        .into_iter()
}

/// The only output of an operation with the given shape.
fn register_one<B: FusionBackend + HistogramBackend, const N: usize>(
    kind: Kind,
    inputs: [FloatTensor<Fusion<B>>; N],
    shape: Shape,
) -> FloatTensor<Fusion<B>> {
    let dtype = inputs[0].dtype();
    register::<B, N>(kind, inputs, [(shape, dtype)])
        .next()
        .expect("an operation has the one output it was made with")
}

/// Those outputs that are needed, all like the first input.
fn register_needed<B: FusionBackend + HistogramBackend, const N: usize>(
    kind: Kind,
    inputs: [FloatTensor<Fusion<B>>; N],
    needed: [bool; 2],
) -> [Option<FloatTensor<Fusion<B>>>; 2] {
    let like = (inputs[0].shape(), inputs[0].dtype());
    let count = needed.into_iter().filter(|needed| *needed).count();
    if count == 0 {
        return [None, None];
    }
    let mut found = register::<B, N>(kind, inputs, vec![like; count]);
    needed.map(|needed| needed.then(|| found.next()).flatten())
}

impl<B: FusionBackend + HistogramBackend> HistogramBackend for Fusion<B> {
    fn marginal(x: FloatTensor<Self>, binning: &Binning) -> FloatTensor<Self> {
        let shape = Shape::new([x.shape()[0], binning.bins.count()]);
        register_one::<B, _>(Kind::Marginal(*binning), [x], shape)
    }

    fn marginal_backward(
        x: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        binning: &Binning,
    ) -> FloatTensor<Self> {
        let shape = x.shape();
        register_one::<B, _>(Kind::MarginalBackward(*binning), [x, grad], shape)
    }

    fn directional(
        x: FloatTensor<Self>,
        directions: &Directions,
        binning: &Binning,
    ) -> FloatTensor<Self> {
        let (images, further) = (x.shape()[0], directions.further_count());
        let shape = Shape::new([images, further, binning.bins.count()]);
        let kind = Kind::Directional(*directions, *binning);
        register_one::<B, _>(kind, [x], shape)
    }

    fn directional_backward(
        x: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        directions: &Directions,
        binning: &Binning,
    ) -> FloatTensor<Self> {
        let shape = x.shape();
        let kind = Kind::DirectionalBackward(*directions, *binning);
        register_one::<B, _>(kind, [x, grad], shape)
    }

    fn joint(x: FloatTensor<Self>, y: FloatTensor<Self>, binning: &Binning) -> FloatTensor<Self> {
        let bins = binning.bins.count();
        let shape = Shape::new([x.shape()[0], bins, bins]);
        register_one::<B, _>(Kind::Joint(*binning), [x, y], shape)
    }

    fn joint_backward(
        x: FloatTensor<Self>,
        y: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        binning: &Binning,
        needed: [bool; 2],
    ) -> [Option<FloatTensor<Self>>; 2] {
        let kind = Kind::JointBackward(*binning, needed);
        register_needed::<B, _>(kind, [x, y, grad], needed)
    }

    fn losses(
        content: FloatTensor<Self>,
        output: FloatTensor<Self>,
        target: FloatTensor<Self>,
        loss: &LossTerms,
        tracked: bool,
    ) -> LossPass<Self> {
        let (rows, bins) = (output.shape()[0], loss.binning.bins.count());
        let dtype = output.dtype();
        // In half precision they would lose digits on the way to the backward pass.
        let wide = match dtype {
            DType::F64 => DType::F64,
            _ => DType::F32,
        };
        let mut outputs = vec![(Shape::new([rows, 2]), dtype)];
        if tracked {
            outputs.push((Shape::new([rows, bins]), wide));
            outputs.push((Shape::new([rows, bins, bins]), wide));
        }
        let kind = Kind::Losses(*loss, tracked);
        let mut found = register::<B, _>(kind, [content, output, target], outputs);
        let values = found.next().expect("an operation has its outputs");
        LossPass {
            values,
            of_histograms: found.next().zip(found.next()).map(<[_; 2]>::from),
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
        let inputs = [content, output, of_p, of_joint, grad];
        register_needed::<B, _>(Kind::LossesBackward(*loss, needed), inputs, needed)
    }
}
