//! TF32, in which NVIDIA's libraries multiply with 10 bits of each number's 23: LibTorch lets them do so
//! in convolutions unless they are told not to, by a variable of their own that they read as they are
//! loaded.

/// Their variable; 0 forbids it.
#[cfg(all(unix, feature = "tch"))]
const OVERRIDE: &str = "NVIDIA_TF32_OVERRIDE";

/// Sees to it that single precision is single precision unless TF32 is `allowed` or the user has set the
/// variable: starts this very command again with it. Without a LibTorch for GPUs there is nothing to do.
///
/// # Errors
///
/// If the command cannot be started again.
pub(crate) fn set(allowed: bool) -> std::io::Result<()> {
    #[cfg(all(unix, feature = "tch"))]
    if !allowed && std::env::var_os(OVERRIDE).is_none() && tch::utils::has_cuda() {
        return Err(again()?);
    }
    let _ = allowed;
    Ok(())
}

/// This command with TF32 forbidden, in place of this one; what is given back is why it did not start.
#[cfg(all(unix, feature = "tch"))]
fn again() -> std::io::Result<std::io::Error> {
    use std::os::unix::process::CommandExt;

    let mut arguments = std::env::args_os();
    let mut command = std::process::Command::new(std::env::current_exe()?);
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    Ok(command.args(arguments).env(OVERRIDE, "0").exec())
}
