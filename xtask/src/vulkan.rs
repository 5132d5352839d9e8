//! Finds or installs a Vulkan driver, with which the backend wgpu is tested on Linux. Mesa has one that computes
//! on the CPU.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::apt;
use crate::tools::in_ci;

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
    apt::install(&[PACKAGE]).context("there is no Vulkan driver")?;
    if !is_there() {
        bail!("there is no Vulkan driver, though {PACKAGE} was installed");
    }
    Ok(())
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
