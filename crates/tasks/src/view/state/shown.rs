//! What a page shows of a run's state, as the script of the page reads it.

use serde_json::{Value, json};

use super::{Pictures, Speed, State};
use crate::run::position::Position;
use crate::run::validation::ValidationRecord;
use crate::settings::{Group, KEYS};
use crate::step::loss_values::StepLosses;
use crate::view::charts::{data_uri, short};
use crate::view::pictures;

/// Validations drawn, at most, beside the newest.
const VALIDATIONS: usize = 500;

impl State {
    /// The data of the page.
    pub(in crate::view) fn page(&self, pictures: Pictures) -> Value {
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
        let weights = self.recipe.settings().further_loss_weights();
        let further = StepLosses::FURTHER.into_iter().zip(weights);
        let further = further.map(|(name, weight)| (name, weight > 0.0));
        let all = StepLosses::NAMES.map(|name| (name, true));
        let all = all.into_iter().chain(further).enumerate();
        let (shown, names): (Vec<usize>, Vec<&str>) = all
            .filter(|(_, (_, is_there))| *is_there)
            .map(|(i, (name, _))| (i, name))
            .unzip();
        let values = shown.into_iter().map(|i| {
            points
                .iter()
                .map(|point| short(point.means[i]))
                .collect::<Vec<_>>()
        });
        json!({
            "names": names,
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

impl Speed {
    fn shown(&self) -> Option<Value> {
        let newest = self.newest.filter(|newest| *newest > 0.0)?;
        Some(json!({
            "seconds_per_step": short(newest),
            "steps_per_second": short(self.steps as f64 / self.seconds),
            "outside": short(1.0 - self.in_networks / self.seconds),
        }))
    }
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
