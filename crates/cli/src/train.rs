//! `huenet train`.

use std::path::{Path, PathBuf};

use burn_autodiff::Autodiff;
use clap::ArgMatches;
use huenet_tasks::settings::DEMO_DATASET;
use huenet_tasks::{
    Follower, Group, Job, Layer, LivePage, Observer, Recipe, Report, Settings, SettingsError,
    TaskError, TrainingBackend, answer, check_group, find_run,
};

use crate::backend::OnBackend;
use crate::flags::{self, layers};
use crate::logging::Log;
use crate::processes::Processes;
use crate::progress::{Progress, Style};
use crate::signals::{self, Activity};
use crate::{backend, download, serve};

/// What to do if training is too much for the device.
pub(crate) const REMEDY: &str = "lower --batch-size, or --img-h and --img-w, or --base-width; \
     `huenet doctor` with the same arguments measures the memory of a step";

/// The same for a resumed run.
pub(crate) const RESUMED_REMEDY: &str = "a resumed run keeps its sizes: free some memory, or \
     choose another --device or --backend; a new run can have a lower --batch-size";

/// Trains, shows progress, and prints a report at the end. Of several processes that were started together, the first
/// one does; the others train with it.
pub(crate) fn train(matches: &ArgMatches) -> anyhow::Result<()> {
    let processes = Processes::meet()?;
    if processes.group().size() > 1 {
        signals::together();
    }
    if processes.group().rank() > 0 {
        return follow(matches, processes);
    }
    let prepared = prepare(matches, &processes);
    let told = Job::lead(prepared.as_ref().ok().map(|it| &it.job), processes.group());
    let prepared = prepared.and_then(|prepared| {
        told?;
        answer(processes.group(), Ok(()))?;
        Ok(prepared)
    });
    let Prepared {
        job,
        live,
        log,
        style,
    } = match prepared {
        Ok(prepared) => prepared,
        Err(error) => {
            processes.part();
            return Err(error);
        }
    };
    let settings = job.recipe().settings();
    backend::set_threads(processes.threads(settings.threads));
    log.go_to(job.run().path());
    let mut progress = Progress::new(job.recipe(), style);
    let (name, device) = (settings.backend.clone(), settings.device.clone());
    let training = Training {
        job,
        group: processes.group(),
        resumed: matches.contains_id("resume"),
        observer: &mut progress,
        live,
    };
    signals::doing(Activity::Training);
    let outcome = backend::on(&name, device.as_deref(), training);
    signals::doing(Activity::Other);
    progress.close();
    // What is too much for the device ended training in the middle of a step, for which the others wait.
    let outcome = outcome?;
    processes.part();
    progress.finish(&outcome?);
    Ok(())
}

/// A run that is ready to begin, and how it is shown.
struct Prepared {
    job: Job,
    live: Option<LivePage>,
    log: Log,
    style: Style,
}

/// Makes all that a run needs before it begins.
fn prepare(matches: &ArgMatches, processes: &Processes) -> anyhow::Result<Prepared> {
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
    let size = processes.group().size();
    if size > 1 {
        check_group(&settings(matches)?, size).map_err(TaskError::from)?;
    }
    let job = match matches.get_one::<PathBuf>("resume") {
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
    Ok(Prepared {
        job,
        live,
        log,
        style,
    })
}

/// Trains a run together with the first process, which alone says what happens.
fn follow(matches: &ArgMatches, processes: Processes) -> anyhow::Result<()> {
    let joined = Follower::join(processes.group());
    if let Ok(None) = joined {
        processes.part();
        return Ok(());
    }
    // Machines may differ in devices; a variable of the environment names that of this process.
    let own = layers(matches).and_then(|layers| Ok(Settings::resolve(&layers)?));
    let device = own.as_ref().ok().and_then(|own| own.device.clone());
    let ready = joined.map_err(anyhow::Error::from).and_then(|follower| {
        let follower = follower.ok_or_else(|| anyhow::anyhow!("there is no run"))?;
        let device = device.or_else(|| follower.settings().device.clone());
        backend::check(&follower.settings().backend, device.as_deref())?;
        Ok((follower, device))
    });
    let fault = ready.as_ref().err().map(ToString::to_string);
    let all = answer(processes.group(), fault.map_or(Ok(()), Err));
    let (Ok(true), Ok((follower, device))) = (all, ready) else {
        // The first process tells of it.
        processes.part();
        return Ok(());
    };
    let name = follower.settings().backend.clone();
    backend::set_threads(processes.threads(follower.settings().threads));
    signals::doing(Activity::Following);
    let following = Following {
        follower,
        group: processes.group(),
    };
    backend::on(&name, device.as_deref(), following)??;
    signals::doing(Activity::Other);
    processes.part();
    Ok(())
}

/// A follower's part of training, on a backend.
struct Following<'a> {
    follower: Follower,
    group: &'a dyn Group,
}

impl OnBackend for Following<'_> {
    type Output = Result<(), TaskError>;

    fn remedy(&self) -> &'static str {
        REMEDY
    }

    fn run<B: TrainingBackend>(self, device: &B::Device) -> Self::Output {
        let mut wants_stop = || signals::exit_code().is_some();
        huenet_tasks::follow::<Autodiff<B>>(self.follower, self.group, device, &mut wants_stop)
    }
}

/// The training loop on a backend.
struct Training<'a> {
    job: Job,
    group: &'a dyn Group,
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
        let (job, group, observer) = (self.job, self.group, self.observer);
        huenet_tasks::train_together::<Autodiff<B>>(job, group, device, observer, self.live)
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
