//! `huenet`: train and inspect HueNet models from the command line.
//!
//! The only crate, beside `xtask`, that parses arguments, prints, and names concrete
//! backends.

mod advice;
mod arguments;
mod backend;
mod config;
mod data;
mod doctor;
mod download;
mod download_display;
mod evaluate;
mod export;
mod flags;
mod info;
mod logging;
mod output;
mod panics;
mod pictures;
mod processes;
mod progress;
mod report;
mod runs;
mod serve;
mod sheet;
mod shipped;
mod signals;
mod train;
mod transfer;
mod translate;
mod wanted;
mod writable;
mod written;

use std::process::ExitCode;

use huenet_data::DataError;
use huenet_data::download::DownloadError;
use huenet_tasks::TaskError;

/// The exit code of a run that failed.
const FAULT: u8 = 1;
/// The exit code for impossible settings or options; clap's own.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    panics::quieten_decoders();
    let matches = match arguments::command().try_get_matches_from(arguments::given()) {
        Ok(matches) => matches,
        Err(told) => return explain(&told),
    };
    let given = matches.subcommand();
    if given.is_some_and(|(_, matches)| flags::is_json(matches)) {
        output::errors_as_json();
    }
    let computes = given
        .is_some_and(|(verb, _)| matches!(verb, "train" | "evaluate" | "translate" | "doctor"));
    if computes && let Err(error) = backend::environment::set(flags::allows_tf32(&matches)) {
        output::error(error);
        return ExitCode::from(FAULT);
    }
    let outcome = match given {
        Some(("train", matches)) => match (train::train(matches), signals::exit_code()) {
            (Ok(()), Some(code)) => return ExitCode::from(code),
            (outcome, _) => outcome,
        },
        Some(("evaluate", matches)) => evaluate::evaluate(matches),
        Some(("config", matches)) => config::config(matches),
        Some(("download", matches)) => download::download(matches),
        Some(("export", matches)) => export::export(matches),
        Some(("translate", matches)) => translate::translate(matches),
        Some(("transfer", matches)) => transfer::transfer(matches),
        Some(("runs", matches)) => runs::runs(matches),
        Some(("data", matches)) => data::data(matches),
        Some(("doctor", matches)) => doctor::doctor(matches),
        Some((wanted::NAME, matches)) => wanted::wanted(matches, arguments::command()),
        Some((_, matches)) => info::info(matches),
        None => Ok(()),
    };
    ended(outcome)
}

/// Prints the help that the user asked for, or what is wrong with the arguments.
fn explain(told: &clap::Error) -> ExitCode {
    let printed = told.print();
    if told.use_stderr() {
        return ExitCode::from(USAGE);
    }
    output::remember(printed);
    ended(Ok(()))
}

/// Finishes printing, prints an error if there is one, and returns the exit code.
fn ended(outcome: anyhow::Result<()>) -> ExitCode {
    match outcome.and_then(|()| Ok(output::finish()?)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::error(advice::told(&error));
            let usage = error.downcast_ref().is_some_and(TaskError::is_usage)
                || error.downcast_ref().is_some_and(DownloadError::is_usage)
                || error.is::<pictures::PicturesError>()
                || error.is::<transfer::TransferUsage>()
                || error.is::<translate::TranslateUsage>()
                || matches!(error.downcast_ref(), Some(DataError::OutputFormat { .. }))
                || error.is::<serve::NoAddress>()
                || error.is::<shipped::NotShipped>()
                || error.is::<processes::NotTogether>()
                || error.is::<backend::Missing>();
            ExitCode::from(if usage { USAGE } else { FAULT })
        }
    }
}
