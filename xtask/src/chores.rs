//! What each verb runs. Every function returns the exit code to hand on.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

/// Builds `huenet` in release mode with the wanted backend and runs it with
/// `arguments`, in the caller's folder.
pub(crate) fn huenet(arguments: &[String]) -> Result<u8> {
    let backend = wanted_backend(arguments);
    let mut build = cargo();
    build.args([
        "build",
        "--release",
        "--package",
        "huenet-cli",
        "--bin",
        "huenet",
    ]);
    match backend.as_deref() {
        None | Some("flex") => {}
        Some(other) if BACKEND_FEATURES.contains(&other) => {
            build.args(["--features", &format!("huenet-cli/{other}")]);
        }
        // huenet itself names the backends it knows.
        Some(_) => {}
    }
    let built = run(&mut build)?;
    if built != 0 {
        eprintln!(
            "error: huenet did not build{}",
            libtorch_hint(backend.as_deref())
        );
        return Ok(built);
    }
    let mut huenet = Command::new(target_folder()?.join("release").join("huenet"));
    if backend.as_deref() == Some("tch") {
        prepare_libtorch(&mut huenet)?;
    }
    run(huenet.args(arguments))
}

/// Lets the binary find LibTorch's libraries, and keeps its idle threads from spinning:
/// they would take the cores from the histogram kernels between its own operations.
fn prepare_libtorch(huenet: &mut Command) -> Result<()> {
    if let Some(libtorch) = std::env::var_os("LIBTORCH") {
        let own = PathBuf::from(libtorch).join("lib");
        let others = std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
        let paths = std::iter::once(own).chain(std::env::split_paths(&others));
        let joined = std::env::join_paths(paths).context("LIBTORCH holds a colon")?;
        huenet.env("LD_LIBRARY_PATH", joined);
    }
    if std::env::var_os("OMP_WAIT_POLICY").is_none() {
        huenet.env("OMP_WAIT_POLICY", "passive");
    }
    Ok(())
}

/// Every test of the workspace. The documentation's examples go first, so that the
/// test runner's summary is the last thing printed.
pub(crate) fn test(arguments: &[String]) -> Result<u8> {
    if arguments.is_empty() {
        let code = run(cargo().args(["test", "--workspace", "--doc", "--quiet"]))?;
        if code != 0 {
            return Ok(code);
        }
    }
    let nextest = has_nextest();
    let mut runner = cargo();
    if nextest {
        runner.args(["nextest", "run", "--workspace"]);
    } else {
        eprintln!("cargo-nextest is not installed; running cargo test");
        runner.args([
            "test",
            "--workspace",
            "--lib",
            "--bins",
            "--tests",
            "--examples",
        ]);
    }
    run(runner.args(arguments))
}

/// Formatting, clippy and rustdoc with warnings denied.
pub(crate) fn lint() -> Result<u8> {
    let checks: [&[&str]; 3] = [
        &["fmt", "--all", "--check"],
        &[
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ],
        &[
            "doc",
            "--workspace",
            "--no-deps",
            "--document-private-items",
            "--quiet",
        ],
    ];
    for check in checks {
        let code = run(cargo().args(check).env("RUSTDOCFLAGS", "-D warnings"))?;
        if code != 0 {
            return Ok(code);
        }
    }
    Ok(0)
}

/// The cargo features of huenet-cli that name a backend.
const BACKEND_FEATURES: [&str; 3] = ["flex", "ndarray", "tch"];

/// The backend the arguments or the environment ask for. A config file's `backend`
/// cannot change what is compiled; huenet says so if it names one that is missing.
fn wanted_backend(arguments: &[String]) -> Option<String> {
    let flag = arguments
        .iter()
        .enumerate()
        .rev()
        .find_map(|(at, argument)| match argument.strip_prefix("--backend")? {
            "" => arguments.get(at + 1).cloned(),
            value => value.strip_prefix('=').map(str::to_owned),
        });
    flag.or_else(|| std::env::var("HUENET_BACKEND").ok())
}

fn libtorch_hint(backend: Option<&str>) -> &'static str {
    match backend {
        Some("tch") if std::env::var_os("LIBTORCH").is_none() => {
            "; the tch backend needs LibTorch 2.9.0: set LIBTORCH to its folder"
        }
        _ => "",
    }
}

fn has_nextest() -> bool {
    cargo()
        .args(["nextest", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The folder cargo builds into, wherever the user's configuration puts it.
fn target_folder() -> Result<PathBuf> {
    // xtask itself is TARGET/debug/xtask.
    let own = std::env::current_exe().context("cannot find xtask's own path")?;
    let folder = own
        .ancestors()
        .nth(2)
        .context("xtask is not in a target folder")?;
    Ok(folder.to_owned())
}

fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

fn run(command: &mut Command) -> Result<u8> {
    let status = command
        .status()
        .with_context(|| format!("cannot start {}", command.get_program().to_string_lossy()))?;
    // A child ended by a signal has no code; 1 says "failed" to the caller.
    Ok(status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .unwrap_or(1))
}
