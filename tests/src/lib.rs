//! What the tests share: the reader of the official numbers, the networks they belong to, the
//! comparison with them, and what every backend has to pass.

pub mod compare;
pub mod conformance;
pub mod device;
pub mod golden;
pub mod golden_networks;
pub mod parity;

/// The Rust of the repository's pages, compiled and run as examples of documentation.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../README.md")]
    mod front {}
    #[doc = include_str!("../../docs/applying.md")]
    mod applying {}
    #[doc = include_str!("../../docs/transfer.md")]
    mod transfer {}
    #[doc = include_str!("../../docs/library.md")]
    mod library {}
    #[doc = include_str!("../../crates/hist/README.md")]
    mod hist {}
    #[doc = include_str!("../../crates/models/README.md")]
    mod models {}
    #[doc = include_str!("../../crates/tasks/README.md")]
    mod tasks {}
}
