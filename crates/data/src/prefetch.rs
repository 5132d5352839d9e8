//! Worker threads that read a bounded number of batches ahead and hand them over in order.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use crate::batch_reader::BatchReader;
use crate::{DataError, HostBatch};

/// How many batches may be in work or waiting, for each worker.
const AHEAD_PER_WORKER: usize = 2;

type Outcome = Result<Result<HostBatch, DataError>, Box<dyn Any + Send>>;

/// Running workers. Dropping it stops them: each ends with the batch it is reading.
pub(crate) struct Prefetch {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    reader: Arc<BatchReader>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// Batches that no worker has taken yet.
    open: Range<usize>,
    /// Batches below this one may be taken.
    limit: usize,
    ready: BTreeMap<usize, Outcome>,
    stopped: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // No panic can happen under the lock, so the state behind it is sound.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self, reader: &BatchReader) {
        while let Some(batch) = self.take() {
            let outcome = catch_unwind(AssertUnwindSafe(|| reader.read(batch)));
            self.lock().ready.insert(batch, outcome);
            self.changed.notify_all();
        }
    }

    /// Waits for a batch to read; `None` if there is nothing left to do.
    fn take(&self) -> Option<usize> {
        let wait = |state: &mut State| {
            !state.stopped && !state.open.is_empty() && state.open.start >= state.limit
        };
        let mut state = self
            .changed
            .wait_while(self.lock(), wait)
            .unwrap_or_else(PoisonError::into_inner);
        if state.stopped {
            None
        } else {
            state.open.next()
        }
    }
}

impl Prefetch {
    /// Starts to read `batches`. If the system grants no thread, the caller's own thread reads.
    pub(crate) fn start(reader: BatchReader, batches: Range<usize>, workers: usize) -> Self {
        let workers = workers.min(batches.len());
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                limit: batches.start + AHEAD_PER_WORKER * workers,
                open: batches,
                ready: BTreeMap::new(),
                stopped: false,
            }),
            changed: Condvar::new(),
        });
        let reader = Arc::new(reader);
        let spawn = |number| {
            let (shared, reader) = (Arc::clone(&shared), Arc::clone(&reader));
            std::thread::Builder::new()
                .name(format!("huenet-data-{number}"))
                .spawn(move || shared.work(&reader))
                .ok()
        };
        let workers = (0..workers).filter_map(spawn).collect();
        Self {
            shared,
            workers,
            reader,
        }
    }

    /// Waits for a batch. Batches are asked for in order, each once.
    ///
    /// # Panics
    ///
    /// If the worker that read the batch panicked.
    pub(crate) fn next(&mut self, batch: usize) -> Result<HostBatch, DataError> {
        if self.workers.is_empty() {
            return self.reader.read(batch);
        }
        let wait = |state: &mut State| !state.ready.contains_key(&batch);
        let mut state = (self.shared.changed)
            .wait_while(self.shared.lock(), wait)
            .unwrap_or_else(PoisonError::into_inner);
        let outcome = state.ready.remove(&batch);
        state.limit += 1;
        drop(state);
        self.shared.changed.notify_all();
        match outcome {
            Some(Ok(result)) => result,
            Some(Err(panic)) => resume_unwind(panic),
            None => unreachable!("waited until batch {batch} was ready"),
        }
    }
}

impl Drop for Prefetch {
    fn drop(&mut self) {
        self.shared.lock().stopped = true;
        self.shared.changed.notify_all();
        for worker in self.workers.drain(..) {
            // Its panics were caught and handed over.
            let _ = worker.join();
        }
    }
}

impl fmt::Debug for Prefetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prefetch")
            .field("workers", &self.workers.len())
            .finish_non_exhaustive()
    }
}
