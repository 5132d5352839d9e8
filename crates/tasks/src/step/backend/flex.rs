//! Adam, and the average of the weights, on Flex's tensors, in one pass over memory each, with all threads.
//!
//! In Burn's operations each weight goes to memory and back a dozen times, by one thread. The bits are the same.

use burn::tensor::{DType, Tensor, TensorPrimitive};
use burn_flex::{Flex, FlexTensor};
use rayon::prelude::*;

use super::one_pass::{AdamEntry, CHUNK};
use super::{TrainingBackend, average_by_operations};
use crate::step::adam_rule::{Adam, AdamTensors};

/// In one pass over memory where the tensors are single precision and contiguous, else in tensor operations.
impl TrainingBackend for Flex {
    fn adam<const D: usize>(
        adam: &Adam,
        rate: f64,
        before: AdamTensors<Self, D>,
        grad: Tensor<Self, D>,
    ) -> AdamTensors<Self, D> {
        let same = |tensor: &Tensor<Self, D>| tensor.shape() == grad.shape();
        let shaped = [&before.weight, &before.first, &before.second]
            .into_iter()
            .all(same);
        let parts = [before.weight, before.first, before.second, grad].map(primitive);
        if !shaped || !parts.iter().all(is_simple) {
            let [weight, first, second, grad] = parts.map(tensor);
            let before = AdamTensors {
                weight,
                first,
                second,
            };
            return adam.moved_by_operations(rate, before, grad);
        }
        let [mut weights, mut first, mut second, grad] = parts;
        let entry = AdamEntry::new(adam, rate);
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
        let [weight, first, second] = [weights, first, second].map(tensor);
        AdamTensors {
            weight,
            first,
            second,
        }
    }

    fn average<const D: usize>(
        average: Tensor<Self, D>,
        trained: Tensor<Self, D>,
        share: f64,
    ) -> Tensor<Self, D> {
        let [mut moved, trained] = [average, trained].map(primitive);
        if !is_simple(&moved) || !is_simple(&trained) || moved.layout() != trained.layout() {
            return average_by_operations(tensor(moved), tensor(trained), share);
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
        tensor(moved)
    }
}

/// Whether a tensor is all of its memory, in order, in single precision.
fn is_simple(tensor: &FlexTensor) -> bool {
    let whole = Some((0, tensor.bytes().len() / size_of::<f32>()));
    tensor.dtype() == DType::F32 && tensor.layout().contiguous_offsets() == whole
}

fn primitive<const D: usize>(tensor: Tensor<Flex, D>) -> FlexTensor {
    tensor.into_primitive().tensor()
}

fn tensor<const D: usize>(primitive: FlexTensor) -> Tensor<Flex, D> {
    Tensor::from_primitive(TensorPrimitive::Float(primitive))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waves(phase: f32, count: usize) -> Tensor<Flex, 1> {
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
        let before = || AdamTensors {
            weight: waves(0.0, count),
            first: waves(1.0, count),
            second: waves(2.0, count).square(),
        };
        let (mut found, mut expected) = (before(), before());
        for number in 0..3 {
            let grad = waves(3.0 + number as f32, count);
            let held = found.first.clone();
            let kept = bits(&held);
            expected = settings.moved_by_operations(0.01, expected, grad.clone());
            found = Flex::adam(&settings, 0.01, found, grad);
            assert_eq!(bits(&found.weight), bits(&expected.weight));
            assert_eq!(bits(&found.first), bits(&expected.first));
            assert_eq!(bits(&found.second), bits(&expected.second));
            // What somebody else still holds is not written to.
            assert_eq!(bits(&held), kept);
        }
    }

    #[test]
    fn a_part_of_a_tensor_is_stepped_like_a_whole_one() {
        let settings = Adam::new(0.5);
        let of = |phase| waves(phase, 20).slice(7..15);
        let before = || AdamTensors {
            weight: of(0.0),
            first: of(1.0),
            second: of(2.0).square(),
        };
        let expected = settings.moved_by_operations(0.01, before(), of(3.0));
        let found = Flex::adam(&settings, 0.01, before(), of(3.0));
        assert_eq!(bits(&found.weight), bits(&expected.weight));
    }

    #[test]
    fn an_average_of_one_pass_has_the_bits_of_the_operations() {
        let count = 2 * CHUNK + 3;
        let (before, trained) = (waves(0.0, count), waves(1.0, count));
        let moved = Flex::average(before.clone(), trained.clone(), 0.3);
        let way = (trained.clone() - before.clone()).mul_scalar(0.3);
        assert_eq!(bits(&moved), bits(&(before.clone() + way)));
        assert_eq!(bits(&before), bits(&waves(0.0, count)));
    }
}
