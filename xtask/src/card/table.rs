//! The parts that are measured: what, at which sizes, with which command, and how long each may take.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use super::pack::{CONFORMANCE, GOLDEN, HUENET, LOSSES, PEERS, Pack};
use super::read::Output;
use super::row::What;
use super::target::Target;
use crate::features::{CARDS, LIBTORCH};
use crate::libtorch::python;

/// A part of the measurement.
pub(super) struct Part {
    pub(super) what: What,
    /// The backend, or the library that it is compared with.
    pub(super) backend: String,
    /// The sizes, in words.
    pub(super) setting: String,
    pub(super) command: Command,
    pub(super) output: Output,
    /// It is ended if it takes longer.
    pub(super) limit: Duration,
}

/// At which sizes is measured.
pub(super) struct Scale {
    /// Height and width of the images of the losses alone, their number, and how often they are measured.
    losses: &'static [(usize, usize, usize)],
    /// What PyTorch's dense formulas have the memory for.
    dense: &'static [(usize, usize, usize)],
    bins: &'static str,
    /// The settings of a training step.
    step: &'static [&'static str],
    batches: &'static [usize],
    steps: &'static str,
    /// What the names of the tests begin with, after the backend.
    kernels: &'static str,
    conformance: &'static str,
}

/// The sizes of BENCHMARKS.md.
pub(super) const FULL: Scale = Scale {
    losses: &[
        (256, 1, 30),
        (256, 4, 30),
        (256, 16, 20),
        (1024, 1, 20),
        (4096, 1, 10),
    ],
    dense: &[(256, 1, 20), (256, 4, 20), (256, 16, 10)],
    bins: "256",
    step: &[
        "--img-h",
        "256",
        "--img-w",
        "256",
        "--depth",
        "8",
        "--base-width",
        "64",
    ],
    batches: &[1, 4, 16],
    steps: "10",
    kernels: "",
    conformance: "",
};

/// Sizes that show quickly whether everything works.
pub(super) const QUICK: Scale = Scale {
    losses: &[(32, 1, 2), (32, 2, 2)],
    dense: &[(32, 1, 2)],
    bins: "16",
    step: &[
        "--img-h",
        "32",
        "--img-w",
        "32",
        "--depth",
        "5",
        "--base-width",
        "4",
    ],
    batches: &[1, 2],
    steps: "1",
    kernels: "histograms::equal_colours",
    conformance: "official_losses",
};

const OF_FIRST_STEP: Duration = Duration::from_secs(240);
const OF_STEPS: Duration = Duration::from_secs(120);
const OF_LOSSES: Duration = Duration::from_secs(90);
const OF_TESTS: Duration = Duration::from_secs(300);

/// The variable that keeps NVIDIA's libraries from rounding to TF32. `huenet` sets it by itself.
const EXACT: (&str, &str) = ("NVIDIA_TF32_OVERRIDE", "0");

/// All parts, in the order in which they are measured: what matters most comes first.
pub(super) fn parts(
    pack: &Pack,
    targets: &[Target],
    torch_sees_card: bool,
    scale: &Scale,
) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    for target in targets {
        // Before anything else of this backend has filled the caches.
        for setting in ["nothing compiled", "kernels kept"] {
            let mut first = step(pack, target, scale, 1, "1", &[])?;
            first.what = What::FirstStep;
            first.setting = setting.to_owned();
            first.limit = OF_FIRST_STEP;
            parts.push(first);
        }
    }
    for target in targets.iter().filter(|it| CARDS.contains(&it.backend)) {
        let filter = format!("kernels::{}::{}", target.backend, scale.kernels);
        parts.push(tests(pack, target, What::Kernels, &[&filter])?);
    }
    for target in targets {
        for size in scale.losses {
            parts.push(losses(pack, target, scale, *size)?);
        }
    }
    for target in targets {
        let rounded: &[&[&str]] = match target.backend == LIBTORCH && target.is_card {
            true => &[&[], &["--tf32"]],
            false => &[&[]],
        };
        for more in rounded {
            for batch in scale.batches {
                parts.push(step(pack, target, scale, *batch, scale.steps, more)?);
            }
        }
    }
    if torch_sees_card {
        parts.extend(scale.dense.iter().map(|size| dense(pack, scale, *size)));
    }
    for target in targets {
        let filter = format!("{}::{}", target.backend, scale.conformance);
        let filters = [&*filter, "--skip", "kernels::"];
        parts.push(tests(pack, target, What::Conformance, &filters)?);
    }
    Ok(parts)
}

