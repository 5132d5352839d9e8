//! The bodies for backends whose tensors lie in the memory of the CPU.

use std::borrow::Cow;

use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{DType, FloatDType, TensorMetadata};

use super::{HistogramBackend, LossPass, passes, tensors};
use crate::cpu::{self, Level};
use crate::{Binning, Directions, LossTerms};

/// The entries of a tensor in row-major order. Half precision is converted to single.
pub(super) enum Entries<'a> {
    Single(Cow<'a, [f32]>),
    Double(Cow<'a, [f64]>),
}

/// A backend whose tensors lie in the memory of the CPU, or may.
pub(super) trait HostMemory: Backend {
    /// The entries of a tensor, or `None` if they lie elsewhere.
    fn entries(tensor: &FloatTensor<Self>) -> Option<Entries<'_>>;

    /// A tensor of this shape, with the element type and on the device of another.
    fn tensor(entries: Entries<'_>, shape: &[usize], like: &FloatTensor<Self>)
    -> FloatTensor<Self>;

    /// The memory of a tensor that nobody else uses, if it can be had.
    fn into_memory(_: FloatTensor<Self>) -> Option<Entries<'static>> {
        None
    }
}

/// The methods of `HistogramBackend` for a backend that implements [`HostMemory`].
macro_rules! one_pass_bodies {
    () => {
        fn marginal(x: FloatTensor<Self>, binning: &Binning) -> FloatTensor<Self> {
            host::marginal::<Self>(x, binning)
        }

        fn marginal_backward(
            x: FloatTensor<Self>,
            grad: FloatTensor<Self>,
            binning: &Binning,
        ) -> FloatTensor<Self> {
            host::marginal_backward::<Self>(x, grad, binning)
        }

        fn directional(
            x: FloatTensor<Self>,
            directions: &Directions,
            binning: &Binning,
        ) -> FloatTensor<Self> {
            host::directional::<Self>(x, directions, binning)
        }

        fn directional_backward(
            x: FloatTensor<Self>,
            grad: FloatTensor<Self>,
            directions: &Directions,
            binning: &Binning,
        ) -> FloatTensor<Self> {
            host::directional_backward::<Self>(x, grad, directions, binning)
        }

        fn joint(
            x: FloatTensor<Self>,
            y: FloatTensor<Self>,
            binning: &Binning,
        ) -> FloatTensor<Self> {
            host::joint::<Self>(x, y, binning)
        }

        fn joint_backward(
            x: FloatTensor<Self>,
            y: FloatTensor<Self>,
            grad: FloatTensor<Self>,
            binning: &Binning,
            needed: [bool; 2],
        ) -> [Option<FloatTensor<Self>>; 2] {
            host::joint_backward::<Self>(x, y, grad, binning, needed)
        }

        fn losses(
            content: FloatTensor<Self>,
            output: FloatTensor<Self>,
            target: FloatTensor<Self>,
            loss: &LossTerms,
            tracked: bool,
        ) -> LossPass<Self> {
            host::losses::<Self>(content, output, target, loss, tracked)
        }

        fn losses_backward(
            content: FloatTensor<Self>,
            output: FloatTensor<Self>,
            of_histograms: [FloatTensor<Self>; 2],
            grad: FloatTensor<Self>,
            loss: &LossTerms,
            needed: [bool; 2],
        ) -> [Option<FloatTensor<Self>>; 2] {
            host::losses_backward::<Self>(content, output, of_histograms, grad, loss, needed)
        }
    };
}
pub(super) use one_pass_bodies;

pub(super) fn marginal<B: HostMemory>(x: FloatTensor<B>, binning: &Binning) -> FloatTensor<B> {
    use Entries::{Double, Single};
    let rows = x.shape()[0];
    let p = match B::entries(&x) {
        Some(Single(x)) => Single(cpu::marginal(Level::new(), &x, rows, binning).into()),
        Some(Double(x)) => Double(cpu::marginal(Level::new(), &x, rows, binning).into()),
        None => return tensors::marginal::<B>(x, binning),
    };
    B::tensor(p, &[rows, binning.bins.count()], &x)
}

pub(super) fn marginal_backward<B: HostMemory>(
    x: FloatTensor<B>,
    grad: FloatTensor<B>,
    binning: &Binning,
) -> FloatTensor<B> {
    use Entries::{Double, Single};
    let shape = x.shape();
    let rows = shape[0];
    let gradient = match (B::entries(&x), B::entries(&grad)) {
        (Some(Single(x)), Some(Single(grad))) => {
            Single(cpu::marginal_backward(Level::new(), &x, &grad, rows, binning).into())
        }
        (Some(Double(x)), Some(Double(grad))) => {
            Double(cpu::marginal_backward(Level::new(), &x, &grad, rows, binning).into())
        }
        _ => return tensors::marginal_backward::<B>(x, grad, binning),
    };
    B::tensor(gradient, &shape, &x)
}

pub(super) fn directional<B: HostMemory + HistogramBackend>(
    x: FloatTensor<B>,
    directions: &Directions,
    binning: &Binning,
) -> FloatTensor<B> {
    use Entries::{Double, Single};
    let images = x.shape()[0];
    let along = directions.further(&binning.bins);
    let p = match B::entries(&x) {
        Some(Single(x)) => {
            Single(cpu::directional(Level::new(), &x, images, &along, binning).into())
        }
        Some(Double(x)) => {
            Double(cpu::directional(Level::new(), &x, images, &along, binning).into())
        }
        None => return tensors::directional::<B>(x, directions, binning, B::marginal),
    };
    B::tensor(p, &[images, along.len(), binning.bins.count()], &x)
}

pub(super) fn directional_backward<B: HostMemory + HistogramBackend>(
    x: FloatTensor<B>,
    grad: FloatTensor<B>,
    directions: &Directions,
    binning: &Binning,
) -> FloatTensor<B> {
    use Entries::{Double, Single};
    let shape = x.shape();
    let (level, images) = (Level::new(), shape[0]);
    let along = directions.further(&binning.bins);
    let gradient = match (B::entries(&x), B::entries(&grad)) {
        (Some(Single(x)), Some(Single(grad))) => {
            Single(cpu::directional_backward(level, &x, &grad, images, &along, binning).into())
        }
        (Some(Double(x)), Some(Double(grad))) => {
            Double(cpu::directional_backward(level, &x, &grad, images, &along, binning).into())
        }
        _ => {
            let of_marginal = B::marginal_backward;
            return tensors::directional_backward::<B>(x, grad, directions, binning, of_marginal);
        }
    };
    B::tensor(gradient, &shape, &x)
}

pub(super) fn joint<B: HostMemory>(
    x: FloatTensor<B>,
    y: FloatTensor<B>,
    binning: &Binning,
) -> FloatTensor<B> {
    use Entries::{Double, Single};
    let (rows, count) = (x.shape()[0], binning.bins.count());
    let p = match (B::entries(&x), B::entries(&y)) {
        (Some(Single(x)), Some(Single(y))) => {
            Single(cpu::joint(Level::new(), &x, &y, rows, binning).into())
        }
        (Some(Double(x)), Some(Double(y))) => {
            Double(cpu::joint(Level::new(), &x, &y, rows, binning).into())
        }
        _ => return tensors::joint::<B>(x, y, binning),
    };
    B::tensor(p, &[rows, count, count], &x)
}

pub(super) fn joint_backward<B: HostMemory>(
    x: FloatTensor<B>,
    y: FloatTensor<B>,
    grad: FloatTensor<B>,
    binning: &Binning,
    needed: [bool; 2],
) -> [Option<FloatTensor<B>>; 2] {
    use Entries::{Double, Single};
    let shape = x.shape();
    let rows = shape[0];
    let gradients = match (B::entries(&x), B::entries(&y), B::entries(&grad)) {
        (Some(Single(x)), Some(Single(y)), Some(Single(grad))) => {
            cpu::joint_backward(Level::new(), &x, &y, &grad, rows, binning, needed)
                .map(|gradient| Some(Single(gradient?.into())))
        }
        (Some(Double(x)), Some(Double(y)), Some(Double(grad))) => {
            cpu::joint_backward(Level::new(), &x, &y, &grad, rows, binning, needed)
                .map(|gradient| Some(Double(gradient?.into())))
        }
        _ => return tensors::joint_backward::<B>(x, y, grad, binning, needed),
    };
    gradients.map(|gradient| Some(B::tensor(gradient?, &shape, &x)))
}

pub(super) fn losses<B: HostMemory + HistogramBackend>(
    content: FloatTensor<B>,
    output: FloatTensor<B>,
    target: FloatTensor<B>,
    loss: &LossTerms,
    tracked: bool,
) -> LossPass<B> {
    use Entries::{Double, Single};
    let (rows, count) = (output.shape()[0], loss.binning.bins.count());
    let [values, of_p, of_joint] = match [&content, &output, &target].map(B::entries) {
        [
            Some(Single(content)),
            Some(Single(output)),
            Some(Single(target)),
        ] => {
            let images = [&content[..], &output[..]];
            cpu::losses(Level::new(), images, &target, rows, loss, tracked)
                .map(|entries| Single(entries.into()))
        }
        [
            Some(Double(content)),
            Some(Double(output)),
            Some(Double(target)),
        ] => {
            let images = [&content[..], &output[..]];
            cpu::losses(Level::new(), images, &target, rows, loss, tracked)
                .map(|entries| Double(entries.into()))
        }
        _ => return tensors::losses(&passes::<B>(), [content, output], target, loss, tracked),
    };
    LossPass {
        values: B::tensor(values, &[rows, 2], &output),
        of_histograms: tracked.then(|| {
            // In half precision they would lose digits on the way to the backward pass.
            let wide = match output.dtype() {
                DType::F16 | DType::BF16 => B::float_cast(output, FloatDType::F32),
                _ => output,
            };
            [
                B::tensor(of_p, &[rows, count], &wide),
                B::tensor(of_joint, &[rows, count, count], &wide),
            ]
        }),
    }
}

pub(super) fn losses_backward<B: HostMemory + HistogramBackend>(
    content: FloatTensor<B>,
    output: FloatTensor<B>,
    of_histograms: [FloatTensor<B>; 2],
    grad: FloatTensor<B>,
    loss: &LossTerms,
    needed: [bool; 2],
) -> [Option<FloatTensor<B>>; 2] {
    use Entries::{Double, Single};
    let shape = output.shape();
    let rows = shape[0];
    let [of_p, of_joint] = &of_histograms;
    let gradients = match [&content, &output, of_p, of_joint, &grad].map(B::entries) {
        [
            Some(Single(x)),
            Some(Single(y)),
            Some(Single(p)),
            Some(Single(joint)),
            Some(Single(grad)),
        ] => cpu::losses_backward(
            Level::new(),
            [&x[..], &y],
            [&p[..], &joint],
            &grad,
            rows,
            loss,
            needed,
        )
        .map(|gradient| Some(Single(gradient?.into()))),
        [
            Some(Double(x)),
            Some(Double(y)),
            Some(Double(p)),
            Some(Double(joint)),
            Some(Double(grad)),
        ] => cpu::losses_backward(
            Level::new(),
            [&x[..], &y],
            [&p[..], &joint],
            &grad,
            rows,
            loss,
            needed,
        )
        .map(|gradient| Some(Double(gradient?.into()))),
        _ => {
            return tensors::losses_backward(
                &passes::<B>(),
                [content, output],
                of_histograms,
                grad,
                loss,
                needed,
            );
        }
    };
    let [_, of_joint] = of_histograms;
    match B::into_memory(of_joint) {
        Some(Single(Cow::Owned(memory))) => cpu::take_back(memory),
        Some(Double(Cow::Owned(memory))) => cpu::take_back(memory),
        _ => {}
    }
    gradients.map(|gradient| Some(B::tensor(gradient?, &shape, &output)))
}
