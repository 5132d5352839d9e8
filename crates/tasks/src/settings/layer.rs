//! One source of settings: a TOML file, the environment, the command line.

use std::ffi::OsString;
use std::path::Path;

use figment::value::{Dict, Map, Tag, Value};
use figment::{Metadata, Profile, Provider};

use super::error::SettingsError;
use super::key::{Key, Kind};

/// The variables of this prefix are settings, except [`RESERVED`].
const PREFIX: &str = "HUENET_";

/// The origin of the layer of environment variables.
const ENVIRONMENT: &str = "environment";

/// Variables of the prefix that the test suite uses.
const RESERVED: [&str; 8] = [
    "HUENET_BIN",
    "HUENET_FIGURES_PYTHON",
    "HUENET_GOLDEN_DIR",
    "HUENET_KILLS",
    "HUENET_NEED_DEVICE",
    "HUENET_NEED_MPI",
    "HUENET_NEED_NVRTC",
    "HUENET_TENSORBOARD_PYTHON",
];

/// Settings from one source, every name known and every value of its kind.
#[derive(Clone, Debug)]
pub struct Layer {
    origin: String,
    values: Dict,
}

impl Layer {
    /// The settings in the TOML file at `path`; names with hyphens or underscores.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is not TOML, names an unknown setting, or holds a
    /// value of the wrong kind.
    pub fn from_file(path: &Path) -> Result<Self, SettingsError> {
        let text = std::fs::read_to_string(path).map_err(|source| SettingsError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        Self::from_toml(path, &text)
    }

    /// The settings in the text of a TOML file; `path` is for the messages.
    ///
    /// # Errors
    ///
    /// As [`Self::from_file`], but for files that cannot be read.
    pub fn from_toml(path: &Path, text: &str) -> Result<Self, SettingsError> {
        let table: toml::Table =
            text.parse()
                .map_err(|error: toml::de::Error| SettingsError::Malformed {
                    path: path.to_owned(),
                    reason: error.to_string(),
                })?;
        let origin = path.display().to_string();
        let mut values = Dict::new();
        for (name, value) in table {
            let key = known(&origin, &name)?;
            let shown = value.to_string();
            let value = typed(key, value).ok_or_else(|| invalid(&origin, key, &shown))?;
            if values.insert(key.name.to_owned(), value).is_some() {
                return Err(SettingsError::Twice {
                    origin,
                    key: key.name,
                });
            }
        }
        Ok(Self { origin, values })
    }

    /// The settings among environment variables: `HUENET_` and the name in upper case. An empty one
    /// counts as not set.
    ///
    /// # Errors
    ///
    /// If a variable of the prefix names no setting, or its value is of the wrong kind.
    pub fn from_environment(
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, SettingsError> {
        let mut values = Dict::new();
        for (variable, text) in variables {
            let variable = variable.to_string_lossy();
            let Some(setting) = variable.strip_prefix(PREFIX) else {
                continue;
            };
            if text.is_empty() || RESERVED.contains(&variable.as_ref()) {
                continue;
            }
            let origin = format!("environment variable {variable}");
            let key = known(&origin, &setting.to_lowercase())?;
            let text = text.to_str().ok_or_else(|| SettingsError::NotUnicode {
                origin: origin.clone(),
                key: key.name,
            })?;
            values.insert(key.name.to_owned(), parsed(&origin, key, text)?);
        }
        Ok(Self {
            origin: ENVIRONMENT.to_owned(),
            values,
        })
    }

    /// Settings given as flags: pairs of name (without the hyphens in front) and value.
    ///
    /// # Errors
    ///
    /// If a name is unknown, or a value is of the wrong kind.
    pub fn from_flags<'a>(
        flags: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, SettingsError> {
        let origin = "command line".to_owned();
        let mut values = Dict::new();
        for (name, text) in flags {
            let key = known(&origin, name)?;
            values.insert(key.name.to_owned(), parsed(&origin, key, text)?);
        }
        Ok(Self { origin, values })
    }

    /// Where these settings come from, for messages.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Where this layer has a setting from, if it gives it.
    pub fn origin_of(&self, key: &Key) -> Option<String> {
        self.values.get(key.name)?;
        Some(match self.origin == ENVIRONMENT {
            true => key.variable(),
            false => self.origin.clone(),
        })
    }

    /// The text that this layer gives for a setting of text.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.values
            .get(name)
            .and_then(Value::as_str)
            .map(str::to_owned)
    }
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.origin.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.values.clone()))
    }
}

