//! The first process of a group, which tells the others what to do.

use huenet_data::Loader;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::job::Job;
use super::orders::{Answer, Measured, Met, Order, Start, message, reply, told_of, understood};
use crate::group::members::Group;
use crate::group::share::{self, Share};
use crate::run::images::Images;
use crate::run::position::Position;
use crate::store::error::TaskError;

/// Leads the other processes of a group, if there are any, until it is dropped.
pub(super) struct Leader<'a> {
    group: &'a dyn Group,
}

impl<'a> Leader<'a> {
    pub(super) fn new(group: &'a dyn Group) -> Self {
        Self { group }
    }

    /// The group; `None` for a process by itself.
    pub(super) fn group(&self) -> Option<&'a dyn Group> {
        (self.size() > 1).then_some(self.group)
    }

    /// The number of processes.
    pub(super) fn size(&self) -> usize {
        self.group.size()
    }

    /// A loader of this process's images.
    pub(super) fn share_of(&self, images: &Loader) -> Loader {
        match self.group() {
            Some(group) => images.shared(group.rank(), group.size()),
            None => images.clone(),
        }
    }

    /// Lets the others read what they have of the batch at `position`. Gives whether all have it, and none is to stop.
    pub(super) fn others_are_ready(&self, position: Position) -> Result<bool, TaskError> {
        let Some(group) = self.group() else {
            return Ok(true);
        };
        group.tell(&message(&Order::Step(position)));
        reply(group, &Answer::Ready)
    }

    /// What all processes measure as `order` says, this one by `own`: in the order of the batches.
    pub(super) fn measured<T: Serialize + DeserializeOwned>(
        group: &dyn Group,
        order: Order,
        own: impl FnOnce(Share) -> Result<Vec<(usize, T)>, TaskError>,
    ) -> Result<Vec<T>, TaskError> {
        group.tell(&message(&order));
        let own = own(Share::of(group));
        let told = group.tell(&message(&told_of(&own)));
        let mut all = own?;
        for rank in 1..told.len() {
            let measured: Measured<T> = understood(&told, rank)?;
            let size = told.len();
            all.extend(measured.map_err(|reason| TaskError::Process { rank, size, reason })?);
        }
        all.sort_by_key(|(index, _)| *index);
        Ok(all.into_iter().map(|(_, measured)| measured).collect())
    }

    /// Learns what image files held that the others have read, and compares their weights with its own.
    pub(super) fn meet(
        &self,
        images: &Images,
        weights: impl FnOnce() -> u32,
        step: u64,
    ) -> Result<(), TaskError> {
        let Some(group) = self.group() else {
            return Ok(());
        };
        group.tell(&message(&Order::Meet));
        let told = group.tell(&[]);
        let weights = weights();
        for rank in 1..told.len() {
            let met: Met = understood(&told, rank)?;
            if met.weights != weights {
                let size = told.len();
                return Err(TaskError::Apart { rank, size, step });
            }
            images.expect(&met.fingerprints);
        }
        Ok(())
    }
}

impl Drop for Leader<'_> {
    fn drop(&mut self) {
        // In a panic the others may be in the middle of a step: they end with this process.
        if let Some(group) = self.group()
            && !std::thread::panicking()
        {
            group.tell(&message(&Order::End));
        }
    }
}

impl Job {
    /// Tells the other processes of a group which run this is, or that there is none: then they end. All
    /// [answer](super::answer) next.
    ///
    /// # Errors
    ///
    /// [`TaskError::Settings`] if such a group cannot train with these settings, or these cannot be written as TOML.
    pub fn lead(job: Option<&Self>, group: &dyn Group) -> Result<(), TaskError> {
        if group.size() == 1 {
            return Ok(());
        }
        let start = job.map(|job| job.start(group)).transpose();
        group.tell(&message(&start.as_ref().ok().and_then(Option::as_ref)));
        start.map(|_| ())
    }

    fn start(&self, group: &dyn Group) -> Result<Start, TaskError> {
        share::check(self.recipe.settings(), group.size())?;
        Ok(Start {
            settings: self.recipe.settings().to_toml()?,
            checkpoint: self.weights.as_ref().map(|it| absolute(it.folder())),
            position: self.position,
            planned: self.plan().total_steps,
        })
    }
}

/// The path of a checkpoint for processes with another working folder.
fn absolute(folder: &std::path::Path) -> std::path::PathBuf {
    std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned())
}
