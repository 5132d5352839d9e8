//! The command line, made from the table of settings.

use std::ffi::OsString;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use huenet_tasks::settings::{KEYS, Key, Kind, Settings, expand_home};
use huenet_tasks::{Layer, SettingsError, Task};

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

/// One flag for each setting, and `--config`.
pub(crate) fn with_settings(command: Command) -> Command {
    let command = command.args_override_self(true).arg(
        Arg::new("config")
            .long("config")
            .value_name("FILE")
            .help_heading("Run")
            .value_parser(value_parser!(std::path::PathBuf))
            .help("Read settings from this TOML file"),
    );
    let defaults = Defaults::new();
    KEYS.iter().fold(command, |command, key| {
        let command = command.arg(flag(key, &defaults));
        match key.kind {
            Kind::Flag => command.arg(negation(key)),
            _ => command,
        }
    })
}

fn flag(key: &'static Key, defaults: &Defaults) -> Arg {
    let mut help = key.help.to_owned();
    if let Kind::Choice(words) = key.kind {
        help += &format!(" [{}]", words.join(", "));
    }
    if let Some(default) = defaults.of(key) {
        help += &format!(" [default: {default}]");
    }
    let long = key.name.replace('_', "-");
    let arg = Arg::new(key.name)
        .long(long.clone())
        .help(help)
        .help_heading(key.group.title())
        .allow_hyphen_values(key.kind == Kind::Real || key.kind == Kind::Whole);
    let arg = if long == key.name {
        arg
    } else {
        arg.alias(key.name)
    };
    match key.kind {
        Kind::Flag => arg
            .value_name("true|false")
            .num_args(0..=1)
            .default_missing_value("true"),
        Kind::Whole => arg.value_name("N"),
        Kind::Real => arg.value_name("X"),
        Kind::Text => arg.value_name("NAME"),
        Kind::Folder => arg.value_name("DIR"),
        Kind::Choice(_) => arg.value_name("WORD"),
    }
}

/// `--no-jitter` for `--jitter false`.
fn negation(key: &'static Key) -> Arg {
    let name = format!("no_{}", key.name);
    Arg::new(name)
        .long(format!("no-{}", key.name.replace('_', "-")))
        .action(ArgAction::SetTrue)
        .conflicts_with(key.name)
        .hide(true)
}

/// `--tf32`.
pub(crate) fn tf32() -> Arg {
    Arg::new("tf32")
        .long("tf32")
        .help_heading("Machine")
        .action(ArgAction::SetTrue)
        .help("Let NVIDIA's libraries round what they multiply to TF32, 10 bits, with the backend tch: at best a little faster, on GPUs since Ampere")
}

/// Whether NVIDIA's libraries may round to TF32.
pub(crate) fn allows_tf32(matches: &ArgMatches) -> bool {
    let given = |matches: &ArgMatches| matches.try_get_one("tf32").ok().flatten().copied();
    let given = matches.subcommand().and_then(|(_, matches)| given(matches));
    given.unwrap_or(false)
}

/// Whether what is printed is to be JSON.
pub(crate) fn is_json(matches: &ArgMatches) -> bool {
    let format = matches.try_get_one::<String>("log-format");
    format.is_ok_and(|format| format.is_some_and(|format| format == "json"))
}

/// The settings given as flags.
pub(crate) fn flags(matches: &ArgMatches) -> Result<Layer, SettingsError> {
    let given = KEYS.iter().filter_map(|key| {
        let negated = key.kind == Kind::Flag && matches.get_flag(&format!("no_{}", key.name));
        let value = matches.get_one::<String>(key.name).map(String::as_str);
        let value = if negated { Some("false") } else { value };
        Some((key.name, value?))
    });
    Layer::from_flags(given)
}

/// The defaults to show in the help: those that all tasks share, else the task's.
struct Defaults([(Task, toml::Table); 3]);

impl Defaults {
    fn new() -> Self {
        Self(Task::ALL.map(|task| {
            (
                task,
                toml::Table::try_from(Settings::official(task)).unwrap_or_default(),
            )
        }))
    }

    fn of(&self, key: &Key) -> Option<String> {
        let mut values = self
            .0
            .iter()
            .map(|(task, table)| (task, table.get(key.name)));
        let (_, first) = values.next()?;
        if values.all(|(_, value)| value == first) {
            return first.map(shown);
        }
        let each = self.0.iter().filter_map(|(task, table)| {
            Some(format!("{} for {task}", shown(table.get(key.name)?)))
        });
        (key.name != "task").then(|| each.collect::<Vec<_>>().join(", "))
    }
}

fn shown(value: &toml::Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

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
