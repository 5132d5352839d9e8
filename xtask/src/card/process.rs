//! Runs a program with a time limit, and keeps what it printed.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// How often it is looked whether a program has ended.
const PERIOD: Duration = Duration::from_millis(20);

/// A program that was started, and has ended.
pub(super) struct Ended {
    /// What went wrong.
    pub(super) problem: Option<String>,
    /// How long it ran.
    pub(super) took: Duration,
    /// What it printed, on both streams.
    pub(super) output: String,
}

/// Runs `command` until it ends, for at most `limit`. The file `log` gets what it prints.
///
/// # Errors
///
/// If it cannot be started, or the file not be written.
pub(super) fn run(command: &mut Command, log: &Path, limit: Duration) -> Result<Ended> {
    let named = || format!("cannot write {}", log.display());
    let file = File::create(log).with_context(named)?;
    let copy = file.try_clone().with_context(named)?;
    command.stdin(Stdio::null()).stdout(file).stderr(copy);
    let start = Instant::now();
    let child = command
        .spawn()
        .with_context(|| format!("cannot start {}", command.get_program().display()))?;
    let status = wait(child, limit)?;
    let took = start.elapsed();
    let bytes = std::fs::read(log).with_context(|| format!("cannot read {}", log.display()))?;
    let output = String::from_utf8_lossy(&bytes).into_owned();
    let problem = match status {
        None => Some(format!(
            "took longer than {:.0} s, and was ended",
            limit.as_secs_f64()
        )),
        Some(status) if status.success() => None,
        Some(status) => Some(reason(&output, status)),
    };
    Ok(Ended {
        problem,
        took,
        output,
    })
}

/// How it ended, unless it had to be killed.
fn wait(mut child: Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if start.elapsed() >= limit {
            // It may just have ended by itself.
            let _ = child.kill();
            child.wait()?;
            return Ok(None);
        }
        sleep(PERIOD);
    }
}

/// The line that says best why a program failed: its own word for an error, otherwise the last one.
fn reason(output: &str, status: ExitStatus) -> String {
    let mut lines = output
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty());
    let is_told = |line: &&str| ["error:", "FAILED  "].iter().any(|it| line.starts_with(it));
    let line = lines.clone().find(is_told).or_else(|| lines.next_back());
    match line {
        Some(line) => format!("{line} ({status})"),
        None => status.to_string(),
    }
}

#[cfg(all(test, unix))]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn sh(script: &str) -> Command {
        let mut sh = Command::new("sh");
        sh.args(["-c", script]);
        sh
    }

    fn ended(script: &str, limit: Duration) -> Ended {
        let folder = tempfile::tempdir().unwrap();
        run(&mut sh(script), &folder.path().join("log"), limit).unwrap()
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn what_it_printed_on_both_streams_is_kept() {
        let ended = ended("echo one; echo two >&2", LONG);
        assert_eq!(ended.output, "one\ntwo\n");
        assert_eq!(ended.problem, None);
    }

    #[test]
    fn a_failure_has_the_programs_own_reason() {
        let problem = |script| ended(script, LONG).problem.unwrap();
        let told = problem("echo 'error: no device'; echo 'see the manual'; exit 3");
        assert_eq!(told, "error: no device (exit status: 3)");
        let last = problem("echo one; echo 'this is why'; echo; exit 1");
        assert_eq!(last, "this is why (exit status: 1)");
        assert!(problem("kill -9 $$").contains("signal: 9"));
    }

    #[test]
    fn a_program_that_takes_too_long_is_ended() {
        let ended = ended("echo begun; exec sleep 600", Duration::from_millis(300));
        assert!(ended.problem.unwrap().starts_with("took longer than"));
        assert_eq!(ended.output, "begun\n");
        assert!(ended.took < LONG);
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let mut missing = Command::new("/nowhere/huenet");
        let error = run(&mut missing, &folder.path().join("log"), LONG)
            .err()
            .unwrap();
        assert!(error.to_string().contains("/nowhere/huenet"));
    }
}
