//! The bodies for backends whose tensors lie in the memory of the CPU.

use std::borrow::Cow;

use burn::tensor::TensorMetadata;
use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;

use super::dense;
use crate::{Binning, cpu};

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
    };
}
pub(super) use one_pass_bodies;

pub(super) fn marginal<B: HostMemory>(x: FloatTensor<B>, binning: &Binning) -> FloatTensor<B> {
    use Entries::{Double, Single};
    let rows = x.shape()[0];
    let p = match B::entries(&x) {
        Some(Single(x)) => Single(cpu::marginal(&x, rows, binning).into()),
        Some(Double(x)) => Double(cpu::marginal(&x, rows, binning).into()),
        None => return dense::marginal::<B>(x, binning),
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
            Single(cpu::marginal_backward(&x, &grad, rows, binning).into())
        }
        (Some(Double(x)), Some(Double(grad))) => {
            Double(cpu::marginal_backward(&x, &grad, rows, binning).into())
        }
        _ => return dense::marginal_backward::<B>(x, grad, binning),
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
        (Some(Single(x)), Some(Single(y))) => Single(cpu::joint(&x, &y, rows, binning).into()),
        (Some(Double(x)), Some(Double(y))) => Double(cpu::joint(&x, &y, rows, binning).into()),
        _ => return dense::joint::<B>(x, y, binning),
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
            cpu::joint_backward(&x, &y, &grad, rows, binning, needed)
                .map(|gradient| Some(Single(gradient?.into())))
        }
        (Some(Double(x)), Some(Double(y)), Some(Double(grad))) => {
            cpu::joint_backward(&x, &y, &grad, rows, binning, needed)
                .map(|gradient| Some(Double(gradient?.into())))
        }
        _ => return dense::joint_backward::<B>(x, y, grad, binning, needed),
    };
    gradients.map(|gradient| Some(B::tensor(gradient?, &shape, &x)))
}
