//! The backends that can be measured here, and their devices.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::pack::{HUENET, Pack, make_folder};
use super::process;
use super::row::Outcome;
use crate::features::LIBTORCH;

/// A backend, and the device that is measured.
pub(super) struct Target {
    pub(super) backend: &'static str,
    /// Its name, unless it is the backend's first one.
    pub(super) device: Option<String>,
    /// Whether it is a graphics card, and no software.
    pub(super) is_card: bool,
    /// Where kernels are kept: variables that name folders.
    variables: Vec<(&'static str, OsString)>,
}

/// What the drivers' and our own caches of compiled kernels go by: CUDA's driver, Mesa's, NVIDIA's for Vulkan, and
/// all that are in the user's cache folder.
const CACHES: [&str; 4] = [
    "CUDA_CACHE_PATH",
    "MESA_SHADER_CACHE_DIR",
    "__GL_SHADER_DISK_CACHE_PATH",
    "XDG_CACHE_HOME",
];

/// Longer than a start takes.
const PATIENCE: Duration = Duration::from_secs(60);

impl Target {
    /// Starts a program on this backend, which keeps compiled kernels for the following ones.
    pub(super) fn program(&self, pack: &Pack, name: &str) -> Result<Command> {
        let mut command = pack.program(self.backend, name)?;
        command.envs(self.variables.iter().cloned());
        Ok(command)
    }

    /// Looks for a device of the backend. Unless the backend is `named` by the user, only a card will do. Kernels are
    /// kept in a folder in `output`, from which those of an earlier measurement are removed.
    pub(super) fn find(
        pack: &Pack,
        backend: &'static str,
        named: bool,
        output: &Path,
        logs: &Path,
    ) -> Result<Self, Outcome> {
        let missing = |reason: String| match named {
            true => Outcome::Failed(reason),
            false => Outcome::Skipped(reason),
        };
        let failed = |error: anyhow::Error| Outcome::Failed(format!("{error:#}"));
        if !pack.has(backend) {
            return Err(missing("it was not packed".to_owned()));
        }
        let command = pack.program(backend, HUENET);
        let mut command = command.map_err(|error| missing(format!("{error:#}")))?;
        command.args(["info", "--backend", backend]);
        let log = logs.join(format!("devices {backend}.txt"));
        let ended = process::run(&mut command, &log, PATIENCE).map_err(failed)?;
        if let Some(problem) = ended.problem {
            return Err(Outcome::Failed(problem));
        }
        let (device, is_card) = device(backend, &ended.output, named).map_err(missing)?;
        let kept = output.join("kernels").join(backend);
        if kept.exists() {
            let removed = std::fs::remove_dir_all(&kept);
            let removed = removed.with_context(|| format!("cannot empty {}", kept.display()));
            removed.map_err(failed)?;
        }
        make_folder(&kept).map_err(failed)?;
        Ok(Self {
            backend,
            device,
            is_card,
            variables: CACHES.map(|name| (name, kept.clone().into())).to_vec(),
        })
    }
}

/// The device to measure, unless it is the backend's first one, and whether it is a card. `info` is what
/// `huenet info` prints.
fn device(backend: &str, info: &str, named: bool) -> Result<(Option<String>, bool), String> {
    let line = info.lines().find_map(|line| {
        let line = line.trim_start().strip_prefix(backend)?;
        line.starts_with(' ').then_some(line.trim())
    });
    let line = line.ok_or_else(|| format!("`huenet info` does not list {backend}"))?;
    if line.starts_with("no device") || line.starts_with("not compiled in") {
        return Err(line.to_owned());
    }
    let mut devices = line.split(", ");
    // LibTorch's first device is the processor.
    let card = match backend {
        LIBTORCH => devices.find(|name| name.starts_with("cuda:")),
        _ => devices.find(|name| *name != "cpu"),
    };
    match card {
        Some(card) => Ok((Some(card.to_owned()), true)),
        None if named => Ok((None, false)),
        None => Err(format!(
            "it sees no graphics card here, only: {line}; `--backends {backend}` measures that"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(backend: &str, line: &str, named: bool) -> Result<(Option<String>, bool), String> {
        let info = format!("huenet    0.1.0\nbackends:\n  {backend:<8}{line}\n");
        device(backend, &info, named)
    }

    #[test]
    fn a_card_comes_before_the_processor() {
        let card = Some("cuda:0".to_owned());
        assert_eq!(
            of("tch", "cpu, cuda:0, cuda:1", false),
            Ok((card.clone(), true))
        );
        assert_eq!(of("cuda", "cuda:0", false), Ok((card, true)));
        let card = Some("integrated:0".to_owned());
        assert_eq!(of("wgpu", "integrated:0, cpu", false), Ok((card, true)));
    }

    #[test]
    fn software_is_measured_only_if_the_backend_is_named() {
        for backend in ["tch", "wgpu"] {
            let reason = of(backend, "cpu", false).unwrap_err();
            assert!(
                reason.contains(&format!("--backends {backend}")),
                "{reason}"
            );
            assert_eq!(of(backend, "cpu", true), Ok((None, false)));
        }
    }

    #[test]
    fn a_backend_without_devices_says_why() {
        let line = "no device: it needs an NVIDIA GPU and its driver";
        assert_eq!(of("cuda", line, true).unwrap_err(), line);
        assert!(device("cuda", "huenet    0.1.0\n", true).is_err());
    }
}
