//! `huenet config`.

use clap::{Arg, ArgAction, ArgMatches, Command};
use huenet_tasks::settings::{Group, Key, reference};
use huenet_tasks::{Recipe, Settings, SettingsError, TaskError};

use crate::{flags, output};

const LONG: &str = "\
Print the settings that `huenet train` would use with the same arguments, and where each value comes \
from. The output is TOML that --config reads.";

/// The verb.
pub(crate) fn command() -> Command {
    let about = "Print every setting, its value, and where the value comes from";
    let print = |name: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .help_heading("Run")
            .action(ArgAction::SetTrue)
            .help(help)
    };
    flags::with_settings(Command::new("config").about(about))
        .long_about(LONG)
        .arg(print(
            "json",
            "Print the value and the origin of each setting as JSON",
        ))
        .arg(print(
            "reference",
            "Print the reference page of all settings instead",
        ))
        .arg(print(
            "schema",
            "Print a JSON schema of settings files instead",
        ))
}

/// Prints what is asked for.
pub(crate) fn config(matches: &ArgMatches) -> anyhow::Result<()> {
    if matches.get_flag("reference") {
        output::print(reference::page());
        return Ok(());
    }
    if matches.get_flag("schema") {
        output::print(reference::schema());
        return Ok(());
    }
    let layers = flags::layers(matches)?;
    let settings = Settings::resolve(&layers).map_err(TaskError::from)?;
    match Recipe::new(settings.clone()) {
        // A setting that is still missing can be given later.
        Ok(_) | Err(SettingsError::Missing { .. }) => {}
        Err(error) => return Err(TaskError::from(error).into()),
    }
    let origins = settings.origins(&layers);
    match matches.get_flag("json") {
        true => json(&settings, &origins)?,
        false => toml(&settings, &origins),
    }
    Ok(())
}

fn toml(settings: &Settings, origins: &[(&'static Key, String)]) {
    let mut group: Option<Group> = None;
    for (key, origin) in origins {
        if group != Some(key.group) {
            let gap = if group.is_some() { "\n" } else { "" };
            output::line(format_args!("{gap}# {}", key.group.title()));
            group = Some(key.group);
        }
        match settings.value(key) {
            Some(value) => {
                let line = format!("{} = {value}", key.name);
                output::line(format_args!("{line:<40} # {origin}"));
            }
            None => output::line(format_args!("# {} is not set", key.name)),
        }
    }
}

fn json(settings: &Settings, origins: &[(&'static Key, String)]) -> anyhow::Result<()> {
    let mut all = serde_json::Map::new();
    for (key, origin) in origins {
        let value = serde_json::to_value(settings.value(key))?;
        let origin = (!value.is_null()).then_some(origin);
        let entry = serde_json::json!({ "value": value, "origin": origin });
        all.insert(key.name.to_owned(), entry);
    }
    output::line(serde_json::to_string_pretty(&all)?);
    Ok(())
}
