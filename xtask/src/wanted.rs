//! Finds the backend that a command of `huenet` will use, to build `huenet` with it.

use std::ffi::OsString;

use anyhow::Result;

use crate::backends::DEFAULT_BACKEND;

/// The verb of `huenet` that prints the backend which the arguments after it lead to.
pub(crate) const VERB: &str = "wanted-backend";

/// The flags that lead to settings in a file, where a backend may be named.
const WITH_SETTINGS: [&str; 3] = ["--config", "--resume", "--run"];

/// The backend named by the last `--backend`; otherwise by the environment; otherwise, if the arguments name a
/// settings file or a run, what `ask` finds out. Without any of these it is the default one.
pub(crate) fn backend(
    arguments: &[OsString],
    environment: impl Fn(&str) -> Option<OsString>,
    ask: impl FnOnce() -> Result<Option<String>>,
) -> Result<String> {
    let given = last(arguments, "--backend");
    // An empty variable is as one that is not set.
    let given = given.or_else(|| environment("HUENET_BACKEND").filter(|name| !name.is_empty()));
    if let Some(given) = given.and_then(|name| name.into_string().ok()) {
        return Ok(given);
    }
    let in_settings = WITH_SETTINGS.iter().any(|flag| {
        let mut all = arguments.iter();
        all.any(|argument| value_in(argument, flag).is_some())
    });
    let found = if in_settings { ask()? } else { None };
    Ok(found.unwrap_or_else(|| DEFAULT_BACKEND.to_owned()))
}

/// The value of the last `flag`, `--flag VALUE` or `--flag=VALUE`.
fn last(arguments: &[OsString], flag: &str) -> Option<OsString> {
    let value = |(at, argument)| match value_in(argument, flag)? {
        None => arguments.get(at + 1).cloned(),
        Some(value) => Some(value),
    };
    arguments.iter().enumerate().rev().find_map(value)
}

/// If `argument` is `flag`: the value that it has after `=`, or `None` in it if there is no `=`.
fn value_in(argument: &OsString, flag: &str) -> Option<Option<OsString>> {
    match argument.to_str()?.strip_prefix(flag)? {
        "" => Some(None),
        rest => Some(Some(rest.strip_prefix('=')?.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The backend, in an environment with `variable`, if settings name `cuda`.
    fn wanted_in(arguments: &[&str], variable: Option<&str>) -> String {
        let arguments: Vec<_> = arguments.iter().map(OsString::from).collect();
        let environment = |name: &str| {
            let variable = variable.filter(|_| name == "HUENET_BACKEND");
            variable.map(OsString::from)
        };
        backend(&arguments, environment, || Ok(Some("cuda".to_owned()))).unwrap()
    }

    fn wanted(arguments: &[&str]) -> String {
        wanted_in(arguments, None)
    }

    #[test]
    fn the_last_backend_flag_counts_in_either_spelling() {
        assert_eq!(wanted(&["train", "--backend", "tch"]), "tch");
        assert_eq!(wanted(&["info", "--backend", "wgpu"]), "wgpu");
        assert_eq!(
            wanted(&["train", "--backend=tch", "--backend", "ndarray"]),
            "ndarray"
        );
        assert_eq!(wanted(&["train", "--backend"]), "flex");
        assert_eq!(wanted(&["train", "--backends", "tch"]), "flex");
    }

    #[test]
    fn flag_then_environment_then_settings() {
        for settings in [
            &["train", "--config", "my.toml"][..],
            &["train", "--resume=latest"],
            &["evaluate", "--pairs", "p.csv", "--run", "one"],
        ] {
            assert_eq!(wanted(settings), "cuda");
            assert_eq!(wanted_in(settings, Some("")), "cuda");
            assert_eq!(wanted_in(settings, Some("tch")), "tch");
            let both = [settings, &["--backend", "wgpu"]].concat();
            assert_eq!(wanted_in(&both, Some("tch")), "wgpu");
        }
    }

    #[test]
    fn nothing_is_asked_where_no_settings_are_named() {
        for arguments in [&["train"][..], &["runs"], &["train", "--configure", "x"]] {
            let arguments: Vec<_> = arguments.iter().map(OsString::from).collect();
            let ask = || -> Result<Option<String>> { panic!("it is not needed") };
            assert_eq!(backend(&arguments, |_| None, ask).unwrap(), "flex");
        }
    }

    #[test]
    fn without_an_answer_the_default_is_built_and_says_what_is_wrong() {
        let arguments = ["train", "--resume", "nowhere"].map(OsString::from);
        assert_eq!(backend(&arguments, |_| None, || Ok(None)).unwrap(), "flex");
    }
}
