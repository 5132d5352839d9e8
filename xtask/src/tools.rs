//! Starts cargo and other programs, and finds the workspace's folders.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

/// Whether this is a machine for tests: CI services set `CI`.
pub(crate) fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| !["", "false", "0"].contains(&value.as_str()))
}

pub(crate) fn has_nextest() -> bool {
    cargo()
        .args(["nextest", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The workspace's folder, as cargo, which started this program, names it. The path that was compiled in may be
/// old, if the workspace was moved.
pub(crate) fn workspace() -> PathBuf {
    let mut xtask = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    xtask.pop();
    xtask
}

/// The folder cargo builds into, wherever the user's configuration puts it.
pub(crate) fn target_folder() -> Result<PathBuf> {
    // xtask itself is TARGET/debug/xtask.
    let own = std::env::current_exe().context("cannot find xtask's own path")?;
    let folder = own
        .ancestors()
        .nth(2)
        .context("xtask is not in a target folder")?;
    Ok(folder.to_owned())
}

pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

pub(crate) fn run(command: &mut Command) -> Result<u8> {
    let status = command
        .status()
        .with_context(|| format!("cannot start {}", command.get_program().to_string_lossy()))?;
    // A child ended by a signal has no code; 1 says "failed" to the caller.
    Ok(status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .unwrap_or(1))
}
