//! Shows the progress of a download: a bar on a terminal, lines elsewhere.

use std::time::{Duration, Instant};

use huenet_data::download::{Bytes, Dataset, Event};
use indicatif::{ProgressBar, ProgressStyle};

use crate::output;

/// How often a line is printed without a terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// The display of one download.
pub(crate) struct Display {
    /// Text printed before the download begins, also with `--quiet`.
    heading: Option<String>,
    quiet: bool,
    terminal: bool,
    bar: Option<(Stage, ProgressBar)>,
    /// When the last line about progress was printed.
    line: Option<(Stage, Instant)>,
}

/// What the download is doing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Receiving,
    Verifying,
    Unpacking,
}

/// An archive's progress has no unit of its own; the bar counts in thousandths.
const PARTS: u64 = 1000;

impl Display {
    pub(crate) fn new(dataset: &Dataset, quiet: bool) -> Self {
        let heading = format!(
            "{}: {} ({})\nrights: {}",
            dataset.name, dataset.about, dataset.homepage, dataset.rights
        );
        Self {
            heading: Some(heading),
            quiet,
            terminal: output::redraws(),
            bar: None,
            line: None,
        }
    }

    pub(crate) fn show(&mut self, event: &Event<'_>) {
        if let Some(heading) = self.heading.take() {
            output::note(heading);
        }
        match *event {
            Event::Waiting { holder } => {
                let holder = match holder {
                    "" => "another process",
                    named => named,
                };
                self.say(&format!(
                    "{holder} is downloading this dataset; waiting for it"
                ));
            }
            Event::Asking {
                file,
                address,
                have,
            } => {
                let from = match have {
                    0 => String::new(),
                    have => format!(", from byte {have} on"),
                };
                self.say(&format!("{file} from {address}{from}"));
            }
            Event::Received { done, total } => self.received(done, total),
            Event::Retrying {
                fault,
                wait,
                attempt: (attempt, last),
            } => self.say(&format!(
                "{fault}; try {attempt} of {last} in {:.0} s",
                wait.as_secs_f64()
            )),
            Event::NextAddress { address, fault } => {
                self.say(&format!("{address}: {fault}; trying the next address"));
            }
            Event::Verifying { file, done, total } => {
                let text = format!("checking {file}");
                self.progress(Stage::Verifying, done, Some(total), &text);
            }
            Event::Unpacking {
                file,
                files,
                fraction,
            } => {
                let done = (fraction * PARTS as f64) as u64;
                let text = format!("unpacking {file}: {files} files");
                self.progress(Stage::Unpacking, done, Some(PARTS), &text);
            }
            Event::Note { text } => self.say(text),
            _ => {}
        }
    }

    fn received(&mut self, done: u64, total: Option<u64>) {
        let text = match total {
            Some(total) => format!("{} of {}", Bytes(done), Bytes(total)),
            None => Bytes(done).to_string(),
        };
        self.progress(Stage::Receiving, done, total, &text);
    }

    fn progress(&mut self, stage: Stage, done: u64, total: Option<u64>, text: &str) {
        if self.quiet {
            return;
        }
        if self.terminal {
            let bar = self.bar(stage, done, total);
            bar.set_position(done);
            bar.set_message(text.to_owned());
            return;
        }
        let now = Instant::now();
        match self.line {
            // The first line of a stage comes when it has gone on for a while.
            Some((of, last)) if of == stage && now - last < LINE_EVERY => {}
            Some((of, _)) if of == stage => {
                output::note(text);
                self.line = Some((stage, now));
            }
            _ => self.line = Some((stage, now)),
        }
    }

    fn bar(&mut self, stage: Stage, done: u64, total: Option<u64>) -> &ProgressBar {
        if self.bar.as_ref().is_some_and(|(of, _)| *of != stage) {
            self.finish();
        }
        let (_, bar) = self.bar.get_or_insert_with(|| {
            let bar = match total {
                Some(total) => ProgressBar::new(total),
                None => ProgressBar::no_length(),
            };
            // What was there before says nothing about the speed.
            let bar = bar.with_position(done);
            let template = match stage {
                Stage::Receiving => "{bar:30} {msg}  {decimal_bytes_per_sec}, {eta} left",
                Stage::Verifying | Stage::Unpacking => "{bar:30} {percent:>3} %  {msg}",
            };
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.reset_eta();
            (stage, bar)
        });
        bar
    }

    fn say(&mut self, line: &str) {
        self.finish();
        if !self.quiet {
            output::note(line);
        }
    }

    pub(crate) fn finish(&mut self) {
        if let Some((_, bar)) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
