//! The work of each verb. Every function returns the exit code.

use std::ffi::OsString;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::backends::{BACKENDS, DEFAULT_BACKEND};
use crate::features::LIBTORCH;
use crate::tools::{cargo, has_nextest, run, target_folder};
use crate::{features, libtorch, mpi, nvrtc, wanted};

/// Builds `huenet` in release mode with the wanted backend and runs it with
/// `arguments`, in the caller's folder.
pub(crate) fn huenet(arguments: &[OsString]) -> Result<u8> {
    let (processes, arguments) = mpi::processes(arguments)?;
    let ask = || ask_for_backend(&arguments);
    let backend = wanted::backend(&arguments, |name| std::env::var_os(name), ask)?;
    let mut huenet = match processes {
        None => build_huenet(&backend, None)?,
        Some(count) => {
            mpi::ensure()?;
            let huenet = build_huenet(&backend, Some(mpi::FEATURE))?;
            mpi::launcher(count, &huenet)?
        }
    };
    // So that hints name a command that works, although huenet is not installed.
    huenet
        .args(arguments)
        .env("XTASK_HUENET", "cargo xtask huenet");
    match processes {
        None => run(&mut huenet),
        Some(_) => mpi::run_together(&mut huenet),
    }
}

/// Builds `huenet` in release mode with a backend, and with another feature if one is given. Returns the command that
/// starts it.
fn build_huenet(backend: &str, feature: Option<&str>) -> Result<Command> {
    let mut build = cargo();
    build.args([
        "build",
        "--release",
        "--package",
        "huenet-cli",
        "--bin",
        "huenet",
    ]);
    // If it is none of these, huenet itself names the backends that it knows.
    if backend != DEFAULT_BACKEND && BACKENDS.contains(&backend) {
        build.args(["--features", &format!("huenet-cli/{backend}")]);
    }
    if let Some(feature) = feature {
        build.args(["--features", feature]);
    }
    let mut huenet = Command::new(target_folder()?.join("release").join("huenet"));
    if backend == LIBTORCH {
        libtorch::prepare(&mut build)?;
        libtorch::prepare(&mut huenet)?;
    }
    match run(&mut build)? {
        0 => Ok(huenet),
        _ => bail!("huenet did not build"),
    }
}

/// Asks a `huenet` with the default backend which one the settings name that `arguments` lead to. There is no answer
/// if something is wrong with them: huenet says what when it runs.
fn ask_for_backend(arguments: &[OsString]) -> Result<Option<String>> {
    let mut huenet = build_huenet(DEFAULT_BACKEND, None)?;
    let asked = huenet.arg(wanted::VERB).args(arguments).output();
    let asked = asked.context("cannot start huenet")?;
    let answer = String::from_utf8_lossy(&asked.stdout).trim().to_owned();
    Ok(Some(answer).filter(|_| asked.status.success()))
}

/// Runs every test of the workspace, or with `--backend NAME` those of a backend. The documentation's
/// examples go first, so that the test runner's summary is printed last.
pub(crate) fn test(arguments: &[OsString]) -> Result<u8> {
    match arguments {
        [flag, name, rest @ ..] if flag == "--backend" => {
            return features::conformance(&name.to_string_lossy(), rest);
        }
        [flag] if flag == "--backend" => bail!("--backend takes the name of a backend"),
        _ => {}
    }
    if arguments.is_empty() {
        let code = run(cargo().args(["test", "--doc", "--quiet"]).args(EVERYTHING))?;
        if code != 0 {
            return Ok(code);
        }
    }
    let mut runner = cargo();
    if has_nextest() {
        runner.args(["nextest", "run"]);
    } else {
        eprintln!("cargo-nextest is not installed; running cargo test");
        runner.arg("test");
    }
    // Of the examples only those that have tests; clippy checks the others.
    run(runner.arg("--tests").args(EVERYTHING).args(arguments))
}

/// Checks the formatting.
pub(crate) fn format() -> Result<u8> {
    run(cargo().args(["fmt", "--all", "--check"]))
}

/// Runs Clippy and rustdoc with `features` turned on. Warnings are errors.
pub(crate) fn lint(features: &str) -> Result<u8> {
    let all = ["--workspace", "--features", features];
    let clippy = ["--all-targets", "--", "-D", "warnings"];
    let doc = ["--no-deps", "--document-private-items", "--quiet"];
    for (verb, how) in [("clippy", &clippy[..]), ("doc", &doc)] {
        let mut check = cargo();
        check.arg(verb).args(all).args(how);
        check.env("RUSTDOCFLAGS", "-D warnings");
        if features.contains(LIBTORCH) {
            libtorch::prepare(&mut check)?;
        }
        nvrtc::foresee(&mut check);
        let code = run(&mut check)?;
        if code != 0 {
            return Ok(code);
        }
    }
    Ok(0)
}

/// The backends that need nothing but Rust and a C compiler.
pub(crate) const ON_THE_CPU: &str = "huenet-cli/ndarray";

/// The crates and backends that need nothing but Rust and a C compiler.
const EVERYTHING: [&str; 3] = ["--workspace", "--features", ON_THE_CPU];
