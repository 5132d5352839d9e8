//! The folder with all that is run on a machine with a card: programs, the official numbers, and a script.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::machine::today;
use super::size::{self, files, make_executable};
use crate::features::LIBTORCH;
use crate::tools::{cargo, workspace};
use crate::{libtorch, nvrtc};

/// The backends that are measured, the most important first.
pub(super) const MEASURED: [&str; 3] = ["cuda", LIBTORCH, "wgpu"];

/// Programs that are built together. What LibTorch is linked to does not start without it, so it stands apart.
const SETS: [(&str, &[&str]); 2] = [("cards", &["cuda", "wgpu"]), (LIBTORCH, &[LIBTORCH])];

/// The programs of a set.
pub(super) const HUENET: &str = "huenet";
pub(super) const CONFORMANCE: &str = "conformance";
pub(super) const LOSSES: &str = "loss_cost";
const PROGRAMS: [&str; 3] = [HUENET, CONFORMANCE, LOSSES];

/// The folder of official numbers, and the counterpart of `loss_cost` in PyTorch.
pub(super) const GOLDEN: &str = "golden";
pub(super) const PEERS: &str = "peers.py";

/// This program, which starts the others.
const OWN: &str = "xtask";

/// What says that a folder is such a one, and what is in it.
const RECORD: &str = "pack.json";

/// Starts the measurement where there are no sources.
const SCRIPT: &str = "#!/bin/sh
# Measures the graphics card of this machine. `./run --help` lists the options.
here=$(dirname \"$0\")
exec \"$here/xtask\" card --from \"$here\" \"$@\"
";

/// Which backends to pack, and how.
pub(super) struct Wanted<'a> {
    pub(super) backends: &'a [String],
    /// Whether the user named the backends, so that none may be missing.
    pub(super) named: bool,
    /// Cargo's profile.
    pub(super) profile: &'a str,
}

/// Such a folder.
pub(super) struct Pack {
    pub(super) folder: PathBuf,
    /// What it was made of.
    pub(super) record: Value,
}

impl Pack {
    /// Builds the programs and puts all into `folder`, in place of what was packed there before.
    pub(super) fn make(folder: &Path, wanted: &Wanted<'_>) -> Result<Self> {
        empty(folder)?;
        let mut packed = Vec::new();
        for (set, of_set) in SETS {
            let backends: Vec<&str> = of_set
                .iter()
                .copied()
                .filter(|name| wanted.backends.iter().any(|wanted| wanted == name))
                .collect();
            if backends.is_empty() {
                continue;
            }
            if set == LIBTORCH
                && !wanted.named
                && let Err(error) = libtorch::available()
            {
                eprintln!("SKIPPED: the backend {LIBTORCH} is not packed. {error:#}");
                continue;
            }
            let built = build(&backends, wanted.profile)?;
            put_programs(&folder.join(set), &built)?;
            packed.extend(backends);
        }
        let root = workspace();
        copy_all(&root.join("tests/golden"), &folder.join(GOLDEN))?;
        copy(
            &root.join("crates/hist/benches/peers.py"),
            &folder.join(PEERS),
        )?;
        let own = std::env::current_exe().context("cannot find xtask's own path")?;
        copy(&own, &folder.join(OWN))?;
        let script = folder.join("run");
        write(&script, SCRIPT)?;
        make_executable(&script)?;
        let record = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "commit": commit(&root),
            "profile": wanted.profile,
            "backends": packed,
            "built": today(),
        });
        write(&folder.join(RECORD), &format!("{record:#}\n"))?;
        Self::open(folder)
    }

    /// A folder that was made before, perhaps elsewhere. Its programs are unpacked.
    pub(super) fn open(folder: &Path) -> Result<Self> {
        let named = || {
            format!(
                "{} was not made by `cargo xtask card --pack`",
                folder.display()
            )
        };
        let text = fs::read_to_string(folder.join(RECORD)).with_context(named)?;
        let record = serde_json::from_str(&text).with_context(named)?;
        let folder = folder.canonicalize().with_context(named)?;
        size::unpack(&folder)?;
        Ok(Self { folder, record })
    }

    /// Whether it has programs with this backend.
    pub(super) fn has(&self, backend: &str) -> bool {
        let backends = self.record["backends"].as_array();
        backends.is_some_and(|all| all.iter().any(|name| name == backend))
    }

    /// Starts a program of this backend. It finds the backend's libraries, and no settings from outside.
    pub(super) fn program(&self, backend: &str, name: &str) -> Result<Command> {
        let set = SETS
            .iter()
            .find(|(_, backends)| backends.contains(&backend));
        let (set, _) = set.with_context(|| format!("{backend} is not measured"))?;
        let mut command = Command::new(self.folder.join(set).join(name));
        for (variable, _) in std::env::vars_os() {
            if variable.to_string_lossy().starts_with("HUENET_") {
                command.env_remove(variable);
            }
        }
        match backend {
            LIBTORCH => libtorch::prepare_to_run(&mut command)?,
            _ => nvrtc::prepare_to_run(&mut command)?,
        }
        Ok(command)
    }

    /// Makes the folder as small as it gets. Returns its size in bytes.
    ///
    /// # Errors
    ///
    /// If it is still too large. The message says what takes most.
    pub(super) fn shrink(&self) -> Result<u64> {
        let all = files(&self.folder)?.into_iter().map(|(path, _)| path);
        let named = |path: &PathBuf, name: &str| path.file_name().is_some_and(|it| it == name);
        let programs: Vec<PathBuf> = all
            .filter(|path| PROGRAMS.iter().any(|name| named(path, name)))
            .collect();
        let own = self.folder.join(OWN);
        size::strip(&[&programs[..], &[own]].concat());
        size::compress(&programs)?;
        size::check(&self.folder)
    }
}

