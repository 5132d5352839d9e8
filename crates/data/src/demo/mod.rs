//! A built-in dataset: no files, no download.

use crate::Collection;

/// The demo set.
pub fn collection() -> Collection {
    Collection::from_sources("demo", Vec::new(), Vec::new())
}
