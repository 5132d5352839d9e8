//! Whether each choice of backends builds, and the conformance tests of one backend.

use std::ffi::OsString;

use anyhow::{Result, bail};

use crate::chores::{BACKEND_FEATURES, cargo, has_nextest, run};
use crate::{libtorch, nvrtc};

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
    tests(&[name], &[name], arguments)
}

/// The tests of the backends in `tested`, in one build with all in `built`.
fn tests(built: &[&str], tested: &[&str], arguments: &[OsString]) -> Result<u8> {
    // All of the workspace, so that nothing has to be built again after its other tests.
    let mut choice = vec!["--workspace".to_owned(), "--features".to_owned()];
    let mut features = vec!["huenet-cli/ndarray".to_owned()];
    for name in built.iter().filter(|name| !EVERYWHERE.contains(name)) {
        features.extend(["cli", "tests"].map(|package| format!("huenet-{package}/{name}")));
    }
    choice.push(features.join(","));
    let mut runner = cargo();
    match has_nextest() {
        true => runner.args(["nextest", "run"]),
        false => runner.arg("test"),
    };
    runner.args(&choice);
    // Building the tests of the command line builds the binary that the end-to-end tests start. To
    // build it by itself would build much of what it needs again, without what only tests add.
    let tests = ["conformance", "cubecl", "end_to_end", "command_line"];
    runner.args(["--lib", "--bins"]);
    runner.args(tests.map(|name| ["--test", name]).concat());
    if built.contains(&LIBTORCH) {
        libtorch::prepare(&mut runner)?;
    }
    if built.contains(&"cuda") {
        nvrtc::prepare(&mut runner)?;
    }
    // Asked for by name, tests are not skipped where there is no device.
    runner.env("HUENET_NEED_DEVICE", "1");
    let filters = tested.iter().flat_map(|name| {
        let own = OF_ONE.iter().filter(move |(backend, _)| backend == name);
        own.map(|(_, filter)| (*filter).to_owned())
            .chain([format!("{name}::")])
    });
    let filters = filters.chain([COMPILED.to_owned()]);
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

/// Checks that every choice of backends builds without a warning: none, each alone, all of the CPU's. Those that
/// need LibTorch are left out, and that is said, where `libtorch` is false.
pub(crate) fn check(libtorch: bool) -> Result<u8> {
    check_each(&choices(libtorch))
}

fn check_each(choices: &[Vec<&str>]) -> Result<u8> {
    for choice in choices {
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

/// What `cargo xtask ci` does beyond linting and testing what needs nothing but Rust: the CPU's part
/// of the feature matrix, and LibTorch's tests where there is one.
pub(crate) fn ci() -> Result<u8> {
    let libtorch = libtorch::is_available();
    if !libtorch {
        eprintln!(
            "SKIPPED: everything with the backend tch, as there is no LibTorch; `cargo xtask \
             setup-libtorch` gets one"
        );
    }
    eprintln!(
        "SKIPPED: the backends wgpu and cuda; `cargo xtask features` builds them, `cargo xtask test \
         --backend NAME` tests them where there is a device"
    );
    let mut choices = choices(libtorch);
    choices.retain(|choice| !choice.iter().any(|name| CARDS.contains(name)));
    let code = check_each(&choices)?;
    match libtorch {
        true if code == 0 => conformance(LIBTORCH, &[]),
        _ => Ok(code),
    }
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
