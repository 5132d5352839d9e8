//! The command line.

use std::ffi::OsString;

use clap::{Arg, ArgAction, Command, value_parser};
use huenet_tasks::settings::expand_home;

use crate::flags::{tf32, with_settings};
use crate::{download, serve};

/// What `huenet --help` ends with.
const EXAMPLES: &str = "\
Examples:
  huenet train                                                train on built-in images, for minutes on a CPU
  huenet train --task edges2photos --dataroot datasets        train on datasets/edges2shoes
  huenet train --task colorization --dataroot datasets        train on datasets/summer2winter_yosemite
  huenet train --task color_transfer --dataroot datasets      train on datasets/102flowers
  huenet train --task colorization --dataroot datasets --download
                                                              download the dataset first
  huenet train --resume latest                                continue a run that stopped
  huenet runs                                                 list the runs
  huenet evaluate --run latest                                compare the latest run with simple methods
  huenet export latest                                        write its networks for Python
  huenet translate --content a.jpg --reference b.jpg --output c.png
                                                              translate a photograph with a model that ships with huenet
  huenet translate --run latest --content a.jpg --reference b.jpg --output c.png
                                                              translate it with the latest run's model
  huenet transfer --content a.jpg --reference b.jpg --output c.png
                                                              give a photograph the colours of another one
  huenet download edges2shoes                                 download into datasets/edges2shoes
  huenet config --task colorization                           print every setting and its value
  huenet doctor --task colorization --dataroot datasets       check whether that training would work here
  huenet data check datasets                                  report what is there and what is damaged";

const TRAIN: &str = "\
Without a task and a data root it trains on the built-in demo images, at 64x64 pixels with base \
width 16 and depth 6. A setting's value comes from the task's defaults, the file that --config names \
(TOML), the environment variable HUENET_NAME or the flag; the later of these wins. Flags may have \
underscores instead of hyphens. Options marked [official] have the name and meaning they have in the \
published script.";

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
                    .help("Continue this run with its settings: its folder, its name in the output folder, `latest`, or the folder of one of its checkpoints"),
            )
            .arg(serve::flag())
            .arg(tf32())
            .args(download::train_flags())
            .arg(
                Arg::new("quiet")
                    .long("quiet")
                    .short('q')
                    .action(ArgAction::SetTrue)
                    .help("Print only errors, warnings and the path of the run"),
            )
            .arg(
                Arg::new("verbose")
                    .long("verbose")
                    .short('v')
                    .action(ArgAction::SetTrue)
                    .help("Also write a detailed log to the error stream, and print lines instead of a display"),
            )
            .arg(
                Arg::new("log-format")
                    .long("log-format")
                    .value_name("FORMAT")
                    .value_parser(["text", "json"])
                    .default_value("text")
                    .help("How to print progress: `text` for people, `json` for programs, one object a line"),
            ),
        )
        .subcommand(crate::evaluate::command())
        .subcommand(crate::config::command())
        .subcommand(crate::runs::command())
        .subcommand(crate::export::command())
        .subcommand(crate::translate::command())
        .subcommand(crate::transfer::command())
        .subcommand(download::command())
        .subcommand(crate::data::command())
        .subcommand(
            with_settings(
                Command::new("doctor").about("Check what a run needs before it starts"),
            )
            .long_about(
                "Check, without training, what `huenet train` with the same arguments needs: the \
                 dataset, the disk, the backend and its device. Measure the time and the memory of a \
                 training step on made-up images.",
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
        .subcommand(crate::wanted::command())
}

/// The arguments of this process. A shell leaves a `~` in quotes or after `=` as it is; here it becomes
/// the user's home too.
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
            ("translate", crate::evaluate::REMEDY),
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
