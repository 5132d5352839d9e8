//! What a run lets its user see: `report.html`, TensorBoard's event files, the live page.
//!
//! All of it is made on a thread of its own from what the training loop tells it:
//!
//! ```text
//! training ──► View ──► thread: Shown ──► report.html, after each epoch and at the end
//!              bounded                ├─► events.out.tfevents.*
//!              queue                  └─► LivePage ──► readers, each on a thread of its own
//! ```
//!
//! A page is never in the way of training: what cannot be written is told once as a fault, and
//! readers are given snapshots.

mod charts;
mod distributions;
mod machine;
pub(crate) mod page;
mod pictures;
mod series;
mod server;
mod state;
pub mod tensorboard;

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use huenet_data::RgbImage;

use crate::measure::evaluation::Evaluation;
use crate::run::folder::RunFolder;
use crate::run::metrics::StepRecord;
use crate::run::plan::Plan;
use crate::run::position::Position;
use crate::run::validation::ValidationRecord;
use crate::step::recipe::{LearningRates, Recipe};
use crate::store::error::TaskError;
use crate::store::files;
use crate::store::worker::{Fault, Worker};

pub use distributions::{ChannelDistributions, Distributions, ImageDistributions};
pub use server::LivePage;
use state::{Pictures, State, Status};
use tensorboard::EventWriter;

/// Messages under way, at most; when the disk is slower than that, training waits for it.
const QUEUE: usize = 128;

/// How often the live page gets new numbers, and buffered events reach the file.
const TICK: Duration = Duration::from_secs(1);

/// Shows a run.
pub(crate) struct View {
    worker: Worker<Message>,
    /// When the last step ended, unless something else than a step came between.
    last: Option<Instant>,
}

enum Message {
    Stepped(StepRecord, LearningRates, Option<f64>),
    Drew(Position, RgbImage, Box<Distributions>),
    Validated(Box<ValidationRecord>),
    Evaluated(Evaluation),
    EpochEnded,
    /// Answer when everything before is written.
    Flush(SyncSender<()>),
    Ended(Status),
}

impl View {
    /// Begins to show `run`, which goes on from `position`.
    pub(crate) fn start(
        recipe: &Recipe,
        run: &RunFolder,
        plan: &Plan,
        position: Position,
        live: Option<LivePage>,
    ) -> Result<Self, TaskError> {
        let events = match recipe.settings().tensorboard {
            true => Some(EventWriter::create(run.path(), plan.first_step)?),
            false => None,
        };
        let mut shown = Shown {
            state: State::open(recipe, run, plan, position),
            report: run.report(),
            events,
            live,
            published: (0, Instant::now()),
        };
        shown.publish();
        let work = move |receiver: &Receiver<Message>, fault| shown.follow(receiver, &fault);
        let worker = Worker::start("view", QUEUE, work)
            .map_err(|source| TaskError::write(run.path(), source))?;
        Ok(Self { worker, last: None })
    }

    /// A step was done, and `ended` then.
    pub(crate) fn stepped(&mut self, record: &StepRecord, rates: LearningRates, ended: Instant) {
        let last = self.last.replace(ended);
        let wall = last.map(|last| ended.duration_since(last).as_secs_f64());
        self.send(Message::Stepped(*record, rates, wall));
    }

    /// A sample grid was drawn.
    pub(crate) fn drew(&mut self, at: Position, grid: RgbImage, distributions: Distributions) {
        self.send(Message::Drew(at, grid, Box::new(distributions)));
    }

    /// Held-out images were looked at.
    pub(crate) fn validated(&mut self, record: &ValidationRecord) {
        self.send(Message::Validated(Box::new(record.clone())));
    }

    /// Held-out images were looked at for the last time.
    pub(crate) fn evaluated(&mut self, evaluation: Evaluation) {
        self.send(Message::Evaluated(evaluation));
    }

    /// An epoch is done, and all that belongs to its end.
    pub(crate) fn epoch_ended(&mut self) {
        self.last = None;
        self.send(Message::EpochEnded);
    }

    /// Waits until everything that was told is in files, so that a checkpoint is never newer than
    /// they are.
    pub(crate) fn flush(&mut self) {
        self.last = None;
        // Fails only if the thread is gone; then there is nothing to wait for.
        let _ = self.worker.ask(Message::Flush);
    }

    /// What could not be written since the last time this was asked, if anything.
    pub(crate) fn fault(&self) -> Option<TaskError> {
        self.worker.fault()
    }

    /// The run is done: writes the last of everything.
    pub(crate) fn finish(&mut self) {
        self.end(Status::Finished);
    }

    /// The run ended with an error.
    pub(crate) fn fail(&mut self) {
        self.end(Status::Failed);
    }

    fn end(&mut self, status: Status) {
        self.send(Message::Ended(status));
        self.worker.end();
    }

