//! Figures on held-out images after each epoch: `validation.jsonl`, one JSON object a line.

use std::path::Path;
use std::time::Instant;

use huenet_data::Loader;
use huenet_models::Generator;
use serde::{Deserialize, Serialize};

use crate::group::share::Share;
use crate::measure::figures::{Figures, figures};
use crate::measure::translate::translate;
use crate::run::position::Position;
use crate::step::backend::TrainingBackend;
use crate::step::recipe::Recipe;
use crate::store::error::TaskError;
use crate::store::files;

/// One line of `validation.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ValidationRecord {
    /// Steps done.
    pub step: u64,
    /// Epochs done.
    pub epoch: u64,
    /// How many held-out images were looked at.
    pub images: usize,
    /// Seconds it took.
    pub seconds: f64,
    /// Means over the images.
    #[serde(flatten)]
    pub figures: Figures,
}

/// Translates `count` images of `held_out`, spread evenly over it, and gives the mean figures;
/// `None` if `count` is 0. The images, their pairs and the dropout masks are the same each time.
///
/// # Errors
///
/// [`TaskError::Data`] if an image cannot be read.
pub fn validate<B: TrainingBackend>(
    recipe: &Recipe,
    generator: &Generator<B>,
    held_out: &Loader,
    count: usize,
    position: Position,
    device: &B::Device,
) -> Result<Option<ValidationRecord>, TaskError> {
    let started = Instant::now();
    let whole = Share { rank: 0, size: 1 };
    let all = measure_share(recipe, generator, held_out, count, whole, device)?;
    let all: Vec<Figures> = all.into_iter().flat_map(|(_, figures)| figures).collect();
    Ok(ValidationRecord::of(&all, position, started))
}

/// The figures of the images of [`validate`], of those batches alone that a member of a group has, with their numbers.
pub(crate) fn measure_share<B: TrainingBackend>(
    recipe: &Recipe,
    generator: &Generator<B>,
    held_out: &Loader,
    count: usize,
    share: Share,
    device: &B::Device,
) -> Result<Vec<(usize, Vec<Figures>)>, TaskError> {
    let positions = spread(count, held_out.dataset().len());
    let batches = positions.chunks(held_out.config().batch_size());
    let mut measured = Vec::new();
    for (index, positions) in share.of_each(batches.enumerate()) {
        for batch in held_out.at(0, positions) {
            let batch = batch?.to_tensors::<B>(device);
            let output = translate(recipe, generator, &batch, index as u64);
            measured.push((index, figures(recipe, &batch, output)?));
        }
    }
    Ok(measured)
}

impl ValidationRecord {
    /// The means over images; `None` if there are none.
    pub(crate) fn of(all: &[Figures], position: Position, started: Instant) -> Option<Self> {
        Figures::mean(all).map(|figures| Self {
            step: position.step,
            epoch: position.epoch,
            images: all.len(),
            seconds: started.elapsed().as_secs_f64(),
            figures,
        })
    }
}

/// `count` positions among `len`, or all of them, evenly spread.
pub(crate) fn spread(count: usize, len: usize) -> Vec<usize> {
    let count = count.min(len);
    (0..count).map(|i| i * len / count).collect()
}

/// The validations in a `validation.jsonl`; none if the file does not exist. Lines that are none
/// (one cut short by a crash, say) are left out.
///
/// # Errors
///
/// [`TaskError::Read`] if the file cannot be read.
pub fn read(path: &Path) -> Result<Vec<ValidationRecord>, TaskError> {
    match std::fs::read(path) {
        Ok(bytes) => {
            let lines = bytes.split(|byte| *byte == b'\n');
            Ok(lines
                .filter_map(|line| serde_json::from_slice(line).ok())
                .collect())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(TaskError::read(path, source)),
    }
}

/// Drops the lines beyond `position`, since the run does these steps again: an interrupted run wrote them after its
/// last checkpoint, or in the middle of an epoch. The other lines stay as they are, to the last digit.
pub(crate) fn rewind(
    path: &Path,
    position: Position,
    steps_per_epoch: u64,
) -> Result<(), TaskError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(TaskError::read(path, source)),
    };
    // The steps of an epoch may be done and the validation after it not yet.
    let stays = |record: ValidationRecord| {
        record.step <= position.step
            && record.epoch <= position.epoch
            && record.step.is_multiple_of(steps_per_epoch)
    };
    let mut kept = Vec::with_capacity(bytes.len());
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if line.ends_with(b"\n") && serde_json::from_slice(line).is_ok_and(stays) {
            kept.extend_from_slice(line);
        }
    }
    files::write_atomically(path, &kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::lines::LineWriter;

    #[test]
    fn images_are_spread_over_all() {
        assert_eq!(spread(3, 9), [0, 3, 6]);
        assert_eq!(spread(4, 6), [0, 1, 3, 4]);
        assert_eq!(spread(9, 3), [0, 1, 2]);
        assert!(spread(0, 3).is_empty() && spread(3, 0).is_empty());
    }

    #[test]
    fn going_on_drops_what_came_after_and_a_torn_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("validation.jsonl");
        let record = |step| ValidationRecord {
            step,
            epoch: step / 4,
            images: 2,
            seconds: 0.126_866_128_433_633_73,
            figures: Figures {
                emd: f64::NAN,
                emd_channels: vec![0.1, 0.2, 0.3],
                swd: Some(0.25),
                h_content_given_output: 1.0,
                histogram_intersection: 0.5,
                ssim_luma: 0.5,
                cliffs: Some(1.5),
                noise: None,
                psnr: Some(20.0),
                ssim: None,
            },
        };
        let append = |step| {
            let mut lines = LineWriter::append_to(&path).unwrap();
            lines.append(&record(step)).unwrap();
        };
        [4, 8, 10, 12].into_iter().for_each(append);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, &text[..text.len() - 9]).unwrap();
        let position = |step, epoch, batch| Position { step, epoch, batch };
        rewind(&path, position(10, 2, 2), 4).unwrap();
        append(12);
        let records = read(&path).unwrap();
        let steps: Vec<u64> = records.iter().map(|record| record.step).collect();
        assert_eq!(steps, [4, 8, 12]);
        assert!(records[1].figures.emd.is_nan());
        assert_eq!(records[1].figures.psnr, Some(20.0));
        assert_eq!(records[1].figures.ssim, None);

        // Every digit is kept, though reading and writing a number again may change the last.
        let before = std::fs::read(&path).unwrap();
        rewind(&path, position(13, 3, 1), 4).unwrap();
        assert!(std::fs::read(&path).unwrap() == before);

        // The last batch of the third epoch is done; what follows it is to be done again.
        rewind(&path, position(12, 2, 4), 4).unwrap();
        assert_eq!(read(&path).unwrap().len(), 2);
    }

    #[test]
    fn a_line_without_the_figures_that_came_later_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("validation.jsonl");
        let line = r#"{"step":4,"epoch":1,"images":2,"seconds":0.5,"emd":0.1,"emd_channels":[0.1,0.1,0.1],
            "h_content_given_output":1.0,"histogram_intersection":0.5,"ssim_luma":0.5,"psnr":null,"ssim":null}"#;
        std::fs::write(&path, line.replace('\n', "") + "\n").unwrap();
        let figures = &read(&path).unwrap()[0].figures;
        assert_eq!([figures.swd, figures.cliffs, figures.noise], [None; 3]);
        let names = figures.named(huenet_data::ColourSpace::Yuv);
        assert!(names.iter().all(|(name, _)| name != "swd"), "{names:?}");
    }
}
