//! What a user of the crate relies on, on tiny datasets made by the tests.

#[cfg(feature = "download")]
mod download;
mod layouts;
mod loading;
mod pairs;
mod reading;
mod support;
