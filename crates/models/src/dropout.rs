//! Dropout of one half, its masks drawn on the host.

use burn::tensor::backend::Backend;
use burn::tensor::{DType, Tensor, TensorData};
use rand::Rng;

/// The factors of dropout: 0 with probability ½, else 2, so that the expected value of what they
/// multiply stays (Srivastava et al., "Dropout", 2014, in Keras' inverted form).
///
/// One random bit decides one entry, in row-major order.
///
/// # Shapes
/// - output: `shape`
pub(crate) fn mask<B: Backend, const D: usize>(
    shape: [usize; D],
    rng: &mut dyn Rng,
    device: &B::Device,
    dtype: DType,
) -> Tensor<B, D> {
    let count = shape.iter().product();
    let mut mask = Vec::with_capacity(count);
    while mask.len() < count {
        let bits = rng.next_u64();
        let wanted = (count - mask.len()).min(64);
        mask.extend((0..wanted).map(|i| if bits >> i & 1 == 1 { 2.0f32 } else { 0.0 }));
    }
    Tensor::from_data(TensorData::new(mask, shape), (device, dtype))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn masked<B: Backend>(seed: u64) -> Vec<f32> {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let output = mask::<B, 2>([100, 77], rng, &Default::default(), DType::F32);
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
