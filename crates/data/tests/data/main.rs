//! What a user of the crate relies on, on tiny datasets made by the tests.

mod layouts;
mod loading;
mod pairs;
mod reading;
mod support;
