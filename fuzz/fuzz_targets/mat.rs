//! The reader of MATLAB files: any bytes give arrays or an error.
#![no_main]

use huenet_data::mat::MatFile;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(file) = MatFile::from_bytes(bytes) {
        for name in file.names() {
            assert!(file.get(name).is_some());
        }
    }
});
