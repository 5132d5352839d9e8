//! Runs that end before their time: told to, killed, with a full disk, with a broken
//! checkpoint. What was saved is there, and the run goes on from it.

use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};
use std::time::Duration;

use predicates::prelude::*;
use predicates::str::contains;
use rand::{Rng, RngExt, SeedableRng};

use crate::support::{
    Place, assert_same_run, losses, metrics, names, process, resume, surroundings, validations,
    wait_for, weights,
};

const TASK: &str = "color_transfer";

/// More steps than any test waits for.
const ENDLESS: &[&str] = &["--epochs", "100000"];

fn place() -> Place {
    let place = Place::new();
    place.flowers();
    place
}

/// A run of so many steps that nothing disturbs.
fn undisturbed(place: &Place, name: &str, steps: usize) {
    let mut command = place.train(TASK, name);
    command
        .args(ENDLESS)
        .args(["--max-steps", &steps.to_string()])
        .assert()
        .success();
}

fn spawn(place: &Place, command: &assert_cmd::Command) -> Child {
    let mut process = process(place, command);
    process.stdout(Stdio::piped()).stderr(Stdio::piped());
    process.spawn().expect("huenet starts")
}

fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    let mut kill = std::process::Command::new("kill");
    let status = kill.args(["-s", name, &pid]).status();
    assert!(status.expect("kill starts").success());
}

/// What a process printed, once it has ended.
fn end(child: Child) -> (ExitStatus, String, String) {
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    (output.status, text(&output.stdout), text(&output.stderr))
}

fn steps_of(run: &Path) -> usize {
    let text = std::fs::read_to_string(run.join("metrics.jsonl")).unwrap_or_default();
    text.matches('\n').count()
}

fn state(run: &Path) -> String {
    let text = std::fs::read_to_string(run.join("state.json")).expect("a run has a state");
    let state: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    state["state"].as_str().expect("it is a word").to_owned()
}

/// Whether this process was started so that it outlives its terminal.
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.is_some_and(|mask| {
        mask.trim()
            .ends_with(['1', '3', '5', '7', '9', 'b', 'd', 'f'])
    })
}

#[test]
fn a_signal_saves_where_the_run_is_and_it_goes_on_from_there() {
    let place = place();
    let run = place.run("stopped");
    // What the tests were told to ignore, by `nohup` say, their children ignore too.
    let signals = [("INT", 130), ("TERM", 143), ("HUP", 129)];
    let signals = &signals[..signals.len() - usize::from(ignores_hangup())];
    for &(name, code) in signals {
        let before = steps_of(&run);
        let mut command = match before {
            0 => place.train(TASK, "stopped"),
            _ => resume(&place, "latest"),
        };
        let child = spawn(&place, command.args(ENDLESS));
        wait_for("some steps", || (steps_of(&run) > before + 1).then_some(()));
        signal(&child, name);
        if name == "HUP" {
            // The shell tells of a terminal that is closed, and so does the system. It may be gone by
            // now.
            let pid = child.id().to_string();
            let mut kill = std::process::Command::new("kill");
            kill.args(["-s", name, &pid]).stderr(Stdio::null());
            kill.status().expect("kill starts");
        }
        let (status, printed, error) = end(child);
        assert_eq!(status.code(), Some(code), "{printed}{error}");
        let saved = format!("runs/stopped/checkpoints/step-{:08}", steps_of(&run));
        assert!(printed.contains(&saved), "{printed}");
        assert!(printed.contains("huenet train --resume"), "{printed}");
        assert_eq!(state(&run), "stopped");
    }
    let steps = steps_of(&run) + 2;
    resume(&place, "stopped")
        .args(["--max-steps", &steps.to_string()])
        .assert()
        .success();
    assert_eq!(state(&run), "finished");
    undisturbed(&place, "whole", steps);
    assert_same_run(&place, "whole", "stopped");
}

#[test]
fn a_run_that_is_to_outlive_its_terminal_does() {
    let place = place();
    let command = place.train(TASK, "run");
    let mut deaf = surroundings(&place, &command, "sh");
    deaf.args(["-c", "trap '' HUP; exec \"$0\" \"$@\""])
        .arg(command.get_program())
        .args(command.get_args())
        .args(ENDLESS)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let child = deaf.spawn().expect("sh starts");
    let run = place.run("run");
    wait_for("a step", || (steps_of(&run) > 0).then_some(()));
    signal(&child, "HUP");
    let before = steps_of(&run);
    wait_for("more steps", || (steps_of(&run) > before + 2).then_some(()));
    signal(&child, "TERM");
    let (status, printed, error) = end(child);
    assert_eq!(status.code(), Some(143), "{printed}{error}");
}

