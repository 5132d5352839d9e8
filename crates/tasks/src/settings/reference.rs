//! The settings as a reference page and as a JSON schema, made from the table of
//! settings and the tasks' defaults.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::choices::RecipeChoice;
use super::key::{Group, Key, Kind};
use super::table::{KEYS, Settings};
use super::task::Task;

/// Where a reader of a schema learns how to read it.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The defaults on the built-in dataset that are others there, in words.
fn demo_defaults() -> String {
    // The same for each task.
    let task = Task::ColorTransfer;
    let others = Settings::recommended(task).differences(&Settings::demo(task));
    let others = others.iter().filter(|(key, _)| *key != "dataset");
    let others: Vec<String> = others
        .map(|(key, value)| format!("`{key}` `{value}`"))
        .collect();
    others.join(", ")
}

/// The reference page, in Markdown.
pub fn page() -> String {
    let mut text = format!(
        "# Settings\n\n\
         Made from the source by `huenet config --reference`; do not edit.\n\n\
         Each setting can be given as a line of a TOML file (`--config FILE`), as an environment\n\
         variable (`HUENET_` and its name in upper case) and as a flag (`--` and its name, with\n\
         hyphens or underscores); the later of these wins. `huenet config` prints the values and\n\
         where each comes from. What is marked [official] is an option of the published script,\n\
         with its name and meaning. Those marked ↻ can change when a run is resumed.\n\
         Defaults are those of the official recipe; where those of `--recipe recommended` are others,\n\
         they follow. On the built-in images (`--dataset demo`, or neither task nor data given) the\n\
         recommended recipe is meant unless another is asked for, and these defaults are others:\n\
         {}. [settings.schema.json](settings.schema.json) is a JSON schema for settings files.\n",
        demo_defaults()
    );
    let mut group: Option<Group> = None;
    for key in KEYS {
        if group != Some(key.group) {
            let title = key.group.title();
            // Writing to a String does not fail.
            let _ = write!(
                text,
                "\n## {title}\n\n| setting | value | default | | |\n|---|---|---|---|---|\n"
            );
            group = Some(key.group);
        }
        let default = default_texts(key);
        let help = key.help.replace('|', "\\|");
        let kind = kind_text(key.kind);
        let changes = if key.changeable { "↻" } else { "" };
        let name = key.name;
        let _ = writeln!(
            text,
            "| `{name}` | {kind} | {default} | {changes} | {help} |"
        );
    }
    text
}

/// The JSON schema of a settings file, pretty-printed.
pub fn schema() -> String {
    let properties: Map<String, Value> = KEYS
        .iter()
        .map(|key| (key.name.to_owned(), property(key)))
        .collect();
    let schema = json!({
        "$schema": DIALECT,
        "title": "Settings of a HueNet run",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    });
    format!("{schema:#}\n")
}

fn property(key: &Key) -> Value {
    let mut property = match key.kind {
        Kind::Whole => json!({ "type": "integer", "minimum": 0, "maximum": i64::MAX }),
        Kind::Real => json!({ "type": "number" }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Text | Kind::Folder => json!({ "type": "string", "minLength": 1 }),
        Kind::Choice(words) => json!({ "type": "string", "enum": words() }),
    };
    property["description"] = key.help.into();
    if let Some(default) = common_default(key, RecipeChoice::Official) {
        property["default"] = default;
    }
    property
}

fn kind_text(kind: Kind) -> String {
    match kind {
        Kind::Whole => "whole number".to_owned(),
        Kind::Real => "number".to_owned(),
        Kind::Flag => "true, false".to_owned(),
        Kind::Text => "text".to_owned(),
        Kind::Folder => "folder".to_owned(),
        Kind::Choice(words) => format!("`{}`", words().join("`, `")),
    }
}

/// The default of each task, as JSON.
fn defaults(key: &Key, recipe: RecipeChoice) -> [(Task, Option<Value>); 3] {
    Task::ALL.map(|task| {
        let settings = serde_json::to_value(Settings::of(recipe, task)).unwrap_or_default();
        (task, settings.get(key.name).cloned())
    })
}

/// The default that all tasks share.
fn common_default(key: &Key, recipe: RecipeChoice) -> Option<Value> {
    let defaults = defaults(key, recipe);
    let (_, first) = &defaults[0];
    let same = defaults.iter().all(|(_, default)| default == first);
    same.then(|| first.clone()).flatten()
}

/// The default of the official recipe in words, and that of the recommended one if it is another.
fn default_texts(key: &Key) -> String {
    let [official, recommended] = [RecipeChoice::Official, RecipeChoice::Recommended]
        .map(|recipe| default_text(key, recipe).unwrap_or_else(|| "none".to_owned()));
    match official == recommended || key.name == "recipe" {
        true => official,
        false => format!("{official}; recommended: {recommended}"),
    }
}

/// The default of a recipe in words: one, or each task's.
fn default_text(key: &Key, recipe: RecipeChoice) -> Option<String> {
    let shown = |value: &Value| {
        format!(
            "`{}`",
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        )
    };
    if let Some(default) = common_default(key, recipe) {
        return Some(shown(&default));
    }
    if key.name == "task" {
        return None;
    }
    let each = defaults(key, recipe)
        .into_iter()
        .filter_map(|(task, default)| Some(format!("{} for {task}", shown(&default?))));
    let each: Vec<String> = each.collect();
    (!each.is_empty()).then(|| each.join(", "))
}
