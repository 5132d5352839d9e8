//! Training from your own program: settings, a job, an observer.
//!
//! `cargo run --release -p huenet-tasks --example train_on_demo`

use std::path::Path;

use burn_autodiff::Autodiff;
use burn_flex::Flex;
use huenet_tasks::{Job, Observer, Plan, Recipe, Settings, StepRecord, Task, train};

/// Prints every tenth step.
struct Printer;

impl Observer for Printer {
    fn started(&mut self, plan: &Plan) {
        println!(
            "{} images, {} steps",
            plan.training_images, plan.total_steps
        );
    }

    fn stepped(&mut self, record: &StepRecord) {
        if record.step.is_multiple_of(10) {
            let losses = &record.losses;
            println!(
                "step {}: EMD {:.4}, H(content | output) {:.3} nats",
                record.step, losses.gen_hist_loss, losses.gen_mi_loss
            );
        }
    }

    fn saved(&mut self, path: &Path) {
        println!("saved {}", path.display());
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let settings = Settings {
        output_dir: std::env::temp_dir().join("huenet-example"),
        img_h: 32,
        img_w: 32,
        depth: 5,
        base_width: 8,
        max_steps: 50,
        ..Settings::demo(Task::ColorTransfer)
    };
    let job = Job::new(Recipe::new(settings)?)?;
    let report = train::<Autodiff<Flex>>(job, &Default::default(), &mut Printer, None)?;
    println!(
        "EMD {:.4} at the start, {:.4} at the end",
        report.first.gen_hist_loss, report.last.gen_hist_loss
    );
    Ok(())
}
