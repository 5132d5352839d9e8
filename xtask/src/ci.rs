//! `cargo xtask ci`: what has to pass before a change lands.
//!
//! Third-party crates are compiled only twice, once to check the code and once to run it, because every step asks
//! for the same features of them.

use std::process::Command;
use std::thread::{self, ScopedJoinHandle};
use std::time::Instant;

use anyhow::{Result, bail};

use crate::chores::{format, lint};
use crate::features::{self, Build, EVERYWHERE};
use crate::tools::{cargo, has_nextest, run};
use crate::{libtorch, modules, mpi, nvrtc, vulkan};

/// The tests that need a device of the backend wgpu. They share a process: to make a software device and its
/// shaders takes longer than most of them.
const ON_A_DEVICE: [&str; 2] = ["wgpu::", "kernels::"];

/// Tests of `huenet` on a backend that CI does not build it with.
const NOT_BUILT: &str = "backends::wgpu";

/// Lints, checks and tests everything that this machine can. Where `CI` is set, missing libraries are installed
/// in the meantime.
pub(crate) fn ci() -> Result<u8> {
    thread::scope(|scope| {
        let libtorch = scope.spawn(libtorch::ensure);
        let vulkan = scope.spawn(vulkan::ensure);
        let nvrtc = scope.spawn(nvrtc::ensure);
        let mpi = scope.spawn(mpi::ensure);
        step("formatting", format)?;
        step("modules", modules::check)?;
        step("fetching crates", || {
            run(cargo().args(["fetch", "--locked"]))
        })?;
        let libtorch = is_there("everything with the backend tch", libtorch);
        let mpi = is_there("training with several processes", mpi);
        step("clippy and rustdoc", || lint(&linted(libtorch, mpi)))?;
        step("each choice of backends", || {
            features::check_choices(libtorch, Build::Shared)
        })?;
        let tests = Tests {
            libtorch,
            mpi,
            vulkan: is_there("the tests of the backend wgpu", vulkan),
            nvrtc: is_there("compiling the kernels of the backend cuda", nvrtc),
        };
        step("building the tests", || tests.build())?;
        step("documentation's examples", || tests.documentation())?;
        step("tests on a software device", || tests.on_a_device())?;
        step("all other tests", || tests.others())?;
        Ok(0)
    })
}

/// Takes a step, and prints how long it took.
fn step(what: &str, work: impl FnOnce() -> Result<u8>) -> Result<()> {
    let start = Instant::now();
    let code = work()?;
    eprintln!("{what}: {} s", start.elapsed().as_secs());
    if code != 0 {
        bail!("{what} failed");
    }
    Ok(())
}

/// Whether the installation succeeded. If not, it prints what is left out.
fn is_there(what: &str, installing: ScopedJoinHandle<'_, Result<()>>) -> bool {
    match installing.join() {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            eprintln!("SKIPPED: {what}. {error:#}");
            false
        }
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// The features that turn on all backends, and MPI, for lints.
fn linted(libtorch: bool, mpi: bool) -> String {
    let of_tests = features::CARDS
        .iter()
        .chain(libtorch.then_some(&features::LIBTORCH));
    let of_tests: Vec<_> = of_tests.collect();
    let of_command = EVERYWHERE.iter().chain(of_tests.iter().copied());
    of_command
        .map(|name| format!("huenet-cli/{name}"))
        .chain(of_tests.iter().map(|name| format!("huenet-tests/{name}")))
        .chain(mpi.then(|| mpi::FEATURE.to_owned()))
        .collect::<Vec<_>>()
        .join(",")
}

/// What this machine has for tests.
#[derive(Clone, Copy)]
struct Tests {
    libtorch: bool,
    mpi: bool,
    vulkan: bool,
    nvrtc: bool,
}

impl Tests {
    /// Cargo with `verb`, for the whole workspace. `huenet` is built without the backends of graphics cards,
    /// because building these takes long.
    fn cargo(self, verb: &[&str]) -> Result<Command> {
        let mut cargo = cargo();
        let mut features = vec![
            "huenet-cli/ndarray",
            "huenet-tests/wgpu",
            "huenet-hist/cuda",
        ];
        if self.libtorch {
            features.extend(["huenet-cli/tch", "huenet-tests/tch"]);
            libtorch::prepare_tests(&mut cargo)?;
        }
        if self.mpi {
            features.push(mpi::FEATURE);
            cargo.env("HUENET_NEED_MPI", "1");
        }
        if self.vulkan {
            cargo.env("HUENET_NEED_DEVICE", "1");
        }
        if self.nvrtc {
            nvrtc::prepare(&mut cargo)?;
            cargo.env("HUENET_NEED_NVRTC", "1");
        }
        cargo.args(verb);
        cargo.args(["--workspace", "--features", &features.join(",")]);
        Ok(cargo)
    }

    fn build(self) -> Result<u8> {
        run(self.cargo(&["test", "--no-run"])?.arg("--tests"))
    }

    fn documentation(self) -> Result<u8> {
        run(&mut self.cargo(&["test", "--doc", "--quiet"])?)
    }

    fn on_a_device(self) -> Result<u8> {
        let mut tests = self.cargo(&["test", "--test", "conformance"])?;
        run(tests.arg("--").args(ON_A_DEVICE))
    }

    fn others(self) -> Result<u8> {
        if has_nextest() {
            let on_a_device = ON_A_DEVICE
                .map(|name| format!("test(/^{name}/)"))
                .join(" + ");
            let rest = format!("not (binary(conformance) & ({on_a_device}) + test({NOT_BUILT}))");
            let mut tests = self.cargo(&["nextest", "run", "--tests", "--no-fail-fast"])?;
            return run(tests.args(["-E", &rest]));
        }
        let mut tests = self.cargo(&["test", "--tests"])?;
        let skipped = [ON_A_DEVICE[0], NOT_BUILT]
            .map(|name| ["--skip", name])
            .concat();
        run(tests.arg("--").args(skipped))
    }
}