/// A value of `layers` that is not of its key's kind.
pub(super) fn invalid_in(layers: &[Layer], name: &str, value: &str) -> SettingsError {
    let origin = layers.iter().rev().find(|layer| layer.text(name).is_some());
    let (key, expected) =
        Key::find(name).map_or(("?", String::new()), |key| (key.name, key.kind.expected()));
    SettingsError::Invalid {
        origin: origin.map_or_else(|| "settings".to_owned(), |layer| layer.origin().to_owned()),
        key,
        value: value.to_owned(),
        expected,
    }
}

fn known(origin: &str, name: &str) -> Result<&'static Key, SettingsError> {
    Key::find(name).ok_or_else(|| SettingsError::UnknownKey {
        origin: origin.to_owned(),
        key: name.to_owned(),
        nearest: Key::nearest(name),
    })
}

fn invalid(origin: &str, key: &'static Key, value: &str) -> SettingsError {
    SettingsError::Invalid {
        origin: origin.to_owned(),
        key: key.name,
        value: value.to_owned(),
        expected: key.kind.expected(),
    }
}

/// A value written as text (a flag, an environment variable).
fn parsed(origin: &str, key: &'static Key, text: &str) -> Result<Value, SettingsError> {
    let value = match key.kind {
        Kind::Whole => text
            .parse()
            .ok()
            .map(|number: i64| toml::Value::Integer(number)),
        Kind::Real => text.parse().ok().map(toml::Value::Float),
        Kind::Flag => match text.to_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Some(toml::Value::Boolean(true)),
            "false" | "0" | "no" | "off" => Some(toml::Value::Boolean(false)),
            _ => None,
        },
        Kind::Text | Kind::Folder | Kind::Choice(_) => Some(toml::Value::String(text.to_owned())),
    };
    value
        .and_then(|value| typed(key, value))
        .ok_or_else(|| invalid(origin, key, text))
}

/// `value` as figment has it, if it is of the key's kind.
fn typed(key: &Key, value: toml::Value) -> Option<Value> {
    let tag = Tag::Default;
    Some(match (key.kind, value) {
        (Kind::Whole, toml::Value::Integer(number)) => {
            Value::Num(tag, u64::try_from(number).ok()?.into())
        }
        (Kind::Real, toml::Value::Float(number)) if number.is_finite() => {
            Value::Num(tag, number.into())
        }
        (Kind::Real, toml::Value::Integer(number)) => Value::Num(tag, (number as f64).into()),
        (Kind::Flag, toml::Value::Boolean(flag)) => Value::Bool(tag, flag),
        (Kind::Text, toml::Value::String(text)) if !text.is_empty() => Value::String(tag, text),
        (Kind::Folder, toml::Value::String(text)) if !text.is_empty() => {
            Value::String(tag, expand_home(&text)?)
        }
        (Kind::Choice(words), toml::Value::String(text)) => {
            let word = text.replace('-', "_");
            words()
                .contains(&word.as_str())
                .then_some(Value::String(tag, word))?
        }
        _ => return None,
    })
}

