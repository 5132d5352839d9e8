//! Logs: a structured one in the run's folder, and with `-v` a detailed one on the error stream.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::Registry;
use tracing_subscriber::util::SubscriberInitExt;

/// The log in a run's folder. Each line is a JSON object.
const LOG: &str = "log.jsonl";

/// The crates that log.
const CRATES: [&str; 5] = [
    "huenet",
    "huenet_data",
    "huenet_hist",
    "huenet_models",
    "huenet_tasks",
];

/// How much of a log is kept until the run's folder is known.
const BUFFERED: usize = 1 << 20;

/// Where the log of the run goes, once there is a run.
#[derive(Clone)]
pub(crate) struct Log(Arc<Mutex<Target>>);

enum Target {
    Buffer(Vec<u8>),
    File(File),
}

impl Log {
    /// Begins to log. With `verbose` details are logged too, and all of it goes to the error stream
    /// as well: as JSON with `json`.
    pub(crate) fn start(verbose: bool, json: bool) -> Self {
        let log = Self(Arc::new(Mutex::new(Target::Buffer(Vec::new()))));
        let level = match verbose {
            true => LevelFilter::DEBUG,
            false => LevelFilter::INFO,
        };
        let ours = || Targets::new().with_targets(CRATES.map(|name| (name, level)));
        let layer = tracing_subscriber::fmt::layer;
        let file = layer().json().flatten_event(true).with_writer(log.clone());
        let mut layers: Vec<Box<dyn Layer<Registry> + Send + Sync>> =
            vec![file.with_filter(ours()).boxed()];
        if verbose {
            let shown = layer().with_writer(io::stderr).with_ansi(false);
            layers.push(match json {
                true => shown.json().flatten_event(true).with_filter(ours()).boxed(),
                false => shown.with_filter(ours()).boxed(),
            });
        }
        // Fails only if something logs already.
        let _ = tracing_subscriber::registry().with(layers).try_init();
        log
    }

    /// Writes what was kept so far, and all that follows, into the folder of `run`. If that fails,
    /// the run continues without a log.
    pub(crate) fn go_to(&self, run: &Path) {
        let path = run.join(LOG);
        let Ok(mut file) = OpenOptions::new().create(true).append(true).open(path) else {
            return;
        };
        let mut target = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Target::Buffer(kept) = &*target {
            let _ = file.write_all(kept);
        }
        *target = Target::File(file);
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut target = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *target {
            Target::Buffer(kept) if kept.len() < BUFFERED => kept.extend_from_slice(bytes),
            Target::Buffer(_) => {}
            Target::File(file) => {
                let _ = file.write_all(bytes);
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
