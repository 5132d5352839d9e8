//! Checks that each choice of backends builds, and runs the tests of one backend.

use std::ffi::OsString;
use std::process::Command;

use anyhow::{Result, bail};

use crate::backends::BACKENDS;
use crate::tools::{cargo, has_nextest, run};
use crate::{libtorch, nvrtc};

/// The backend that needs LibTorch.
pub(crate) const LIBTORCH: &str = "tch";

/// The backends that every build of the tests has.
pub(crate) const EVERYWHERE: [&str; 2] = ["flex", "ndarray"];

/// The backends of graphics cards.
pub(crate) const CARDS: [&str; 2] = ["wgpu", "cuda"];

/// What else the names of a backend's tests contain, besides its own name.
const OF_ONE: [(&str, &str); 1] = [(LIBTORCH, "libtorch")];

/// The test of CUDA's kernels that needs no GPU. It prints whether it was skipped.
const COMPILED: &str = "kernels_compile_as_cuda";

/// Runs the conformance tests of the backend `name`, those of the real binary on it, and those of code
/// that only this backend has. `arguments` go to the test runner.
pub(crate) fn conformance(name: &str, arguments: &[OsString]) -> Result<u8> {
    if !BACKENDS.contains(&name) {
        let known = BACKENDS.join(", ");
        bail!("there is no backend `{name}`; those to test are {known}");
    }
    if name == "cuda"
        && let Err(error) = nvrtc::install()
    {
        eprintln!("SKIPPED: compiling the kernels of the backend cuda. {error:#}");
    }
    let mut features = Vec::new();
    if !EVERYWHERE.contains(&name) {
        features.extend(["cli", "tests"].map(|package| format!("huenet-{package}/{name}")));
    }
    let mut filters = tests_of(name);
    filters.push(COMPILED.to_owned());
    let mut runner = tests(&features)?;
    // The user named the backend, so its tests must not be skipped where there is no device.
    runner.env("HUENET_NEED_DEVICE", "1");
    run(runner.args(arguments).arg("--").args(filters))
}

/// What the names of a backend's tests contain.
fn tests_of(backend: &str) -> Vec<String> {
    let more = OF_ONE.iter().filter(|(name, _)| *name == backend);
    std::iter::once(format!("{backend}::"))
        .chain(more.map(|(_, filter)| (*filter).to_owned()))
        .collect()
}

/// A test runner with the tests that concern backends, in a build with `features`.
fn tests(features: &[String]) -> Result<Command> {
    let mut runner = cargo();
    match has_nextest() {
        true => runner.args(["nextest", "run"]),
        false => runner.arg("test"),
    };
    // The whole workspace, so that nothing has to be built again after its other tests.
    let all = [&["huenet-cli/ndarray".to_owned()], features].concat();
    runner.args(["--workspace", "--lib", "--features", &all.join(",")]);
    // Building the tests of the command line also builds the binary that the end-to-end tests start.
    // Building it alone would build many crates again, without the features that only tests need.
    let suites = ["conformance", "end_to_end", "command_line"];
    runner.arg("--bins");
    runner.args(suites.map(|name| ["--test", name]).concat());
    let has = |name: &str| all.iter().any(|feature| feature.ends_with(name));
    if has("/tch") {
        libtorch::prepare_tests(&mut runner)?;
    }
    if has("/cuda") {
        nvrtc::prepare(&mut runner)?;
    }
    Ok(runner)
}

/// The name of the choice without any backend.
const NONE: &str = "no backend";

/// The crates that do not choose a backend.
const LIBRARIES: [&str; 4] = [
    "huenet-data",
    "huenet-hist",
    "huenet-models",
    "huenet-tasks",
];

/// Whether the choices of backends are checked as users build them.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Build {
    /// With just what each choice needs. Third-party crates are compiled again for nearly every choice.
    Alone,
    /// With what all choices need together. Third-party crates are compiled once.
    Shared,
}

