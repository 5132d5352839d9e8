//! Decoding of bytes that begin as PNG files do: any give an image of as many pixels as are
//! accepted, or an error.
#![no_main]

use std::path::Path;

use huenet_data::{ImageSize, decode_image};
use libfuzzer_sys::fuzz_target;

const START: &[u8] = b"\x89PNG\r\n\x1A\n";

fuzz_target!(|bytes: &[u8]| {
    let bytes = match bytes.starts_with(START) {
        true => bytes.to_vec(),
        false => [START, bytes].concat(),
    };
    if let Ok(image) = decode_image(Path::new("fuzzed"), &bytes) {
        let pixels = image.width() as usize * image.height() as usize;
        assert!(pixels <= ImageSize::MAX_PIXELS);
    }
});
