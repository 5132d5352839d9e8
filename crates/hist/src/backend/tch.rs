//! LibTorch: the one-pass kernel on the memory of tensors on the CPU, the default bodies on other
//! devices.

use std::borrow::Cow;

use burn::tensor::ops::FloatTensor;
use burn_tch::{LibTorch, TchElement, TchTensor};
use tch::{Device, Kind, Tensor};

use super::host::{self, Entries, HostMemory, one_pass_bodies};
use super::{HistogramBackend, LossPass};
use crate::{Binning, HistogramLoss};

impl<E: TchElement> HistogramBackend for LibTorch<E> {
    one_pass_bodies!();
}

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
unsafe fn slice<T>(tensor: &Tensor) -> &[T] {
    debug_assert!(tensor.is_contiguous() && tensor.device() == Device::Cpu);
    if tensor.numel() == 0 {
        return &[];
    }
    // SAFETY: a contiguous tensor on the CPU is `numel` elements from its data pointer on.
    unsafe { std::slice::from_raw_parts(tensor.data_ptr().cast::<T>(), tensor.numel()) }
}
