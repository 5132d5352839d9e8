//! `huenet wanted-backend ARGUMENTS`: the backend that `huenet ARGUMENTS` would compute on. `cargo xtask` asks for it,
//! to build a huenet that has this backend.

use std::ffi::OsString;

use clap::{Arg, ArgMatches, Command, value_parser};
use huenet_tasks::Settings;
use huenet_tasks::settings::DEFAULT_BACKEND;

use crate::{evaluate, flags, output, train, translate};

/// The verb's name.
pub(crate) const NAME: &str = "wanted-backend";

/// The verb.
pub(crate) fn command() -> Command {
    Command::new(NAME)
        .about("Print the backend that a command with these arguments would use")
        .hide(true)
        .disable_help_flag(true)
        .arg(
            Arg::new("arguments")
                .num_args(0..)
                .trailing_var_arg(true)
                .allow_hyphen_values(true)
                .value_parser(value_parser!(OsString)),
        )
}

/// Prints the backend's name. It need not be compiled in.
pub(crate) fn wanted(matches: &ArgMatches, huenet: Command) -> anyhow::Result<()> {
    let arguments = matches.get_many::<OsString>("arguments");
    let arguments = arguments.into_iter().flatten().cloned();
    let matches = huenet
        .no_binary_name(true)
        .try_get_matches_from(arguments)?;
    let backend = match matches.subcommand() {
        Some((verb, matches)) => settings(verb, matches)?.map(|settings| settings.backend),
        None => None,
    };
    output::line(backend.as_deref().unwrap_or(DEFAULT_BACKEND));
    Ok(())
}

/// The settings that a verb would have, if it has settings.
fn settings(verb: &str, matches: &ArgMatches) -> anyhow::Result<Option<Settings>> {
    Ok(Some(match verb {
        "train" => train::settings(matches)?,
        "config" | "doctor" => Settings::resolve(&flags::layers(matches)?)?,
        "evaluate" => evaluate::settings(matches)?,
        "translate" => translate::settings(matches)?,
        _ => return Ok(None),
    }))
}
