//! A pool of generated images, so that the discriminator remembers earlier ones.

use burn::record::Record;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use rand::{Rng, RngExt};

use crate::step::seeds::{Purpose, stream};

/// Keeps up to so many generated images (with the content images that the discriminator
/// sees beside them, if it sees any). Once it is full, an image that is asked about is,
/// with probability ½, put in the place of a random one, which is returned instead.
///
/// Source: Shrivastava et al., "Learning from Simulated and Unsupervised Images through
/// Adversarial Training" (2017), section 2.3, as CycleGAN does it.
#[derive(Clone, Debug)]
pub(crate) struct ImagePool<B: Backend> {
    size: usize,
    seed: u64,
    kept: Kept<B>,
}

/// What a pool holds: all of its state.
#[derive(Record, Clone, Debug)]
pub(crate) struct Kept<B: Backend> {
    /// How often it was asked.
    asked: usize,
    images: Vec<Tensor<B, 4>>,
}

impl<B: Backend> ImagePool<B> {
    /// An empty pool of so many images; one of none returns what it is given.
    pub(crate) fn new(size: usize, seed: u64) -> Self {
        Self {
            size,
            seed,
            kept: Kept {
                asked: 0,
                images: Vec::new(),
            },
        }
    }

    /// Whether it keeps no images and never will.
    pub(crate) fn is_empty(&self) -> bool {
        self.size == 0
    }

    /// What it holds, to be saved; `None` for a pool of no images.
    pub(crate) fn record(&self) -> Option<Kept<B>> {
        (self.size > 0).then(|| self.kept.clone())
    }

    /// A pool that goes on from what was saved.
    pub(crate) fn load(self, kept: Kept<B>) -> Self {
        Self { kept, ..self }
    }

    /// Exchanges some of `images` for earlier ones.
    ///
    /// # Shapes
    ///
    /// `[batch, channels, height, width]`; the result has the same.
    pub(crate) fn exchange(&mut self, images: Tensor<B, 4>) -> Tensor<B, 4> {
        if self.size == 0 {
            return images;
        }
        // A stream for each time it is asked: a resumed run draws the same.
        let mut random = stream(self.seed, Purpose::ImagePool, self.kept.asked as u64);
        self.kept.asked += 1;
        let batch = images.dims()[0];
        let chosen =
            (0..batch).map(|i| self.exchange_one(images.clone().narrow(0, i, 1), &mut random));
        Tensor::cat(chosen.collect(), 0)
    }

    fn exchange_one(&mut self, image: Tensor<B, 4>, random: &mut impl Rng) -> Tensor<B, 4> {
        let kept = &mut self.kept.images;
        if kept.len() < self.size {
            kept.push(image.clone());
            return image;
        }
        if random.random_bool(0.5) {
            let place = random.random_range(0..kept.len());
            return std::mem::replace(&mut kept[place], image);
        }
        image
    }
}

#[cfg(test)]
mod tests {
    use burn_flex::Flex;

    use super::*;

    fn images(first: f32) -> Tensor<Flex, 4> {
        let device = Default::default();
        Tensor::<Flex, 1>::from_floats([first, first + 1.0], &device).reshape([2, 1, 1, 1])
    }

    fn values(images: Tensor<Flex, 4>) -> Vec<f32> {
        images.into_data().to_vec().unwrap()
    }

    fn ask(pool: &mut ImagePool<Flex>, rounds: std::ops::Range<usize>) -> Vec<Vec<f32>> {
        rounds
            .map(|round| values(pool.exchange(images(2.0 * round as f32))))
            .collect()
    }

    #[test]
    fn a_full_pool_returns_earlier_images_and_no_image_is_made_up() {
        let mut pool = ImagePool::new(4, 1);
        let seen = ask(&mut pool, 0..50);
        assert_eq!(seen[0], [0.0, 1.0]);
        assert_eq!(seen[1], [2.0, 3.0]);
        let mut old = 0;
        for (round, pair) in seen.iter().enumerate() {
            for (at, value) in pair.iter().enumerate() {
                let newest = (2 * round + at) as f32;
                assert!(*value <= newest);
                old += usize::from(*value < newest);
            }
        }
        assert!((30..66).contains(&old), "{old} of 96 were earlier ones");
    }

    #[test]
    fn a_pool_that_was_saved_goes_on_as_if_it_had_not_been() {
        let mut whole = ImagePool::new(3, 1);
        ask(&mut whole, 0..5);
        let saved = whole.record().unwrap();
        let mut resumed = ImagePool::new(3, 1).load(saved);
        assert_eq!(ask(&mut whole, 5..15), ask(&mut resumed, 5..15));
    }

    #[test]
    fn a_pool_of_none_changes_nothing() {
        let mut pool = ImagePool::new(0, 1);
        assert_eq!(values(pool.exchange(images(7.0))), [7.0, 8.0]);
        assert!(pool.record().is_none());
    }
}
