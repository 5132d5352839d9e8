//! LibTorch: the one-pass kernel on the memory of tensors on the CPU, the default bodies on other
//! devices.

use std::borrow::Cow;

use burn::tensor::ops::FloatTensor;
use burn_tch::{LibTorch, TchElement, TchTensor};
use tch::{Device, Kind, Tensor};

use super::host::{self, Entries, HostMemory, one_pass_bodies};
use super::{HistogramBackend, LossPass};
use crate::{Binning, Directions, LossTerms};

impl<E: TchElement> HistogramBackend for LibTorch<E> {
    one_pass_bodies!();
}

#[expect(
    unsafe_code,
    reason = "LibTorch gives its memory as a pointer; its type is checked first"
)]
impl<E: TchElement> HostMemory for LibTorch<E> {
    fn entries(tensor: &FloatTensor<Self>) -> Option<Entries<'_>> {
        let tensor = &tensor.tensor;
        if tensor.device() != Device::Cpu {
            return None;
        }
        match tensor.kind() {
            Kind::Float if tensor.is_contiguous() => {
                // SAFETY: the type was checked, and the tensor outlives the slice.
                Some(Entries::Single(Cow::Borrowed(unsafe { slice(tensor) })))
            }
            Kind::Double if tensor.is_contiguous() => {
                // SAFETY: the type was checked, and the tensor outlives the slice.
                Some(Entries::Double(Cow::Borrowed(unsafe { slice(tensor) })))
            }
            Kind::Double => {
                let tensor = tensor.contiguous();
                // SAFETY: the type was checked, and the tensor outlives the slice.
                Some(Entries::Double(Cow::Owned(
                    unsafe { slice(&tensor) }.to_vec(),
                )))
            }
            Kind::Float | Kind::Half | Kind::BFloat16 => {
                let tensor = tensor.to_kind(Kind::Float).contiguous();
                // SAFETY: the type was made so, and the tensor outlives the slice.
                Some(Entries::Single(Cow::Owned(
                    unsafe { slice(&tensor) }.to_vec(),
                )))
            }
            _ => None,
        }
    }

    fn tensor(
        entries: Entries<'_>,
        shape: &[usize],
        like: &FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let flat = match &entries {
            Entries::Single(entries) => Tensor::from_slice(entries),
            Entries::Double(entries) => Tensor::from_slice(entries),
        };
        let shape: Vec<i64> = shape.iter().map(|&length| length as i64).collect();
        TchTensor::new(flat.to_kind(like.tensor.kind()).reshape(shape))
    }
}

/// The memory of a contiguous tensor on the CPU.
///
/// # Safety
///
/// `T` is the element type of the tensor, and nobody writes to the tensor while the slice lives.
#[expect(unsafe_code, reason = "LibTorch gives its memory as a pointer")]
unsafe fn slice<T>(tensor: &Tensor) -> &[T] {
    debug_assert!(tensor.is_contiguous() && tensor.device() == Device::Cpu);
    if tensor.numel() == 0 {
        return &[];
    }
    // SAFETY: a contiguous tensor on the CPU is `numel` elements from its data pointer on.
    unsafe { std::slice::from_raw_parts(tensor.data_ptr().cast::<T>(), tensor.numel()) }
}

/// Tensors on a GPU are worked through by the default bodies. Those are tensor operations, so that on
/// the CPU they do what they do there; called by name, as tensors on the CPU take the one-pass kernel.
#[cfg(test)]
mod tests {
    use burn::tensor::{DType, Tensor, TensorData, TensorPrimitive};

    use super::super::tensors;
    use super::*;
    use crate::{Bins, Boundary, Kernel};

    type B = LibTorch<f32>;

    const ROWS: usize = 3;
    /// Several chunks, the last of them cut short.
    const PIXELS: usize = tensors::LONGEST * 5 / 2;

    fn rows<const D: usize>(shape: [usize; D], number: impl Fn(usize) -> f64) -> FloatTensor<B> {
        let entries = (0..shape.iter().product()).map(|i| number(i) as f32);
        let data = TensorData::new(entries.collect::<Vec<_>>(), shape);
        let tensor = Tensor::<B, D>::from_data(data, (&Default::default(), DType::F32));
        tensor.into_primitive().tensor()
    }

    fn numbers<const D: usize>(primitive: FloatTensor<B>) -> Vec<f32> {
        let tensor = Tensor::<B, D>::from_primitive(TensorPrimitive::Float(primitive));
        tensor.into_data().into_vec().unwrap()
    }

    #[track_caller]
    fn assert_close(what: &str, found: &[f32], expected: &[f32], tolerance: f32) {
        assert_eq!(found.len(), expected.len());
        let largest = expected.iter().fold(0.0f32, |a, b| a.max(b.abs()));
        assert!(largest > 0.0, "{what}: nothing to compare");
        for (found, expected) in found.iter().zip(expected) {
            assert!(
                (found - expected).abs() <= tolerance * largest,
                "{what}: {found} instead of {expected}"
            );
        }
    }

    #[test]
    fn what_a_gpu_computes_is_what_the_one_pass_kernel_computes() {
        for (count, ratio, boundary) in [
            (256, 2.5, Boundary::Reflect),
            (64, 1.0, Boundary::Wrap),
            (17, 5.0, Boundary::Open),
        ] {
            let binning = Binning {
                bins: Bins::new(count, -1.0, 1.0).unwrap(),
                kernel: Kernel::new(ratio, boundary).unwrap(),
            };
            let x = || rows([ROWS, PIXELS], |i| (0.9 * i as f64).sin());
            let y = || rows([ROWS, PIXELS], |i| (0.37 * i as f64).cos() * 0.8);
            let grad = || rows([ROWS, count], |i| (0.05 * i as f64).sin());
            let table = || rows([ROWS, count, count], |i| (0.01 * i as f64).cos());

            let found = numbers::<2>(tensors::marginal::<B>(x(), &binning));
            let expected = numbers::<2>(B::marginal(x(), &binning));
            assert_close("histogram", &found, &expected, 1e-5);

            let found = numbers::<2>(tensors::marginal_backward::<B>(x(), grad(), &binning));
            let expected = numbers::<2>(B::marginal_backward(x(), grad(), &binning));
            assert_close("its gradient", &found, &expected, 1e-3);

            let found = numbers::<3>(tensors::joint::<B>(x(), y(), &binning));
            let expected = numbers::<3>(B::joint(x(), y(), &binning));
            assert_close("joint histogram", &found, &expected, 1e-5);

            let found = tensors::joint_backward::<B>(x(), y(), table(), &binning, [true; 2]);
            let expected = B::joint_backward(x(), y(), table(), &binning, [true; 2]);
            for ((what, found), expected) in ["its gradient of x", "its gradient of y"]
                .into_iter()
                .zip(found)
                .zip(expected)
            {
                let [found, expected] = [found, expected].map(|it| numbers::<2>(it.unwrap()));
                assert_close(what, &found, &expected, 1e-3);
            }
        }
    }
}