#[test]
fn a_second_signal_leaves_at_once() {
    let place = place();
    let mut command = place.command("train");
    command
        .args(["--task", TASK, "--dataroot", ".", "--name", "run"])
        .args(["--base-width", "64", "--batch-size", "7"]);
    let mut child = spawn(&place, &command);
    let run = place.run("run");
    // The first sample is drawn before the first step, which takes long.
    let drawn = run.join("samples/epoch-0000.png");
    wait_for("the first sample", || drawn.exists().then_some(()));
    signal(&child, "INT");
    std::thread::sleep(Duration::from_millis(100));
    assert!(
        child.try_wait().expect("known").is_none(),
        "it finishes its step"
    );
    signal(&child, "INT");
    let (status, _, error) = end(child);
    assert_eq!(status.code(), Some(130), "{error}");
    assert!(
        error.contains("press Ctrl-C again to leave at once"),
        "{error}"
    );
    // What it may have begun to write is aside and taken for no checkpoint.
    let saved = names(&run.join("checkpoints"));
    assert!(saved.iter().all(|name| name.starts_with('.')), "{saved:?}");
}

/// Kills at random moments, each time while the run saves after every step. `HUENET_KILLS`
/// says how often; a few times if it says nothing.
#[test]
fn a_run_killed_at_any_moment_goes_on_from_its_last_checkpoint() {
    let place = place();
    let run = place.run("killed");
    let kills = std::env::var("HUENET_KILLS").map_or(10, |kills| kills.parse().expect("a number"));
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(7);
    let saving = ["--save-every-steps", "1", "--keep-checkpoints", "2"];
    let (mut torn, mut moved) = (0, 0);
    for _ in 0..kills {
        let mut command = match run.join("config.toml").is_file() {
            true => resume(&place, "killed"),
            false => place.train(TASK, "killed"),
        };
        let mut child = spawn(&place, command.args(ENDLESS).args(saving));
        let before = newest_step(&run);
        // From before it has begun to after some saves.
        if random.random_bool(0.8) {
            wait_for("the next checkpoint, or an end", || {
                let ended = child.try_wait().expect("known").is_some();
                (ended || newest_step(&run) > before).then_some(())
            });
        }
        std::thread::sleep(Duration::from_micros(random.next_u64() % 150_000));
        child.kill().expect("it was running");
        let (status, printed, error) = end(child);
        assert_eq!(status.code(), None, "it ended by itself: {printed}{error}");
        let left = names(&run.join("checkpoints"));
        torn += usize::from(left.iter().any(|name| name.starts_with(".partial-")));
        assert!(
            newest_step(&run) >= before,
            "a checkpoint was lost: {left:?}"
        );
        moved += usize::from(newest_step(&run) > before);
    }
    eprintln!(
        "{kills} kills, {torn} in the middle of a save, {moved} after a new checkpoint; the last \
         of step {}",
        newest_step(&run)
    );
    let steps = newest_step(&run) + 2;
    resume(&place, "killed")
        .args(["--max-steps", &steps.to_string()])
        .assert()
        .success();
    let left = names(&run.join("checkpoints"));
    assert!(
        left.iter().all(|name| name.starts_with("step-")),
        "not swept: {left:?}"
    );
    undisturbed(&place, "whole", steps);
    assert_same_run(&place, "whole", "killed");
}

fn newest_step(run: &Path) -> usize {
    let names = names(&run.join("checkpoints"));
    let steps = names
        .iter()
        .filter_map(|name| name.strip_prefix("step-")?.parse().ok());
    steps.max().unwrap_or(0)
}

#[test]
fn a_full_disk_is_an_error_that_loses_nothing() {
    let place = place();
    undisturbed(&place, "run", 2);
    let run = place.run("run");
    let before = weights(&run);
    // No file can grow beyond 20 KiB: there is room for the metrics, not for weights.
    let resume_it = resume(&place, "run");
    let mut limited = surroundings(&place, &resume_it, "sh");
    limited
        .args(["-c", "trap '' XFSZ; ulimit -f 40; exec \"$0\" \"$@\""])
        .arg(resume_it.get_program())
        .args(resume_it.get_args())
        .args(["--max-steps", "4", "--save-every-steps", "1"]);
    assert_cmd::Command::from_std(limited)
        .assert()
        .code(1)
        .stderr(contains("panicked").not())
        .stderr(contains("runs/run").and(contains("too large")));
    assert_eq!(state(&run), "failed");
    assert!(weights(&run) == before, "the last checkpoint has changed");
    resume(&place, "run")
        .args(["--max-steps", "4"])
        .assert()
        .success();
    undisturbed(&place, "whole", 4);
    assert_same_run(&place, "whole", "run");
}

