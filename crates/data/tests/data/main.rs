//! What a user of the crate relies on, on tiny datasets made by the tests.

mod cache;
mod colours;
#[cfg(feature = "download")]
mod download;
mod jpeg;
mod layouts;
mod loading;
mod pairs;
mod photograph;
mod reading;
mod support;
