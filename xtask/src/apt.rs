//! Installs Debian's packages on machines for tests.

use std::process::Command;
use std::sync::Mutex;

use anyhow::{Result, bail};

use crate::tools::run;

/// Only one `apt-get` at a time can run.
static TURN: Mutex<()> = Mutex::new(());

/// Installs packages with what they need.
///
/// # Errors
///
/// If that fails; `apt-get` itself prints why.
pub(crate) fn install(packages: &[&str]) -> Result<()> {
    let _turn = TURN
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let install = ["install", "--yes", "--no-install-recommends"];
    let done = run(apt().arg("update"))? == 0 && run(apt().args(install).args(packages))? == 0;
    if !done {
        bail!("{} could not be installed", packages.join(" "));
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