/// Training steps of the official recipe on made-up images.
fn step(
    pack: &Pack,
    target: &Target,
    scale: &Scale,
    batch: usize,
    steps: &str,
    more: &[&str],
) -> Result<Part> {
    let mut command = target.program(pack, HUENET)?;
    command.args(["doctor", "--dataset", "demo", "--task", "color_transfer"]);
    command.args(["--recipe", "official", "--bin-num", scale.bins]);
    command.args(scale.step).args(more);
    command.args(["--batch-size", &batch.to_string(), "--steps", steps]);
    command.args(["--backend", target.backend]);
    if let Some(device) = &target.device {
        command.args(["--device", device]);
    }
    let words = std::iter::once(format!("batch {batch}"));
    let words = words.chain(more.iter().map(|word| format!("`{word}`")));
    Ok(Part {
        what: What::Step,
        backend: target.backend.to_owned(),
        setting: words.collect::<Vec<_>>().join(", "),
        command,
        output: Output::Step,
        limit: OF_STEPS,
    })
}

/// The losses alone: height and width, number of images, and how often.
fn losses(
    pack: &Pack,
    target: &Target,
    scale: &Scale,
    size: (usize, usize, usize),
) -> Result<Part> {
    let mut command = target.program(pack, LOSSES)?;
    command.env(EXACT.0, EXACT.1);
    let name = match target.is_card && target.backend == LIBTORCH {
        true => "tch-cuda",
        false => target.backend,
    };
    command.args(["--backend", name]);
    Ok(of_losses(command, target.backend, scale, size))
}

/// The same by the dense formulas in PyTorch.
fn dense(pack: &Pack, scale: &Scale, size: (usize, usize, usize)) -> Part {
    let mut command = Command::new(python());
    command.arg(pack.folder.join(PEERS));
    command.args(["torch", "--device", "cuda"]);
    of_losses(command, "PyTorch, dense", scale, size)
}

fn of_losses(
    mut command: Command,
    backend: &str,
    scale: &Scale,
    (size, batch, repeats): (usize, usize, usize),
) -> Part {
    let numbers = [("--size", size), ("--batch", batch), ("--repeats", repeats)];
    for (flag, number) in numbers {
        command.args([flag, &number.to_string()]);
    }
    command.args(["--bins", scale.bins]);
    Part {
        what: What::Losses,
        backend: backend.to_owned(),
        setting: format!("{size}×{size}, batch {batch}"),
        command,
        output: Output::Losses,
        limit: OF_LOSSES,
    }
}

/// Tests whose names contain the first filter.
fn tests(pack: &Pack, target: &Target, what: What, filters: &[&str]) -> Result<Part> {
    let mut command = target.program(pack, CONFORMANCE)?;
    command.args(filters).env(EXACT.0, EXACT.1);
    command.env("HUENET_GOLDEN_DIR", pack.folder.join(GOLDEN));
    command.env("HUENET_NEED_DEVICE", "1");
    if target.backend == LIBTORCH && target.is_card {
        // Burn's number of LibTorch's first GPU.
        command.env("CONFORMANCE_DEVICE", "0:0");
    }
    Ok(Part {
        what,
        backend: target.backend.to_owned(),
        setting: String::new(),
        command,
        output: Output::Tests,
        limit: OF_TESTS,
    })
}

/// Whether Python has a torch that sees a card, or why not.
pub(super) fn ask_torch(logs: &Path) -> Result<(), String> {
    const QUESTION: &str =
        "import torch; print('torch', torch.__version__, torch.cuda.is_available())";
    let mut command = Command::new(python());
    command.args(["-c", QUESTION]);
    let ended = super::process::run(&mut command, &logs.join("python.txt"), OF_LOSSES);
    let ended = ended.map_err(|error| format!("{error:#}"))?;
    match ended.problem {
        Some(_) => Err("Python has no package torch".to_owned()),
        None if ended.output.trim().ends_with("True") => Ok(()),
        None => Err(format!("{} of Python sees no card", ended.output.trim())),
    }
}
