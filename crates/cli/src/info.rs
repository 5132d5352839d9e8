//! `huenet info`.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches, Command};
use huenet_tasks::settings::BACKENDS;

use crate::backend;
use crate::output::line;
use crate::processes;
use crate::shipped::SHIPPED;

/// The release of Burn that the workspace pins.
const BURN: &str = "0.21.0";

/// The verb.
pub(crate) fn command() -> Command {
    Command::new("info")
        .about("Print the version, the models that ship with it, the backends and their devices")
        .arg(
            Arg::new("backend")
                .long("backend")
                .value_name("WORD")
                .value_parser(PossibleValuesParser::new(BACKENDS))
                .help("Print only this backend; `cargo xtask huenet info` builds with it"),
        )
}

/// Prints versions, the shipped models, and the devices of each backend.
pub(crate) fn info(matches: &ArgMatches) -> anyhow::Result<()> {
    line(format_args!("huenet    {}", env!("CARGO_PKG_VERSION")));
    line(format_args!("burn      {BURN}"));
    line(format_args!("threads   {}", rayon::current_num_threads()));
    line(format_args!("mpi       {}", processes::library()));
    line("models for `huenet translate` without --run:");
    for shipped in &SHIPPED {
        let mebibytes = shipped.size() as f64 / (1 << 20) as f64;
        let name = shipped.task.name();
        line(format_args!("  {name:<16}{mebibytes:.1} MiB"));
    }
    line("backends, and their devices for --device:");
    let wanted = matches.get_one::<String>("backend");
    for name in BACKENDS {
        if wanted.is_none_or(|wanted| wanted == name) {
            line(format_args!("  {name:<8}{}", backend::devices(name)));
        }
    }
    Ok(())
}
