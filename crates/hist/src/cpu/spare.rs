//! Memory that is kept from one call to the next.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Bytes that all spares hold together.
static KEPT: AtomicUsize = AtomicUsize::new(0);

/// The most bytes that all spares hold together.
const MOST_KEPT: usize = 256 << 20;

/// Values that own memory, waiting to be used again.
///
/// The tables of a pass are of a size that allocators fetch from the system and give back every time,
/// and having it mapped anew, page by page, takes a third as long as the pass itself.
pub(crate) struct Spares<V: 'static>(Mutex<Vec<V>>);

impl<V: Owned> Spares<V> {
    /// More would hardly be in use at a time.
    const MOST: usize = 32;
    /// What is larger than this is given back: it is rare, and its mapping does not show.
    const MOST_BYTES: usize = 16 << 20;

    /// None yet.
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// Keeps a value, unless there are enough of them.
    pub(super) fn give(&self, value: V) {
        let mut spares = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = value.bytes();
        let fits = spares.len() < Self::MOST && 0 < bytes && bytes <= Self::MOST_BYTES;
        let room = |kept: usize| Some(kept + bytes).filter(|&kept| kept <= MOST_KEPT);
        if fits
            && KEPT
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, room)
                .is_ok()
        {
            spares.push(value);
        }
    }

    /// Gives all of them back.
    pub(super) fn clear(&self) {
        let mut spares = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = spares.drain(..).map(|value| value.bytes()).sum();
        KEPT.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// One that was used before, with what it then held, or a new one.
    pub(super) fn take(&'static self) -> Borrowed<V> {
        let mut spares = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let value = spares.pop().unwrap_or_default();
        KEPT.fetch_sub(value.bytes(), Ordering::Relaxed);
        Borrowed { value, home: self }
    }
}

/// A value that owns memory.
pub(crate) trait Owned: Default + 'static {
    /// How much.
    fn bytes(&self) -> usize;
}

impl<T: 'static> Owned for Vec<T> {
    fn bytes(&self) -> usize {
        self.capacity() * size_of::<T>()
    }
}

/// A value that goes back to its spares when it is no longer needed.
pub(super) struct Borrowed<V: Owned> {
    value: V,
    home: &'static Spares<V>,
}

impl<V: Owned> Borrowed<V> {
    /// The value, to be given back or not.
    pub(super) fn keep(mut self) -> V {
        std::mem::take(&mut self.value)
    }
}

impl<V: Owned> Deref for Borrowed<V> {
    type Target = V;

    fn deref(&self) -> &V {
        &self.value
    }
}

impl<V: Owned> DerefMut for Borrowed<V> {
    fn deref_mut(&mut self) -> &mut V {
        &mut self.value
    }
}

impl<V: Owned> Drop for Borrowed<V> {
    fn drop(&mut self) {
        self.home.give(std::mem::take(&mut self.value));
    }
}

static ZEROS: Spares<Vec<f64>> = Spares::new();

/// Gives back what [`zeros`] keeps.
pub(super) fn clear_zeros() {
    ZEROS.clear();
}

/// So many zeros.
pub(super) fn zeros(count: usize) -> Borrowed<Vec<f64>> {
    let mut table = ZEROS.take();
    table.clear();
    table.resize(count, 0.0);
    table
}
