//! The run that a user means.

use std::path::{Path, PathBuf};

use crate::run::folder::RunFolder;
use crate::run::state::StateRecord;
use crate::settings::LATEST;
use crate::store::error::TaskError;
use crate::store::files;

/// How alike a name has to be to one that was given to be meant, from 0 to 1.
const ALIKE: f64 = 0.5;

/// The folder of the run that `given` means. `given` is the folder of a run or of a checkpoint, or else the name of a run
/// in `output_dir`, where `latest` means the run that was started or resumed last. The path that is returned has no
/// links in it, since `latest` may lead elsewhere while the run goes on.
///
/// # Errors
///
/// [`TaskError::NoSuchRun`], which names the run that may be meant.
pub fn find_run(given: &Path, output_dir: &Path) -> Result<PathBuf, TaskError> {
    let named = output_dir.join(given);
    let found = [given, named.as_path()].into_iter().find_map(folder_at);
    found.ok_or_else(|| TaskError::NoSuchRun {
        given: given.to_owned(),
        hint: hint(given, output_dir),
    })
}

/// The folder that a path leads to, if there is one. Where links are not for everyone, `latest` is a
/// file with a name in it.
fn folder_at(path: &Path) -> Option<PathBuf> {
    if path.is_dir() {
        return Some(files::without_links(path));
    }
    let is_latest = path.file_name().is_some_and(|name| name == LATEST);
    let name = std::fs::read_to_string(path).ok().filter(|_| is_latest)?;
    let name = Some(name.trim()).filter(|name| !name.is_empty())?;
    let run = path.with_file_name(name);
    run.is_dir().then_some(run)
}

/// What to say of a run that is not there: which of those in `output_dir`, or in the folder that
/// `given` names, may be meant.
fn hint(given: &Path, output_dir: &Path) -> String {
    let name = given.file_name().unwrap_or_default().to_string_lossy();
    let folder = match given.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => output_dir,
    };
    let is_run = |path: &PathBuf| RunFolder::look(path).is_some() && !path.is_symlink();
    let entries = folder.read_dir().into_iter().flatten().flatten();
    let runs: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(is_run).collect();
    let begun = |run: &&PathBuf| StateRecord::read(run).map(|record| record.started);
    let likeness = |run: &PathBuf| {
        let other = run.file_name().unwrap_or_default().to_string_lossy();
        strsim::normalized_damerau_levenshtein(&name, &other)
    };
    let alike = runs.iter().map(|run| (likeness(run), run));
    let alike = alike.filter(|(likeness, _)| *likeness >= ALIKE);
    let nearest = alike.max_by(|one, other| one.0.total_cmp(&other.0));
    let folder = folder.display();
    match (nearest, runs.iter().max_by_key(begun)) {
        (Some((_, run)), _) if name != LATEST => format!(": did you mean {}?", run.display()),
        (_, Some(run)) => format!(": the last one started in {folder} is {}", run.display()),
        _ => format!(", and none at all in {folder}"),
    }
}
