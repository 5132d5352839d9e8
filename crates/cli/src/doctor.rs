//! `huenet doctor`: whether a run would work here, before it starts.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::bail;
use burn_autodiff::Autodiff;
use clap::ArgMatches;
use huenet_tasks::{
    Group, Images, Recipe, Settings, StepCost, TaskError, TrainingBackend, check_group,
    checkpoint_bytes, pool_bytes, step_cost,
};

use crate::backend::{self, OnBackend};
use crate::flags::layers;
use crate::output::{line, note};
use crate::processes::Processes;
use crate::{advice, writable};

/// What to do if a step is too much for the device.
pub(crate) const REMEDY: &str = "lower --batch-size, or --img-h and --img-w, or --base-width";

/// No further step is measured after this time.
const PATIENCE: Duration = Duration::from_secs(20);

/// Checks all that `huenet train` with the same arguments needs, and prints what it found.
pub(crate) fn doctor(matches: &ArgMatches) -> anyhow::Result<()> {
    let processes = Processes::meet()?;
    let outcome = examine(matches, &processes);
    // A process that fails by itself ends the others.
    if outcome.is_ok() || processes.group().size() == 1 {
        processes.part();
    }
    outcome
}

/// The same for one of several processes, of which the first prints what it found.
fn examine(matches: &ArgMatches, processes: &Processes) -> anyhow::Result<()> {
    let steps = *matches.get_one::<usize>("steps").unwrap_or(&1);
    let settings = Settings::resolve(&layers(matches)?).map_err(TaskError::from)?;
    let recipe = Recipe::new(settings).map_err(TaskError::from)?;
    let settings = recipe.settings();
    let group = processes.group();
    check_group(settings, group.size()).map_err(TaskError::from)?;
    if group.rank() > 0 {
        return examine_with_the_first(&recipe, steps, processes);
    }
    let mut failed = false;

    let images = match read_some(&recipe) {
        Ok((images, text)) => {
            found("dataset", text);
            Some(images)
        }
        Err(error) => {
            fault("dataset", &advice::told_of_task(&error));
            failed = true;
            None
        }
    };
    failed |= !check_disk(&recipe);
    match backend::check(&settings.backend, settings.device.as_deref()) {
        Err(error) => {
            fault("backend", &error);
            failed = true;
        }
        Ok(()) => {
            let device = settings.device.as_deref().unwrap_or("its first device");
            found("backend", format_args!("{}, {device}", settings.backend));
            backend::set_threads(processes.threads(settings.threads));
            let steps_a_run = images.as_ref().map(|images| {
                let steps_per_epoch = images.train().len() as u64;
                recipe.planned_steps(steps_per_epoch)
            });
            let recipe = of_real_batches(&recipe, images.as_ref())?;
            let recipe = of_a_share(&recipe, group.size())?;
            note("measuring a training step on made-up images …");
            match measured(&recipe, steps) {
                Ok(cost) => {
                    let sums = sums_measured(&recipe, group);
                    let step = cost.step + sums.unwrap_or_default();
                    report_cost(&recipe, steps_a_run, step, cost);
                    if let Some(sums) = sums {
                        report_sums(&recipe, group.size(), step, sums);
                    }
                }
                Err(reason) => {
                    fault("step", &reason);
                    failed = true;
                }
            }
        }
    }
    match failed {
        true => bail!("a run with these settings would not work here"),
        false => Ok(()),
    }
}

/// What the other processes do meanwhile: they measure a step too, and add up with the first one.
fn examine_with_the_first(
    recipe: &Recipe,
    steps: usize,
    processes: &Processes,
) -> anyhow::Result<()> {
    let (settings, group) = (recipe.settings(), processes.group());
    backend::check(&settings.backend, settings.device.as_deref())?;
    backend::set_threads(processes.threads(settings.threads));
    let recipe = of_a_share(recipe, group.size())?;
    measured(&recipe, steps).map_err(|reason| anyhow::anyhow!(reason))?;
    sums_measured(&recipe, group);
    Ok(())
}

