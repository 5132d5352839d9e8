//! Photographs at full size and depth: read, reduced to a working size, mapped and written.

mod encode;
mod exif;
mod format;
mod map;
mod pixels;
mod read;
mod reduce;
mod write;

pub use pixels::{Depth, Photograph};
pub use write::{WriteOptions, Written};
