//! Adam, and the average of the weights, on LibTorch's tensors, in one pass over memory each.
//!
//! An optimiser step computes little and moves much: in tensor operations, each weight goes to
//! memory and back a dozen times.

use burn::tensor::{Tensor, TensorPrimitive};
use burn_tch::{LibTorch, TchElement, TchTensor};
use rayon::prelude::*;
use tch::{Device, Kind};

use super::TrainingBackend;
use super::one_pass::{AdamEntry, CHUNK};
use crate::step::adam_rule::{Adam, AdamTensors};

impl<E: TchElement> TrainingBackend for LibTorch<E> {
    /// In one pass over memory where the tensors are single precision and lie in that of the CPU, else in
    /// tensor operations.
    #[expect(
        unsafe_code,
        reason = "one pass over LibTorch's memory, which was checked to be plain and nobody else's"
    )]
    fn adam<const D: usize>(
        adam: &Adam,
        rate: f64,
        before: AdamTensors<Self, D>,
        grad: Tensor<Self, D>,
    ) -> AdamTensors<Self, D> {
        let simple = [&before.weight, &before.first, &before.second, &grad]
            .into_iter()
            .all(|tensor| tensor.shape() == grad.shape() && is_simple(tensor));
        if !simple {
            return adam.moved_by_operations(rate, before, grad);
        }
        let [weights, grad] = [before.weight, grad].map(primitive);
        let [mut first, mut second] =
            [before.first, before.second].map(|moment| alone(primitive(moment)));
        let mut moved = TchTensor::new(weights.tensor.empty_like());
        // SAFETY: contiguous single precision on the CPU, as was checked. Those written to are new, or
        // nobody else has them.
        unsafe {
            step(
                adam,
                rate,
                [slice(&weights), slice(&grad)],
                [
                    slice_mut(&mut moved),
                    slice_mut(&mut first),
                    slice_mut(&mut second),
                ],
            );
        }
        let [weight, first, second] = [moved, first, second].map(tensor);
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
        let (mut average, trained) = (alone(primitive(average)), primitive(trained));
        let _ = average.tensor.lerp_(&trained.tensor, share);
        tensor(average)
    }
}

/// The formulas of [`Adam`].
fn step(
    adam: &Adam,
    rate: f64,
    [weights, grad]: [&[f32]; 2],
    [moved, first, second]: [&mut [f32]; 3],
) {
    let entry = AdamEntry::new(adam, rate);
    let read = weights.par_chunks(CHUNK).zip(grad.par_chunks(CHUNK));
    let written = moved.par_chunks_mut(CHUNK);
    let moments = first
        .par_chunks_mut(CHUNK)
        .zip(second.par_chunks_mut(CHUNK));
    read.zip(written)
        .zip(moments)
        .for_each(|(((weights, grad), moved), (first, second))| {
            let read = weights.iter().zip(grad);
            let written = moved.iter_mut().zip(first.iter_mut().zip(second));
            for ((&weight, &g), (moved, (m, v))) in read.zip(written) {
                *moved = entry.step(weight, g, m, v);
            }
        });
}

/// The tensor if nobody else has it, else a copy: one that can be written to.
fn alone(tensor: TchTensor) -> TchTensor {
    match tensor.can_mut() {
        true => tensor,
        false => TchTensor::new(tensor.tensor.copy()),
    }
}

/// Whether a tensor is contiguous single precision in the memory of the CPU.
fn is_simple<E: TchElement, const D: usize>(tensor: &Tensor<LibTorch<E>, D>) -> bool {
    let tensor = primitive(tensor.clone()).tensor;
    tensor.device() == Device::Cpu && tensor.kind() == Kind::Float && tensor.is_contiguous()
}

/// # Safety
///
/// The tensor is contiguous single precision on the CPU, and nobody writes to it meanwhile.
#[expect(unsafe_code, reason = "LibTorch gives its memory as a pointer")]
unsafe fn slice(tensor: &TchTensor) -> &[f32] {
    match tensor.tensor.numel() {
        0 => &[],
        // SAFETY: a contiguous tensor is `numel` entries from its data pointer on.
        count => unsafe { std::slice::from_raw_parts(tensor.tensor.data_ptr().cast(), count) },
    }
}

/// # Safety
///
/// The tensor is contiguous single precision on the CPU, and nobody else reads or writes it
/// meanwhile.
#[expect(unsafe_code, reason = "LibTorch gives its memory as a pointer")]
unsafe fn slice_mut(tensor: &mut TchTensor) -> &mut [f32] {
    match tensor.tensor.numel() {
        0 => &mut [],
        // SAFETY: a contiguous tensor is `numel` entries from its data pointer on.
        count => unsafe { std::slice::from_raw_parts_mut(tensor.tensor.data_ptr().cast(), count) },
    }
}

fn primitive<E: TchElement, const D: usize>(tensor: Tensor<LibTorch<E>, D>) -> TchTensor {
    tensor.into_primitive().tensor()
}

fn tensor<E: TchElement, const D: usize>(primitive: TchTensor) -> Tensor<LibTorch<E>, D> {
    Tensor::from_primitive(TensorPrimitive::Float(primitive))
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{DType, TensorData};

    type B = LibTorch<f32>;

    fn waves(phase: f32, count: usize) -> Tensor<B, 1> {
        let values: Vec<f32> = (0..count).map(|i| (i as f32 * 0.7 + phase).sin()).collect();
        let data = TensorData::new(values, [count]);
        Tensor::from_data(data, (&Default::default(), DType::F32))
    }

    fn values(tensor: Tensor<B, 1>) -> Vec<f32> {
        tensor.into_data().to_vec().unwrap()
    }

    #[test]
    fn an_average_moves_by_its_share_and_leaves_others_alone() {
        let (before, trained) = (waves(0.0, 1000), waves(1.0, 1000));
        let moved = values(B::average(before.clone(), trained.clone(), 0.25));
        let way = (trained.clone() - before.clone()).mul_scalar(0.25);
        let expected = values(before.clone() + way);
        let close = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-6;
        assert!(moved.iter().zip(&expected).all(close));
        assert_eq!(values(before), values(waves(0.0, 1000)));
        assert_eq!(values(trained), values(waves(1.0, 1000)));
    }

    #[test]
    fn one_pass_is_the_formulas() {
        let count = 3 * CHUNK + 5;
        let before = || AdamTensors {
            weight: waves(0.0, count),
            first: waves(1.0, count),
            second: waves(2.0, count).square(),
        };
        let settings = Adam::new(0.5);
        let expected = settings.moved_by_operations(0.01, before(), waves(3.0, count));
        let kept = before();
        let (first, second) = (kept.first.clone(), kept.second.clone());
        let untouched = values(first.clone());
        let moved = B::adam(&settings, 0.01, kept, waves(3.0, count));
        for (found, expected) in [
            (moved.weight, expected.weight),
            (moved.first, expected.first),
            (moved.second, expected.second),
        ] {
            for (found, expected) in values(found).into_iter().zip(values(expected)) {
                assert!((found - expected).abs() <= 1e-6, "{found} {expected}");
            }
        }
        // What somebody else still holds is not written to.
        assert_eq!(values(first), untouched);
        drop(second);
    }
}
