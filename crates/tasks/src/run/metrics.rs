//! `metrics.jsonl`: one JSON object a step.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::measure::figures::{given_number, number};
use crate::store::error::TaskError;
use crate::store::files;
use crate::store::lines::LineWriter;

/// The losses of one step, by the official script's names. Unweighted, but for the
/// total. One that is not a finite number is `null` in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepLosses {
    /// The weighted sum the generator is trained on.
    #[serde(deserialize_with = "number")]
    pub gen_total_loss: f64,
    /// The adversarial loss of the discriminator's verdict on generated images, as against
    /// "real": binary cross-entropy, or what `gan_loss` says.
    #[serde(deserialize_with = "number")]
    pub gen_gan_loss: f64,
    /// The structure loss: conditional entropy H(content | output), in nats.
    #[serde(deserialize_with = "number")]
    pub gen_mi_loss: f64,
    /// The earth mover's distance between the output's and the reference's histograms.
    #[serde(deserialize_with = "number")]
    pub gen_hist_loss: f64,
    /// The adversarial loss of the discriminator on real and generated images.
    #[serde(deserialize_with = "number")]
    pub disc_loss: f64,
    /// The mean absolute difference between output and ground truth, if it has a weight. Ours: the
    /// official script has no such loss.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "given_number"
    )]
    pub gen_reconstruction_loss: Option<f64>,
    /// (1 − SSIM)² of luma between content and output, if it has a weight. Ours, too.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "given_number"
    )]
    pub gen_ssim_loss: Option<f64>,
}

impl StepLosses {
    /// The names of the losses that not every run has, in the order of [`further`](Self::further).
    pub const FURTHER: [&str; 2] = ["gen_reconstruction_loss", "gen_ssim_loss"];

    /// The names of the losses that every run has, in the order of [`to_array`](Self::to_array).
    pub const NAMES: [&str; 5] = [
        "gen_total_loss",
        "gen_gan_loss",
        "gen_mi_loss",
        "gen_hist_loss",
        "disc_loss",
    ];

    /// The losses that every run has, in the order of their [`NAMES`](Self::NAMES).
    pub fn to_array(self) -> [f64; 5] {
        [
            self.gen_total_loss,
            self.gen_gan_loss,
            self.gen_mi_loss,
            self.gen_hist_loss,
            self.disc_loss,
        ]
    }

    /// The losses from the order of their [`NAMES`](Self::NAMES).
    pub fn from_array(values: [f64; 5]) -> Self {
        let [
            gen_total_loss,
            gen_gan_loss,
            gen_mi_loss,
            gen_hist_loss,
            disc_loss,
        ] = values;
        Self {
            gen_total_loss,
            gen_gan_loss,
            gen_mi_loss,
            gen_hist_loss,
            disc_loss,
            gen_reconstruction_loss: None,
            gen_ssim_loss: None,
        }
    }

    /// The losses that not every run has, in the order of their names,
    /// [`FURTHER`](Self::FURTHER).
    pub fn further(self) -> [Option<f64>; 2] {
        [self.gen_reconstruction_loss, self.gen_ssim_loss]
    }

    /// With these losses, in the order of [`FURTHER`](Self::FURTHER).
    pub fn with_further(self, losses: [Option<f64>; 2]) -> Self {
        let [gen_reconstruction_loss, gen_ssim_loss] = losses;
        Self {
            gen_reconstruction_loss,
            gen_ssim_loss,
            ..self
        }
    }

    /// Names and values of the losses that there are.
    pub fn named(self) -> impl Iterator<Item = (&'static str, f64)> {
        let further = Self::FURTHER.into_iter().zip(self.further());
        let further = further.filter_map(|(name, value)| Some((name, value?)));
        Self::NAMES.into_iter().zip(self.to_array()).chain(further)
    }

    /// The losses that are not finite numbers.
    pub fn non_finite(self) -> impl Iterator<Item = (&'static str, f64)> {
        self.named().filter(|(_, value)| !value.is_finite())
    }

    /// The mean of each loss.
    pub fn mean<'a>(losses: impl ExactSizeIterator<Item = &'a Self>) -> Self {
        let count = losses.len().max(1) as f64;
        let mut mean = [0.0; 5];
        let mut further = [None; 2];
        for one in losses {
            for (mean, value) in mean.iter_mut().zip(one.to_array()) {
                *mean += value / count;
            }
            for (mean, value) in further.iter_mut().zip(one.further()) {
                if let Some(value) = value {
                    *mean.get_or_insert(0.0) += value / count;
                }
            }
        }
        Self::from_array(mean).with_further(further)
    }
}

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
