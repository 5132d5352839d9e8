//! A trained generator applied to photographs.
//!
//! ```text
//! content ──scaled, framed──► network ──► output ──guided filter, residual──► content's size
//! reference ──counted────────────┘
//! ```
//!
//! A generator that changes fitted colour maps gives maps instead of an output. They are read at the content's own
//! pixels.

mod frame;
mod full_size;
mod guided;
mod maps;
mod maps_input;
mod model;
mod small_image;
mod translator;

pub use maps_input::MapsInput;
pub use model::Model;
pub use translator::{TranslateOptions, Translator};
