//! The display on a terminal: a few lines at its bottom that follow the run.

use std::time::Duration;

use huenet_tasks::{Plan, StepLosses, StepRecord};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::pace::{Pace, clock};

/// The columns of the losses, in the order of [`StepLosses::NAMES`].
const COLUMNS: [&str; 5] = ["total", "gan", "structure", "emd", "disc"];

/// The lines at the bottom of a terminal.
pub(super) struct Terminal {
    bar: ProgressBar,
}

impl Terminal {
    /// On the error stream.
    pub(super) fn new(plan: &Plan) -> Self {
        Self::on(ProgressDrawTarget::stderr(), plan)
    }

    fn on(target: ProgressDrawTarget, plan: &Plan) -> Self {
        let bar = ProgressBar::with_draw_target(Some(plan.total_steps), target)
            .with_position(plan.first_step);
        if let Ok(style) = ProgressStyle::with_template("{msg}\n{wide_bar}") {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_message("the first step is under way");
        bar.enable_steady_tick(Duration::from_millis(500));
        Self { bar }
    }

    /// Shows a step.
    pub(super) fn step(&self, record: &StepRecord, plan: &Plan, pace: &Pace) {
        self.bar.set_message(text(record, plan, pace));
        self.bar.set_position(record.step);
    }

    /// Prints a line above.
    pub(super) fn line(&self, text: &str) {
        self.bar.println(text);
    }

    /// Lets something else print, without the lines at the bottom.
    pub(super) fn suspend(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn text(record: &StepRecord, plan: &Plan, pace: &Pace) -> String {
    let total = plan.total_steps;
    let share = 100.0 * record.step as f64 / total.max(1) as f64;
    let left = clock(pace.left(total.saturating_sub(record.step)));
    let memory = pace
        .mebibytes()
        .map_or_else(String::new, |memory| format!("  {memory} MiB"));
    let row = |name: &str, losses: StepLosses| {
        let cells = losses.to_array().map(|value| format!("{value:>10.4}"));
        format!("{name:<5}{}", cells.concat())
    };
    let heads = COLUMNS.map(|name| format!("{name:>10}"));
    format!(
        "epoch {}/{}  step {}/{total} ({share:.1} %)  {:.2} s/step  {left} left{memory}\n\
         {:<5}{}\n{}\n{}",
        record.epoch + 1,
        plan.epochs,
        record.step,
        pace.seconds(),
        "",
        heads.concat(),
        row("now", record.losses),
        row("mean", pace.losses()),
    )
}
