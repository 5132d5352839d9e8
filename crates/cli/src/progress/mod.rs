//! Shows how a run goes: a display on a terminal, lines elsewhere, JSON for programs.

mod pace;
mod terminal;

use std::path::Path;
use std::time::{Duration, Instant};

use huenet_data::Pairing;
use huenet_tasks::{
    NonFiniteStep, Observer, Plan, Recipe, Report, StepRecord, TaskError, ValidationRecord,
};
use serde_json::{Value, json};

use crate::signals::{self, Activity};
use crate::{advice, output, report};
use pace::{Pace, clock};
use terminal::Terminal;

/// Without a terminal a line is printed for the first step, then after so many steps or so much
/// time.
const LINE_EVERY: u64 = 50;
const LINE_AFTER: Duration = Duration::from_secs(30);

/// How much is shown, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// The path of the run at the end, and warnings.
    Quiet,
    /// A display on a terminal, lines elsewhere.
    Display,
    /// Lines, wherever they go.
    Lines,
    /// A JSON object a line.
    Json,
}

/// A warning: figures of a single pair say little in colour transfer.
pub(crate) const ONE_HELD_OUT: &str = "only one image is held out, so its reference is a training image and the figures are of one \
     pair, which say little: hold out two or more";

/// The display of one run.
pub(crate) struct Progress {
    heading: String,
    /// Whether an image takes the colours of another one.
    unpaired: bool,
    style: Style,
    terminal: Option<Terminal>,
    plan: Option<Plan>,
    pace: Pace,
    /// When a step was printed last.
    printed: Option<Instant>,
}

impl Progress {
    pub(crate) fn new(recipe: &Recipe, style: Style) -> Self {
        let s = recipe.settings();
        let heading = format!(
            "{} on {}: {}x{} pixels, base width {}, depth {}, batch {}, {} bins, backend {}",
            s.task,
            s.dataset,
            s.img_w,
            s.img_h,
            s.base_width,
            s.depth,
            s.batch_size,
            s.bin_num,
            s.backend,
        );
        Self {
            heading,
            unpaired: recipe.pairing() == Pairing::Unpaired,
            style,
            terminal: None,
            plan: None,
            pace: Pace::new(),
            printed: None,
        }
    }

    /// Clears the display.
    pub(crate) fn close(&mut self) {
        self.terminal = None;
    }

    /// Shows the result of the run.
    pub(crate) fn finish(&mut self, report: &Report) {
        self.close();
        output::forget_lost();
        match self.style {
            Style::Quiet => output::line(report.run.display()),
            Style::Json => {
                let event = if report.finished {
                    "finished"
                } else {
                    "stopped"
                };
                let figures = json!({
                    "run": report.run,
                    "step": report.steps,
                    "averaged": report.averaged,
                    "first": report.first,
                    "last": report.last,
                    "evaluation": report.evaluation,
                    "sample": report.sample,
                    "checkpoint": report.checkpoint,
                });
                self.event(event, figures);
            }
            Style::Display | Style::Lines => output::print(report::text(report)),
        }
    }

    /// Prints a line, if this style has lines.
    fn say(&self, line: &str) {
        match (self.style, &self.terminal) {
            (Style::Quiet | Style::Json, _) => {}
            (_, Some(terminal)) => terminal.line(line),
            (_, None) => output::line(line),
        }
    }

    /// Prints an event, if this style has events.
    fn event(&self, name: &str, mut fields: Value) {
        if self.style != Style::Json {
            return;
        }
        fields["event"] = name.into();
        output::line(fields);
    }

    fn warn(&self, text: &str) {
        if self.style == Style::Json {
            return self.event("warning", json!({ "message": text }));
        }
        let line = format!("warning: {text}");
        match &self.terminal {
            Some(terminal) => terminal.suspend(|| output::note(line)),
            None => output::note(line),
        }
    }

    /// Whether a step is to be printed.
    fn is_due(&self, step: u64, plan: &Plan) -> bool {
        let long = |printed: Instant| printed.elapsed() >= LINE_AFTER;
        step.is_multiple_of(LINE_EVERY)
            || step == plan.first_step + 1
            || step == plan.total_steps
            || self.printed.is_some_and(long)
    }

    fn print_step(&mut self, record: &StepRecord, plan: &Plan) {
        self.printed = Some(Instant::now());
        let total = plan.total_steps;
        let left = self.pace.left(total.saturating_sub(record.step));
        let memory = self.pace.mebibytes();
        if self.style == Style::Json {
            let fields = json!({
                "step": record.step,
                "total_steps": total,
                "epoch": record.epoch,
                "epochs": plan.epochs,
                "losses": record.losses,
                "mean_losses": self.pace.losses(),
                "seconds_per_step": self.pace.seconds(),
                "seconds_left": left.as_secs(),
                "memory_mib": memory,
            });
            return self.event("step", fields);
        }
        let means = self.pace.losses();
        let memory = memory.map_or_else(String::new, |memory| format!("  {memory} MiB"));
        self.say(&format!(
            "step {}/{total}  epoch {}/{}  total {:.3}  gan {:.3}  structure {:.3}  emd {:.4}  \
             disc {:.3}  {:.2} s/step  {} left{memory}",
            record.step,
            record.epoch + 1,
            plan.epochs,
            means.gen_total_loss,
            means.gen_gan_loss,
            means.gen_mi_loss,
            means.gen_hist_loss,
            means.disc_loss,
            self.pace.seconds(),
            clock(left),
        ));
    }
}

