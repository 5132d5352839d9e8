//! `huenet train` and `huenet config`.

use std::path::PathBuf;

use clap::ArgMatches;
use huenet_tasks::{Job, Layer, Recipe, Settings, TaskError};

use crate::progress::Progress;
use crate::{arguments, backend, report};

/// Trains, shows how it goes, and ends with a report.
pub(crate) fn train(matches: &ArgMatches) -> anyhow::Result<()> {
    let quiet = matches.get_flag("quiet");
    let job = match matches.get_one::<PathBuf>("resume") {
        Some(run) => {
            let flags = arguments::flags(matches).map_err(TaskError::from)?;
            let job = Job::resume(run, &flags)?;
            backend::check(&job.recipe().settings().backend)?;
            job
        }
        None => {
            let settings = settings(matches)?;
            backend::check(&settings.backend)?;
            Job::new(Recipe::new(settings).map_err(TaskError::from)?)?
        }
    };
    backend::set_threads(job.recipe().settings().threads);
    let mut progress = Progress::new(job.recipe(), quiet);
    let report = backend::train(job, &mut progress)?;
    progress.finish();
    match quiet {
        true => println!("{}", report.run.display()),
        false => print!("{}", report::text(&report)),
    }
    Ok(())
}

/// Prints the settings that `train` would use.
pub(crate) fn config(matches: &ArgMatches) -> anyhow::Result<()> {
    print!("{}", toml::to_string(&settings(matches)?)?);
    Ok(())
}

/// Defaults, then file, then environment, then flags.
fn settings(matches: &ArgMatches) -> Result<Settings, TaskError> {
    let file = matches
        .get_one::<PathBuf>("config")
        .map(|path| Layer::from_file(path));
    // A variable that is not UTF-8 cannot be one of ours.
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let environment = Layer::from_environment(variables)?;
    let flags = arguments::flags(matches)?;
    let layers: Vec<Layer> = file
        .transpose()?
        .into_iter()
        .chain([environment, flags])
        .collect();
    Ok(Settings::resolve(&layers)?)
}
