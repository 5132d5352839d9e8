//! The flags that verbs share: one for each setting, and those of the machine.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use huenet_tasks::settings::{KEYS, Key, Kind, Settings};
use huenet_tasks::{Layer, SettingsError, Task, TaskError};

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
    let mut help = help(key);
    if let Kind::Choice(words) = key.kind {
        help += &format!(" [{}]", words().join(", "));
    }
    if let Some(default) = defaults.of(key) {
        help += &format!(" [default: {default}]");
    }
    let long = key.name.replace('_', "-");
    let arg = Arg::new(key.name)
        .long(long.clone())
        .help(help)
        .help_heading(key.group.title())
        .allow_hyphen_values(matches!(key.kind, Kind::Real | Kind::Whole));
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
        _ => arg.value_name("VALUE"),
    }
}

/// What a setting means, and which command shows more of it.
pub(crate) fn help(key: &Key) -> String {
    let more = match key.name {
        "recipe" => "; `huenet config --recipe recommended` prints them",
        "device" => "; `huenet info` lists its devices",
        _ => "",
    };
    format!("{}{more}", key.help)
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
        .help("With the backend tch, let NVIDIA's libraries round the factors of products to TF32 (10 bits). It is a little faster at best, on GPUs since Ampere")
}

/// Whether NVIDIA's libraries may round to TF32.
pub(crate) fn allows_tf32(matches: &ArgMatches) -> bool {
    let given = |matches: &ArgMatches| matches.try_get_one("tf32").ok().flatten().copied();
    let given = matches.subcommand().and_then(|(_, matches)| given(matches));
    given.unwrap_or(false)
}

/// Whether to print JSON.
pub(crate) fn is_json(matches: &ArgMatches) -> bool {
    let format = matches.try_get_one::<String>("log-format");
    format.is_ok_and(|format| format.is_some_and(|format| format == "json"))
}

/// The settings given as flags.
pub(crate) fn flags(matches: &ArgMatches) -> Result<Layer, SettingsError> {
    let given = KEYS.iter().filter_map(|key| {
        let negated =
            matches!(key.kind, Kind::Flag) && matches.get_flag(&format!("no_{}", key.name));
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

/// The settings given in the file, the environment and the flags.
pub(crate) fn layers(matches: &ArgMatches) -> Result<Vec<Layer>, TaskError> {
    let file = matches
        .get_one::<PathBuf>("config")
        .map(|path| Layer::from_file(path));
    let environment = Layer::from_environment(std::env::vars_os())?;
    let flags = flags(matches)?;
    Ok(file
        .transpose()?
        .into_iter()
        .chain([environment, flags])
        .collect())
}
