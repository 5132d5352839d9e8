//! NVIDIA's compiler for kernels, NVRTC, with which the kernels of the backend cuda are tested where there
//! is no GPU.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::libtorch::{add_libraries, installer};
use crate::tools::{in_ci, workspace};

/// The compiler, and the headers that the kernels include.
const PACKAGES: [&str; 2] = [
    "nvidia-cuda-nvrtc-cu12==12.8.93",
    "nvidia-cuda-runtime-cu12==12.8.90",
];

/// Where it is installed: an ignored folder, beside LibTorch.
fn folder() -> PathBuf {
    workspace().join(".libtorch/nvrtc")
}

/// Where the toolkit's headers are, once it is installed there.
fn headers() -> PathBuf {
    folder().join("nvidia/cuda_runtime")
}

/// The toolkit that the user has, which is then the one to use.
fn named() -> Option<PathBuf> {
    std::env::var_os("CUDA_PATH").map(PathBuf::from)
}

/// Lets `command` find it: that of the toolkit that the user names, or the one installed here.
pub(crate) fn prepare(command: &mut Command) -> Result<()> {
    if let Some(toolkit) = named() {
        return add_libraries(command, toolkit.join("lib64"));
    }
    let folder = folder().join("nvidia");
    if !folder.is_dir() {
        return Ok(());
    }
    command.env("CUDA_PATH", headers());
    add_libraries(command, folder.join("cuda_nvrtc/lib"))
}

/// Names for `command` the toolkit that tests will use, whether it is there yet or not: where the name changes, cargo
/// compiles anew what asks for it.
pub(crate) fn foresee(command: &mut Command) {
    if named().is_none() && (in_ci() || folder().is_dir()) {
        command.env("CUDA_PATH", headers());
    }
}

/// Makes sure that it is there. Machines that are there for testing get it; elsewhere it takes the wish to
/// test the backend cuda.
///
/// # Errors
///
/// If it is not there afterwards, with what to do.
pub(crate) fn ensure() -> Result<()> {
    if !folder().is_dir() && named().is_none() && !in_ci() {
        bail!(
            "there is no NVRTC; `cargo xtask test --backend cuda` gets it, and CUDA_PATH names a \
             toolkit that is there already"
        );
    }
    install()
}

/// Installs it from the package index, unless it is there.
pub(crate) fn install() -> Result<()> {
    let (place, aside) = (folder(), folder().with_extension("partial"));
    if place.is_dir() || named().is_some() {
        return Ok(());
    }
    if aside.exists() {
        std::fs::remove_dir_all(&aside)
            .with_context(|| format!("cannot remove {}", aside.display()))?;
    }
    let mut pip = installer(&aside.join("site"), &aside.join("tmp"))?;
    let status = pip.arg("--no-deps").args(PACKAGES).status();
    if !status.is_ok_and(|status| status.success()) {
        bail!("the package installer failed; its own message is above");
    }
    let moved = std::fs::rename(aside.join("site"), &place);
    moved.with_context(|| format!("cannot write {}", place.display()))?;
    let _ = std::fs::remove_dir_all(&aside);
    Ok(())
}
