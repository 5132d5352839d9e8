//! Adam, and the average of the weights, on Flex's tensors, in one pass over memory each, with all threads.
//!
//! In Burn's operations each weight goes to memory and back a dozen times, by one thread. The bits are the same.

use std::any::TypeId;

use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{DType, Tensor, TensorPrimitive};
use burn_flex::{Flex, FlexTensor};
use rayon::prelude::*;

use crate::step::adam::rule::{Adam, Moved};
use crate::step::one_pass::{AdamEntry, CHUNK, convert};

/// Whether `B` is the backend of this module.
pub(crate) fn takes<B: Backend>() -> bool {
    TypeId::of::<B>() == TypeId::of::<Flex>()
}

/// One step of Adam on the backend that [`takes`] takes: in one pass over memory where the tensors are single
/// precision and contiguous, else in tensor operations.
pub(crate) fn adam<B: Backend, const D: usize>(
    adam: &Adam,
    rate: f64,
    before: Moved<B, D>,
    grad: Tensor<B, D>,
) -> Moved<B, D> {
    let same = |tensor: &Tensor<B, D>| tensor.shape() == grad.shape();
    let shaped = [&before.tensor, &before.first, &before.second]
        .into_iter()
        .all(same);
    let parts = [before.tensor, before.first, before.second, grad].map(flex);
    if !shaped || !parts.iter().all(is_simple) {
        let [tensor, first, second, grad] = parts.map(own);
        let before = Moved {
            tensor,
            first,
            second,
        };
        return adam.moved_by_operations(rate, before, grad);
    }
    let [mut weights, mut first, mut second, grad] = parts;
    let entry = AdamEntry::new(adam.beta_1, adam.beta_2, adam.epsilon, rate);
    // What somebody else holds too is copied before it is written to.
    let written = weights.storage_mut::<f32>().par_chunks_mut(CHUNK);
    let moments = first
        .storage_mut::<f32>()
        .par_chunks_mut(CHUNK)
        .zip(second.storage_mut::<f32>().par_chunks_mut(CHUNK));
    written
        .zip(moments)
        .zip(grad.storage::<f32>().par_chunks(CHUNK))
        .for_each(|((weights, (first, second)), grad)| {
            let moments = first.iter_mut().zip(second);
            for ((weight, (m, v)), &g) in weights.iter_mut().zip(moments).zip(grad) {
                *weight = entry.step(*weight, g, m, v);
            }
        });
    let [tensor, first, second] = [weights, first, second].map(own);
    Moved {
        tensor,
        first,
        second,
    }
}

/// `average`, moved by `share` of its way to `trained`, on the backend that [`takes`] takes: in one pass over memory
/// where both are single precision and contiguous, else in tensor operations.
pub(crate) fn average<B: Backend, const D: usize>(
    average: Tensor<B, D>,
    trained: Tensor<B, D>,
    share: f64,
) -> Tensor<B, D> {
    let [mut moved, trained] = [average, trained].map(flex);
    if !is_simple(&moved) || !is_simple(&trained) || moved.layout() != trained.layout() {
        let [average, trained] = [moved, trained].map(own::<B, D>);
        return average.clone() + (trained - average).mul_scalar(share);
    }
    let share = share as f32;
    moved
        .storage_mut::<f32>()
        .par_chunks_mut(CHUNK)
        .zip(trained.storage::<f32>().par_chunks(CHUNK))
        .for_each(|(average, trained)| {
            for (average, &trained) in average.iter_mut().zip(trained) {
                *average += (trained - *average) * share;
            }
        });
    own(moved)
}

/// Whether a tensor is all of its memory, in order, in single precision.
fn is_simple(tensor: &FlexTensor) -> bool {
    let whole = Some((0, tensor.bytes().len() / size_of::<f32>()));
    tensor.dtype() == DType::F32 && tensor.layout().contiguous_offsets() == whole
}

/// Flex's tensor in one of `B`, which is Flex.
fn flex<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> FlexTensor {
    convert(tensor.into_primitive().tensor())
}

fn own<B: Backend, const D: usize>(tensor: FlexTensor) -> Tensor<B, D> {
    let primitive: FloatTensor<B> = convert(tensor);
    Tensor::from_primitive(TensorPrimitive::Float(primitive))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(phase: f32, count: usize) -> Tensor<Flex, 1> {
        let values: Vec<f32> = (0..count).map(|i| (i as f32 * 0.7 + phase).sin()).collect();
        Tensor::from_floats(values.as_slice(), &Default::default())
    }

    fn bits(tensor: &Tensor<Flex, 1>) -> Vec<u32> {
        let values: Vec<f32> = tensor.to_data().to_vec().unwrap();
        values.into_iter().map(f32::to_bits).collect()
    }

    #[test]
    fn steps_of_one_pass_have_the_bits_of_the_operations() {
        let count = 3 * CHUNK + 5;
        let settings = Adam::new(0.5);
        let before = || Moved {
            tensor: tensor(0.0, count),
            first: tensor(1.0, count),
            second: tensor(2.0, count).square(),
        };
        let (mut found, mut expected) = (before(), before());
        for number in 0..3 {
            let grad = tensor(3.0 + number as f32, count);
            let held = found.first.clone();
            let kept = bits(&held);
            expected = settings.moved_by_operations(0.01, expected, grad.clone());
            found = adam(&settings, 0.01, found, grad);
            assert_eq!(bits(&found.tensor), bits(&expected.tensor));
            assert_eq!(bits(&found.first), bits(&expected.first));
            assert_eq!(bits(&found.second), bits(&expected.second));
            // What somebody else still holds is not written to.
            assert_eq!(bits(&held), kept);
        }
    }

    #[test]
    fn a_part_of_a_tensor_is_stepped_like_a_whole_one() {
        let settings = Adam::new(0.5);
        let of = |phase| tensor(phase, 20).slice(7..15);
        let before = || Moved {
            tensor: of(0.0),
            first: of(1.0),
            second: of(2.0).square(),
        };
        let expected = settings.moved_by_operations(0.01, before(), of(3.0));
        let found = adam(&settings, 0.01, before(), of(3.0));
        assert_eq!(bits(&found.tensor), bits(&expected.tensor));
    }

    #[test]
    fn an_average_of_one_pass_has_the_bits_of_the_operations() {
        let count = 2 * CHUNK + 3;
        let (before, trained) = (tensor(0.0, count), tensor(1.0, count));
        let moved = average(before.clone(), trained.clone(), 0.3);
        let way = (trained.clone() - before.clone()).mul_scalar(0.3);
        assert_eq!(bits(&moved), bits(&(before.clone() + way)));
        assert_eq!(bits(&before), bits(&tensor(0.0, count)));
    }
}
