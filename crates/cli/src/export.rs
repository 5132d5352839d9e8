//! `huenet export`.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches, Command, value_parser};
use huenet_tasks::{Checkpoint, ExportFormat, RunFolder, TaskError, find_run};

use crate::{backend, output, runs};

const LONG: &str = "\
Write the networks of a run's newest checkpoint, or of one of its checkpoints.

With --format safetensors: generator.safetensors and discriminator.safetensors, the weights with the names \
and layouts of PyTorch, and settings.toml beside them. With --format safetensors-f16 the same, with numbers \
rounded to 16 bits: half the size.

With --format onnx: generator.onnx, which runs wherever ONNX models do. It takes images and gives images.";

/// The verb.
pub(crate) fn command() -> Command {
    Command::new("export")
        .about("Write a run's networks for other programs")
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
        .arg(
            Arg::new("format")
                .long("format")
                .value_name("WORD")
                .value_parser(PossibleValuesParser::new(
                    ExportFormat::ALL.map(ExportFormat::name),
                ))
                .default_value(ExportFormat::default().name())
                .help("What to write: weights for PyTorch, or a generator to run as it is"),
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
    for path in backend::export(&checkpoint, &folder, format(matches))? {
        output::line(path.display());
    }
    Ok(())
}

/// The format that was asked for.
fn format(matches: &ArgMatches) -> ExportFormat {
    let word = matches.get_one::<String>("format");
    let named = |format: &ExportFormat| word.is_some_and(|word| word == format.name());
    ExportFormat::ALL
        .into_iter()
        .find(named)
        .unwrap_or_default()
}
