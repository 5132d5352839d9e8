//! Finds the backend that a command of `huenet` will use, to build `huenet` with it.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// The backend named by the last `--backend`; otherwise by the environment; otherwise by the settings file or the
/// run that the arguments name.
pub(crate) fn backend(
    arguments: &[OsString],
    environment: impl Fn(&str) -> Option<OsString>,
) -> String {
    let value = |flags: &[&str]| last(arguments, flags);
    let text = |value: OsString| value.into_string().ok();
    let in_file = |path: PathBuf| backend_in(&fs::read_to_string(path).ok()?);
    value(&["--backend"])
        .and_then(text)
        .or_else(|| environment("HUENET_BACKEND").and_then(text))
        .or_else(|| in_file(value(&["--config"])?.into()))
        .or_else(|| {
            let given = value(&["--resume", "--run"])?;
            let output_dir = value(&["--output-dir", "--output_dir"])
                .or_else(|| environment("HUENET_OUTPUT_DIR").filter(|folder| !folder.is_empty()))
                .unwrap_or_else(|| "runs".into());
            let run = run(Path::new(&given), Path::new(&output_dir));
            // A run's folder, or that of one of its checkpoints.
            let folders = run.ancestors().step_by(2).take(2);
            folders
                .map(|folder| folder.join("config.toml"))
                .find_map(in_file)
        })
        .unwrap_or_else(|| "flex".to_owned())
}

/// The value of whichever of `flags` comes last, `--flag VALUE` or `--flag=VALUE`.
fn last(arguments: &[OsString], flags: &[&str]) -> Option<OsString> {
    let value = |(at, argument): (usize, &OsString)| {
        let given = argument.to_str()?;
        let rest = flags.iter().find_map(|flag| given.strip_prefix(flag))?;
        match rest {
            "" => arguments.get(at + 1).cloned(),
            rest => rest.strip_prefix('=').map(OsString::from),
        }
    };
    arguments.iter().enumerate().rev().find_map(value)
}

/// The folder of the run that `given` means, as huenet finds it: a folder, or the name of one in `output_dir`.
/// `latest` is a link there; on systems where not every user can make links, it is a file with the name in it.
fn run(given: &Path, output_dir: &Path) -> PathBuf {
    if given.exists() {
        return given.to_owned();
    }
    let named = output_dir.join(given);
    match fs::read_to_string(&named) {
        Ok(name) if given == Path::new("latest") => output_dir.join(name.trim()),
        _ => named,
    }
}

/// The value of the line `backend = "NAME"` in a settings file. huenet itself reads the rest of the
/// file.
fn backend_in(settings: &str) -> Option<String> {
    settings.lines().find_map(|line| {
        let value = line
            .trim()
            .strip_prefix("backend")?
            .trim_start()
            .strip_prefix('=')?;
        let quote = value
            .trim_start()
            .chars()
            .next()
            .filter(|c| ['"', '\''].contains(c))?;
        value.split(quote).nth(1).map(str::to_owned)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(arguments: &[&str]) -> String {
        wanted_in(arguments, &[])
    }

    fn wanted_in(arguments: &[&str], variables: &[(&str, &str)]) -> String {
        let arguments: Vec<_> = arguments.iter().map(OsString::from).collect();
        backend(&arguments, |name| {
            let variable = variables.iter().find(|(variable, _)| *variable == name);
            variable.map(|(_, value)| value.into())
        })
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
    fn a_run_has_its_backend_however_it_is_given() {
        let folder = tempfile::tempdir().unwrap();
        let output_dir = folder.path().to_str().unwrap();
        for (name, backend) in [("one", "tch"), ("other", "wgpu")] {
            let run = folder.path().join(name);
            fs::create_dir_all(run.join("checkpoints/step-00000001")).unwrap();
            let config = format!("seed = 1\nbackend = \"{backend}\"\n");
            fs::write(run.join("config.toml"), config).unwrap();
        }
        let path = |run: &str| folder.path().join(run).to_str().unwrap().to_owned();
        let checkpoint = path("one/checkpoints/step-00000001");

        fs::write(folder.path().join("latest"), "other\n").unwrap();
        for (verb, flag) in [("train", "--resume"), ("evaluate", "--run")] {
            let found = |run: &str| wanted(&[verb, flag, run, "--output-dir", output_dir]);
            assert_eq!(found("one"), "tch");
            assert_eq!(found("one/checkpoints/step-00000001"), "tch");
            assert_eq!(found("latest"), "wgpu");
            assert_eq!(found("neither"), "flex");
            assert_eq!(wanted(&[verb, flag, &path("other")]), "wgpu");
            assert_eq!(wanted(&[verb, &format!("{flag}={checkpoint}")]), "tch");
            let variables = [("HUENET_OUTPUT_DIR", output_dir)];
            assert_eq!(wanted_in(&[verb, flag, "one"], &variables), "tch");
            let both = [verb, flag, "one", "--backend", "flex"];
            assert_eq!(wanted_in(&both, &variables), "flex");
            let variables = [variables[0], ("HUENET_BACKEND", "cuda")];
            assert_eq!(wanted_in(&[verb, flag, "one"], &variables), "cuda");
        }
        #[cfg(unix)]
        {
            let latest = folder.path().join("latest");
            fs::remove_file(&latest).unwrap();
            std::os::unix::fs::symlink("one", &latest).unwrap();
            let latest = ["evaluate", "--output_dir", output_dir, "--run", "latest"];
            assert_eq!(wanted(&latest), "tch");
        }
    }

    #[test]
    fn a_settings_file_can_name_the_backend() {
        let backend = |text| backend_in(text);
        assert_eq!(
            backend("seed = 1\nbackend = \"tch\" # fast\n"),
            Some("tch".to_owned())
        );
        assert_eq!(backend("backend='ndarray'"), Some("ndarray".to_owned()));
        assert_eq!(backend("# backend = \"tch\"\nbackends = 3"), None);
    }
}