/// What a step costs, without what processes tell one another.
fn measured(recipe: &Recipe, steps: usize) -> Result<StepCost, String> {
    let settings = recipe.settings();
    let dry = DryStep { recipe, steps };
    backend::on(&settings.backend, settings.device.as_deref(), dry)
        .map_err(|error| error.to_string())
        .and_then(|cost| cost)
}

/// The recipe with the images of a batch that one of so many processes has.
fn of_a_share(recipe: &Recipe, processes: usize) -> Result<Recipe, TaskError> {
    let settings = recipe.settings().clone();
    let batch_size = settings.batch_size.div_ceil(processes);
    let settings = Settings {
        batch_size,
        ..settings
    };
    Recipe::new(settings).map_err(TaskError::from)
}

/// How long several processes take to add up the gradients of a step, the median of a few times; `None` for one.
fn sums_measured(recipe: &Recipe, group: &dyn Group) -> Option<Duration> {
    if group.size() == 1 {
        return None;
    }
    let mut row = vec![1.0; gradients(recipe)];
    // Those that are quicker wait here, not in what is measured.
    group.tell(&[]);
    let mut durations = [(); SUMS].map(|()| {
        let start = Instant::now();
        group.sum(&mut row);
        start.elapsed()
    });
    durations.sort_unstable();
    Some(durations[SUMS / 2])
}

/// How often adding up is measured.
const SUMS: usize = 5;

/// The weights of both networks, each of which has a gradient.
fn gradients(recipe: &Recipe) -> usize {
    recipe.generator().parameter_count() + recipe.discriminator().parameter_count()
}

fn report_sums(recipe: &Recipe, processes: usize, step: Duration, sums: Duration) {
    let share = 100.0 * sums.as_secs_f64() / step.as_secs_f64();
    let text = format!(
        "{processes}; they add up {} of gradients in {:.1} ms, {share:.1}% of a step",
        mebibytes(4 * gradients(recipe) as u64),
        sums.as_secs_f64() * 1e3,
    );
    found("processes", text);
}

/// Finds the dataset and reads the images of the first batch and of the samples.
fn read_some(recipe: &Recipe) -> Result<(Images, String), TaskError> {
    let images = Images::open(recipe)?;
    images.shown()?;
    images.train().epoch(0).next().transpose()?;
    let mut text = format!(
        "{}: {} images to train on, {} held out",
        recipe.settings().dataset,
        images.train_images(),
        images.held_out_images()
    );
    if images.skipped() > 0 {
        text += &format!("; {} that it lists are missing", images.skipped());
    }
    Ok((images, text))
}

/// The recipe with the batches that a step gets: no larger than the dataset.
fn of_real_batches(recipe: &Recipe, images: Option<&Images>) -> Result<Recipe, TaskError> {
    let settings = recipe.settings().clone();
    let most = images.map_or(usize::MAX, Images::train_images);
    let batch_size = settings.batch_size.min(most);
    let settings = Settings {
        batch_size,
        ..settings
    };
    Recipe::new(settings).map_err(TaskError::from)
}

/// Whether the output folder can be made and written to, and its disk has room for a checkpoint.
fn check_disk(recipe: &Recipe) -> bool {
    let folder = existing(&recipe.settings().output_dir);
    if let Err(error) = writable::check(&folder) {
        let folder = folder.display();
        let problem =
            format!("cannot write to {folder}: {error}; --output-dir chooses another folder");
        fault("disk", &problem);
        return false;
    }
    let checkpoint = checkpoint_bytes(recipe);
    let size = mebibytes(checkpoint);
    match fs4::available_space(&folder) {
        Ok(free) if free < checkpoint => {
            let (free, folder) = (mebibytes(free), folder.display());
            let problem =
                format!("{folder} has {free} free, but a checkpoint of this model takes {size}");
            fault("disk", &problem);
            false
        }
        Ok(free) => {
            let fit = free / checkpoint.max(1);
            let text = format!(
                "{} free; a checkpoint takes {size}, so {fit} fit",
                mebibytes(free)
            );
            found("disk", text);
            true
        }
        Err(error) => {
            fault("disk", &format!("{}: {error}", folder.display()));
            false
        }
    }
}

