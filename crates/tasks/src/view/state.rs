//! What a page about a run shows, kept while the run goes on, and found again in the run's files
//! when it is resumed.

mod shown;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::sync::Arc;

use huenet_data::ColourSpace;
use serde::Serialize;
use serde_json::Value;

use super::charts;
use super::distributions::Distributions;
use super::machine::Machine;
use super::pictures;
use super::series::Series;
use crate::measure::evaluation::Evaluation;
use crate::run::folder::RunFolder;
use crate::run::metrics::StepRecord;
use crate::run::plan::Plan;
use crate::run::position::Position;
use crate::run::validation::{self, ValidationRecord};
use crate::step::recipe::Recipe;

/// Sample grids kept on the page, at most, beside the newest.
const GRIDS: usize = 20;

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    Running,
    Finished,
    Stopped,
    Failed,
}

/// How the pictures of a page are found.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pictures {
    /// In the page itself.
    Embedded,
    /// At `grids/STEP.jpg`, beside it.
    Linked,
}

/// A small picture of a sample grid.
#[derive(Clone)]
pub(super) struct Grid {
    at: Position,
    jpeg: Arc<[u8]>,
}

pub(super) struct State {
    recipe: Recipe,
    run: RunFolder,
    plan: Plan,
    pub(super) status: Status,
    step: u64,
    epoch: u64,
    /// Those that every run has, then those that not every run has.
    losses: Series<8>,
    validation: Vec<ValidationRecord>,
    /// By their steps.
    grids: BTreeMap<u64, Grid>,
    grids_drawn: u64,
    /// Where they were drawn, and what of them is shown.
    distributions: Option<(Position, Value)>,
    evaluation: Option<Evaluation>,
    machine: Machine,
    speed: Speed,
    /// Grows with every change.
    pub(super) version: u64,
}

impl State {
    /// The state of `run` after the steps that it has already done; what its files lack, or what
    /// of them cannot be read, is left out.
    pub(super) fn open(recipe: &Recipe, run: &RunFolder, plan: &Plan, position: Position) -> Self {
        let mut state = Self {
            recipe: recipe.clone(),
            run: run.clone(),
            plan: plan.clone(),
            status: Status::Running,
            step: position.step,
            epoch: position.epoch,
            losses: Series::new(),
            validation: Vec::new(),
            grids: BTreeMap::new(),
            grids_drawn: 0,
            distributions: None,
            evaluation: None,
            machine: Machine::this(recipe.settings()),
            speed: Speed::default(),
            version: 1,
        };
        if position.step > 0 {
            state.load(position);
        }
        state
    }

    fn load(&mut self, position: Position) {
        let last = position.step;
        if let Ok(file) = std::fs::File::open(self.run.metrics()) {
            let lines = BufReader::new(file).split(b'\n').map_while(Result::ok);
            let records = lines.filter_map(|line| serde_json::from_slice(&line).ok());
            let done = |record: &StepRecord| record.step <= last && !record.skipped;
            for record in records.filter(done) {
                self.push(&record);
            }
        }
        let validation = validation::read(&self.run.validation()).unwrap_or_default();
        self.validation = validation
            .into_iter()
            .filter(|record| record.step <= last)
            .collect();
        let drawn: Vec<u64> = (0..=position.epoch)
            .filter(|&e| self.run.sample(e).is_file())
            .collect();
        self.grids_drawn = drawn.len() as u64;
        for epoch in kept(&drawn, GRIDS) {
            if let Some(jpeg) = pictures::grid_in(&self.run.sample(epoch)) {
                let step = epoch * self.plan.steps_per_epoch;
                let at = Position {
                    step,
                    epoch,
                    batch: 0,
                };
                let jpeg = jpeg.into();
                self.grids.insert(step, Grid { at, jpeg });
            }
        }
    }

