//! Dropout of one half, its masks drawn on the host.

use rand::Rng;

use crate::pass::BatchPart;

/// So many factors of dropout: 0 with probability ½, else 2, so that the expected value of what they
/// multiply stays (Srivastava et al., "Dropout", 2014, in Keras' inverted form).
///
/// One random bit decides one entry, in row-major order.
pub(crate) fn factors(count: usize, rng: &mut dyn Rng) -> Vec<f32> {
    let mut mask = Vec::with_capacity(count);
    while mask.len() < count {
        let bits = rng.next_u64();
        let wanted = (count - mask.len()).min(64);
        mask.extend((0..wanted).map(|i| if bits >> i & 1 == 1 { 2.0f32 } else { 0.0 }));
    }
    mask
}

/// The factors that the images of a part have among those of the whole batch. As many random bits are drawn as for
/// the whole batch.
///
/// `shape` is that of the part: `[images, channels, height, width]`.
pub(crate) fn factors_of_part(shape: [usize; 4], part: BatchPart, rng: &mut dyn Rng) -> Vec<f32> {
    let [images, rest @ ..] = shape;
    let each: usize = rest.iter().product();
    let whole = factors(part.whole * each, rng);
    let chosen = whole.chunks_exact(each).skip(part.first);
    let chosen = chosen.step_by(part.step).take(images);
    chosen.flatten().copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn drawn(seed: u64) -> Vec<f32> {
        factors(7700, &mut ChaCha8Rng::seed_from_u64(seed))
    }

    #[test]
    fn keeps_half_doubled_and_the_mean_in_expectation() {
        let values = drawn(3);
        assert!(values.iter().all(|&v| v == 0.0 || v == 2.0));
        let kept = values.iter().filter(|&&v| v == 2.0).count() as f64 / values.len() as f64;
        // Four standard deviations of a fair coin thrown 7700 times.
        assert!((kept - 0.5).abs() < 0.023, "kept {kept}");
    }

    #[test]
    fn one_seed_one_mask() {
        assert_eq!(drawn(3), drawn(3));
        assert_ne!(drawn(3), drawn(4));
    }

    #[test]
    fn parts_have_the_masks_of_their_images() {
        let each = 3 * 5 * 7;
        let whole = factors(5 * each, &mut ChaCha8Rng::seed_from_u64(3));
        let image = |number: usize| &whole[number * each..(number + 1) * each];
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let part = BatchPart {
            first: 1,
            step: 2,
            whole: 5,
        };
        let of_part = factors_of_part([2, 3, 5, 7], part, &mut rng);
        assert_eq!(of_part, [image(1), image(3)].concat());
        // What is drawn next is what follows for the whole batch, too.
        let mut other = ChaCha8Rng::seed_from_u64(3);
        factors(5 * each, &mut other);
        assert_eq!(rng.next_u64(), other.next_u64());
    }
}
