//! A thread that works through what it is sent, so that training does not wait for a disk.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use super::error::TaskError;

/// The first fault of a thread that nobody has asked for yet.
#[derive(Clone, Default)]
pub(crate) struct Fault(Arc<Mutex<Option<TaskError>>>);

impl Fault {
    /// Keeps a fault, unless there is one: the first is the cause of the others, if there are others.
    pub(crate) fn tell(&self, error: TaskError) {
        let mut fault = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        fault.get_or_insert(error);
    }

    fn take(&self) -> Option<TaskError> {
        let mut fault = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        fault.take()
    }
}

/// A thread that takes messages. When this is dropped, it has worked through all of them.
pub(crate) struct Worker<M> {
    sender: Option<SyncSender<M>>,
    thread: Option<JoinHandle<()>>,
    fault: Fault,
}

impl<M: Send + 'static> Worker<M> {
    /// Starts `work` on a thread called `name`. At most `queue` messages are under way: a sender waits
    /// when there are more.
    pub(crate) fn start(
        name: &str,
        queue: usize,
        work: impl FnOnce(&Receiver<M>, Fault) + Send + 'static,
    ) -> io::Result<Self> {
        let fault = Fault::default();
        let (sender, receiver) = sync_channel(queue);
        let of_thread = fault.clone();
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || work(&receiver, of_thread))?;
        Ok(Self {
            sender: Some(sender),
            thread: Some(thread),
            fault,
        })
    }
}

impl<M> Worker<M> {
    /// Sends a message; whether there is a thread that takes it.
    pub(crate) fn send(&self, message: M) -> bool {
        let sent = self.sender.as_ref().map(|sender| sender.send(message));
        sent.is_some_and(|sent| sent.is_ok())
    }

    /// Sends a message that is answered, and waits for the answer; `None` if the thread is gone.
    pub(crate) fn ask<A>(&self, message: impl FnOnce(SyncSender<A>) -> M) -> Option<A> {
        let (sender, receiver) = sync_channel(1);
        if !self.send(message(sender)) {
            return None;
        }
        receiver.recv().ok()
    }

    /// The first fault since this was asked last.
    pub(crate) fn fault(&self) -> Option<TaskError> {
        self.fault.take()
    }

    /// Whether it has not been ended.
    pub(crate) fn is_running(&self) -> bool {
        self.thread.is_some()
    }

    /// Waits until the thread has worked through everything, and ends it.
    pub(crate) fn end(&mut self) {
        self.sender = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl<M> Drop for Worker<M> {
    fn drop(&mut self) {
        self.end();
    }
}
