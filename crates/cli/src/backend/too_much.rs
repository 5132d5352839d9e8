//! Turns a backend's panic about too little memory into an error.

use std::any::Any;
use std::sync::Once;

/// A device has too little memory for the work, or a tensor has more entries than the device can count.
#[derive(Debug, thiserror::Error)]
#[error("{excess} on the backend `{backend}`: {remedy} ({reason})")]
pub(crate) struct TooMuch {
    pub(super) backend: String,
    /// What there was too much of.
    pub(super) excess: &'static str,
    pub(super) remedy: &'static str,
    /// The line in which the backend said so.
    pub(super) reason: String,
}

/// The words of backends, in lower case. Memory runs out in LibTorch on CUDA and on the CPU, in CUDA's
/// driver, in the allocators of GPUs and in WGPU. Entries cannot be counted in operations of LibTorch on
/// CUDA whose indices have 32 bits.
const WORDS: [(&str, &str); 9] = [
    ("out of memory", MEMORY),
    ("out-of-memory", MEMORY),
    ("not enough memory", MEMORY),
    ("can't allocate memory", MEMORY),
    ("out_of_memory", MEMORY),
    ("outofmemory", MEMORY),
    ("memory allocation failed", MEMORY),
    ("canuse32bitindexmath", ENTRIES),
    ("32-bit index math", ENTRIES),
];

const MEMORY: &str = "out of memory";
const ENTRIES: &str = "more than 2³¹ entries in a tensor";

/// What there was too much of, according to a panic, and the line that says so. Backends report it only by a panic.
pub(super) fn too_much(panic: &dyn Any) -> Option<(&'static str, String)> {
    let text = match panic.downcast_ref::<String>() {
        Some(text) => text.as_str(),
        None => panic.downcast_ref::<&str>()?,
    };
    // The line breaks of an error that was unwrapped are written out.
    let mut lines = text.lines().flat_map(|line| line.split("\\n"));
    lines.find_map(|line| {
        let said = line.to_lowercase();
        let (_, excess) = WORDS.iter().find(|(words, _)| said.contains(words))?;
        Some((*excess, line.trim().to_owned()))
    })
}

/// Keeps panics that become a [`TooMuch`] off the terminal.
pub(super) fn quieten() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if too_much(panic.payload()).is_none() {
                usual(panic);
            }
        }));
    });
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use std::panic::catch_unwind;

    use huenet_tasks::TrainingBackend;

    use super::super::{OnBackend, on};
    use super::*;

    struct Panics(String);

    impl OnBackend for Panics {
        type Output = ();

        fn remedy(&self) -> &'static str {
            "lower --batch-size"
        }

        fn run<B: TrainingBackend>(self, _: &B::Device) {
            std::panic::panic_any(self.0);
        }
    }

    #[test]
    fn too_much_is_an_error_that_names_what_to_lower() {
        for (said, words) in [
            (
                "called `Result::unwrap()` on an `Err` value: Torch(\"\n\
                 CUDA out of memory. Tried to allocate 2.00 GiB.\nException raised from",
                ["out of memory on", "Tried to allocate"],
            ),
            (
                "[enforce fail at alloc_cpu.cpp:119] err == 0. DefaultCPUAllocator: can't allocate \
                 memory: you tried to allocate 34359738368 bytes.\nException raised from",
                ["out of memory on", "you tried to allocate"],
            ),
            (
                "called `Result::unwrap()` on an `Err` value: Torch(\"input tensor must fit into \
                 32-bit index math\\nException raised from",
                [
                    "more than 2³¹ entries in a tensor on",
                    "tensor must fit into",
                ],
            ),
        ] {
            let error = on("flex", None, Panics(said.to_owned())).unwrap_err();
            assert!(error.is::<TooMuch>());
            let text = error.to_string();
            for words in ["`flex`: lower --batch-size ("].into_iter().chain(words) {
                assert!(text.contains(words), "{words}: {text}");
            }
            assert!(!text.contains("Exception"), "{text}");
        }
    }

    #[test]
    fn another_panic_stays_one() {
        let said = "index out of bounds".to_owned();
        let panic = catch_unwind(|| on("flex", None, Panics(said.clone()))).unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&said));
    }

    #[cfg(feature = "tch")]
    #[test]
    fn libtorch_says_so_in_these_words() {
        let huge = || tch::Tensor::zeros([1 << 30, 1 << 20], (tch::Kind::Float, tch::Device::Cpu));
        let panic = catch_unwind(huge).unwrap_err();
        assert!(too_much(&*panic).is_some());
    }
}
