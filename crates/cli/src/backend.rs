//! The concrete backends, each behind the cargo feature of its name, and their devices.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::Once;

use huenet_hist::HistogramBackend;
use huenet_tasks::settings::{Key, Kind};
use huenet_tasks::{Checkpoint, TaskError};

/// What is done on a backend that is chosen at run time.
pub(crate) trait OnBackend {
    /// What comes of it.
    type Output;

    /// Does it on a device of the backend `B`.
    fn run<B: HistogramBackend>(self, device: &B::Device) -> Self::Output;
}

/// A backend that is compiled in.
struct Backend {
    name: &'static str,
    /// The devices that it sees, the one it takes by itself first.
    devices: fn() -> Vec<String>,
    /// What would bring it more devices.
    more: fn() -> &'static str,
}

/// The backends compiled in.
const COMPILED_IN: &[Backend] = &[
    #[cfg(feature = "flex")]
    Backend {
        name: "flex",
        devices: the_processor,
        more: || "it computes on the CPU only",
    },
    #[cfg(feature = "ndarray")]
    Backend {
        name: "ndarray",
        devices: the_processor,
        more: || "it computes on the CPU only",
    },
    #[cfg(feature = "tch")]
    Backend {
        name: "tch",
        devices: || libtorch::devices().map(|(name, _)| name).collect(),
        more: libtorch::more,
    },
];

#[cfg(any(feature = "flex", feature = "ndarray"))]
fn the_processor() -> Vec<String> {
    vec!["cpu".to_owned()]
}

/// A backend or a device that was asked for and is not there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Missing {
    /// A backend that this build of huenet lacks.
    #[error(
        "this huenet was built without the backend `{name}` (it has {}); {} builds one with it",
        names(),
        build_command(name)
    )]
    Backend { name: String },
    /// A device that the backend does not see.
    #[error(
        "the backend `{backend}` sees no device `{device}` here (it sees {}); {more}",
        .seen.join(", ")
    )]
    Device {
        backend: &'static str,
        device: String,
        seen: Vec<String>,
        more: &'static str,
    },
}

/// A device that has no room for what it was given.
#[derive(Debug, thiserror::Error)]
#[error(
    "out of memory on the backend `{backend}`: lower --batch-size, or --img-h and --img-w, or \
     --base-width; `huenet doctor` with the same arguments measures what a step takes ({reason})"
)]
pub(crate) struct OutOfMemory {
    backend: String,
    /// The line in which the backend said so.
    reason: String,
}

/// What backends call it, in lower case: LibTorch on CUDA and on the CPU, CUDA's driver, the
/// allocators of GPUs and of WGPU.
const OUT_OF_MEMORY: [&str; 6] = [
    "out of memory",
    "not enough memory",
    "can't allocate memory",
    "out_of_memory",
    "outofmemory",
    "memory allocation failed",
];

