//! `huenet data`: checks, divides and makes datasets.

mod check;
mod html;
mod plot;
mod prepare;

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

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

fn path(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .value_name(value)
        .value_parser(value_parser!(PathBuf))
        .help(help)
}

fn folder(help: &'static str) -> Arg {
    Arg::new("folder")
        .value_name("DIR")
        .required(true)
        .value_parser(value_parser!(PathBuf))
        .help(help)
}

fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .action(ArgAction::SetTrue)
        .help(help)
}

/// A path that clap has made sure is there.
fn given<'a>(matches: &'a ArgMatches, name: &str) -> &'a PathBuf {
    matches
        .get_one(name)
        .unwrap_or_else(|| unreachable!("clap asks for {name}"))
}

/// A bar on a terminal, nothing elsewhere.
fn bar() -> impl Fn(u64, u64) + Sync {
    let bar = indicatif::ProgressBar::new(0);
    move |done, total| {
        bar.set_length(total);
        bar.set_position(done);
        if done == total {
            bar.finish_and_clear();
        }
    }
}
