//! `metrics.jsonl`: one JSON object a step.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::step::loss_values::StepLosses;
use crate::store::error::TaskError;
use crate::store::files;
use crate::store::lines::LineWriter;

/// One line of `metrics.jsonl`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepRecord {
    /// Steps done, this one included: the first is 1.
    pub step: u64,
    /// The epoch the step belongs to, from 0.
    pub epoch: u64,
    /// The step's losses.
    #[serde(flatten)]
    pub losses: StepLosses,
    /// Seconds the step took, without the wait for its images.
    pub step_seconds: f64,
    /// Seconds spent waiting for the step's images.
    pub data_seconds: f64,
    /// Whether nothing was learnt from it, since something in it was not a finite number.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub skipped: bool,
}

/// Opens a run's `metrics.jsonl` to append steps to it, keeping the lines of steps up to
/// `last_step` that it already has, as they are: what an interrupted run wrote after its
/// last checkpoint is done again.
pub(crate) fn open(path: &Path, last_step: u64) -> Result<LineWriter, TaskError> {
    let mut kept = String::new();
    for (record, line) in parse(path, &text(path)?)? {
        if record.step <= last_step {
            kept += line;
            kept.push('\n');
        }
    }
    files::write_atomically(path, kept.as_bytes())?;
    LineWriter::append_to(path)
}

/// The steps in a `metrics.jsonl`; none if the file does not exist. A last line cut
/// short by a crash is left out.
///
/// # Errors
///
/// [`TaskError::Read`] if the file cannot be read, [`TaskError::DamagedMetrics`] if a
/// line before the last is not a step.
pub fn read(path: &Path) -> Result<Vec<StepRecord>, TaskError> {
    let text = text(path)?;
    let records = parse(path, &text)?;
    Ok(records.into_iter().map(|(record, _)| record).collect())
}

fn text(path: &Path) -> Result<String, TaskError> {
    match std::fs::read(path) {
        // A crash may cut a line anywhere, and leave zeros.
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(source) => Err(TaskError::read(path, source)),
    }
}

/// Each step with its line.
fn parse<'a>(path: &Path, text: &'a str) -> Result<Vec<(StepRecord, &'a str)>, TaskError> {
    let mut records = Vec::new();
    let mut lines = text.lines().enumerate().peekable();
    while let Some((number, line)) = lines.next() {
        match serde_json::from_str(line) {
            Ok(record) => records.push((record, line)),
            Err(_) if lines.peek().is_none() => {}
            Err(error) => {
                let (path, reason) = (path.to_owned(), error.to_string());
                return Err(TaskError::DamagedMetrics {
                    path,
                    line: number + 1,
                    reason,
                });
            }
        }
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(step: u64) -> StepRecord {
        let losses = StepLosses::mean([].iter());
        StepRecord {
            step,
            epoch: 0,
            losses,
            step_seconds: 0.5,
            data_seconds: 0.0,
            skipped: false,
        }
    }

    #[test]
    fn reopening_drops_the_steps_after_the_checkpoint_and_a_torn_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let mut writer = open(&path, 0).unwrap();
        for step in 1..=5 {
            writer.append(&record(step)).unwrap();
        }
        drop(writer);
        let mut text = std::fs::read_to_string(&path).unwrap();
        text.truncate(text.len() - 9);
        std::fs::write(&path, text).unwrap();

        let mut writer = open(&path, 3).unwrap();
        writer.append(&record(4)).unwrap();
        let steps: Vec<u64> = read(&path)
            .unwrap()
            .iter()
            .map(|record| record.step)
            .collect();
        assert_eq!(steps, [1, 2, 3, 4]);
    }

    #[test]
    fn a_step_that_was_skipped_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let mut skipped = record(1);
        skipped.losses.gen_mi_loss = f64::INFINITY;
        skipped.losses.gen_reconstruction_loss = Some(f64::NAN);
        skipped.skipped = true;
        let mut writer = open(&path, 0).unwrap();
        writer.append(&skipped).unwrap();
        writer.append(&record(2)).unwrap();
        let records = read(&path).unwrap();
        assert!(records[0].losses.gen_mi_loss.is_nan() && records[0].skipped);
        let reconstruction = records[0].losses.gen_reconstruction_loss;
        assert!(reconstruction.is_some_and(f64::is_nan));
        assert!(records[1] == record(2));
    }

    #[test]
    fn a_damaged_line_is_named_and_nothing_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let line = |step| serde_json::to_string(&record(step)).unwrap();
        let text = line(1) + "\noops\n" + &line(3) + "\n";
        std::fs::write(&path, &text).unwrap();
        let message = open(&path, 3).err().unwrap().to_string();
        assert!(
            message.contains("metrics.jsonl") && message.contains("line 2"),
            "{message}"
        );
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
}
