//! Options that several verbs share, and a progress bar.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, value_parser};

pub(super) fn path(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .value_name(value)
        .value_parser(value_parser!(PathBuf))
        .help(help)
}

pub(super) fn folder(help: &'static str) -> Arg {
    Arg::new("folder")
        .value_name("DIR")
        .required(true)
        .value_parser(value_parser!(PathBuf))
        .help(help)
}

pub(super) fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .action(ArgAction::SetTrue)
        .help(help)
}

/// The path of a required option.
pub(super) fn given<'a>(matches: &'a ArgMatches, name: &str) -> &'a PathBuf {
    matches
        .get_one(name)
        .unwrap_or_else(|| unreachable!("clap asks for {name}"))
}

/// A bar on a terminal, nothing elsewhere.
pub(super) fn bar() -> impl Fn(u64, u64) + Sync {
    let bar = indicatif::ProgressBar::new(0);
    move |done, total| {
        bar.set_length(total);
        bar.set_position(done);
        if done == total {
            bar.finish_and_clear();
        }
    }
}
