//! Images kept in memory, up to a limit.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use ::image::RgbImage;

/// Images by number, up to a limit of bytes in all.
///
/// An image that is kept is never dropped. Every epoch asks for every image once, so dropping one for
/// another would only cause another read.
#[derive(Debug)]
pub(crate) struct ImageCache {
    left: AtomicU64,
    images: Vec<OnceLock<Arc<RgbImage>>>,
}

impl ImageCache {
    /// A place for each of `count` images, and room for `bytes` bytes.
    pub(crate) fn new(count: usize, bytes: u64) -> Self {
        Self {
            left: AtomicU64::new(bytes),
            images: (0..count).map(|_| OnceLock::new()).collect(),
        }
    }

    pub(crate) fn get(&self, number: usize) -> Option<Arc<RgbImage>> {
        self.images.get(number)?.get().cloned()
    }

    /// Keeps an image if there is room for it.
    pub(crate) fn put(&self, number: usize, image: &Arc<RgbImage>) {
        let bytes = image.as_raw().len() as u64;
        let take = |left: u64| left.checked_sub(bytes);
        let Some(place) = self.images.get(number) else {
            return;
        };
        let taken = self
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        // Two threads may have read the same image.
        if taken.is_ok() && place.set(Arc::clone(image)).is_err() {
            self.left.fetch_add(bytes, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_kept_than_there_is_room_for() {
        let image = Arc::new(RgbImage::new(10, 10));
        let cache = ImageCache::new(4, 700);
        cache.put(0, &image);
        cache.put(0, &image);
        cache.put(3, &image);
        cache.put(1, &image);
        cache.put(9, &image);
        let kept = [0, 1, 2, 3, 9].map(|number| cache.get(number).is_some());
        assert_eq!(kept, [true, false, false, true, false]);
        assert_eq!(cache.left.into_inner(), 100);
    }
}
