//! Dropout of one half, its masks drawn on the host.

use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use rand::Rng;

/// Sets each entry to 0 with probability ½ and doubles the others, so that the expected value
/// stays (Srivastava et al., "Dropout", 2014, in Keras' inverted form).
///
/// One random bit decides one entry, in row-major order.
///
/// # Shapes
/// - `input`: any
/// - output: as `input`
pub(crate) fn dropout<B: Backend, const D: usize>(
    input: Tensor<B, D>,
    rng: &mut dyn Rng,
) -> Tensor<B, D> {
    let shape = input.shape();
    let count = shape.num_elements();
    let mut mask = Vec::with_capacity(count);
    while mask.len() < count {
        let bits = rng.next_u64();
        let wanted = (count - mask.len()).min(64);
        mask.extend((0..wanted).map(|i| if bits >> i & 1 == 1 { 2.0f32 } else { 0.0 }));
    }
    let mask = TensorData::new(mask, shape);
    let mask = Tensor::from_data(mask, (&input.device(), input.dtype()));
    input * mask
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::DType;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn masked<B: Backend>(seed: u64) -> Vec<f32> {
        let ones = Tensor::<B, 2>::ones([100, 77], (&Default::default(), DType::F32));
        let output = dropout(ones, &mut ChaCha8Rng::seed_from_u64(seed));
        output.into_data().iter::<f32>().collect()
    }

    #[test]
    fn keeps_half_doubled_and_the_mean_in_expectation() {
        let values = masked::<burn_flex::Flex>(3);
        assert!(values.iter().all(|&v| v == 0.0 || v == 2.0));
        let kept = values.iter().filter(|&&v| v == 2.0).count() as f64 / values.len() as f64;
        // Four standard deviations of a fair coin thrown 7700 times.
        assert!((kept - 0.5).abs() < 0.023, "kept {kept}");
    }

    #[test]
    fn one_seed_one_mask_on_every_backend() {
        assert_eq!(
            masked::<burn_flex::Flex>(3),
            masked::<burn_ndarray::NdArray<f32>>(3)
        );
        assert_ne!(masked::<burn_flex::Flex>(3), masked::<burn_flex::Flex>(4));
    }
}
