//! Settings files: any text gives settings that are checked, or an error.
#![no_main]

use std::path::Path;

use huenet_tasks::{Layer, Recipe, Settings};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(layer) = Layer::from_toml(Path::new("fuzzed.toml"), text) else {
        return;
    };
    if let Ok(settings) = Settings::resolve(&[layer]) {
        let _ = Recipe::new(settings);
    }
});
