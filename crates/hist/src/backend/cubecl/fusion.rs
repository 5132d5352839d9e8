//! The same through Burn's fusion, which collects operations before it runs them.

use std::marker::PhantomData;

use burn::tensor::ops::FloatTensor;
use burn::tensor::{DType, Shape, TensorMetadata};
use burn_fusion::stream::{Operation, OperationStreams};
use burn_fusion::{Fusion, FusionBackend};
use burn_ir::{CustomOpIr, HandleContainer, OperationIr, TensorIr};

use super::super::HistogramBackend;
use crate::Binning;

/// Which operation.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Marginal,
    MarginalBackward,
    Joint,
    /// With respect to which of the images.
    JointBackward([bool; 2]),
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Marginal => "soft_histogram",
            Self::MarginalBackward => "soft_histogram_backward",
            Self::Joint => "joint_histogram",
            Self::JointBackward([true, _]) => "joint_histogram_backward_first",
            Self::JointBackward(_) => "joint_histogram_backward_second",
        }
    }
}

/// An operation to be run later.
#[derive(Debug)]
struct Later<B> {
    kind: Kind,
    tensors: CustomOpIr,
    binning: Binning,
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
        let mut inputs = inputs.into_iter();
        let mut next = || {
            inputs
                .next()
                .expect("an operation has the inputs it was made with")
        };
        let found = match self.kind {
            Kind::Marginal => B::marginal(next(), &self.binning),
            Kind::MarginalBackward => B::marginal_backward(next(), next(), &self.binning),
            Kind::Joint => B::joint(next(), next(), &self.binning),
            Kind::JointBackward(needed) => {
                let [of_x, of_y] = B::joint_backward(next(), next(), next(), &self.binning, needed);
                of_x.or(of_y).expect("one gradient was asked for")
            }
        };
        handles.register_float_tensor::<B>(&self.tensors.outputs[0].id, found);
    }
}

/// Registers an operation whose output has the given shape.
fn register<B: FusionBackend + HistogramBackend, const N: usize>(
    kind: Kind,
    inputs: [FloatTensor<Fusion<B>>; N],
    shape: Shape,
    binning: &Binning,
) -> FloatTensor<Fusion<B>> {
    let client = inputs[0].client.clone();
    let dtype: DType = inputs[0].dtype;
    let streams = OperationStreams::with_inputs(inputs.iter());
    let output = TensorIr::uninit(client.create_empty_handle(), shape, dtype);
    let tensors = CustomOpIr::new(kind.name(), &inputs.map(|input| input.into_ir()), &[output]);
    let operation = Later::<B> {
        kind,
        tensors: tensors.clone(),
        binning: *binning,
        backend: PhantomData,
    };
    client
        .register(streams, OperationIr::Custom(tensors), operation)
        .pop()
        .expect("an operation has the one output it was made with")
}

impl<B: FusionBackend + HistogramBackend> HistogramBackend for Fusion<B> {
    fn marginal(x: FloatTensor<Self>, binning: &Binning) -> FloatTensor<Self> {
        let shape = Shape::new([x.shape()[0], binning.bins.count()]);
        register::<B, _>(Kind::Marginal, [x], shape, binning)
    }

    fn marginal_backward(
        x: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        binning: &Binning,
    ) -> FloatTensor<Self> {
        let shape = x.shape();
        register::<B, _>(Kind::MarginalBackward, [x, grad], shape, binning)
    }

    fn joint(x: FloatTensor<Self>, y: FloatTensor<Self>, binning: &Binning) -> FloatTensor<Self> {
        let bins = binning.bins.count();
        let shape = Shape::new([x.shape()[0], bins, bins]);
        register::<B, _>(Kind::Joint, [x, y], shape, binning)
    }

    fn joint_backward(
        x: FloatTensor<Self>,
        y: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        binning: &Binning,
        needed: [bool; 2],
    ) -> [Option<FloatTensor<Self>>; 2] {
        let of = |needed: [bool; 2]| {
            let inputs = [x.clone(), y.clone(), grad.clone()];
            register::<B, _>(Kind::JointBackward(needed), inputs, x.shape(), binning)
        };
        [
            needed[0].then(|| of([true, false])),
            needed[1].then(|| of([false, true])),
        ]
    }
}
