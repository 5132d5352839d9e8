//! Whether there is a Vulkan driver, which the backend wgpu needs on Linux.

use std::path::Path;
use std::process::{Command, Stdio};

/// Where drivers say that they are there.
const FOLDERS: [&str; 4] = [
    "/etc/vulkan/icd.d",
    "/usr/local/etc/vulkan/icd.d",
    "/usr/local/share/vulkan/icd.d",
    "/usr/share/vulkan/icd.d",
];

/// Whether a driver is installed, for whatever device.
pub(crate) fn is_available() -> bool {
    let named = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"];
    named.iter().any(|name| std::env::var_os(name).is_some())
        || FOLDERS.iter().any(|folder| has_files(Path::new(folder)))
}

fn has_files(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some())
}

/// Installs one that computes on the CPU, with apt-get as root; whether that went well.
pub(crate) fn install() -> bool {
    let succeeds = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null());
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command.status().is_ok_and(|status| status.success())
    };
    let user = Command::new("id").arg("-u").output();
    user.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
        && succeeds("apt-get", &["update", "--quiet"])
        && succeeds(
            "apt-get",
            &["install", "--quiet", "--yes", "mesa-vulkan-drivers"],
        )
        && is_available()
}
