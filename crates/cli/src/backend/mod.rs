//! The concrete backends, each behind the cargo feature of its name, and their devices.

#[cfg(feature = "cuda")]
mod cuda;
pub(crate) mod environment;
#[cfg(feature = "cuda")]
mod kernel_cache;
#[cfg(feature = "tch")]
mod libtorch;
mod too_much;
#[cfg(feature = "wgpu")]
mod wgpu;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};

use huenet_tasks::settings::DEFAULT_BACKEND;
use huenet_tasks::{Checkpoint, ExportFormat, Settings, TaskError, TrainingBackend};

use self::too_much::{TooMuch, quieten, too_much};

/// Work to be done on a backend that is chosen at run time.
pub(crate) trait OnBackend {
    /// The result.
    type Output;

    /// What the user can do if the work is too much for the device.
    fn remedy(&self) -> &'static str;

    /// Does the work on a device of the backend `B`.
    fn run<B: TrainingBackend>(self, device: &B::Device) -> Self::Output;
}

/// A backend that is compiled in.
struct Backend {
    name: &'static str,
    /// The devices that it sees, the default one first.
    devices: fn() -> Vec<String>,
    /// What it needs to see more devices.
    more: fn() -> &'static str,
}

/// Makes [`COMPILED_IN`] and [`run`]. A row has the backend's name, which is also that of its feature; its type; the
/// device of a name that it sees; and the functions of [`Backend`].
macro_rules! backends {
    ($($name:literal: $backend:ty {
        device: $device:expr, devices: $devices:expr, more: $more:expr $(,)?
    })*) => {
        /// The backends compiled in.
        const COMPILED_IN: &[Backend] = &[$(
            #[cfg(feature = $name)]
            Backend { name: $name, devices: $devices, more: $more },
        )*];

        /// Does `work` on a device that the backend `name` sees.
        fn run<W: OnBackend>(
            name: &str,
            device: Option<&str>,
            work: W,
        ) -> Result<W::Output, Missing> {
            match name {
                $(
                    #[cfg(feature = $name)]
                    $name => Ok(work.run::<$backend>(&$device(device))),
                )*
                _ => Err(Missing::Backend { name: name.to_owned() }),
            }
        }
    };
}

backends! {
    "flex": burn_flex::Flex {
        device: the_only_one,
        devices: the_processor,
        more: || "it computes on the CPU only",
    }
    "ndarray": burn_ndarray::NdArray<f32> {
        device: the_only_one,
        devices: the_processor,
        more: || "it computes on the CPU only",
    }
    "tch": burn_tch::LibTorch<f32> {
        device: libtorch::device,
        devices: || libtorch::devices().map(|(name, _)| name).collect(),
        more: libtorch::more,
    }
    "wgpu": burn_wgpu::Wgpu {
        device: wgpu::device,
        devices: || wgpu::devices().into_iter().map(|(name, _)| name).collect(),
        more: wgpu::more,
    }
    "cuda": burn_cuda::Cuda {
        device: cuda::device,
        devices: || cuda::devices().map(|(name, _)| name).collect(),
        more: cuda::more,
    }
}

#[cfg(any(feature = "flex", feature = "ndarray"))]
fn the_processor() -> Vec<String> {
    vec!["cpu".to_owned()]
}

/// The device of a backend of the CPU, by any name.
#[cfg(any(feature = "flex", feature = "ndarray"))]
fn the_only_one<D: Default>(_: Option<&str>) -> D {
    D::default()
}

/// A backend or a device that was asked for and is not there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Missing {
    /// A backend that this build of huenet lacks.
    #[error(
        "this huenet was built without the backend `{name}` (it has {}); build it with {}, or add \
         `--backend {name}` to another `cargo xtask` command",
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
    /// A backend that sees no device at all.
    #[error("the backend `{backend}` sees no device here; {more}")]
    AnyDevice {
        backend: &'static str,
        more: &'static str,
    },
}

fn names() -> String {
    let names: Vec<&str> = COMPILED_IN.iter().map(|backend| backend.name).collect();
    names.join(", ")
}

/// The command that builds a huenet with the backend `name`.
fn build_command(name: &str) -> String {
    let build = format!("`cargo xtask train --backend {name}`");
    match name {
        "tch" => format!("`cargo xtask setup-libtorch`, once, then {build}"),
        _ => build,
    }
}