/// `path` or the nearest thing above it that exists. It may be a file, in which no folder can be made.
fn existing(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let found = path.ancestors().find(|folder| folder.exists());
    found.map_or_else(|| PathBuf::from("."), Path::to_owned)
}

/// Measures a training step.
struct DryStep<'a> {
    recipe: &'a Recipe,
    steps: usize,
}

impl OnBackend for DryStep<'_> {
    type Output = Result<StepCost, String>;

    fn remedy(&self) -> &'static str {
        REMEDY
    }

    fn run<B: TrainingBackend>(self, device: &B::Device) -> Self::Output {
        step_cost::<Autodiff<B>>(self.recipe, device, self.steps, PATIENCE)
            .map_err(|error| format!("{error:?}"))
    }
}

/// Prints what a step and a run cost; `step` is the whole step, with what processes tell one another. `cargo xtask card`
/// reads the lines of the steps and of the memory.
fn report_cost(recipe: &Recipe, steps_a_run: Option<u64>, step: Duration, cost: StepCost) {
    let settings = recipe.settings();
    let ms = |duration: Duration| duration.as_secs_f64() * 1e3;
    let text = format!(
        "{:.1} ms: networks {:.1}, histogram losses {:.1}, optimisers {:.1} ({}x{} pixels, batch {})",
        ms(cost.step),
        ms(cost.networks()),
        ms(cost.losses),
        ms(cost.optimisers),
        settings.img_h,
        settings.img_w,
        settings.batch_size,
    );
    found("step", text);
    let first = format!("{:.2} s: the first step of a run", cost.first.as_secs_f64());
    found("first", first);
    if let Some(peak) = peak_memory() {
        let peak = mebibytes(peak);
        let pool = match pool_bytes(recipe) {
            0 => String::new(),
            full => format!(
                ", and without the image pool, {} when full",
                mebibytes(full)
            ),
        };
        let text = format!("the process had {peak} at its peak, without images read ahead{pool}");
        found("memory", text);
    }
    if let Some(steps) = steps_a_run {
        let whole = step.as_secs_f64() * steps as f64;
        found("run", format_args!("{steps} steps, about {}", long(whole)));
    }
}

/// The most memory that the process has had, in bytes, if the system tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024)
}

fn mebibytes(bytes: u64) -> String {
    match bytes >> 20 {
        small @ 0..10_240 => format!("{small} MiB"),
        large => format!("{} GiB", large >> 10),
    }
}

fn long(seconds: f64) -> String {
    match seconds {
        ..120.0 => format!("{seconds:.0} seconds"),
        ..7200.0 => format!("{:.0} minutes", seconds / 60.0),
        ..172_800.0 => format!("{:.1} hours", seconds / 3600.0),
        _ => format!("{:.1} days", seconds / 86_400.0),
    }
}

fn found(what: &str, text: impl std::fmt::Display) {
    line(format_args!("ok      {what:<8} {text}"));
}

fn fault(what: &str, problem: &impl std::fmt::Display) {
    line(format_args!("FAILED  {what:<8} {problem}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_have_units_of_their_size() {
        assert_eq!(mebibytes(5 << 20), "5 MiB");
        assert_eq!(mebibytes(20 << 30), "20 GiB");
        assert_eq!(long(90.0), "90 seconds");
        assert_eq!(long(7000.0), "117 minutes");
        assert_eq!(long(36_000.0), "10.0 hours");
        assert_eq!(long(864_000.0), "10.0 days");
    }
}