    fn send(&self, message: Message) {
        // Fails only if the thread is gone; training goes on without a view.
        let _ = self.worker.send(message);
    }
}

impl Drop for View {
    fn drop(&mut self) {
        if self.worker.is_running() {
            self.end(Status::Stopped);
        }
    }
}

/// What the thread keeps and writes.
struct Shown {
    state: State,
    report: PathBuf,
    events: Option<EventWriter>,
    live: Option<LivePage>,
    /// The version that the live page has, and since when.
    published: (u64, Instant),
}

impl Shown {
    fn follow(mut self, receiver: &Receiver<Message>, fault: &Fault) {
        loop {
            match receiver.recv_timeout(TICK) {
                Ok(Message::Ended(status)) => {
                    self.state.ended(status);
                    self.write_report(fault);
                    self.flush(fault);
                    self.publish();
                    return;
                }
                Ok(message) => self.handle(message, fault),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            let (version, since) = self.published;
            if version != self.state.version && since.elapsed() >= TICK {
                self.flush(fault);
                self.publish();
            }
        }
    }

    fn handle(&mut self, message: Message, fault: &Fault) {
        match message {
            Message::Stepped(record, rates, wall) => {
                self.state.stepped(&record, wall);
                let losses = record.losses.named();
                let losses = losses.map(|(name, value)| (format!("loss/{name}"), value));
                let rates = [
                    ("learning_rate/generator".to_owned(), rates.generator),
                    (
                        "learning_rate/discriminator".to_owned(),
                        rates.discriminator,
                    ),
                ];
                let scalars: Vec<_> = losses.chain(rates).collect();
                self.write_events(fault, |events| events.scalars(record.step, scalars));
            }
            Message::Drew(at, grid, distributions) => {
                // At the end of a run that ends with an epoch, the grid is nothing new. The
                // distributions are, if the run was resumed there: no file keeps them.
                if !self.state.has_drawn(at) {
                    self.write_events(fault, |events| {
                        events.image(at.step, "samples", &grid)?;
                        write_histograms(events, at.step, &distributions)
                    });
                    if let Some(small) = pictures::grid(&grid) {
                        self.state.drew(at, small);
                    }
                }
                self.state.distributed(at, &distributions);
            }
            Message::Validated(record) => {
                let colour = self.state.colour();
                let figures = record.figures.named(colour).into_iter();
                let scalars: Vec<_> = figures
                    .map(|(name, value)| (format!("validation/{name}"), value))
                    .collect();
                self.write_events(fault, |events| events.scalars(record.step, scalars));
                self.state.validated(*record);
            }
            Message::Evaluated(evaluation) => self.state.evaluated(evaluation),
            Message::EpochEnded => self.write_report(fault),
            Message::Flush(done) => {
                self.flush(fault);
                let _ = done.send(());
            }
            Message::Ended(_) => {}
        }
    }

    fn write_events(
        &mut self,
        fault: &Fault,
        write: impl FnOnce(&mut EventWriter) -> Result<(), TaskError>,
    ) {
        let Some(events) = &mut self.events else {
            return;
        };
        if let Err(error) = write(events) {
            // What follows half a record cannot be read.
            self.events = None;
            fault.tell(error);
        }
    }

    fn flush(&mut self, fault: &Fault) {
        self.write_events(fault, EventWriter::flush);
    }

    fn write_report(&mut self, fault: &Fault) {
        let page = page::render(&self.state.name(), &self.state.page(Pictures::Embedded));
        if let Err(error) = files::write_atomically(&self.report, page.as_bytes()) {
            fault.tell(error);
        }
    }

    fn publish(&mut self) {
        self.published = (self.state.version, Instant::now());
        if let Some(live) = &self.live {
            let data = self.state.page(Pictures::Linked);
            let page = page::render(&self.state.name(), &data);
            live.publish(
                self.state.version,
                page,
                data.to_string(),
                self.state.grids(),
            );
        }
    }
}

type Histogram = fn(&ChannelDistributions) -> &[f32];

/// The histograms that TensorBoard is given.
const KINDS: [(&str, Histogram); 2] = [
    ("output", |channel| &channel.output),
    ("reference", |channel| &channel.reference),
];

/// The histograms of all images together, of each channel.
fn write_histograms(
    events: &mut EventWriter,
    step: u64,
    all: &Distributions,
) -> Result<(), TaskError> {
    let Some(first) = all.images.first() else {
        return Ok(());
    };
    for (c, channel) in first.channels.iter().enumerate() {
        for (what, histogram) in KINDS {
            let mut mass = vec![0.0; histogram(channel).len()];
            for image in &all.images {
                for (sum, p) in mass.iter_mut().zip(histogram(&image.channels[c])) {
                    *sum += f64::from(*p) * all.pixels as f64;
                }
            }
            events.histogram(step, &format!("{}/{what}", channel.name), all.range, &mass)?;
        }
    }
    Ok(())
}
