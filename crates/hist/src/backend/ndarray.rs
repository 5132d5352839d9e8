//! NdArray: the one-pass kernel on the arrays' memory.

use std::borrow::Cow;

use burn::tensor::ops::FloatTensor;
use burn_ndarray::{
    FloatNdArrayElement, IntNdArrayElement, NdArray, NdArrayTensor, QuantElement, SharedArray,
};
use ndarray::{ArrayD, ArrayViewD};

use super::host::{self, Entries, HostMemory, one_pass_bodies};
use super::{HistogramBackend, LossPass};
use crate::{Binning, Directions, LossTerms};

impl<E, I, Q> HistogramBackend for NdArray<E, I, Q>
where
    E: FloatNdArrayElement,
    I: IntNdArrayElement,
    Q: QuantElement,
    NdArrayTensor: From<SharedArray<E>>,
    NdArrayTensor: From<SharedArray<I>>,
{
    one_pass_bodies!();
}

impl<E, I, Q> HostMemory for NdArray<E, I, Q>
where
    E: FloatNdArrayElement,
    I: IntNdArrayElement,
    Q: QuantElement,
    NdArrayTensor: From<SharedArray<E>>,
    NdArrayTensor: From<SharedArray<I>>,
{
    fn entries(tensor: &FloatTensor<Self>) -> Option<Entries<'_>> {
        match tensor {
            NdArrayTensor::F32(array) => Some(Entries::Single(row_major(array.view()))),
            NdArrayTensor::F64(array) => Some(Entries::Double(row_major(array.view()))),
            _ => None,
        }
    }

    fn tensor(entries: Entries<'_>, shape: &[usize], _: &FloatTensor<Self>) -> FloatTensor<Self> {
        match entries {
            Entries::Single(entries) => array(entries.into_owned(), shape).into(),
            Entries::Double(entries) => array(entries.into_owned(), shape).into(),
        }
    }
}

fn row_major<T: Copy>(view: ArrayViewD<'_, T>) -> Cow<'_, [T]> {
    match view.to_slice() {
        Some(slice) => Cow::Borrowed(slice),
        None => Cow::Owned(view.iter().copied().collect()),
    }
}

fn array<T: Clone>(entries: Vec<T>, shape: &[usize]) -> SharedArray<T> {
    ArrayD::from_shape_vec(shape, entries)
        .expect("a kernel fills the shape that it was asked for")
        .into_shared()
}
