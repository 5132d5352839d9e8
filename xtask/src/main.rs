//! `cargo xtask VERB`: the workspace's chores, and the front door of `huenet`.
//!
//! Builds in seconds because it depends on none of the heavy crates: it only spawns
//! cargo (the one that started it) with the right arguments.

mod chores;

use std::process::ExitCode;

const HELP: &str = "\
The workspace's chores.

Usage: cargo xtask VERB [ARGUMENTS]

Verbs:
  train [OPTIONS]   build huenet with the backend that --backend names (default: flex)
                    in release mode and train; every option is handed on.
                    With no options it trains on the built-in demo set.
                    `cargo xtask train --help` lists the options
  huenet VERB …     the same for every other verb of huenet: config, info, --help
  test [ARGS]       run every test: cargo-nextest if it is installed, else cargo test;
                    the documentation's examples too. ARGS go to the test runner
  lint              formatting, clippy and rustdoc, warnings denied
  ci                lint, then test
  help              this text
";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let verb = arguments.next().unwrap_or_else(|| "help".to_owned());
    let rest: Vec<String> = arguments.collect();
    let outcome = match verb.as_str() {
        "train" => chores::huenet(&[vec!["train".to_owned()], rest].concat()),
        "huenet" => chores::huenet(&rest),
        "test" => chores::test(&rest),
        "lint" => chores::lint(),
        "ci" => chores::lint().and_then(|code| {
            if code == 0 {
                chores::test(&rest)
            } else {
                Ok(code)
            }
        }),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(0)
        }
        unknown => {
            eprintln!("error: xtask has no verb `{unknown}`\n\n{HELP}");
            Ok(2)
        }
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
