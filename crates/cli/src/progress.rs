//! Shows how a run goes: a bar on a terminal, lines elsewhere.

use std::io::IsTerminal;
use std::path::Path;
use std::time::Duration;

use huenet_tasks::{
    NonFiniteStep, Observer, Plan, Recipe, StepLosses, StepRecord, TaskError, ValidationRecord,
};
use indicatif::{ProgressBar, ProgressStyle};

use crate::output;
use crate::signals::{self, Activity};

/// Without a terminal, a line is printed after the first step and then every so many.
const LINE_EVERY: u64 = 50;

/// How quickly the shown losses follow: the weight of the newest step.
const FOLLOW: f64 = 0.05;

/// The display of one run.
pub(crate) struct Progress {
    heading: String,
    quiet: bool,
    bar: Option<ProgressBar>,
    plan: Option<Plan>,
    losses: Option<StepLosses>,
}

impl Progress {
    pub(crate) fn new(recipe: &Recipe, quiet: bool) -> Self {
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
            quiet,
            bar: None,
            plan: None,
            losses: None,
        }
    }

    /// Clears the bar.
    pub(crate) fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    fn say(&self, line: &str) {
        match &self.bar {
            _ if self.quiet => {}
            Some(bar) => bar.println(line),
            None => output::line(line),
        }
    }

    fn warn(&self, text: &str) {
        let line = format!("warning: {text}");
        match &self.bar {
            Some(bar) => bar.suspend(|| output::note(line)),
            None => output::note(line),
        }
    }

    /// The losses, smoothed over the last steps.
    fn follow(&mut self, new: &StepLosses) -> StepLosses {
        let old = self.losses.unwrap_or(*new);
        let (old, new) = (old.to_array(), new.to_array());
        let mixed = std::array::from_fn(|i| old[i] + FOLLOW * (new[i] - old[i]));
        *self.losses.insert(StepLosses::from_array(mixed))
    }
}

impl Observer for Progress {
    fn started(&mut self, plan: &Plan) {
        self.say(&self.heading);
        let skipped = match plan.skipped {
            0 => String::new(),
            count => format!(" ({count} listed by the dataset are not there)"),
        };
        self.say(&format!(
            "{} training images, {} held out{skipped}; {} steps an epoch, {} steps to step {}",
            plan.training_images,
            plan.held_out_images,
            plan.steps_per_epoch,
            plan.total_steps.saturating_sub(plan.first_step),
            plan.total_steps,
        ));
        if plan.superseded > 0 {
            let count = plan.superseded;
            self.say(&format!(
                "checkpoints of later steps: {count}, set aside as checkpoints/superseded-…"
            ));
        }
        if plan.held_out_images == 0 {
            self.say("nothing is held out: samples show training images, and nothing is evaluated");
        }
        if plan.first_step >= plan.total_steps {
            self.say("nothing is left to do; --epochs or --max-steps can give it more");
        }
        self.say(&format!(
            "run: {0} (a sample grid each epoch in {0}/samples)",
            plan.run.display()
        ));
        if !self.quiet && std::io::stderr().is_terminal() {
            let bar = ProgressBar::new(plan.total_steps).with_position(plan.first_step);
            let template = "{bar:30} {pos}/{len} {per_sec} {eta_precise} left  {msg}";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(500));
            bar.reset_eta();
            self.bar = Some(bar);
        }
        self.plan = Some(plan.clone());
    }

    fn stepped(&mut self, record: &StepRecord) {
        if record.skipped {
            return;
        }
        let losses = self.follow(&record.losses);
        let text = format!(
            "epoch {}  total {:.3}  gan {:.3}  structure {:.3}  emd {:.4}  disc {:.3}",
            record.epoch + 1,
            losses.gen_total_loss,
            losses.gen_gan_loss,
            losses.gen_mi_loss,
            losses.gen_hist_loss,
            losses.disc_loss,
        );
        if let Some(bar) = &self.bar {
            bar.set_message(text);
            bar.set_position(record.step);
            return;
        }
        let (first, total) = self
            .plan
            .as_ref()
            .map_or((0, 0), |p| (p.first_step, p.total_steps));
        let due = record.step.is_multiple_of(LINE_EVERY);
        if due || record.step == first + 1 || record.step == total {
            let seconds = record.step_seconds + record.data_seconds;
            self.say(&format!(
                "step {}/{total}  {text}  {seconds:.2} s/step",
                record.step
            ));
        }
    }

    fn skipped(&mut self, step: &NonFiniteStep) {
        let saved = step.saved.as_ref().map_or_else(String::new, |folder| {
            format!("; it is in {} for inspection", folder.display())
        });
        self.warn(&format!("step {} skipped: {step}{saved}", step.step));
    }

    fn validated(&mut self, record: &ValidationRecord) {
        let f = &record.figures;
        let mut text = format!(
            "validation, {} images: emd {:.4}  H(content|output) {:.3}  intersection {:.3}  \
             ssim of luma {:.3}",
            record.images, f.emd, f.h_content_given_output, f.histogram_intersection, f.ssim_luma,
        );
        if let (Some(psnr), Some(ssim)) = (f.psnr, f.ssim) {
            text += &format!("  to the truth: psnr {psnr:.2} dB, ssim {ssim:.3}");
        }
        self.say(&text);
    }

    fn saved(&mut self, path: &Path) {
        self.say(&format!("saved {}", path.display()));
    }

    fn warned(&mut self, fault: &TaskError) {
        self.warn(&fault.to_string());
    }

    fn evaluating(&mut self) {
        signals::doing(Activity::Evaluating);
        self.say("evaluating on held-out images");
    }

    fn wants_stop(&mut self) -> bool {
        signals::exit_code().is_some()
    }
}
