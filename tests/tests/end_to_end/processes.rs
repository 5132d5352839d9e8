//! Several processes that train together, started by `mpirun`.
//!
//! Where there is no `mpirun`, or huenet was built without MPI, the tests say that they were skipped, unless
//! `HUENET_NEED_MPI` is set.

use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};

use assert_cmd::Command;

use crate::support::{
    Place, assert_same_run, huenet, losses, names, resume, surroundings, wait_for,
};

const TASK: &str = "color_transfer";

/// What several processes can train: batches of four.
const DIVISIBLE: &[&str] = &[
    "--recipe",
    "recommended",
    "--batch-size",
    "4",
    "--dropout",
    // At usual rates rounding grows.
    "--gen-lr",
    "1e-6",
    "--dis-lr",
    "1e-6",
    // So that a run can be made longer.
    "--decay-share",
    "0",
];

/// More steps than any test waits for.
const ENDLESS: &[&str] = &["--epochs", "100000", "--cp-freq", "100000"];

/// Whether processes can be started together here.
fn can_start() -> bool {
    let mut mpirun = std::process::Command::new("mpirun");
    mpirun
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let has_mpirun = mpirun.status().is_ok_and(|status| status.success());
    let info = huenet().arg("info").assert().success();
    let info = String::from_utf8_lossy(&info.get_output().stdout).into_owned();
    let built = !info.contains("mpi       not compiled in");
    let can = has_mpirun && built;
    if !can {
        let why = if has_mpirun {
            "huenet was built without MPI"
        } else {
            "there is no mpirun"
        };
        assert!(std::env::var_os("HUENET_NEED_MPI").is_none(), "{why}");
        eprintln!("skipped: {why}");
    }
    can
}

/// `command` in so many processes.
fn together(place: &Place, processes: usize, command: &Command) -> std::process::Command {
    let mut mpirun = surroundings(place, command, "mpirun");
    mpirun.args([
        "--oversubscribe",
        "--bind-to",
        "none",
        "--allow-run-as-root",
    ]);
    mpirun.args(["-n", &processes.to_string()]);
    mpirun.arg(command.get_program()).args(command.get_args());
    mpirun
}

/// What so many processes print, which succeed.
fn succeed(place: &Place, processes: usize, command: &Command) -> String {
    let mut command = Command::from_std(together(place, processes, command));
    let output = command.assert().success().get_output().clone();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn place() -> Place {
    let place = Place::new();
    place.flowers();
    place
}

fn train(place: &Place, name: &str, steps: usize) -> Command {
    let mut command = place.train(TASK, name);
    command.args(DIVISIBLE).args(ENDLESS);
    command.args(["--max-steps", &steps.to_string()]);
    command
}

/// How far the losses of two runs are apart, relative to those above 1.
fn apart(one: &Path, other: &Path) -> f64 {
    let (one, other) = (losses(one), losses(other));
    assert_eq!(one.len(), other.len());
    let pairs = one.iter().flatten().zip(other.iter().flatten());
    let differences = pairs.map(|(one, other)| (one - other).abs() / one.abs().max(1.0));
    differences.fold(0.0, f64::max)
}

#[test]
fn two_and_four_processes_train_as_one() {
    if !can_start() {
        return;
    }
    let place = place();
    train(&place, "one", 8).assert().success();
    let (one, two) = (place.run("one"), place.run("two"));
    let printed = succeed(&place, 2, &train(&place, "two", 8));
    // One process speaks.
    assert_eq!(printed.matches("2 processes").count(), 1, "{printed}");
    assert_eq!(
        printed.matches("EMD to the reference").count(),
        1,
        "{printed}"
    );
    assert!(apart(&one, &two) < 1e-5, "{}", apart(&one, &two));
    succeed(&place, 2, &train(&place, "again", 8));
    assert_same_run(&place, "two", "again");
    succeed(&place, 4, &train(&place, "four", 8));
    let four = place.run("four");
    assert!(apart(&one, &four) < 1e-5, "{}", apart(&one, &four));
}

#[test]
fn a_run_goes_on_with_as_many_processes_bit_for_bit_and_with_others_nearly() {
    if !can_start() {
        return;
    }
    let place = place();
    succeed(&place, 2, &train(&place, "whole", 6));
    for name in ["same", "other"] {
        succeed(&place, 2, &train(&place, name, 3));
    }
    let mut rest = resume(&place, "same");
    let printed = succeed(&place, 2, rest.args(["--max-steps", "6"]));
    assert!(!printed.contains("until here"), "{printed}");
    assert_same_run(&place, "whole", "same");
    let rest = resume(&place, "other")
        .args(["--max-steps", "6"])
        .assert()
        .success();
    let printed = String::from_utf8_lossy(&rest.get_output().stdout).into_owned();
    assert!(
        printed.contains("processes until here: 2, from here on: 1"),
        "{printed}"
    );
    let far = apart(&place.run("whole"), &place.run("other"));
    assert!(far < 1e-5, "{far}");
}

#[test]
fn what_cannot_be_divided_is_refused_before_anything_is_made() {
    if !can_start() {
        return;
    }
    let place = place();
    let mut command = train(&place, "run", 2);
    let mut mpirun = together(&place, 2, command.args(["--batch-size", "3"]));
    let output = mpirun.output().expect("mpirun starts");
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("1, 3"), "{error}");
    assert_eq!(error.matches("error: ").count(), 1, "{error}");
    assert!(!place.run("run").exists());
}

