//! LibTorch for the backend `tch`: finds it, and sets the variables with which cargo and huenet find
//! it.

mod check;
mod install;
mod library;
mod set_up;

use std::env;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::tools::in_ci;
pub(crate) use install::installer;
use library::{FIX, Store, named};
pub(crate) use library::{VERSION, add_libraries, python};
pub(crate) use set_up::set_up;

/// Sets the variables that `command` needs to build and run with the backend `tch`.
///
/// # Errors
///
/// If there is no LibTorch, or one of another version; the message says what to do.
pub(crate) fn prepare(command: &mut Command) -> Result<()> {
    if env::var_os("LIBTORCH_USE_PYTORCH").is_some() {
        // torch-sys asks Python.
        return Ok(());
    }
    if let Some(named) = named() {
        if env::var_os("LIBTORCH_BYPASS_VERSION_CHECK").is_none() {
            let advice = || format!("LIBTORCH does not fit; unset it and {FIX}");
            named.check_version().with_context(advice)?;
        }
        return named.prepare(command);
    }
    let Some(recorded) = Store::of_workspace().recorded() else {
        bail!("the backend tch needs LibTorch {VERSION}: {FIX}");
    };
    let advice = || format!("what was set up is gone or damaged: {FIX}");
    recorded.check_version().with_context(advice)?;
    recorded.prepare(command)
}

/// Sets the variables that `command` needs to run here if it was built elsewhere. Python's torch will do, too.
///
/// # Errors
///
/// As [`prepare`].
pub(crate) fn prepare_to_run(command: &mut Command) -> Result<()> {
    if let Err(error) = prepare(command) {
        let libtorch = check::of_python().ok_or(error)?;
        libtorch.check_version()?;
        libtorch.prepare(command)?;
    }
    // What was built with a LibTorch without CUDA does not ask for this part, and sees no GPU unless it is loaded.
    let set = command.get_envs().find(|(name, _)| *name == "LIBTORCH");
    let folder = set.and_then(|(_, value)| value.map(PathBuf::from));
    let cuda = folder.map(|folder| folder.join("lib/libtorch_cuda.so"));
    if let Some(cuda) = cuda.filter(|cuda| cuda.is_file())
        && env::var_os("LD_PRELOAD").is_none()
    {
        command.env("LD_PRELOAD", cuda);
    }
    Ok(())
}

/// As [`prepare`], for tests. Several tests run at a time, so idle threads must not spin: they would take the cores from
/// others.
///
/// # Errors
///
/// As [`prepare`].
pub(crate) fn prepare_tests(command: &mut Command) -> Result<()> {
    command.env("OMP_WAIT_POLICY", "passive");
    prepare(command)
}

/// Checks that there is a LibTorch of the right version.
///
/// # Errors
///
/// If there is none. The message says what to do.
pub(crate) fn available() -> Result<()> {
    prepare(&mut Command::new("cargo"))
}

/// Makes sure that there is a LibTorch. It is installed where `CI` is set; elsewhere the user has to run
/// `setup-libtorch`.
///
/// # Errors
///
/// If there is none afterwards. The message says what to do.
pub(crate) fn ensure() -> Result<()> {
    if in_ci() && available().is_err() {
        set_up(&[])?;
    }
    available()
}
