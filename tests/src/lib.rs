//! What the tests share: the reader of the official numbers, the networks they belong to, the
//! comparison with them, and what every backend has to pass.

pub mod compare;
pub mod conformance;
pub mod golden;
pub mod golden_networks;
pub mod parity;
