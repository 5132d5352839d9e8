//! What each verb runs. Every function returns the exit code to hand on.

use std::ffi::OsString;
use std::process::Command;

use anyhow::{Result, bail};

use crate::features::{BACKEND_FEATURES, LIBTORCH};
use crate::tools::{cargo, has_nextest, run, target_folder};
use crate::{features, libtorch, nvrtc, wanted};

/// Builds `huenet` in release mode with the wanted backend and runs it with
/// `arguments`, in the caller's folder.
pub(crate) fn huenet(arguments: &[OsString]) -> Result<u8> {
    let backend = wanted::backend(arguments, |name| std::env::var_os(name));
    let mut build = cargo();
    build.args([
        "build",
        "--release",
        "--package",
        "huenet-cli",
        "--bin",
        "huenet",
    ]);
    // A backend that is none of these: huenet itself names those it knows.
    if BACKEND_FEATURES.contains(&backend.as_str()) {
        build.args(["--features", &format!("huenet-cli/{backend}")]);
    }
    let mut huenet = Command::new(target_folder()?.join("release").join("huenet"));
    if backend == LIBTORCH {
        libtorch::prepare(&mut build)?;
        libtorch::prepare(&mut huenet)?;
    }
    if run(&mut build)? != 0 {
        bail!("huenet did not build");
    }
    // Hints name a command that can be given: nothing is installed.
    run(huenet
        .args(arguments)
        .env("XTASK_HUENET", "cargo xtask huenet"))
}

/// Every test of the workspace; with `--backend NAME` that backend's. The documentation's examples
/// go first, so that the test runner's summary is the last thing printed.
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
    // Examples are left to clippy.
    run(runner.arg("--tests").args(EVERYTHING).args(arguments))
}

/// That everything is formatted.
pub(crate) fn format() -> Result<u8> {
    run(cargo().args(["fmt", "--all", "--check"]))
}

/// Clippy and rustdoc with warnings denied, with `features` turned on.
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
