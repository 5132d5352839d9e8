//! Finds or installs a Vulkan driver, with which the backend wgpu is tested on Linux. Mesa has one that computes
//! on the CPU.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::tools::{in_ci, run};

/// Debian's package of Mesa's drivers.
const PACKAGE: &str = "mesa-vulkan-drivers";

/// The folders that list installed drivers.
const FOLDERS: [&str; 3] = [
    "/usr/share/vulkan/icd.d",
    "/usr/local/share/vulkan/icd.d",
    "/etc/vulkan/icd.d",
];

/// The user's own choice of drivers.
const CHOICES: [&str; 2] = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"];

/// Makes sure that there is a driver. One is installed where `CI` is set; other systems are not changed.
///
/// # Errors
///
/// If there is none afterwards. The message says what to do.
pub(crate) fn ensure() -> Result<()> {
    // Other systems need none: wgpu computes with Metal or DirectX there.
    if !cfg!(target_os = "linux") || is_there() {
        return Ok(());
    }
    if !in_ci() {
        bail!("there is no Vulkan driver; on Debian install one with `apt install {PACKAGE}`");
    }
    let done = run(apt().arg("update"))? == 0
        && run(apt().args(["install", "--yes", "--no-install-recommends", PACKAGE]))? == 0;
    if !done || !is_there() {
        bail!("there is no Vulkan driver, and {PACKAGE} could not be installed");
    }
    Ok(())
}

/// Quiet, and with a short wait for a package index that does not answer.
fn apt() -> Command {
    let mut apt = Command::new("apt-get");
    apt.env("DEBIAN_FRONTEND", "noninteractive").args([
        "--quiet=2",
        "-o",
        "Acquire::Retries=1",
        "-o",
        "Acquire::http::Timeout=20",
    ]);
    apt
}

fn is_there() -> bool {
    let chosen = CHOICES.iter().any(|name| std::env::var_os(name).is_some());
    chosen || FOLDERS.iter().any(|folder| announces(Path::new(folder)))
}

/// Whether a folder lists a driver.
fn announces(folder: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return false;
    };
    let mut files = entries.filter_map(Result::ok).map(|entry| entry.path());
    files.any(|path| path.extension().is_some_and(|kind| kind == "json"))
}
