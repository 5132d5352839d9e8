//! The command line.

use std::ffi::OsString;

use clap::{Arg, ArgAction, Command, value_parser};
use huenet_tasks::settings::expand_home;

use crate::flags::{tf32, with_settings};
use crate::{download, serve};

/// What `huenet --help` ends with.
const EXAMPLES: &str = "\
Examples:
  huenet train                                                the built-in demo, minutes on a CPU
  huenet train --task edges2photos --dataroot datasets        datasets/edges2shoes
  huenet train --task colorization --dataroot datasets        datasets/summer2winter_yosemite
  huenet train --task color_transfer --dataroot datasets      datasets/102flowers
  huenet train --resume latest                                go on where a run stopped
  huenet runs                                                 what runs there are
  huenet evaluate --run latest                                how good one is, beside simple methods
  huenet export latest                                        its networks, for Python
  huenet train --task colorization --dataroot datasets --download
  huenet download edges2shoes                                 into datasets/edges2shoes
  huenet config --task colorization                           every setting and its value
  huenet doctor --task colorization --dataroot datasets       whether that would work here
  huenet data check datasets                                  what is there, and what is damaged";

const TRAIN: &str = "\
With neither a task nor a data root it trains on the built-in demo images, at 64x64 pixels with \
base width 16 and depth 6. Settings come from, \
each over the one before: the task's defaults, the file named by --config (TOML), environment \
variables HUENET_NAME, flags. Underscores in flags work as hyphens do. What is marked [official] is \
an option of the published script, with its name and meaning.";

/// The whole command line.
pub(crate) fn command() -> Command {
    Command::new("huenet")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Image-to-image translation steered by differentiable histograms")
        .after_help(EXAMPLES)
        .args_override_self(true)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            with_settings(
                Command::new("train")
                    .about("Train a model")
                    .after_help(EXAMPLES),
            )
            .long_about(format!("Train a model.\n\n{TRAIN}"))
            .arg(
                Arg::new("resume")
                    .long("resume")
                    .value_name("RUN")
                    .help_heading("Run")
                    .value_parser(value_parser!(std::path::PathBuf))
                    .conflicts_with("config")
                    .help("Go on with the run in this folder, or of this name in the output folder, or `latest`; or from its checkpoint in this folder. It has the settings it had"),
            )
            .arg(serve::flag())
            .arg(tf32())
            .args(download::train_flags())
            .arg(
                Arg::new("quiet")
                    .long("quiet")
                    .short('q')
                    .action(ArgAction::SetTrue)
                    .help("Print nothing but errors, warnings and the path of the run"),
            )
            .arg(
                Arg::new("verbose")
                    .long("verbose")
                    .short('v')
                    .action(ArgAction::SetTrue)
                    .help("Log what happens to the error stream too, in detail; lines instead of a display"),
            )
            .arg(
                Arg::new("log-format")
                    .long("log-format")
                    .value_name("FORMAT")
                    .value_parser(["text", "json"])
                    .default_value("text")
                    .help("How to print what happens: for people, or as a JSON object a line for programs"),
            ),
        )
        .subcommand(crate::evaluate::command())
        .subcommand(crate::config::command())
        .subcommand(crate::runs::command())
        .subcommand(crate::export::command())
        .subcommand(download::command())
        .subcommand(crate::data::command())
        .subcommand(
            with_settings(
                Command::new("doctor").about("Check what a run needs before it starts"),
            )
            .long_about(
                "Check what `huenet train` with the same arguments would need, and train nothing: \
                 the dataset, the disk, the backend and its device; and measure the time and the \
                 memory of a training step on made-up images.",
            )
            .arg(tf32())
            .arg(
                Arg::new("steps")
                    .long("steps")
                    .value_name("N")
                    .value_parser(value_parser!(usize))
                    .help("Measure the median of up to N steps, in at most 20 seconds [default: 1]"),
            ),
        )
        .subcommand(crate::info::command())
}

/// The arguments of this process. A path in quotes, or after `=`, keeps its `~`, which is the user's
/// home as it is without.
pub(crate) fn given() -> impl Iterator<Item = OsString> {
    std::env::args_os().map(|argument| {
        let expanded = argument.to_str().and_then(|text| {
            let (flag, path) = match text.split_once('=') {
                Some((flag, path)) if flag.starts_with("--") => (Some(flag), path),
                _ => (None, text),
            };
            if path != "~" && !path.starts_with("~/") {
                return None;
            }
            let path = expand_home(path)?;
            Some(flag.map_or(path.clone(), |flag| format!("{flag}={path}")))
        });
        expanded.map_or(argument, OsString::from)
    })
}

#[cfg(test)]
mod tests {
    use huenet_tasks::Settings;

    use super::*;
    use crate::flags::flags;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn a_verb_takes_what_it_is_advised_to_lower() {
        let all = command();
        for (verb, remedy) in [
            ("train", crate::train::REMEDY),
            ("train", crate::train::RESUMED_REMEDY),
            ("doctor", crate::doctor::REMEDY),
            ("evaluate", crate::evaluate::REMEDY),
        ] {
            let verb = all.find_subcommand(verb).unwrap();
            let words = remedy.split([' ', ',', ';']);
            let flags: Vec<&str> = words.filter_map(|word| word.strip_prefix("--")).collect();
            assert!(flags.len() > 1, "{remedy}");
            for flag in flags {
                let takes = verb.get_arguments().any(|arg| arg.get_long() == Some(flag));
                assert!(takes, "{} takes no --{flag}", verb.get_name());
            }
        }
    }

    #[test]
    fn flags_become_settings_with_hyphens_or_underscores() {
        let arguments = [
            "huenet",
            "train",
            "--img-h",
            "128",
            "--img_w",
            "64",
            "--min-val",
            "-2",
            "--no-yuv",
            "--jitter",
        ];
        let matches = command().try_get_matches_from(arguments).unwrap();
        let (_, matches) = matches.subcommand().unwrap();
        let settings = Settings::resolve(&[flags(matches).unwrap()]).unwrap();
        assert_eq!(
            (settings.img_h, settings.img_w, settings.min_val),
            (128, 64, -2.0)
        );
        assert_eq!((settings.yuv, settings.jitter), (false, true));
    }
}