/// Refuses a backend that is not compiled in and a device that is not there, before anything is
/// read or written. Without a device's name the backend's first device is meant.
pub(crate) fn check(name: &str, device: Option<&str>) -> Result<(), Missing> {
    let backend = COMPILED_IN.iter().find(|backend| backend.name == name);
    let backend = backend.ok_or_else(|| Missing::Backend {
        name: name.to_owned(),
    })?;
    let seen = (backend.devices)();
    if seen.is_empty() {
        return Err(Missing::AnyDevice {
            backend: backend.name,
            more: (backend.more)(),
        });
    }
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

/// The backend and the device of these settings; or, if the settings are of another machine, of which this one has
/// neither, the first backend compiled in.
pub(crate) fn usable(settings: &Settings) -> (String, Option<String>) {
    let (name, device) = (settings.backend.as_str(), settings.device.as_deref());
    match (check(name, device), COMPILED_IN.first()) {
        (Err(_), Some(first)) => (first.name.to_owned(), None),
        _ => (name.to_owned(), device.map(str::to_owned)),
    }
}

/// Does `work` on a device of the backend `name`.
///
/// # Errors
///
/// [`Missing`], or [`TooMuch`].
pub(crate) fn on<W: OnBackend>(
    name: &str,
    device: Option<&str>,
    work: W,
) -> anyhow::Result<W::Output> {
    check(name, device)?;
    let remedy = work.remedy();
    quieten();
    // Nothing that a panic leaves half done is used again: the process ends with the error.
    let done = catch_unwind(AssertUnwindSafe(|| run(name, device, work)));
    match done {
        Ok(done) => Ok(done?),
        Err(panic) => match too_much(&*panic) {
            Some((excess, reason)) => Err(TooMuch {
                backend: name.to_owned(),
                excess,
                remedy,
                reason,
            }
            .into()),
            None => resume_unwind(panic),
        },
    }
}

/// Does `work` on the first backend compiled in.
///
/// # Errors
///
/// As [`on`].
pub(crate) fn on_first<W: OnBackend>(work: W) -> anyhow::Result<W::Output> {
    let name = COMPILED_IN
        .first()
        .map_or(DEFAULT_BACKEND, |backend| backend.name);
    on(name, None, work)
}

/// Writes the networks of a checkpoint as files, on the first backend compiled in. Returns the files.
pub(crate) fn export(
    checkpoint: &Checkpoint,
    folder: &Path,
    format: ExportFormat,
) -> anyhow::Result<Vec<PathBuf>> {
    let export = Export {
        checkpoint,
        folder,
        format,
    };
    Ok(on_first(export)??)
}

struct Export<'a> {
    checkpoint: &'a Checkpoint,
    folder: &'a Path,
    format: ExportFormat,
}

impl OnBackend for Export<'_> {
    type Output = Result<Vec<PathBuf>, TaskError>;

    fn remedy(&self) -> &'static str {
        "free some memory: both networks have to fit"
    }

    fn run<B: TrainingBackend>(self, device: &B::Device) -> Self::Output {
        huenet_tasks::export::<B>(self.checkpoint, self.folder, self.format, device)
    }
}

/// The devices of the backend `name`, or how to get it.
pub(crate) fn devices(name: &str) -> String {
    match COMPILED_IN.iter().find(|backend| backend.name == name) {
        Some(backend) => match (backend.devices)() {
            none if none.is_empty() => format!("no device: {}", (backend.more)()),
            seen => seen.join(", "),
        },
        None => format!("not compiled in; build it with {}", build_command(name)),
    }
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

#[cfg(test)]
mod tests {
    use huenet_tasks::settings::BACKENDS;

    use super::*;

    #[test]
    fn every_backend_compiled_in_can_be_named_in_settings() {
        for backend in COMPILED_IN {
            assert!(BACKENDS.contains(&backend.name), "{}", backend.name);
        }
        assert!(BACKENDS.contains(&DEFAULT_BACKEND));
    }

    #[test]
    fn a_huenet_without_libtorch_says_how_to_get_both() {
        let name = "tch".to_owned();
        let message = Missing::Backend { name }.to_string();
        for words in ["`tch`", "cargo xtask setup-libtorch", "train --backend tch"] {
            assert!(message.contains(words), "{message}");
        }
    }
}