impl Observer for Progress {
    fn started(&mut self, plan: &Plan) {
        self.pace = Pace::new();
        self.event(
            "started",
            json!({
                "run": plan.run,
                "training_images": plan.training_images,
                "held_out_images": plan.held_out_images,
                "steps_per_epoch": plan.steps_per_epoch,
                "first_step": plan.first_step,
                "total_steps": plan.total_steps,
                "epochs": plan.epochs,
                "processes": plan.processes,
            }),
        );
        self.say(&self.heading);
        if plan.processes > 1 {
            self.say(&format!(
                "{} processes, which divide each batch",
                plan.processes
            ));
        }
        let skipped = match plan.skipped {
            0 => String::new(),
            count => format!(" ({count} that the dataset lists are missing)"),
        };
        self.say(&format!(
            "{} training images, {} held out{skipped}; {} steps per epoch, {} steps to step {}",
            plan.training_images,
            plan.held_out_images,
            plan.steps_per_epoch,
            plan.total_steps.saturating_sub(plan.first_step),
            plan.total_steps,
        ));
        if plan.begins_again {
            self.say("no checkpoint was saved: the run begins again with its first step");
        }
        let before = plan.processes_before.unwrap_or(plan.processes);
        if before != plan.processes {
            self.say(&format!(
                "processes until here: {before}, from here on: {}; with another number a run goes on the same but for \
                 rounding",
                plan.processes
            ));
        }
        if plan.superseded > 0 {
            let count = plan.superseded;
            self.say(&format!(
                "checkpoints of later steps: {count}, set aside as checkpoints/superseded-…"
            ));
        }
        if plan.held_out_images == 0 {
            self.say("nothing is held out: samples show training images, and nothing is evaluated");
        }
        if self.unpaired && plan.held_out_images == 1 {
            self.warn(ONE_HELD_OUT);
        }
        if plan.first_step >= plan.total_steps {
            self.say("nothing is left to do: raise --epochs or --max-steps to train on");
        }
        self.say(&format!(
            "run: {0} (sample grids after each epoch: {0}/samples)",
            plan.run.display()
        ));
        if self.style == Style::Display && output::redraws() {
            self.terminal = Some(Terminal::new(plan));
        }
        self.plan = Some(plan.clone());
    }

    fn stepped(&mut self, record: &StepRecord) {
        self.pace.step(record);
        let Some(plan) = self.plan.take() else {
            return;
        };
        match &self.terminal {
            _ if record.skipped => {}
            Some(terminal) => terminal.step(record, &plan, &self.pace),
            None if self.is_due(record.step, &plan) => self.print_step(record, &plan),
            None => {}
        }
        self.plan = Some(plan);
    }

    fn skipped(&mut self, step: &NonFiniteStep) {
        let saved = step.saved.as_ref().map_or_else(String::new, |folder| {
            format!("; it is in {} for inspection", folder.display())
        });
        self.warn(&format!("step {} skipped: {step}{saved}", step.step));
    }

    fn validated(&mut self, record: &ValidationRecord) {
        self.event("validated", json!(record));
        let f = &record.figures;
        let mut text = format!(
            "validation, {} images: emd {:.4}  H(content|output) {:.3}  intersection {:.3}  \
             ssim of luma {:.3}",
            record.images, f.emd, f.h_content_given_output, f.histogram_intersection, f.ssim_luma,
        );
        for (name, figure) in [("swd", f.swd), ("cliffs", f.cliffs), ("noise", f.noise)] {
            if let Some(figure) = figure {
                text += &format!("  {name} {figure:.3}");
            }
        }
        if let (Some(psnr), Some(ssim)) = (f.psnr, f.ssim) {
            text += &format!("  to the truth: psnr {psnr:.2} dB, ssim {ssim:.3}");
        }
        self.say(&text);
    }

    fn saved(&mut self, path: &Path) {
        self.event("saved", json!({ "checkpoint": path }));
        self.say(&format!("saved {}", path.display()));
    }

    fn warned(&mut self, fault: &TaskError) {
        self.warn(&advice::told_of_task(fault));
    }

    fn evaluating(&mut self) {
        signals::doing(Activity::Evaluating);
        self.event("evaluating", json!({}));
        self.say("evaluating on held-out images");
    }

    fn wants_stop(&mut self) -> bool {
        signals::exit_code().is_some()
    }
}
