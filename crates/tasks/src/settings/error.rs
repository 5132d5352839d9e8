//! What can be wrong with settings.

use std::path::PathBuf;

/// A setting that cannot be used, with where it came from and which values can be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// A layer names a setting that does not exist.
    #[error("{origin}: there is no setting `{key}`{}", meant(*.nearest))]
    UnknownKey {
        /// Where it was given.
        origin: String,
        /// The name given.
        key: String,
        /// The existing setting most like it.
        nearest: Option<&'static str>,
    },
    /// A value is not of its setting's kind.
    #[error("{origin}: {key} = {value} is not valid: expected {expected}")]
    Invalid {
        /// Where it was given.
        origin: String,
        /// The setting.
        key: &'static str,
        /// The value given.
        value: String,
        /// What it has to be.
        expected: String,
    },
    /// A layer gives a setting in two spellings.
    #[error("{origin}: {key} is given twice")]
    Twice {
        /// Where it was given.
        origin: String,
        /// The setting.
        key: &'static str,
    },
    /// A value is not text.
    #[error("{origin}: the value of {key} is not valid UTF-8")]
    NotUnicode {
        /// Where it was given.
        origin: String,
        /// The setting.
        key: &'static str,
    },
    /// A value is of the right kind but out of range, or does not fit another one.
    #[error("{key} = {value} cannot be used: {expected}")]
    Unfit {
        /// The setting.
        key: &'static str,
        /// Its value.
        value: String,
        /// Which values can be used, or what stands in the way.
        expected: String,
    },
    /// A setting that the run needs was not given.
    #[error("{key} is not set: {reason}")]
    Missing {
        /// The setting.
        key: &'static str,
        /// What it is needed for.
        reason: String,
    },
    /// A settings file cannot be read.
    #[error("cannot read the settings file {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A settings file is not TOML.
    #[error("the settings file {} is not valid TOML: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What the parser says, with the line.
        reason: String,
    },
}

impl SettingsError {
    /// A value that is of the right kind, with which values can be used.
    pub(crate) fn unfit(
        key: &'static str,
        value: impl ToString,
        expected: impl std::fmt::Display,
    ) -> Self {
        Self::Unfit {
            key,
            value: value.to_string(),
            expected: expected.to_string(),
        }
    }
}

fn meant(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}