#[test]
fn an_error_on_the_way_costs_no_step() {
    let place = place();
    let mut command = place.train(TASK, "run");
    command.args(["--workers", "0", "--save-every-minutes", "0"]);
    let child = spawn(&place, command.args(ENDLESS));
    let run = place.run("run");
    wait_for("a step", || (steps_of(&run) > 0).then_some(()));
    std::fs::rename(place.root().join("102flowers"), place.root().join("gone")).unwrap();
    let (status, _, error) = end(child);
    assert_eq!(status.code(), Some(1), "{error}");
    assert!(error.contains("102flowers"), "{error}");
    std::fs::rename(place.root().join("gone"), place.root().join("102flowers")).unwrap();
    let steps = losses(&run).len();
    assert_eq!(newest_step(&run), steps);
    undisturbed(&place, "whole", steps + 1);
    resume(&place, "run")
        .args(["--max-steps", &(steps + 1).to_string()])
        .assert()
        .success();
    assert_same_run(&place, "whole", "run");
}

#[test]
fn a_broken_checkpoint_is_named_and_the_one_before_it_offered() {
    let place = place();
    let mut command = place.train(TASK, "run");
    command
        .args(["--max-steps", "3", "--save-every-steps", "1"])
        .assert()
        .success();
    let checkpoints = place.run("run").join("checkpoints");
    // The newest has lost a bit, the one before it its end.
    let flip = checkpoints.join("step-00000003/discriminator_adam.mpk");
    let mut bytes = std::fs::read(&flip).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    std::fs::write(&flip, bytes).unwrap();
    let cut = checkpoints.join("step-00000002/manifest.json");
    std::fs::write(&cut, "{").unwrap();

    let offered = "huenet train --resume runs/run/checkpoints/step-00000001";
    resume(&place, "runs/run")
        .args(["--max-steps", "4"])
        .assert()
        .code(1)
        .stderr(contains("step-00000003/discriminator_adam.mpk").and(contains(offered)));
    assert_eq!(metrics(&place.run("run")).len(), 3, "nothing was touched");
    resume(&place, "runs/run/checkpoints/step-00000001")
        .args(["--max-steps", "4"])
        .assert()
        .success();
    undisturbed(&place, "whole", 4);
    assert_same_run(&place, "whole", "run");
}

#[test]
fn a_run_is_not_trained_twice_at_once() {
    let place = place();
    let child = spawn(&place, place.train(TASK, "run").args(ENDLESS));
    let run = place.run("run");
    wait_for("a step", || (steps_of(&run) > 0).then_some(()));
    resume(&place, "run")
        .assert()
        .code(2)
        .stderr(contains(child.id().to_string()).and(contains("runs/run")));
    signal(&child, "TERM");
    assert_eq!(end(child).0.code(), Some(143));
}

#[test]
fn runs_are_listed_with_what_they_are_doing() {
    let place = place();
    let list = || {
        let output = place.command("runs").arg("--json").assert().success();
        let runs: Vec<serde_json::Value> =
            serde_json::from_slice(&output.get_output().stdout).expect("JSON");
        let of = |run: &serde_json::Value| {
            let text = |name: &str| run[name].as_str().expect(name).to_owned();
            (
                text("name"),
                text("state"),
                run["step"].as_u64().expect("a number"),
            )
        };
        (runs.iter().map(of).collect::<Vec<_>>(), runs)
    };
    assert!(list().0.is_empty());
    undisturbed(&place, "done", 5);
    let mut child = spawn(&place, place.train(TASK, "killed").args(ENDLESS));
    let run = place.run("killed");
    wait_for("a step", || (steps_of(&run) > 0).then_some(()));
    let (found, _) = list();
    assert_eq!(found[0], ("done".to_owned(), "finished".to_owned(), 5));
    assert_eq!((&*found[1].0, &*found[1].1), ("killed", "running"));
    child.kill().unwrap();
    child.wait().unwrap();

    let (found, runs) = list();
    // On a slow machine it has come to a checkpoint by now.
    let saved = newest_step(&run) as u64;
    assert_eq!(found[1], ("killed".to_owned(), "crashed".to_owned(), saved));
    // Four steps an epoch.
    assert_eq!(runs[0]["epochs_done"], 1);
    let best = validations(&place.run("done"))
        .iter()
        .filter_map(|line| line["emd"].as_f64())
        .min_by(f64::total_cmp);
    assert_eq!(runs[0]["best_figure"].as_f64(), best);
    let all: Vec<f64> = losses(&place.run("done"))
        .iter()
        .map(|step| step[3])
        .collect();
    let mean = all.iter().sum::<f64>() / all.len() as f64;
    let listed = runs[0]["last_losses"]["gen_hist_loss"].as_f64().unwrap();
    assert!((listed - mean).abs() < 1e-12, "{listed} is not {mean}");

    place
        .command("runs")
        .assert()
        .success()
        .stdout(contains("finished").and(contains("crashed")))
        .stdout(contains("huenet train --resume runs/killed"));
}