    fn push(&mut self, record: &StepRecord) {
        let [a, b, c, d, e] = record.losses.to_array();
        let [f, g, h] = record.losses.further().map(|loss| loss.unwrap_or(f64::NAN));
        let values = [a, b, c, d, e, f, g, h];
        self.losses.push(record.step, values);
    }

    pub(super) fn stepped(&mut self, record: &StepRecord, wall: Option<f64>) {
        (self.step, self.epoch) = (record.step, record.epoch);
        self.push(record);
        if let Some(wall) = wall {
            self.speed.stepped(wall, record.step_seconds);
        }
        self.version += 1;
    }

    /// Whether the grid of this place is there.
    pub(super) fn has_drawn(&self, at: Position) -> bool {
        self.grids.contains_key(&at.step)
    }

    pub(super) fn drew(&mut self, at: Position, jpeg: Vec<u8>) {
        self.epoch = at.epoch;
        let jpeg = jpeg.into();
        self.grids.insert(at.step, Grid { at, jpeg });
        self.grids_drawn += 1;
        // Of all epochs, not of those still there: a resumed run finds the same.
        let epochs: Vec<u64> = (0..=at.epoch).collect();
        let kept = kept(&epochs, GRIDS);
        self.grids.retain(|_, grid| kept.contains(&grid.at.epoch));
        self.version += 1;
    }

    pub(super) fn distributed(&mut self, at: Position, distributions: &Distributions) {
        self.distributions = Some((at, charts::distributions(distributions)));
        self.version += 1;
    }

    pub(super) fn validated(&mut self, record: ValidationRecord) {
        self.validation.push(record);
        self.version += 1;
    }

    pub(super) fn evaluated(&mut self, evaluation: Evaluation) {
        self.evaluation = Some(evaluation);
        self.version += 1;
    }

    pub(super) fn ended(&mut self, status: Status) {
        self.status = status;
        self.version += 1;
    }

    /// The colour space of the networks' images.
    pub(super) fn colour(&self) -> ColourSpace {
        self.recipe.colour()
    }

    /// The run's name.
    pub(super) fn name(&self) -> String {
        let path = self.run.path();
        path.file_name()
            .unwrap_or(path.as_os_str())
            .to_string_lossy()
            .into_owned()
    }

    /// The small sample grids, by their steps.
    pub(super) fn grids(&self) -> BTreeMap<u64, Arc<[u8]>> {
        let grids = self.grids.iter();
        grids
            .map(|(step, grid)| (*step, Arc::clone(&grid.jpeg)))
            .collect()
    }
}

/// Which of some epochs, in ascending order, to keep: those that are multiples of the least power
/// of two that leaves at most `most`, and the last.
fn kept(epochs: &[u64], most: usize) -> Vec<u64> {
    let mut stride = 1;
    while epochs
        .iter()
        .filter(|epoch| epoch.is_multiple_of(stride))
        .count()
        > most
    {
        stride *= 2;
    }
    let last = epochs.last();
    let keep = |epoch: &&u64| epoch.is_multiple_of(stride) || Some(*epoch) == last;
    epochs.iter().filter(keep).copied().collect()
}

/// How fast this process trains.
#[derive(Default)]
struct Speed {
    steps: u64,
    seconds: f64,
    in_networks: f64,
    /// Of the newest steps, smoothed.
    newest: Option<f64>,
}

impl Speed {
    fn stepped(&mut self, wall: f64, in_networks: f64) {
        self.steps += 1;
        self.seconds += wall;
        self.in_networks += in_networks.min(wall);
        let newest = self.newest.unwrap_or(wall);
        self.newest = Some(newest + 0.05 * (wall - newest));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_epochs_the_first_the_last_and_even_steps_between_are_kept() {
        let all: Vec<u64> = (0..=9).collect();
        assert_eq!(kept(&all, 20), all);
        assert_eq!(kept(&all, 4), [0, 4, 8, 9]);
        assert_eq!(kept(&[], 4), [0; 0]);
    }
}
