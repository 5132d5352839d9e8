//! NVRTC, NVIDIA's compiler for kernels. With it the kernels of the backend cuda are tested on machines
//! without a GPU.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::libtorch::{add_libraries, installer, python};
use crate::tools::{in_ci, workspace};

/// The compiler, and the headers that the kernels include.
const PACKAGES: [&str; 2] = [
    "nvidia-cuda-nvrtc-cu12==12.8.93",
    "nvidia-cuda-runtime-cu12==12.8.90",
];

/// Where the toolkit is unless the user says something else.
const TOOLKIT: &str = "/usr/local/cuda";

/// Where the headers and NVRTC are in NVIDIA's Python packages: those of CUDA 12, and of 13.
const OF_PYTHON: [(&str, &str); 2] = [("cuda_runtime", "cuda_nvrtc/lib"), ("cu13", "cu13/lib")];

/// The folder where it is installed. Git ignores it; LibTorch is beside it.
fn folder() -> PathBuf {
    workspace().join(".libtorch/nvrtc")
}

/// Where the toolkit's headers are, once it is installed there.
fn headers() -> PathBuf {
    folder().join("nvidia/cuda_runtime")
}

/// The user's own toolkit, which takes precedence.
fn named() -> Option<PathBuf> {
    std::env::var_os("CUDA_PATH").map(PathBuf::from)
}

/// Lets `command` find NVRTC: that of the user's toolkit, or the one installed here.
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

/// Lets `command`, which was built elsewhere, find NVRTC: as [`prepare`], or that of the toolkit's usual folder, or that
/// which Python's torch brings.
pub(crate) fn prepare_to_run(command: &mut Command) -> Result<()> {
    if named().is_some() || folder().is_dir() {
        return prepare(command);
    }
    if Path::new(TOOLKIT).is_dir() {
        return add_libraries(command, Path::new(TOOLKIT).join("lib64"));
    }
    let Some(nvidia) = of_python() else {
        return Ok(());
    };
    for (headers, libraries) in OF_PYTHON {
        if nvidia.join(libraries).is_dir() {
            command.env("CUDA_PATH", nvidia.join(headers));
            return add_libraries(command, nvidia.join(libraries));
        }
    }
    Ok(())
}

/// The folder of NVIDIA's Python packages, if there are any.
fn of_python() -> Option<PathBuf> {
    const QUESTION: &str = "import importlib.util as u; s = u.find_spec('nvidia'); \
         print(list(s.submodule_search_locations)[0] if s else '')";
    let output = Command::new(python())
        .args(["-c", QUESTION])
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let folder = text.trim_end_matches(['\r', '\n']);
    (output.status.success() && !folder.is_empty()).then(|| folder.into())
}

/// Names for `command` the toolkit that tests will use, also if it is not installed yet. If the name changed later,
/// cargo would compile again what depends on it.
pub(crate) fn foresee(command: &mut Command) {
    if named().is_none() && (in_ci() || folder().is_dir()) {
        command.env("CUDA_PATH", headers());
    }
}

/// Makes sure that NVRTC is there. It is installed where `CI` is set; elsewhere only if the user tests the
/// backend cuda.
///
/// # Errors
///
/// If it is not there afterwards. The message says what to do.
pub(crate) fn ensure() -> Result<()> {
    if !folder().is_dir() && named().is_none() && !in_ci() {
        bail!(
            "there is no NVRTC; `cargo xtask test --backend cuda` gets it, and CUDA_PATH names a \
             toolkit that is there already"
        );
    }
    install()
}

/// Installs NVRTC from the package index, unless it is there.
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