/// A path in which a `~` that no shell has replaced is the user's home; `None` if that cannot be
/// told, or is another user's.
pub fn expand_home(path: &str) -> Option<String> {
    let Some(rest) = path.strip_prefix('~') else {
        return Some(path.to_owned());
    };
    let rest = match rest {
        "" => "",
        rest => rest.strip_prefix('/')?,
    };
    let home = std::env::home_dir().filter(|home| !home.as_os_str().is_empty())?;
    let path = if rest.is_empty() {
        home
    } else {
        home.join(rest)
    };
    path.into_os_string().into_string().ok()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::settings::Settings;

    fn file(text: &str) -> Result<Layer, SettingsError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Layer::from_file(file.path())
    }

    #[test]
    fn flags_win_over_environment_over_file() {
        let layers = [
            file("batch-size = 2\nepochs = 3\nseed = 5\ntask = 'colorization'").unwrap(),
            Layer::from_environment([
                ("HUENET_EPOCHS".into(), "4".into()),
                ("HUENET_SEED".into(), "6".into()),
                ("HUENET_GOLDEN_DIR".into(), "x".into()),
                ("OTHER".into(), "7".into()),
            ])
            .unwrap(),
            Layer::from_flags([("seed", "7")]).unwrap(),
        ];
        let settings = Settings::resolve(&layers).unwrap();
        assert_eq!(
            (settings.batch_size, settings.epochs, settings.seed),
            (2, 4, 7)
        );
        assert_eq!(settings.hist_loss_weight, 20.0);
    }

    #[rstest]
    #[case("True", true)]
    #[case("FALSE", false)]
    #[case("0", false)]
    #[case("yes", true)]
    fn booleans_behave_as_booleans(#[case] text: &str, #[case] flag: bool) {
        let layer = Layer::from_flags([("jitter", text)]).unwrap();
        assert_eq!(Settings::resolve(&[layer]).unwrap().jitter, flag);
    }

    #[rstest]
    #[case("gen-lr", "NaN")]
    #[case("gen-lr", "inf")]
    #[case("batch_size", "-1")]
    #[case("batch_size", "many")]
    #[case("jitter", "perhaps")]
    #[case("task", "edges2cats")]
    #[case("name", "")]
    #[case("dataroot", "~somebody/images")]
    fn a_value_of_the_wrong_kind_is_named(#[case] key: &str, #[case] value: &str) {
        let message = Layer::from_flags([(key, value)]).unwrap_err().to_string();
        let name = key.replace('-', "_");
        assert!(message.contains(&format!("{name} = {value}")), "{message}");
    }

    #[test]
    fn an_unknown_key_names_the_nearest() {
        let message = file("bach_size = 2").unwrap_err().to_string();
        assert!(
            message.contains("`bach_size`") && message.contains("`batch_size`"),
            "{message}"
        );
    }

    #[test]
    fn a_setting_given_twice_in_two_spellings_is_refused() {
        let message = file("img_h = 64\nimg-h = 32").unwrap_err().to_string();
        assert!(
            message.contains("img_h") && message.contains("twice"),
            "{message}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_variable_that_is_not_unicode_is_refused() {
        let value = std::os::unix::ffi::OsStringExt::from_vec(vec![0xff]);
        let layer = Layer::from_environment([("HUENET_DATAROOT".into(), value)]);
        assert!(layer.unwrap_err().to_string().contains("HUENET_DATAROOT"));
    }

    #[test]
    fn a_tilde_that_no_shell_replaced_is_home() {
        let home = std::env::home_dir().unwrap();
        let layers = [
            file("dataroot = '~/a'").unwrap(),
            Layer::from_environment([("HUENET_OUTPUT_DIR".into(), "~".into())]).unwrap(),
            // No path.
            Layer::from_flags([("name", "~")]).unwrap(),
        ];
        let settings = Settings::resolve(&layers).unwrap();
        assert_eq!(settings.dataroot, Some(home.join("a")));
        assert_eq!(settings.output_dir, home);
        assert_eq!(settings.name.as_deref(), Some("~"));
    }

    #[test]
    fn an_empty_variable_is_as_one_that_is_not_set() {
        let variables = [("HUENET_EPOCHS", ""), ("HUENET_NAME", ""), ("HUENET_X", "")];
        let variables = variables.map(|(name, value)| (name.into(), value.into()));
        let settings = Settings::resolve(&[Layer::from_environment(variables).unwrap()]);
        assert_eq!(settings.unwrap(), Settings::resolve(&[]).unwrap());
    }

    #[test]
    fn a_name_of_digits_is_a_name() {
        let layer = Layer::from_environment([("HUENET_NAME".into(), "123".into())]).unwrap();
        assert_eq!(
            Settings::resolve(&[layer]).unwrap().name.as_deref(),
            Some("123")
        );
    }
}
