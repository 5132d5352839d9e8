//! `huenet data`: checks, divides and makes datasets.

mod check;
mod html;
mod options;
mod plot;
mod prepare;

use clap::{ArgMatches, Command};

const EXAMPLES: &str = "\
Examples:
  huenet data check datasets                                  every dataset in datasets/
  huenet data check datasets/edges2shoes --html check.html    with a plot of the colours
  huenet data split photos --output photos-split              the seeded 90/10 split, written out
  huenet data make-pairs --edges --to photos --output edges2mine --size 256x256
  huenet data make-pairs --from maps --to photos --output maps2photos";

/// The verb's command line.
pub(crate) fn command() -> Command {
    Command::new("data")
        .about("Check, divide and make datasets")
        .after_help(EXAMPLES)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(check::command())
        .subcommand(prepare::split_command())
        .subcommand(prepare::pairs_command())
}

/// Does what the command line says.
pub(crate) fn data(matches: &ArgMatches) -> anyhow::Result<()> {
    match matches.subcommand() {
        Some(("check", matches)) => check::check(matches),
        Some(("split", matches)) => prepare::split(matches),
        Some(("make-pairs", matches)) => prepare::make_pairs(matches),
        _ => unreachable!("clap asks for a subcommand"),
    }
}
