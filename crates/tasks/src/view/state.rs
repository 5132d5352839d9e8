//! What a page about a run shows, kept while the run goes on, and found again in the run's files
//! when it is resumed.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::sync::Arc;

use data_encoding::BASE64;
use huenet_data::ColourSpace;
use serde::Serialize;
use serde_json::{Value, json};

use super::distributions::Distributions;
use super::machine::Machine;
use super::pictures;
use super::series::Series;
use crate::checkpoint::Position;
use crate::evaluation::Evaluation;
use crate::job::Plan;
use crate::metrics::{StepLosses, StepRecord};
use crate::recipe::Recipe;
use crate::run::RunFolder;
use crate::settings::{Group, KEYS};
use crate::validation::{self, ValidationRecord};

/// Sample grids kept on the page, at most, beside the newest.
const GRIDS: usize = 20;

/// Validations drawn, at most, beside the newest.
const VALIDATIONS: usize = 500;

/// Bins of a histogram on the page, at most.
const BINS: usize = 128;

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    Running,
    Finished,
    Stopped,
}

/// How the pictures of a page are found.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pictures {
    /// In the page itself.
    Embedded,
    /// At `grids/EPOCH.jpg`, beside it.
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
    losses: Series<5>,
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
                self.losses.push(record.step, record.losses.to_array());
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

    pub(super) fn stepped(&mut self, record: &StepRecord, wall: Option<f64>) {
        (self.step, self.epoch) = (record.step, record.epoch);
        self.losses.push(record.step, record.losses.to_array());
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
        self.distributions = Some((at, shown_distributions(distributions)));
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

    /// The data of the page.
    pub(super) fn page(&self, pictures: Pictures) -> Value {
        let settings = self.recipe.settings();
        let what = format!(
            "{} on {}: {}×{} pixels, base width {}, depth {}, batch {}",
            settings.task,
            settings.dataset,
            settings.img_w,
            settings.img_h,
            settings.base_width,
            settings.depth,
            settings.batch_size
        );
        let grids = self.grids.iter().map(|(step, grid)| {
            let src = match pictures {
                Pictures::Embedded => data_uri("image/jpeg", &grid.jpeg),
                Pictures::Linked => format!("grids/{step}.jpg"),
            };
            json!({ "step": step, "when": when(grid.at), "src": src })
        });
        let now = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M:%S UTC");
        json!({
            "version": self.version,
            "live": pictures == Pictures::Linked,
            "run": self.name(),
            "what": what,
            "state": self.status,
            "written": now.to_string(),
            "held_out_images": self.plan.held_out_images,
            "progress": {
                "step": self.step,
                "total_steps": self.plan.total_steps,
                "epoch": self.epoch.min(self.plan.epochs),
                "epochs": self.plan.epochs,
            },
            "losses": self.shown_losses(),
            "validation": self.shown_validation(),
            "grids": grids.collect::<Vec<_>>(),
            "grids_drawn": self.grids_drawn,
            "grid_side": pictures::GRID_SIDE,
            "distributions": self.distributions.as_ref().map(|(_, shown)| shown),
            "distributions_when": self.distributions.as_ref().map(|(at, _)| when(*at)),
            "evaluation": self.evaluation,
            "settings": self.shown_settings(),
            "machine": self.machine,
            "speed": self.speed.shown(),
        })
    }

    fn shown_losses(&self) -> Value {
        let points = self.losses.points();
        let values = (0..StepLosses::NAMES.len()).map(|i| {
            points
                .iter()
                .map(|point| short(point.means[i]))
                .collect::<Vec<_>>()
        });
        json!({
            "names": StepLosses::NAMES,
            "steps": points.iter().map(|point| point.step).collect::<Vec<_>>(),
            "values": values.collect::<Vec<_>>(),
            "stretch": self.losses.stretch(),
        })
    }

    fn shown_validation(&self) -> Value {
        let all = &self.validation;
        let every = all.len().div_ceil(VALIDATIONS).max(1);
        let shown: Vec<&ValidationRecord> = all
            .iter()
            .enumerate()
            .filter(|(i, _)| i % every == 0 || i + 1 == all.len())
            .map(|(_, record)| record)
            .collect();
        let colour = self.recipe.colour();
        // In their own order, which an object would not keep.
        let mut figures: Vec<(String, Vec<Option<f64>>)> = Vec::new();
        for (i, record) in shown.iter().enumerate() {
            for (name, value) in record.figures.named(colour) {
                let known = figures.iter().position(|(known, _)| *known == name);
                let at = known.unwrap_or_else(|| {
                    figures.push((name, vec![None; shown.len()]));
                    figures.len() - 1
                });
                figures[at].1[i] = short(value);
            }
        }
        let finite = all.iter().filter(|record| record.figures.emd.is_finite());
        let best = finite.min_by(|a, b| a.figures.emd.total_cmp(&b.figures.emd));
        let epoch = |step: u64| short(step as f64 / self.plan.steps_per_epoch as f64);
        json!({
            "epochs": shown.iter().map(|record| epoch(record.step)).collect::<Vec<_>>(),
            "images": all.last().map_or(0, |record| record.images),
            "figures": figures,
            "best": best.map(|best| json!({ "when": self.when(best), "emd": short(best.figures.emd) })),
        })
    }

    fn when(&self, record: &ValidationRecord) -> String {
        when(Position {
            step: record.step,
            epoch: record.epoch,
            batch: (record.step % self.plan.steps_per_epoch) as usize,
        })
    }

    /// Each group with the names and values of its settings.
    fn shown_settings(&self) -> Vec<(&'static str, Vec<(&'static str, String)>)> {
        let table = toml::Table::try_from(self.recipe.settings()).unwrap_or_default();
        let mut groups: Vec<(Group, Vec<(&'static str, String)>)> = Vec::new();
        for key in KEYS {
            let Some(value) = table.get(key.name) else {
                continue;
            };
            let value = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            match groups.iter_mut().find(|(group, _)| *group == key.group) {
                Some((_, rows)) => rows.push((key.name, value)),
                None => groups.push((key.group, vec![(key.name, value)])),
            }
        }
        groups
            .into_iter()
            .map(|(group, rows)| (group.title(), rows))
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

/// A place in a run, in words.
fn when(at: Position) -> String {
    match at {
        Position { step: 0, .. } => "before training".to_owned(),
        Position {
            batch: 0, epoch, ..
        } => format!("after epoch {epoch}"),
        Position { step, .. } => format!("after step {step}"),
    }
}

fn shown_distributions(all: &Distributions) -> Value {
    let image = |image: &super::distributions::ImageDistributions| {
        let channels = image.channels.iter().map(|channel| {
            let joint = pictures::heat_map(&channel.joint, channel.cells);
            json!({
                "name": channel.name,
                "content": coarse(&channel.content),
                "reference": coarse(&channel.reference),
                "output": coarse(&channel.output),
                "joint": joint.map(|png| data_uri("image/png", &png)),
            })
        });
        json!({
            "content": image.content,
            "reference": image.reference,
            "channels": channels.collect::<Vec<_>>(),
        })
    };
    let images: Vec<Value> = all.images.iter().map(image).collect();
    json!({ "range": all.range, "images": images })
}

/// A histogram with at most [`BINS`] bins, each the sum of as many.
fn coarse(histogram: &[f32]) -> Vec<Option<f64>> {
    // A whole number of bins each, so that all are equally wide.
    let by = (1..=histogram.len())
        .find(|by| histogram.len().is_multiple_of(*by) && histogram.len() / by <= BINS)
        .unwrap_or(1);
    let sums = histogram
        .chunks(by)
        .map(|bins| bins.iter().map(|p| f64::from(*p)).sum());
    sums.map(short).collect()
}

/// A number with five digits; none for what is no finite number.
fn short(value: f64) -> Option<f64> {
    if value == 0.0 || !value.is_finite() {
        return value.is_finite().then_some(value);
    }
    format!("{value:.4e}").parse().ok()
}

fn data_uri(kind: &str, bytes: &[u8]) -> String {
    format!("data:{kind};base64,{}", BASE64.encode(bytes))
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

    fn shown(&self) -> Option<Value> {
        let newest = self.newest.filter(|newest| *newest > 0.0)?;
        Some(json!({
            "seconds_per_step": short(newest),
            "steps_per_second": short(self.steps as f64 / self.seconds),
            "outside": short(1.0 - self.in_networks / self.seconds),
        }))
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

    #[test]
    fn a_histogram_is_summed_to_equal_bins() {
        assert_eq!(coarse(&[0.25; 4]), [Some(0.25); 4]);
        assert_eq!(coarse(&[1.0 / 256.0; 256]).len(), 128);
        assert_eq!(coarse(&[1.0; 131]).len(), 1);
        assert_eq!(coarse(&[f32::NAN, 1.0]), [None, Some(1.0)]);
    }
}
