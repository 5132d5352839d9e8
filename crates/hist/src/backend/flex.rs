//! Flex: the one-pass kernel on the tensors' memory.

use std::borrow::Cow;

use burn::tensor::ops::{FloatTensor, FloatTensorOps};
use burn::tensor::{DType, Element, FloatDType, TensorData};
use burn_flex::{Flex, FlexTensor};

use super::host::{self, Entries, HostMemory, one_pass_bodies};
use super::{HistogramBackend, LossPass};
use crate::{Binning, Directions, LossTerms};

impl HistogramBackend for Flex {
    one_pass_bodies!();
}

impl HostMemory for Flex {
    fn entries(tensor: &FloatTensor<Self>) -> Option<Entries<'_>> {
        match tensor.dtype() {
            DType::F32 => Some(Entries::Single(match tensor.as_slice() {
                Some(slice) => Cow::Borrowed(slice),
                None => Cow::Owned(copied(tensor)?),
            })),
            DType::F64 => Some(Entries::Double(match tensor.as_slice() {
                Some(slice) => Cow::Borrowed(slice),
                None => Cow::Owned(copied(tensor)?),
            })),
            DType::F16 | DType::BF16 => {
                let single = Self::float_cast(tensor.clone(), FloatDType::F32);
                Some(Entries::Single(Cow::Owned(copied(&single)?)))
            }
            _ => None,
        }
    }

    fn tensor(
        entries: Entries<'_>,
        shape: &[usize],
        like: &FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let data = match entries {
            Entries::Single(entries) => TensorData::new(entries.into_owned(), shape),
            Entries::Double(entries) => TensorData::new(entries.into_owned(), shape),
        };
        FlexTensor::from_data(data.convert_dtype(like.dtype()))
    }

    fn into_memory(tensor: FloatTensor<Self>) -> Option<Entries<'static>> {
        if !tensor.is_unique() {
            return None;
        }
        let data = tensor.into_data();
        match data.dtype {
            DType::F32 => Some(Entries::Single(Cow::Owned(data.into_vec().ok()?))),
            DType::F64 => Some(Entries::Double(Cow::Owned(data.into_vec().ok()?))),
            _ => None,
        }
    }
}

/// The entries of a tensor of any layout.
fn copied<T: Element>(tensor: &FlexTensor) -> Option<Vec<T>> {
    tensor.to_contiguous().into_data().into_vec().ok()
}
