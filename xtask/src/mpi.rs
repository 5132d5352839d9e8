//! Finds or installs MPI, with which several processes train together, and starts them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::apt;
use crate::tools::in_ci;

/// The feature of `huenet-cli`.
pub(crate) const FEATURE: &str = "huenet-cli/mpi";

/// Debian's packages: Open MPI, what programs are built with for it, and what reads its headers.
const PACKAGES: [&str; 3] = ["libopenmpi-dev", "openmpi-bin", "libclang-dev"];

/// The flag of `cargo xtask train` that says how many processes train.
const FLAG: &str = "--processes";

/// Makes sure that there is MPI and what it takes to build with it. Open MPI is installed where `CI` is set, on Linux;
/// other systems are not changed.
///
/// # Errors
///
/// If something is missing afterwards. The message says what to do.
pub(crate) fn ensure() -> Result<()> {
    let Some(missing) = missing() else {
        return Ok(());
    };
    let advice = format!("on Debian: `apt install {}`", PACKAGES.join(" "));
    if !in_ci() || !cfg!(target_os = "linux") {
        bail!("there is no {missing}; {advice}");
    }
    apt::install(&PACKAGES)?;
    match self::missing() {
        None => Ok(()),
        Some(missing) => bail!("there is no {missing}, though its package was installed"),
    }
}

/// The first thing that is not there.
fn missing() -> Option<&'static str> {
    let answers = |program: &str| {
        let mut command = Command::new(program);
        command
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    let programs = ["mpirun", "mpicc"].into_iter();
    let missing = programs.into_iter().find(|program| !answers(program));
    missing.or_else(|| (!has_libclang()).then_some("libclang"))
}

/// Whether there is a libclang where bindgen looks for one, or the user says where it is.
fn has_libclang() -> bool {
    if std::env::var_os("LIBCLANG_PATH").is_some() || !cfg!(target_os = "linux") {
        return true;
    }
    let below = |folder: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect()
    };
    let is_it = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("libclang") && name.contains(".so")
    };
    let of_llvm = below(Path::new("/usr/lib")).into_iter();
    let folders = of_llvm.flat_map(|folder| [folder.join("lib"), folder]);
    let folders = folders.chain(["/usr/lib", "/usr/lib64", "/usr/local/lib"].map(PathBuf::from));
    folders
        .into_iter()
        .any(|folder| below(&folder).iter().any(is_it))
}

/// Takes `--processes N` out of the arguments; gives N, if it is there, and the others.
///
/// # Errors
///
/// If N is no number of processes.
pub(crate) fn processes(arguments: &[OsString]) -> Result<(Option<usize>, Vec<OsString>)> {
    let mut found = None;
    let mut others = Vec::new();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let text = argument.to_string_lossy();
        let value = match text.strip_prefix(FLAG) {
            Some("") => rest
                .next()
                .map(|value| value.to_string_lossy().into_owned()),
            Some(rest) if rest.starts_with('=') => Some(rest[1..].to_owned()),
            _ => {
                others.push(argument.clone());
                continue;
            }
        };
        let value = value.unwrap_or_default();
        match value.parse() {
            Ok(count) if count > 0 => found = Some(count),
            _ => bail!("{FLAG} takes the number of processes that train together, not `{value}`"),
        }
    }
    Ok((found, others))
}

/// The command that starts `program` in so many processes on this machine, to which its arguments are added.
///
/// # Errors
///
/// If there is no `mpirun`.
pub(crate) fn launcher(count: usize, program: &Command) -> Result<Command> {
    let mut launcher = Command::new("mpirun");
    let version = Command::new("mpirun").arg("--version").output();
    let version = version.context("cannot start mpirun")?;
    launcher.args(["-n", &count.to_string()]);
    if String::from_utf8_lossy(&version.stdout).contains("Open MPI") {
        // huenet divides the machine's threads by itself. More processes than cores are slow, but work.
        launcher.args(["--bind-to", "none", "--oversubscribe"]);
        if is_root() {
            launcher.arg("--allow-run-as-root");
        }
    }
    launcher.arg(program.get_program());
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => launcher.env(name, value),
            None => launcher.env_remove(name),
        };
    }
    Ok(launcher)
}

/// Runs what [`launcher`] gave. Ctrl-C and the request to end reach the processes as the signal SIGUSR1, after which
/// they save what was done: `mpirun` passes only that one on and waits. A second one ends them at once.
///
/// # Errors
///
/// If it cannot be started.
#[cfg(unix)]
pub(crate) fn run_together(launcher: &mut Command) -> Result<u8> {
    use std::os::unix::process::CommandExt;

    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    let mut signals = Signals::new([SIGINT, SIGTERM]).context("cannot watch for Ctrl-C")?;
    // In a group of its own it does not get the terminal's Ctrl-C; and then it must not read from there.
    launcher.process_group(0).stdin(Stdio::null());
    let mut child = launcher.spawn().context("cannot start mpirun")?;
    let process = child.id().to_string();
    let watched = signals.handle();
    let watcher = std::thread::spawn(move || {
        for (number, _) in signals.forever().enumerate() {
            let signal = if number == 0 { "USR1" } else { "TERM" };
            // It may be gone already.
            let _ = Command::new("kill").args(["-s", signal, &process]).status();
        }
    });
    let status = child.wait().context("cannot wait for mpirun")?;
    watched.close();
    let _ = watcher.join();
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.unwrap_or(1))
}

/// Runs what [`launcher`] gave.
///
/// # Errors
///
/// If it cannot be started.
#[cfg(not(unix))]
pub(crate) fn run_together(launcher: &mut Command) -> Result<u8> {
    crate::tools::run(launcher)
}

/// Whether this process is root's, as all are in many containers.
fn is_root() -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
    }
    #[cfg(not(unix))]
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(arguments: &[&str]) -> (Option<usize>, Vec<OsString>) {
        let arguments: Vec<_> = arguments.iter().map(OsString::from).collect();
        processes(&arguments).unwrap()
    }

    #[test]
    fn the_number_of_processes_is_taken_out() {
        let others = |arguments: &[&str]| arguments.iter().map(OsString::from).collect::<Vec<_>>();
        assert_eq!(
            taken(&["train", "--seed", "1"]),
            (None, others(&["train", "--seed", "1"]))
        );
        let expected = (Some(2), others(&["train", "--seed", "1"]));
        assert_eq!(
            taken(&["train", "--processes", "2", "--seed", "1"]),
            expected
        );
        assert_eq!(taken(&["train", "--seed", "1", "--processes=2"]), expected);
        for wrong in [
            &["--processes"][..],
            &["--processes", "0"],
            &["--processes=two"],
        ] {
            let arguments: Vec<_> = wrong.iter().map(OsString::from).collect();
            assert!(processes(&arguments).is_err(), "{wrong:?}");
        }
    }
}
