//! Sums over a group in the middle of a network's pass.

use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use huenet_models::Workers;

use crate::group::members::Group;

/// Does `work` that adds numbers over `group` on the way, as batch normalisation does.
///
/// Burn keeps what a backward pass needs for as long as it likes, and a group is lent. So the work is done on a thread
/// of its own, which asks this one for sums. Only this one talks to other members.
pub(crate) fn with_workers<T: Send>(
    group: &dyn Group,
    work: impl FnOnce(Arc<dyn Workers>) -> T + Send,
) -> T {
    let (ask, asked) = mpsc::channel();
    thread::scope(|scope| {
        let worker = scope.spawn(move || {
            let _end = End(ask.clone());
            work(Arc::new(Asking(Mutex::new(ask))))
        });
        // Nobody has to give up asking: a backward pass that never came still could.
        while let Ok(Some(Question { mut values, answer })) = asked.recv() {
            group.sum(&mut values);
            // Who asked waits.
            let _ = answer.send(values);
        }
        match worker.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// Values to add over the group, and where their sums go.
struct Question {
    values: Vec<f32>,
    answer: Sender<Vec<f32>>,
}

/// Says that the work is over, however it ended.
struct End(Sender<Option<Question>>);

impl Drop for End {
    fn drop(&mut self) {
        let _ = self.0.send(None);
    }
}

/// Asks for sums.
#[derive(Debug)]
struct Asking(Mutex<Sender<Option<Question>>>);

impl Asking {
    fn ask(&self, values: Vec<f32>) -> Option<Receiver<Vec<f32>>> {
        let (answer, sums) = mpsc::channel();
        let ask = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ask.send(Some(Question { values, answer })).ok()?;
        Some(sums)
    }
}

impl Workers for Asking {
    /// # Panics
    ///
    /// If the work is over.
    fn sum(&self, values: &mut [f64]) {
        let single = values.iter().map(|value| *value as f32).collect();
        let sums = self.ask(single).and_then(|sums| sums.recv().ok());
        let sums = sums.expect("sums are asked for during the work");
        for (value, sum) in values.iter_mut().zip(sums) {
            *value = f64::from(sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group::threads;

    #[test]
    fn sums_are_the_groups_also_if_who_asks_is_kept() {
        let found = threads::run(3, |group| {
            let number = group.rank() as f64;
            let (sums, kept) = with_workers(group, |workers| {
                let mut values = [number, 1.0];
                workers.sum(&mut values);
                let first = values;
                workers.sum(&mut values);
                ([first, values].concat(), workers)
            });
            drop(kept);
            sums
        });
        assert_eq!(found, [[3.0, 3.0, 9.0, 9.0]; 3]);
    }
}
