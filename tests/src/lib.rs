//! What the golden tests share: the reader of the official numbers, the networks they belong
//! to, and the comparison with them.

pub mod compare;
pub mod golden;
pub mod golden_networks;
