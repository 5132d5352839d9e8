//! `cargo xtask VERB`: the workspace's chores, and the front door of `huenet`.
//!
//! Builds in seconds because it depends on none of the heavy crates: it only spawns
//! cargo (the one that started it) with the right arguments.

mod apt;
#[expect(unreachable_pub, reason = "the settings of huenet-tasks show it")]
#[path = "../../crates/tasks/src/settings/backends.rs"]
mod backends;
mod book;
mod card;
mod chores;
mod ci;
mod features;
mod libtorch;
mod modules;
mod mpi;
mod nvrtc;
mod pictures;
mod tools;
mod vulkan;
mod wanted;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

const HELP: &str = "\
The workspace's chores.

Usage: cargo xtask VERB [ARGUMENTS]

Verbs:
  train [OPTIONS]   build huenet in release mode, with the backend that --backend names
                    (default: flex), and train. Without options it trains on the
                    built-in images. `cargo xtask train --help` lists the options.
                    --processes N: N processes of this machine train together, with MPI
  download NAME     download a published dataset: `cargo xtask download --list`
  huenet VERB …     build huenet in the same way and run another verb: config, info, --help.
                    With --run, --resume or --config it is built with the backend that
                    these settings name; to find out which, it is first built with flex
  setup-libtorch    make LibTorch available for the backend tch: the one that LIBTORCH names,
                    or Python's torch; if there is neither, install one from the package
                    index into .libtorch. --cuda: with CUDA; --force: install it again
  test [ARGS]       run every test and the documentation's examples, with cargo-nextest if it
                    is installed, otherwise with cargo test. ARGS go to the test runner
  test --backend NAME [ARGS]
                    run the tests of the backend flex, ndarray, tch, wgpu or cuda:
                    conformance, its own kernels, huenet's runs on it
  card [OPTIONS]    test and measure this machine's graphics card, and write card.json and card.md.
                    --pack FOLDER: pack what a machine without sources and network needs for this.
                    `cargo xtask card --help` lists the options
  features          check that huenet builds with each backend alone and with those of the CPU
                    together, that the libraries build with none, and that the tests of
                    wgpu and cuda build
  book              build the book of docs/ with mdBook into target/book
  pictures          make the pictures of README and the book again, from docs/images/originals.
                    --edges RUN: that of edges2photos too, with this run
  modules           check that no modules or folders of a crate form a circle, and that those of
                    huenet-tasks import only from their own folder and those before it
  lint              check formatting, clippy and rustdoc; warnings are errors
  ci                check everything that has to pass: formatting, modules, lints with all
                    backends, each choice of backends, every test. Of wgpu and cuda it tests
                    what needs no card: wgpu on Mesa's software Vulkan, and whether cuda's
                    kernels compile. What is missing for this is reported, and installed
                    where CI is set
  help              print this text
";

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let verb = arguments.next().unwrap_or_else(|| "help".into());
    let rest: Vec<OsString> = arguments.collect();
    let outcome = match verb.to_str().unwrap_or_default() {
        "train" | "download" => chores::huenet(&[vec![verb], rest].concat()),
        "huenet" => chores::huenet(&rest),
        "setup-libtorch" => libtorch::set_up(&rest),
        "test" => chores::test(&rest),
        "lint" => match chores::format() {
            Ok(0) => chores::lint(chores::ON_THE_CPU),
            failed => failed,
        },
        "book" => book::book(),
        "card" => card::card(&rest),
        "pictures" => pictures::pictures(&rest),
        "modules" => modules::check(),
        "features" => features::check(),
        "ci" => ci::ci(),
        "help" | "--help" | "-h" => {
            // It is no error if the reader has closed the pipe.
            let _ = write!(std::io::stdout(), "{HELP}");
            Ok(0)
        }
        _ => {
            eprintln!("error: xtask has no verb `{}`\n\n{HELP}", verb.display());
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