#[test]
fn an_image_that_another_process_cannot_read_costs_no_step() {
    if !can_start() {
        return;
    }
    let place = place();
    let run = place.run("run");
    let mut command = train(&place, "run", 1_000_000);
    command.args([
        "--workers",
        "0",
        "--save-every-minutes",
        "0",
        "--validation-images",
        "0",
    ]);
    let child = spawn(&mut together(&place, 2, &command));
    wait_for("a step", || (steps_of(&run) > 0).then_some(()));
    std::fs::rename(place.root().join("102flowers"), place.root().join("gone")).unwrap();
    let (status, _, error) = end(child);
    assert_eq!(status.code(), Some(1), "{error}");
    assert!(error.contains("102flowers"), "{error}");
    assert_eq!(newest_step(&run), steps_of(&run));
}

#[test]
fn a_process_that_is_killed_ends_all_and_the_run_goes_on() {
    if !can_start() {
        return;
    }
    let place = place();
    let run = place.run("run");
    let mut command = train(&place, "run", 1_000_000);
    let saving = ["--save-every-steps", "2"];
    let child = spawn(&mut together(&place, 2, command.args(saving)));
    wait_for("a checkpoint", || (newest_step(&run) > 0).then_some(()));
    let victim = process_of_rank(child.id(), 1);
    kill(victim, "KILL");
    let (status, printed, error) = end(child);
    assert_ne!(status.code(), Some(0), "{printed}{error}");
    assert!(error.contains("rank 1"), "{error}");
    let saved = newest_step(&run);
    let steps = saved + 2;
    let mut rest = resume(&place, "run");
    succeed(&place, 2, rest.args(["--max-steps", &steps.to_string()]));
    succeed(&place, 2, train(&place, "whole", steps).args(saving));
    assert_eq!(losses(&run), losses(&place.run("whole")));
}

#[test]
fn a_signal_to_any_process_saves_where_the_run_is() {
    if !can_start() {
        return;
    }
    let place = place();
    for rank in [0, 1] {
        let name = format!("of{rank}");
        let run = place.run(&name);
        let command = train(&place, &name, 1_000_000);
        let child = spawn(&mut together(&place, 2, &command));
        wait_for("some steps", || (steps_of(&run) > 1).then_some(()));
        kill(process_of_rank(child.id(), rank), "TERM");
        saved_all(&run, child);
    }
}

#[test]
fn ctrl_c_and_the_signal_that_mpirun_passes_on_save_where_the_run_is() {
    if !can_start() {
        return;
    }
    let place = place();
    for signal in ["INT", "USR1"] {
        let run = place.run(signal);
        let command = train(&place, signal, 1_000_000);
        let mut mpirun = together(&place, 2, &command);
        // After Ctrl-C Open MPI waits this long before it passes it on, and as long again before it kills.
        let child = spawn(mpirun.env("OMPI_MCA_odls_base_sigkill_timeout", "5"));
        wait_for("some steps", || (steps_of(&run) > 1).then_some(()));
        kill(child.id(), signal);
        saved_all(&run, child);
    }
}

/// All processes end, and what was done is saved.
fn saved_all(run: &Path, child: Child) {
    let (_, printed, error) = end(child);
    assert_eq!(newest_step(run), steps_of(run), "{printed}{error}");
    assert!(
        printed.contains("huenet train --resume"),
        "{printed}{error}"
    );
}

#[test]
fn doctor_measures_what_the_processes_tell_one_another() {
    if !can_start() {
        return;
    }
    let place = place();
    let mut command = place.command("doctor");
    command.args(["--batch-size", "4"]);
    let printed = succeed(&place, 2, &command);
    let line = printed.lines().find(|line| line.contains("processes"));
    let line = line.unwrap_or_else(|| panic!("{printed}"));
    assert!(
        line.contains("of gradients in") && line.contains("% of a step"),
        "{line}"
    );
    assert_eq!(printed.matches("dataset").count(), 1, "{printed}");
}

fn spawn(command: &mut std::process::Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("mpirun starts")
}

/// What the processes printed, once all have ended.
fn end(child: Child) -> (ExitStatus, String, String) {
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    (output.status, text(&output.stdout), text(&output.stderr))
}

fn kill(process: u32, signal: &str) {
    let mut kill = std::process::Command::new("kill");
    let status = kill.args(["-s", signal, &process.to_string()]).status();
    assert!(status.expect("kill starts").success());
}

/// The process of this rank among those that `mpirun` has started.
fn process_of_rank(mpirun: u32, rank: usize) -> u32 {
    let wanted = format!("OMPI_COMM_WORLD_RANK={rank}");
    let processes = std::fs::read_dir("/proc")
        .expect("it can be listed")
        .flatten();
    let mut processes = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let found = processes.find(|process: &u32| {
        let of = |file: &str| std::fs::read_to_string(format!("/proc/{process}/{file}"));
        let (Ok(environment), Ok(status)) = (of("environ"), of("status")) else {
            return false;
        };
        let parent = format!("PPid:\t{mpirun}");
        environment.split('\0').any(|variable| variable == wanted)
            && status.lines().any(|line| line == parent)
    });
    found.expect("mpirun has started it")
}

fn steps_of(run: &Path) -> usize {
    let text = std::fs::read_to_string(run.join("metrics.jsonl")).unwrap_or_default();
    text.matches('\n').count()
}

fn newest_step(run: &Path) -> usize {
    let names = names(&run.join("checkpoints"));
    let steps = names
        .iter()
        .filter_map(|name| name.strip_prefix("step-")?.parse().ok());
    steps.max().unwrap_or(0)
}
