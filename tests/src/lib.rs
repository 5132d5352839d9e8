//! What the cross-crate tests share: the reader of the official numbers, and the
//! way to run the real `huenet` binary.

pub mod golden;
pub mod golden_networks;
