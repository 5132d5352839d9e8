//! Writes a run's metrics and pictures on a thread of its own.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender};

use huenet_data::RgbImage;

use crate::measure::samples;
use crate::run::folder::RunFolder;
use crate::run::metrics::{self, StepRecord};
use crate::run::validation::ValidationRecord;
use crate::store::error::TaskError;
use crate::store::lines::LineWriter;
use crate::store::worker::{Fault, Worker};

/// Messages under way, at most; when the disk is slower than that, training waits for it.
const QUEUE: usize = 256;

/// What is written beside the checkpoints.
pub(super) struct Writer {
    run: PathBuf,
    worker: Worker<Message>,
}

enum Message {
    Step(StepRecord),
    Validation(Box<ValidationRecord>),
    Picture(RgbImage, PathBuf),
    /// Answer when everything before has been seen to.
    Flush(SyncSender<()>),
    /// Answer when all lines are on the disk.
    Sync(SyncSender<Result<(), TaskError>>),
}

impl Writer {
    /// Begins to write the metrics and pictures of `run`, whose last step done is
    /// `last_step`.
    pub(super) fn start(run: &RunFolder, last_step: u64) -> Result<Self, TaskError> {
        let lines = Lines {
            steps: metrics::open(&run.metrics(), last_step)?,
            validations: None,
            validation_path: run.validation(),
        };
        let work = move |receiver: &Receiver<Message>, fault| lines.write_all(receiver, &fault);
        let worker = Worker::start("writer", QUEUE, work)
            .map_err(|source| TaskError::write(run.path(), source))?;
        Ok(Self {
            run: run.path().to_owned(),
            worker,
        })
    }

    /// Writes a step. The error may be that of something written before.
    pub(super) fn step(&self, record: &StepRecord) -> Result<(), TaskError> {
        self.send(Message::Step(*record))
    }

    /// Writes a validation. The error may be that of something written before.
    pub(super) fn validation(&self, record: &ValidationRecord) -> Result<(), TaskError> {
        self.send(Message::Validation(Box::new(record.clone())))
    }

    /// Writes a picture. The error may be that of something written before.
    pub(super) fn picture(&self, image: RgbImage, path: &Path) -> Result<(), TaskError> {
        self.send(Message::Picture(image, path.to_owned()))
    }

    /// Waits until everything so far is in its file.
    pub(super) fn flush(&self) -> Result<(), TaskError> {
        let flushed = self.worker.ask(Message::Flush);
        flushed.ok_or_else(|| self.gone())?;
        self.check()
    }

    /// Waits until all lines so far are on the disk; those that could not be written before
    /// are tried again.
    pub(super) fn sync(&self) -> Result<(), TaskError> {
        let synced = self.worker.ask(Message::Sync);
        synced.unwrap_or_else(|| Err(self.gone()))
    }

    /// Sends first: what could not be written before is no reason to lose this.
    fn send(&self, message: Message) -> Result<(), TaskError> {
        match self.worker.send(message) {
            true => self.check(),
            false => Err(self.gone()),
        }
    }

    /// What could not be written since this was asked last.
    fn check(&self) -> Result<(), TaskError> {
        self.worker.fault().map_or(Ok(()), Err)
    }

    fn gone(&self) -> TaskError {
        let reason = std::io::Error::other("the thread that writes is gone");
        TaskError::write(&self.run, reason)
    }
}

/// The files of lines.
struct Lines {
    steps: LineWriter,
    /// Made when there is something to write.
    validations: Option<LineWriter>,
    validation_path: PathBuf,
}

impl Lines {
    fn write_all(mut self, receiver: &Receiver<Message>, fault: &Fault) {
        for message in receiver {
            let outcome = match message {
                Message::Step(record) => self.steps.append(&record),
                Message::Validation(record) => self.validation(&record),
                Message::Picture(image, path) => samples::save(&image, &path),
                Message::Flush(done) => {
                    let _ = done.send(());
                    Ok(())
                }
                Message::Sync(done) => {
                    let _ = done.send(self.sync());
                    Ok(())
                }
            };
            if let Err(error) = outcome {
                fault.tell(error);
            }
        }
    }

    fn validation(&mut self, record: &ValidationRecord) -> Result<(), TaskError> {
        let lines = match self.validations.take() {
            Some(lines) => lines,
            None => LineWriter::append_to(&self.validation_path)?,
        };
        self.validations.insert(lines).append(record)
    }

    fn sync(&mut self) -> Result<(), TaskError> {
        self.steps.sync()?;
        self.validations.as_mut().map_or(Ok(()), LineWriter::sync)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;
    use crate::step::loss_values::StepLosses;
    use crate::{Recipe, Task};

    #[test]
    fn an_earlier_fault_costs_no_step() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings {
            output_dir: folder.path().to_owned(),
            ..Settings::demo(Task::ColorTransfer)
        };
        let run = RunFolder::create(&Recipe::new(settings).unwrap()).unwrap();
        let writer = Writer::start(&run, 0).unwrap();
        let nowhere = folder.path().join("no/such/folder.png");
        writer.picture(RgbImage::new(1, 1), &nowhere).unwrap();
        // What was sent is seen to, and the fault not yet told.
        writer.sync().unwrap();
        let record = StepRecord {
            step: 1,
            epoch: 0,
            losses: StepLosses::from_array([1.0; 5]),
            step_seconds: 0.5,
            data_seconds: 0.0,
            skipped: false,
        };
        let told = writer.step(&record).unwrap_err().to_string();
        assert!(told.contains("folder.png"), "{told}");
        writer.sync().unwrap();
        assert_eq!(metrics::read(&run.metrics()).unwrap(), [record]);
    }
}
