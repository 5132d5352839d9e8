//! The flags about pictures.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

/// The flags that name the pictures.
pub(crate) fn with_flags(command: Command, needs_reference: bool) -> Command {
    let several = |name: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name("FILE|DIR")
            .num_args(1..)
            .action(ArgAction::Append)
            .value_parser(value_parser!(PathBuf))
            .help(help)
    };
    command
        .arg(
            several(
                "content",
                "The photographs to change: files, or folders of images",
            )
            .required(true),
        )
        .arg(
            several(
                "reference",
                "The colour references. One file is the reference of all contents; of several, or of a \
                 folder, each content gets the one of its own name",
            )
            .required(needs_reference),
        )
        .arg(
            Arg::new("output")
                .long("output")
                .value_name("FILE|DIR")
                .required(true)
                .value_parser(value_parser!(PathBuf))
                .help(
                    "The result's file, whose extension chooses the format; or a folder, where each \
                     result has its content's name",
                ),
        )
        .arg(
            Arg::new("all-pairs")
                .long("all-pairs")
                .action(ArgAction::SetTrue)
                .help("Give every content the colours of every reference"),
        )
        .arg(overwrite())
}

/// The flag that lets results replace what is there.
pub(crate) fn overwrite() -> Arg {
    Arg::new("overwrite")
        .long("overwrite")
        .action(ArgAction::SetTrue)
        .help("Replace results that are there already")
}

/// The flag that says how far results go from their contents.
pub(crate) fn strength() -> Arg {
    Arg::new("strength")
        .long("strength")
        .value_name("0-1")
        .value_parser(share)
        .default_value("1")
        .help("How far each pixel goes from its colour to the new one")
}

/// What the flag of [`strength`] says.
pub(crate) fn strength_of(matches: &ArgMatches) -> f32 {
    matches.get_one::<f32>("strength").copied().unwrap_or(1.0)
}

/// A number from 0 to 1.
fn share(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("give a number from 0 to 1".to_owned()),
    }
}
