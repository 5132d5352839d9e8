//! `huenet train`.

use std::path::{Path, PathBuf};

use burn_autodiff::Autodiff;
use clap::ArgMatches;
use huenet_tasks::settings::DEMO_DATASET;
use huenet_tasks::{
    Job, Layer, LivePage, Observer, Recipe, Report, Settings, SettingsError, TaskError,
    TrainingBackend, find_run,
};

use crate::backend::OnBackend;
use crate::flags::{self, layers};
use crate::logging::Log;
use crate::progress::{Progress, Style};
use crate::signals::{self, Activity};
use crate::{backend, download, serve};

/// What to do if training is too much for the device.
pub(crate) const REMEDY: &str = "lower --batch-size, or --img-h and --img-w, or --base-width; \
     `huenet doctor` with the same arguments measures the memory of a step";

/// The same for a resumed run.
pub(crate) const RESUMED_REMEDY: &str = "a resumed run keeps its sizes: free some memory, or \
     choose another --device or --backend; a new run can have a lower --batch-size";

/// Trains, shows progress, and prints a report at the end.
pub(crate) fn train(matches: &ArgMatches) -> anyhow::Result<()> {
    let (quiet, verbose) = (matches.get_flag("quiet"), matches.get_flag("verbose"));
    let json = flags::is_json(matches);
    let style = match (quiet, json, verbose) {
        (true, ..) => Style::Quiet,
        (_, true, _) => Style::Json,
        // Log lines would tear a display.
        (_, _, true) => Style::Lines,
        _ => Style::Display,
    };
    let log = Log::start(verbose, json);
    // Before a run's folder is made, and before anything is downloaded.
    let live = serve::page(matches)?;
    let resumed = matches.get_one::<PathBuf>("resume");
    let job = match resumed {
        Some(run) => resume(run, &layers(matches)?)?,
        None => {
            let settings = Settings::resolve(&layers(matches)?).map_err(TaskError::from)?;
            backend::check(&settings.backend, settings.device.as_deref())?;
            let recipe = Recipe::new(settings).map_err(TaskError::from)?;
            if matches.get_flag("download") {
                download_if_missing(matches, &recipe, quiet)?;
            }
            Job::new(recipe)?
        }
    };
    let settings = job.recipe().settings();
    backend::check(&settings.backend, settings.device.as_deref())?;
    backend::set_threads(settings.threads);
    log.go_to(job.run().path());
    let mut progress = Progress::new(job.recipe(), style);
    let (name, device) = (settings.backend.clone(), settings.device.clone());
    let training = Training {
        job,
        resumed: resumed.is_some(),
        observer: &mut progress,
        live,
    };
    signals::doing(Activity::Training);
    let outcome = backend::on(&name, device.as_deref(), training);
    signals::doing(Activity::Other);
    progress.close();
    progress.finish(&outcome??);
    Ok(())
}

/// The training loop on a backend.
struct Training<'a> {
    job: Job,
    /// A resumed run keeps its sizes.
    resumed: bool,
    observer: &'a mut dyn Observer,
    live: Option<LivePage>,
}

impl OnBackend for Training<'_> {
    type Output = Result<Report, TaskError>;

    fn remedy(&self) -> &'static str {
        match self.resumed {
            true => RESUMED_REMEDY,
            false => REMEDY,
        }
    }

    fn run<B: TrainingBackend>(self, device: &B::Device) -> Self::Output {
        huenet_tasks::train::<Autodiff<B>>(self.job, device, self.observer, self.live)
    }
}

/// The settings that a training has, before they are checked.
pub(crate) fn settings(matches: &ArgMatches) -> Result<Settings, TaskError> {
    let layers = layers(matches)?;
    match matches.get_one::<PathBuf>("resume") {
        Some(run) => Job::settings_to_resume(&found(run, &layers)?, &layers),
        None => Ok(Settings::resolve(&layers)?),
    }
}

/// Continues a run that is given as a folder, by its name, or as the latest one.
fn resume(run: &Path, changes: &[Layer]) -> Result<Job, TaskError> {
    Job::resume(&found(run, changes)?, changes)
}

/// The folder of a run, which may be below the output folder that `changes` name.
fn found(run: &Path, changes: &[Layer]) -> Result<PathBuf, TaskError> {
    find_run(run, &Settings::resolve(changes)?.output_dir)
}

/// Downloads the run's dataset if its folder is not there.
fn download_if_missing(matches: &ArgMatches, recipe: &Recipe, quiet: bool) -> anyhow::Result<()> {
    let settings = recipe.settings();
    match &settings.dataroot {
        Some(root) if settings.dataset != DEMO_DATASET => {
            download::if_missing(matches, root, &settings.dataset, quiet)
        }
        _ => Err(TaskError::from(SettingsError::Unfit {
            key: "dataset",
            value: DEMO_DATASET.to_owned(),
            expected:
                "give --task and --dataroot with --download; the images of the demo are built in"
                    .to_owned(),
        })
        .into()),
    }
}
