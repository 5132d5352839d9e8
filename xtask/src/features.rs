//! Whether each choice of backends builds, and the conformance tests of one backend.

use std::ffi::OsString;
use std::process::Command;

use anyhow::{Result, bail};

use crate::chores::{BACKEND_FEATURES, cargo, has_nextest, run};
use crate::{libtorch, nvrtc, vulkan};

/// The backend that needs LibTorch.
const LIBTORCH: &str = "tch";

/// The backends that every build of the tests has.
const EVERYWHERE: [&str; 2] = ["flex", "ndarray"];

/// The backends of graphics cards.
const CARDS: [&str; 2] = ["wgpu", "cuda"];

/// What else the names of a backend's tests contain, beside its own name.
const OF_ONE: [(&str, &str); 3] = [
    (LIBTORCH, "libtorch"),
    ("wgpu", "kernels::"),
    ("cuda", "kernels::"),
];

/// The test of what is built for CUDA that needs no GPU; it says if it was skipped.
const COMPILED: &str = "kernels_compile_as_cuda";

/// The conformance tests of the backend `name`, the real binary's on it, and the tests of the code
/// that only it has. `arguments` go to the test runner.
pub(crate) fn conformance(name: &str, arguments: &[OsString]) -> Result<u8> {
    if !BACKEND_FEATURES.contains(&name) {
        let known = BACKEND_FEATURES.join(", ");
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
    // Asked for by name, tests are not skipped where there is no device.
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

/// What `cargo xtask ci` tests beyond what needs nothing but Rust: the backend of LibTorch, that of wgpu on a
/// software device, and that the kernels of cuda compile. What is missing for one of them is said.
pub(crate) fn test_others() -> Result<u8> {
    let (mut features, mut filters, mut needed) = (Vec::new(), Vec::new(), Vec::new());
    match libtorch::available() {
        Ok(()) => {
            features.extend(["cli", "tests"].map(|package| format!("huenet-{package}/{LIBTORCH}")));
            filters.extend(tests_of(LIBTORCH));
        }
        Err(error) => eprintln!("SKIPPED: the tests of the backend tch. {error:#}"),
    }
    match vulkan::ensure() {
        Ok(()) => {
            features.push("huenet-tests/wgpu".to_owned());
            filters.extend(tests_of("wgpu"));
            needed.push("HUENET_NEED_DEVICE");
        }
        Err(error) => eprintln!("SKIPPED: the tests of the backend wgpu. {error:#}"),
    }
    match nvrtc::ensure() {
        Ok(()) => {
            features.push("huenet-hist/cuda".to_owned());
            filters.push(COMPILED.to_owned());
            needed.push("HUENET_NEED_NVRTC");
        }
        Err(error) => eprintln!("SKIPPED: compiling the kernels of the backend cuda. {error:#}"),
    }
    if features.is_empty() {
        return Ok(0);
    }
    // One build for all. huenet itself is built without the graphics cards' backends, which would take long.
    let mut runner = tests(&features)?;
    runner
        .arg("--")
        .args(filters)
        .args(["--skip", "backends::wgpu"]);
    run(runner.envs(needed.iter().map(|name| (name, "1"))))
}

/// A test runner with the tests that concern backends, in a build with `features`.
fn tests(features: &[String]) -> Result<Command> {
    let mut runner = cargo();
    match has_nextest() {
        true => runner.args(["nextest", "run"]),
        false => runner.arg("test"),
    };
    // All of the workspace, so that nothing has to be built again after its other tests.
    let all = [&["huenet-cli/ndarray".to_owned()], features].concat();
    runner.args(["--workspace", "--lib", "--features", &all.join(",")]);
    // Building the tests of the command line builds the binary that the end-to-end tests start. To
    // build it by itself would build much of what it needs again, without what only tests add.
    let suites = ["conformance", "cubecl", "end_to_end", "command_line"];
    runner.arg("--bins");
    runner.args(suites.map(|name| ["--test", name]).concat());
    let has = |name: &str| all.iter().any(|feature| feature.ends_with(name));
    if has("/tch") {
        libtorch::prepare(&mut runner)?;
    }
    if has("/cuda") {
        nvrtc::prepare(&mut runner)?;
    }
    Ok(runner)
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

/// Checks that every choice of backends builds without a warning: none, each alone, all of the CPU's; and that the
/// tests of the graphics cards' do. What needs LibTorch is left out, and that is said, where there is none.
pub(crate) fn check() -> Result<u8> {
    let libtorch = libtorch::ensure();
    if let Err(error) = &libtorch {
        eprintln!("SKIPPED: everything with the backend tch. {error:#}");
    }
    for choice in choices(libtorch.is_ok()) {
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

/// No backend, each alone, all of the CPU's.
fn choices(libtorch: bool) -> Vec<Vec<&'static str>> {
    let there = BACKEND_FEATURES
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