/// Checks that every choice of backends builds without a warning: none, each alone, all of the CPU's. Checks the same
/// of the tests for graphics cards. Without LibTorch, what needs it is left out, and a message says so.
pub(crate) fn check() -> Result<u8> {
    let libtorch = libtorch::ensure();
    if let Err(error) = &libtorch {
        eprintln!("SKIPPED: everything with the backend tch. {error:#}");
    }
    let code = check_choices(libtorch.is_ok(), Build::Alone)?;
    if code != 0 {
        return Ok(code);
    }
    eprintln!("checking the tests of: {}", CARDS.join(", "));
    let mut clippy = cargo();
    clippy.args(["clippy", "--quiet", "--all-targets"]);
    clippy.args([
        "--package",
        "huenet-hist",
        "--package",
        "huenet-tests",
        "--features",
    ]);
    clippy.arg(CARDS.map(|name| format!("huenet-tests/{name}")).join(","));
    run(clippy.args(["--", "-D", "warnings"]))
}

/// Checks that every choice of backends builds without a warning: none, each alone, all of the CPU's.
pub(crate) fn check_choices(libtorch: bool, build: Build) -> Result<u8> {
    // In a shared build third-party crates include LibTorch's bindings.
    let build = if libtorch { build } else { Build::Alone };
    for choice in choices(libtorch) {
        let what = match choice.as_slice() {
            [] => NONE.to_owned(),
            names => names.join(", "),
        };
        eprintln!("checking the features: {what}");
        let mut clippy = cargo();
        clippy.args(["clippy", "--quiet", "--no-default-features"]);
        nvrtc::foresee(&mut clippy);
        let mut features: Vec<_> = choice
            .iter()
            .map(|name| format!("huenet-cli/{name}"))
            .collect();
        if choice.is_empty() {
            // Without any backend huenet could do nothing, but the libraries can.
            clippy.args(LIBRARIES.map(|name| ["--package", name]).concat());
        } else {
            clippy.args(["--package", "huenet-cli"]);
        }
        if build == Build::Shared {
            clippy.args(["--package", "xtask"]);
            features.push("xtask/shared-build".to_owned());
        }
        if choice.contains(&LIBTORCH) || build == Build::Shared {
            libtorch::prepare(&mut clippy)?;
        }
        clippy.args(["--features", &features.join(",")]);
        let code = run(clippy.args(["--", "-D", "warnings"]))?;
        if code != 0 {
            eprintln!("error: not clean with {what}");
            return Ok(code);
        }
    }
    Ok(0)
}

/// No backend, each alone, all of the CPU's.
fn choices(libtorch: bool) -> Vec<Vec<&'static str>> {
    let there = BACKENDS
        .into_iter()
        .filter(|name| libtorch || *name != LIBTORCH);
    let each = there.clone().map(|name| vec![name]);
    let of_cpu = there.filter(|name| !CARDS.contains(name));
    std::iter::once(Vec::new())
        .chain(each)
        .chain([of_cpu.collect()])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::DEFAULT_BACKEND;

    #[test]
    fn groups_of_backends_have_backends_only() {
        let of_one = OF_ONE.map(|(name, _)| name);
        let groups = [&EVERYWHERE[..], &CARDS, &of_one, &[LIBTORCH]].concat();
        assert!(groups.iter().all(|name| BACKENDS.contains(name)));
        assert!(EVERYWHERE.contains(&DEFAULT_BACKEND));
    }

    #[test]
    fn each_backend_is_built_alone_and_those_of_the_cpu_together() {
        assert_eq!(
            choices(true),
            [
                vec![],
                vec!["flex"],
                vec!["ndarray"],
                vec!["tch"],
                vec!["wgpu"],
                vec!["cuda"],
                vec!["flex", "ndarray", "tch"],
            ]
        );
        assert!(!choices(false).concat().contains(&"tch"));
        assert_eq!(choices(false).len(), 6);
    }

    #[test]
    fn a_backend_that_does_not_exist_is_named_with_those_that_do() {
        let message = conformance("cpu", &[]).unwrap_err().to_string();
        assert!(
            message.contains("`cpu`") && message.contains("tch"),
            "{message}"
        );
    }
}
