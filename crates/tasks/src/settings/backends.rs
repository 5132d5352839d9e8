//! The names of the backends. `xtask` includes this file, so it names nothing else of this crate.

/// The names of all backends, which a build may have or not. Each is also the name of a cargo feature.
pub const BACKENDS: [&str; 5] = ["flex", "ndarray", "tch", "wgpu", "cuda"];

/// The backend of a run whose settings name none. Every ordinary build of `huenet` has it.
pub const DEFAULT_BACKEND: &str = BACKENDS[0];
