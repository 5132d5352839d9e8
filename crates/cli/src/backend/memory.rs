//! Memory of a device that ran out.

use std::any::Any;
use std::sync::Once;

/// A device that has no room for what it was given.
#[derive(Debug, thiserror::Error)]
#[error(
    "out of memory on the backend `{backend}`: lower --batch-size, or --img-h and --img-w, or \
     --base-width; `huenet doctor` with the same arguments measures what a step takes ({reason})"
)]
pub(crate) struct OutOfMemory {
    pub(super) backend: String,
    /// The line in which the backend said so.
    pub(super) reason: String,
}

/// What backends call it, in lower case: LibTorch on CUDA and on the CPU, CUDA's driver, the
/// allocators of GPUs and of WGPU.
const OUT_OF_MEMORY: [&str; 7] = [
    "out of memory",
    "out-of-memory",
    "not enough memory",
    "can't allocate memory",
    "out_of_memory",
    "outofmemory",
    "memory allocation failed",
];

/// What a panic says, if that is that memory ran out. Backends report it in no other way.
pub(super) fn out_of_memory(panic: &dyn Any) -> Option<String> {
    let text = match panic.downcast_ref::<String>() {
        Some(text) => text.as_str(),
        None => panic.downcast_ref::<&str>()?,
    };
    let line = text.lines().find(|line| {
        let line = line.to_lowercase();
        OUT_OF_MEMORY.iter().any(|words| line.contains(words))
    });
    line.map(|line| line.trim().to_owned())
}

/// Keeps panics that become an [`OutOfMemory`] off the terminal.
pub(super) fn quieten() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if out_of_memory(panic.payload()).is_none() {
                usual(panic);
            }
        }));
    });
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use std::panic::catch_unwind;

    use huenet_hist::HistogramBackend;

    use super::super::{OnBackend, on};
    use super::*;

    struct Panics(String);

    impl OnBackend for Panics {
        type Output = ();

        fn run<B: HistogramBackend>(self, _: &B::Device) {
            std::panic::panic_any(self.0);
        }
    }

    #[test]
    fn memory_that_ran_out_is_an_error_that_names_what_to_lower() {
        for said in [
            "called `Result::unwrap()` on an `Err` value: Torch(\"\n\
             CUDA out of memory. Tried to allocate 2.00 GiB.\nException raised from",
            "[enforce fail at alloc_cpu.cpp:119] err == 0. DefaultCPUAllocator: can't allocate \
             memory: you tried to allocate 34359738368 bytes.\nException raised from",
        ] {
            let error = on("flex", None, Panics(said.to_owned())).unwrap_err();
            assert!(error.is::<OutOfMemory>());
            let text = error.to_string();
            for words in [
                "--batch-size",
                "--img-h",
                "--base-width",
                "tried to allocate",
            ] {
                assert!(text.to_lowercase().contains(words), "{words}: {text}");
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
        assert!(out_of_memory(&*panic).is_some());
    }
}
