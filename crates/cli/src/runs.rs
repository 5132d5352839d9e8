//! `huenet runs`.

use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use huenet_tasks::{Layer, RunList, RunState, RunSummary, Settings, SettingsError, TaskError};

use crate::{advice, output};

/// The verb.
pub(crate) fn command() -> Command {
    Command::new("runs")
        .about("List the runs and what each is doing")
        .long_about(
            "List the runs in an output folder, the latest last. The columns: what each run is doing or \
             how it ended, epochs, steps, the losses of the last 20 steps, and the best validation \
             figure (earth mover's distance on held-out images; less is better).",
        )
        .arg(output_dir())
        .arg(
            Arg::new("json")
                .long("json")
                .action(ArgAction::SetTrue)
                .help("Print all that is known, as JSON"),
        )
}

/// The flag for the folder of runs.
pub(crate) fn output_dir() -> Arg {
    Arg::new("output_dir")
        .long("output-dir")
        .alias("output_dir")
        .value_name("DIR")
        .value_parser(value_parser!(PathBuf))
        .help("The folder that holds the runs [default: runs]")
}

/// The folder of runs: from the flag, the environment, or the default.
pub(crate) fn folder(matches: &ArgMatches) -> Result<PathBuf, SettingsError> {
    if let Some(given) = matches.get_one::<PathBuf>("output_dir") {
        return Ok(given.clone());
    }
    let variables = std::env::vars_os().filter(|(name, _)| name == "HUENET_OUTPUT_DIR");
    let environment = Layer::from_environment(variables)?;
    Ok(Settings::resolve(&[environment])?.output_dir)
}

/// Lists the runs.
pub(crate) fn runs(matches: &ArgMatches) -> anyhow::Result<()> {
    let folder = folder(matches).map_err(TaskError::from)?;
    // Nobody has trained anything yet: that is no fault.
    let given = matches.get_one::<PathBuf>("output_dir");
    let RunList { runs, unreadable } = match given.is_none() && !folder.exists() {
        true => RunList::default(),
        false => RunList::read(&folder)?,
    };
    if matches.get_flag("json") {
        output::line(serde_json::to_string_pretty(&runs)?);
    } else if !runs.is_empty() {
        print(&runs, &folder);
    } else if unreadable.is_empty() {
        output::line(format_args!("there are no runs in {}", folder.display()));
    }
    for (path, error) in unreadable {
        let told = advice::told_of_settings(&error);
        output::note(format_args!("left out {}: {told}", path.display()));
    }
    Ok(())
}

fn print(runs: &[RunSummary], folder: &Path) {
    let width = runs.iter().map(|run| run.name.chars().count()).max();
    let width = width.unwrap_or(0).max(4);
    output::line(format_args!(
        "{:<width$}  {:<8}  {:>9}  {:>15}  {:>9}  {:>7}  {:>7}  UPDATED",
        "RUN", "STATE", "EPOCH", "STEP", "TOTAL", "EMD", "BEST"
    ));
    for run in runs {
        let epoch = format!("{}/{}", run.epochs_done, run.epochs);
        let step = match run.total_steps {
            Some(total) => format!("{}/{total}", run.step),
            None => run.step.to_string(),
        };
        let loss = |value: Option<f64>, digits: usize| {
            value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
        };
        output::line(format_args!(
            "{:<width$}  {:<8}  {epoch:>9}  {step:>15}  {:>9}  {:>7}  {:>7}  {}",
            run.name,
            run.state.name(),
            loss(run.last_losses.map(|losses| losses.gen_total_loss), 3),
            loss(run.last_losses.map(|losses| losses.gen_hist_loss), 4),
            loss(run.best_figure, 4),
            run.updated.as_deref().unwrap_or("-"),
        ));
        if let Some(error) = &run.error {
            output::line(format_args!("{:<width$}  {error}", ""));
        }
    }
    let resumable = |run: &&RunSummary| {
        matches!(
            run.state,
            RunState::Stopped | RunState::Crashed | RunState::Failed
        )
    };
    if let Some(run) = runs.iter().rev().find(resumable) {
        output::line(format_args!(
            "\nto continue {}: {} train --resume {}",
            run.name,
            output::huenet(),
            folder.join(&run.name).display()
        ));
    }
}
