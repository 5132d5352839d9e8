//! `huenet export`.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, value_parser};
use huenet_tasks::{Checkpoint, RunFolder, TaskError, find_run};

use crate::{backend, output, runs};

const LONG: &str = "\
Write the networks of a run's newest checkpoint, or of one of its checkpoints, as safetensors files \
with the names and layouts of PyTorch: generator.safetensors and discriminator.safetensors, with \
settings.toml beside them.";

/// The verb.
pub(crate) fn command() -> Command {
    Command::new("export")
        .about("Write a run's networks as safetensors files")
        .long_about(LONG)
        .arg(
            Arg::new("run")
                .value_name("RUN")
                .required(true)
                .value_parser(value_parser!(PathBuf))
                .help("The run's folder, its name, `latest`, or the folder of a checkpoint"),
        )
        .arg(
            Arg::new("output")
                .long("output")
                .value_name("DIR")
                .value_parser(value_parser!(PathBuf))
                .help("Folder for the files [default: `export` in the run's folder]"),
        )
        .arg(runs::output_dir())
}

/// Exports the networks.
pub(crate) fn export(matches: &ArgMatches) -> anyhow::Result<()> {
    let given = matches
        .get_one::<PathBuf>("run")
        .cloned()
        .unwrap_or_default();
    let output_dir = runs::folder(matches).map_err(TaskError::from)?;
    let run = find_run(&given, &output_dir)?;
    let checkpoint = Checkpoint::newest(&run)?;
    checkpoint.verify()?;
    let folder = matches.get_one::<PathBuf>("output").cloned();
    let folder = folder.unwrap_or_else(|| RunFolder::of(&run).join("export"));
    for path in backend::export(&checkpoint, &folder)? {
        output::line(path.display());
    }
    Ok(())
}
