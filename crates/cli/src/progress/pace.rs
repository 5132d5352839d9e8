//! The progress of a run: running means, speed, the time left, memory.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use huenet_tasks::{StepLosses, StepRecord};
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

/// How fast the means follow the losses: the weight of the newest step, after many steps.
const FOLLOW: f64 = 0.05;

/// The most steps over which speed is measured.
const WINDOW: usize = 100;

/// How often the memory in use is measured.
const MEMORY_EVERY: Duration = Duration::from_secs(1);

/// Follows a run.
pub(super) struct Pace {
    steps: u64,
    /// When the last steps ended, oldest first. The speed is measured over these, with all that
    /// happened in between.
    ends: VecDeque<Instant>,
    losses: [f64; 5],
    memory: Memory,
}

impl Pace {
    /// The pace of a run that starts now.
    pub(super) fn new() -> Self {
        Self {
            steps: 0,
            ends: VecDeque::from([Instant::now()]),
            losses: [0.0; 5],
            memory: Memory::new(),
        }
    }

    /// Takes a step that has just been done into account.
    pub(super) fn step(&mut self, record: &StepRecord) {
        let now = Instant::now();
        self.steps += 1;
        // The mean of all steps as long as there are few.
        let weight = FOLLOW.max(1.0 / self.steps as f64);
        if self.ends.len() > WINDOW {
            self.ends.pop_front();
        }
        self.ends.push_back(now);
        if !record.skipped {
            for (mean, value) in self.losses.iter_mut().zip(record.losses.to_array()) {
                *mean += weight * (value - *mean);
            }
        }
        self.memory.look(now);
    }

    /// The running means of the losses.
    pub(super) fn losses(&self) -> StepLosses {
        StepLosses::from_array(self.losses)
    }

    /// Seconds a step.
    pub(super) fn seconds(&self) -> f64 {
        let ends = self.ends.front().zip(self.ends.back());
        let time = ends.map_or(0.0, |(first, last)| {
            last.duration_since(*first).as_secs_f64()
        });
        time / (self.ends.len() - 1).max(1) as f64
    }

    /// The time that more steps take at this speed.
    pub(super) fn left(&self, steps: u64) -> Duration {
        Duration::try_from_secs_f64(self.seconds() * steps as f64).unwrap_or(Duration::MAX)
    }

    /// The memory of this process in MiB, if the system tells.
    pub(super) fn mebibytes(&self) -> Option<u64> {
        self.memory.bytes.map(|bytes| bytes >> 20)
    }
}

struct Memory {
    system: System,
    process: Option<Pid>,
    looked: Option<Instant>,
    bytes: Option<u64>,
}

impl Memory {
    fn new() -> Self {
        Self {
            system: System::new(),
            process: sysinfo::get_current_pid().ok(),
            looked: None,
            bytes: None,
        }
    }

    fn look(&mut self, now: Instant) {
        let fresh = |looked: Instant| now.duration_since(looked) < MEMORY_EVERY;
        let Some(process) = self.process.filter(|_| !self.looked.is_some_and(fresh)) else {
            return;
        };
        self.looked = Some(now);
        self.system.refresh_processes_specifics(
            ProcessesToUpdate::Some(&[process]),
            false,
            ProcessRefreshKind::nothing().with_memory(),
        );
        self.bytes = self.system.process(process).map(|process| process.memory());
    }
}

/// A time as `1:02:03`, with days if there are any.
pub(super) fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (days, hours) = (seconds / 86_400, seconds / 3600 % 24);
    let rest = format!("{hours}:{:02}:{:02}", seconds / 60 % 60, seconds % 60);
    match days {
        0 => rest,
        _ => format!("{days} d {rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(step: u64, value: f64, skipped: bool) -> StepRecord {
        StepRecord {
            step,
            epoch: 0,
            losses: StepLosses::from_array([value; 5]),
            step_seconds: 0.1,
            data_seconds: 0.0,
            skipped,
        }
    }

    #[test]
    fn means_are_of_all_steps_at_first_and_then_of_the_last_ones() {
        let mut pace = Pace::new();
        pace.step(&record(1, 1.0, false));
        pace.step(&record(2, 3.0, false));
        assert!((pace.losses().disc_loss - 2.0).abs() < 1e-12);
        pace.step(&record(3, f64::NAN, true));
        assert!((pace.losses().disc_loss - 2.0).abs() < 1e-12);
        (4..300).for_each(|step| pace.step(&record(step, 7.0, false)));
        assert!((pace.losses().gen_gan_loss - 7.0).abs() < 1e-3);
        assert!(pace.mebibytes().is_none_or(|memory| memory > 0));
    }

    #[test]
    fn times_are_clocks() {
        let shown = |seconds| clock(Duration::from_secs(seconds));
        assert_eq!(shown(59), "0:00:59");
        assert_eq!(shown(3_723), "1:02:03");
        assert_eq!(shown(2 * 86_400 + 3_600), "2 d 1:00:00");
    }
}