/// What a panic says, if that is that memory ran out. Backends report it in no other way.
fn out_of_memory(panic: &dyn Any) -> Option<String> {
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
fn quieten() {
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

fn names() -> String {
    let names: Vec<&str> = COMPILED_IN.iter().map(|backend| backend.name).collect();
    names.join(", ")
}

/// What builds a huenet that has the backend `name`.
fn build_command(name: &str) -> String {
    let build = format!("`cargo xtask train --backend {name}`");
    match name {
        "tch" => format!("`cargo xtask setup-libtorch`, once, then {build}"),
        _ => build,
    }
}

/// Refuses a backend that is not compiled in and a device that is not there, before anything is
/// read or written. No name of a device is the backend's first.
pub(crate) fn check(name: &str, device: Option<&str>) -> Result<(), Missing> {
    let backend = COMPILED_IN.iter().find(|backend| backend.name == name);
    let backend = backend.ok_or_else(|| Missing::Backend {
        name: name.to_owned(),
    })?;
    let seen = (backend.devices)();
    let device = match device {
        Some(device) if !seen.iter().any(|name| name == device) => device,
        _ => return Ok(()),
    };
    Err(Missing::Device {
        backend: backend.name,
        device: device.to_owned(),
        seen,
        more: (backend.more)(),
    })
}

/// Does `work` on a device of the backend `name`.
///
/// # Errors
///
/// [`Missing`], or [`OutOfMemory`].
pub(crate) fn on<W: OnBackend>(
    name: &str,
    device: Option<&str>,
    work: W,
) -> anyhow::Result<W::Output> {
    check(name, device)?;
    quieten();
    // Nothing of what a panic leaves half done is used again: the process ends with the error.
    let done = catch_unwind(AssertUnwindSafe(|| run(name, device, work)));
    match done {
        Ok(done) => Ok(done?),
        Err(panic) => match out_of_memory(&*panic) {
            Some(reason) => Err(OutOfMemory {
                backend: name.to_owned(),
                reason,
            }
            .into()),
            None => resume_unwind(panic),
        },
    }
}

fn run<W: OnBackend>(name: &str, device: Option<&str>, work: W) -> Result<W::Output, Missing> {
    // The backends of the CPU have one device.
    let _ = (device, &work);
    match name {
        #[cfg(feature = "flex")]
        "flex" => Ok(work.run::<burn_flex::Flex>(&Default::default())),
        #[cfg(feature = "ndarray")]
        "ndarray" => Ok(work.run::<burn_ndarray::NdArray<f32>>(&Default::default())),
        #[cfg(feature = "tch")]
        "tch" => Ok(work.run::<burn_tch::LibTorch<f32>>(&libtorch::device(device))),
        _ => Err(Missing::Backend {
            name: name.to_owned(),
        }),
    }
}

/// Writes the networks of a checkpoint as safetensors files, on the first backend compiled in; gives
/// the files.
pub(crate) fn export(checkpoint: &Checkpoint, folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let name = COMPILED_IN.first().map_or("flex", |backend| backend.name);
    Ok(on(name, None, Export { checkpoint, folder })??)
}

struct Export<'a> {
    checkpoint: &'a Checkpoint,
    folder: &'a Path,
}

impl OnBackend for Export<'_> {
    type Output = Result<Vec<PathBuf>, TaskError>;

    fn run<B: HistogramBackend>(self, device: &B::Device) -> Self::Output {
        huenet_tasks::export::<B>(self.checkpoint, self.folder, device)
    }
}

/// One line for each backend there is: its devices, or how to get it.
pub(crate) fn overview() -> Vec<(&'static str, String)> {
    let all = match Key::find("backend").map(|key| key.kind) {
        Some(Kind::Choice(words)) => words,
        _ => &[],
    };
    let line = |name: &&'static str| {
        let present = COMPILED_IN.iter().find(|backend| backend.name == *name);
        let text = match present {
            Some(backend) => (backend.devices)().join(", "),
            None => format!("not compiled in: {} builds it", build_command(name)),
        };
        (*name, text)
    };
    all.iter().map(line).collect()
}

/// Sets how many threads compute; 0 leaves the choice to the machine.
pub(crate) fn set_threads(count: usize) {
    if count > 0 {
        // Fails only if the pool already exists, and nothing has computed yet.
        let _ = rayon::ThreadPoolBuilder::new()
            .num_threads(count)
            .build_global();
        #[cfg(feature = "tch")]
        tch::set_num_threads(i32::try_from(count).unwrap_or(i32::MAX));
    }
}

#[cfg(feature = "tch")]
mod libtorch {
    use burn_tch::LibTorchDevice;

    pub(super) fn devices() -> impl Iterator<Item = (String, LibTorchDevice)> {
        let gpus = usize::try_from(tch::Cuda::device_count()).unwrap_or(0);
        let gpus = (0..gpus).map(|at| (format!("cuda:{at}"), LibTorchDevice::Cuda(at)));
        let metal = tch::utils::has_mps().then(|| ("mps".to_owned(), LibTorchDevice::Mps));
        std::iter::once(("cpu".to_owned(), LibTorchDevice::Cpu))
            .chain(gpus)
            .chain(metal)
    }

    /// The device of that name, which is there; the CPU for no name.
    pub(super) fn device(name: Option<&str>) -> LibTorchDevice {
        let found = devices().find(|(device, _)| Some(device.as_str()) == name);
        found.map_or(LibTorchDevice::Cpu, |(_, device)| device)
    }

    pub(super) fn more() -> &'static str {
        match tch::utils::has_cuda() {
            true => "`nvidia-smi` shows which GPUs the driver sees",
            false => {
                "for an NVIDIA GPU, `cargo xtask setup-libtorch --cuda` gets a LibTorch with CUDA; \
                 it needs the GPU's driver"
            }
        }
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests {
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
