//! The real `huenet` binary on real image files in the layouts of the real datasets.

mod against;
// Archives and servers that misbehave: the same as for the library's own tests.
#[path = "../../../crates/data/tests/data/download/archives.rs"]
mod archives;
#[cfg(any(feature = "tch", feature = "wgpu", feature = "cuda"))]
mod backends;
mod bad_input;
mod book;
mod data;
mod download;
mod evaluate;
mod evaluate_files;
mod expected;
mod export;
mod figures;
mod history;
mod live;
mod local_maps;
mod machine;
mod making;
mod onnx;
mod other_images;
#[cfg(target_os = "linux")]
mod printing;
#[cfg(target_os = "linux")]
mod processes;
mod progress;
mod python;
mod recommended;
mod resume;
#[allow(dead_code, reason = "not every way to misbehave is needed here")]
#[path = "../../../crates/data/tests/data/download/server.rs"]
mod server;
mod settings;
mod shipped;
mod stability;
#[cfg(unix)]
mod stopping;
mod support;
mod tensorboard;
mod torch;
mod train;
mod transfer;
mod translate;
mod view;
mod wanted;
