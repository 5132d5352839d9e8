//! Whether each choice of backends builds, and the conformance tests of one backend.

use std::ffi::OsString;

use anyhow::{Result, bail};

use crate::chores::{BACKEND_FEATURES, cargo, has_nextest, run};
use crate::libtorch;

/// The backends that need LibTorch.
const LIBTORCH: &str = "tch";

/// The backends on which only the histograms are tested yet.
const HISTOGRAMS_ALONE: [&str; 2] = ["wgpu", "cuda"];

/// The tests of the histogram kernels of a backend on CubeCL, on the device that is there.
fn histograms(name: &str, arguments: &[OsString]) -> Result<u8> {
    let mut runner = cargo();
    match has_nextest() {
        true => runner.args(["nextest", "run"]),
        false => runner.arg("test"),
    };
    runner.args(["--package", "huenet-tests", "--features", name]);
    runner.args(["--test", "cubecl"]);
    run(runner.args(arguments).env("HUENET_NEED_DEVICE", "1"))
}

/// The conformance tests of the backend `name`, and the tests of the code that only it has.
/// `arguments` go to the test runner.
pub(crate) fn conformance(name: &str, arguments: &[OsString]) -> Result<u8> {
    if HISTOGRAMS_ALONE.contains(&name) {
        return histograms(name, arguments);
    }
    if !BACKEND_FEATURES.contains(&name) {
        let known = [&BACKEND_FEATURES[..], &HISTOGRAMS_ALONE]
            .concat()
            .join(", ");
        bail!("there is no backend `{name}`; those to test are {known}");
    }
    let mut runner = cargo();
    match has_nextest() {
        true => runner.args(["nextest", "run"]),
        false => runner.arg("test"),
    };
    // All of the workspace, so that nothing has to be built again after its other tests.
    runner.arg("--workspace");
    let filters: &[&str] = if name == LIBTORCH {
        libtorch::prepare(&mut runner)?;
        runner.args([
            "--features",
            "huenet-cli/ndarray,huenet-cli/tch,huenet-tests/tch",
        ]);
        // And of the code that only this backend has.
        &["tch::", "libtorch"]
    } else {
        runner.args(["--features", "huenet-cli/ndarray"]);
        &[&format!("{name}::")]
    };
    runner.args(["--lib", "--bins", "--test", "conformance"]);
    run(runner.args(arguments).arg("--").args(filters))
}

/// What stands for no backend at all in the list of choices.
const NONE: &str = "no backend";

/// The crates that do not choose a backend.
const LIBRARIES: [&str; 4] = [
    "huenet-data",
    "huenet-hist",
    "huenet-models",
    "huenet-tasks",
];

/// Checks that every choice of backends builds without a warning: none, each alone, all. Those that
/// need LibTorch are left out, and that is said, where `libtorch` is false.
pub(crate) fn check(libtorch: bool) -> Result<u8> {
    for choice in choices(libtorch) {
        let what = match choice.as_slice() {
            [] => NONE.to_owned(),
            names => names.join(", "),
        };
        eprintln!("checking the features: {what}");
        let mut clippy = cargo();
        if choice.contains(&LIBTORCH) {
            libtorch::prepare(&mut clippy)?;
        }
        clippy.args(["clippy", "--quiet", "--no-default-features"]);
        if choice.is_empty() {
            // A huenet without any backend could do nothing; the libraries can.
            clippy.args(LIBRARIES.map(|name| ["--package", name]).concat());
        } else {
            let names = choice.iter().map(|name| format!("huenet-cli/{name}"));
            clippy.args(["--package", "huenet-cli", "--features"]);
            clippy.arg(names.collect::<Vec<_>>().join(","));
        }
        let code = run(clippy.args(["--", "-D", "warnings"]))?;
        if code != 0 {
            eprintln!("error: not clean with {what}");
            return Ok(code);
        }
    }
    Ok(0)
}

/// No backend, each alone, all of them.
fn choices(libtorch: bool) -> Vec<Vec<&'static str>> {
    let there = BACKEND_FEATURES
        .into_iter()
        .filter(|name| libtorch || *name != LIBTORCH);
    let each = there.clone().map(|name| vec![name]);
    std::iter::once(Vec::new())
        .chain(each)
        .chain([there.collect()])
        .collect()
}

/// What `cargo xtask ci` does beyond linting and testing what needs nothing but Rust: the feature
/// matrix, and LibTorch's conformance tests where there is one.
pub(crate) fn ci() -> Result<u8> {
    let libtorch = libtorch::is_available();
    if !libtorch {
        eprintln!(
            "SKIPPED: everything with the backend tch, as there is no LibTorch; `cargo xtask \
             setup-libtorch` gets one"
        );
    }
    let code = check(libtorch)?;
    match libtorch {
        true if code == 0 => conformance(LIBTORCH, &[]),
        _ => Ok(code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_backend_is_built_alone_and_with_the_others() {
        assert_eq!(
            choices(true),
            [
                vec![],
                vec!["flex"],
                vec!["ndarray"],
                vec!["tch"],
                vec!["flex", "ndarray", "tch"],
            ]
        );
        assert!(!choices(false).concat().contains(&"tch"));
        assert_eq!(choices(false).len(), 4);
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