/// Builds the programs with these backends. Returns the file of each.
fn build(backends: &[&str], profile: &str) -> Result<Vec<(&'static str, PathBuf)>> {
    let features: Vec<String> = ["cli", "tests"]
        .iter()
        .flat_map(|package| {
            backends
                .iter()
                .map(move |name| format!("huenet-{package}/{name}"))
        })
        .collect();
    eprintln!("building with {} …", backends.join(" and "));
    let mut build = cargo();
    // The whole workspace, so that the programs share all crates.
    build.args(["build", "--workspace", "--profile", profile]);
    build.args(["--features", &features.join(",")]);
    build.args(["--bin", HUENET, "--test", CONFORMANCE, "--example", LOSSES]);
    build.args(["--message-format", "json-render-diagnostics"]);
    if backends.contains(&LIBTORCH) {
        libtorch::prepare(&mut build)?;
    }
    nvrtc::foresee(&mut build);
    let done = build.stderr(Stdio::inherit()).output();
    let done = done.context("cannot start cargo")?;
    if !done.status.success() {
        bail!("the programs with {} did not build", backends.join(" and "));
    }
    let said = String::from_utf8_lossy(&done.stdout);
    PROGRAMS
        .iter()
        .map(|name| {
            let path = executable(&said, name);
            Ok((
                *name,
                path.with_context(|| format!("cargo built no {name}"))?,
            ))
        })
        .collect()
}

/// The file of a target that cargo tells of.
fn executable(said: &str, target: &str) -> Option<PathBuf> {
    said.lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == target)
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
}

/// Makes the folder, or removes the programs and numbers that were packed there before.
fn empty(folder: &Path) -> Result<()> {
    let there = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if there && !folder.join(RECORD).is_file() {
        bail!(
            "{} has other files in it; name a folder that is empty or not there yet",
            folder.display()
        );
    }
    // What was measured with it stays.
    for part in SETS.map(|(set, _)| set).into_iter().chain([GOLDEN]) {
        let part = folder.join(part);
        if part.exists() {
            fs::remove_dir_all(&part)
                .with_context(|| format!("cannot remove {}", part.display()))?;
        }
    }
    make_folder(folder)
}

fn put_programs(folder: &Path, built: &[(&str, PathBuf)]) -> Result<()> {
    make_folder(folder)?;
    for (name, path) in built {
        copy(path, &folder.join(name))?;
    }
    Ok(())
}

fn copy_all(from: &Path, to: &Path) -> Result<()> {
    make_folder(to)?;
    for (path, _) in files(from)? {
        if let Some(name) = path.file_name() {
            copy(&path, &to.join(name))?;
        }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let copied = fs::copy(from, to);
    copied.with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
    Ok(())
}

pub(super) fn make_folder(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// The commit that is checked out, if git tells.
fn commit(root: &Path) -> Option<String> {
    let mut git = Command::new("git");
    git.args(["describe", "--always", "--dirty", "--exclude", "*"]);
    let said = git.current_dir(root).output().ok()?;
    let said = said.status.success().then_some(said.stdout)?;
    Some(String::from_utf8_lossy(&said).trim().to_owned()).filter(|commit| !commit.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_measured_backend_is_in_one_set() {
        let of_sets: Vec<&str> = SETS
            .iter()
            .flat_map(|(_, all)| all.iter().copied())
            .collect();
        assert_eq!(of_sets.len(), MEASURED.len());
        assert!(MEASURED.iter().all(|name| of_sets.contains(name)));
        let known = crate::backends::BACKENDS;
        assert!(MEASURED.iter().all(|name| known.contains(name)));
    }

    #[test]
    fn cargo_says_where_a_program_is() {
        let said = "{\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"huenet\"},\"executable\":null}\n\
            {\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"conformance\"},\"executable\":\"/t/deps/conformance-1\"}\n\
            {\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"huenet\"},\"executable\":\"/t/huenet\"}\n\
            {\"reason\":\"build-finished\",\"success\":true}\n";
        assert_eq!(executable(said, HUENET), Some("/t/huenet".into()));
        assert_eq!(
            executable(said, CONFORMANCE),
            Some("/t/deps/conformance-1".into())
        );
        assert_eq!(executable(said, LOSSES), None);
    }

    #[test]
    fn a_folder_with_other_files_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("thesis.txt");
        fs::write(&own, "mine").unwrap();
        let message = empty(folder.path()).unwrap_err().to_string();
        assert!(message.contains("has other files"), "{message}");
        assert!(own.is_file());

        fs::write(folder.path().join(RECORD), "{}").unwrap();
        let old = folder.path().join("cards");
        fs::create_dir(&old).unwrap();
        empty(folder.path()).unwrap();
        assert!(own.is_file() && !old.exists());
    }

    #[test]
    fn only_a_packed_folder_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let message = Pack::open(folder.path()).err().unwrap().to_string();
        assert!(message.contains("--pack"), "{message}");
    }
}
