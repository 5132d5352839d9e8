//! The checkpoints of a run: which there are, and which are kept.

use std::fs;
use std::path::{Path, PathBuf};

use super::manifest::Manifest;
use crate::store::error::TaskError;
use crate::store::files::{self, PARTIAL};

/// How the name of a checkpoint's folder begins.
const STEP: &str = "step-";

/// How the names of checkpoints begin that a resumed run has left behind.
const SUPERSEDED: &str = "superseded-";

/// The folder of a run's checkpoints.
#[derive(Clone, Debug)]
pub(crate) struct Shelf {
    path: PathBuf,
}

impl Shelf {
    /// That of the run in `run`.
    pub(crate) fn of(run: &Path) -> Self {
        Self {
            path: run.join("checkpoints"),
        }
    }

    /// A folder of things like checkpoints.
    pub(crate) fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// The one that the checkpoint in `checkpoint` lies in.
    fn beside(checkpoint: &Path) -> Self {
        Self {
            path: checkpoint.parent().unwrap_or(checkpoint).to_owned(),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the checkpoint of a step lies.
    pub(super) fn folder_of(&self, step: u64) -> PathBuf {
        self.path.join(format!("{STEP}{step:08}"))
    }

    /// The checkpoints' folders, oldest first; sound or not.
    pub(crate) fn list(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.path).into_iter().flatten().flatten();
        let mut found: Vec<(u64, PathBuf)> = entries
            .map(|entry| entry.path())
            .filter(|path| path.is_dir())
            .filter_map(|path| Some((step_of(&path)?, path)))
            .collect();
        found.sort();
        found.into_iter().map(|(_, folder)| folder).collect()
    }

    /// The best validation figure among the checkpoints, with its folder.
    pub(crate) fn best(&self) -> Option<(f64, PathBuf)> {
        let figure = |folder: PathBuf| Some((Manifest::read(&folder).ok()?.figure?, folder));
        let rated = self.list().into_iter().filter_map(figure);
        // Of equal ones the older.
        rated.min_by(|(one, _), (other, _)| one.total_cmp(other))
    }

    /// Removes all but the newest `keep` checkpoints and the best one; 0 keeps all.
    /// Gives how many it removed.
    pub(crate) fn prune(&self, keep: usize) -> usize {
        let mut old = self.list();
        if keep == 0 || old.len() <= keep {
            return 0;
        }
        old.truncate(old.len() - keep);
        let best = self.best().map(|(_, folder)| folder);
        old.retain(|folder| Some(folder) != best.as_ref());
        let remove = |folder: &&PathBuf| {
            // Renamed first, so that no half of one is ever taken for a checkpoint.
            let doomed = self
                .path
                .join(format!("{PARTIAL}removed-{}", name_of(folder)));
            // What stays costs only space.
            fs::rename(folder, &doomed)
                .and_then(|()| fs::remove_dir_all(doomed))
                .is_ok()
        };
        old.iter().filter(remove).count()
    }

    /// Sets aside the checkpoints of later steps than `step`: the run goes on from
    /// there, and they belong to another future. Gives how many. Before any is moved,
    /// `keep_history` is given the name that the newest of them gets.
    pub(crate) fn set_aside_after(
        &self,
        step: u64,
        keep_history: impl FnOnce(&str) -> Result<(), TaskError>,
    ) -> Result<usize, TaskError> {
        let mut later = self.list();
        later.retain(|folder| step_of(folder) > Some(step));
        if let Some(newest) = later.last() {
            keep_history(&name_of(&self.aside(newest)))?;
        }
        for folder in &later {
            self.set_aside(folder)?;
        }
        Ok(later.len())
    }

    /// Gives a checkpoint a name under which nothing looks for one.
    pub(super) fn set_aside(&self, folder: &Path) -> Result<(), TaskError> {
        fs::rename(folder, self.aside(folder)).map_err(|source| TaskError::write(folder, source))
    }

    /// Where a checkpoint goes that is set aside.
    fn aside(&self, folder: &Path) -> PathBuf {
        let name = name_of(folder);
        files::unused(|number| self.path.join(format!("{SUPERSEDED}{name}{number}")))
    }

    /// Removes what an interrupted save left behind.
    pub(crate) fn sweep(&self) {
        files::sweep(&self.path);
    }
}

/// The step in the name of a checkpoint's folder.
fn step_of(folder: &Path) -> Option<u64> {
    let name = folder.file_name()?.to_str()?;
    name.strip_prefix(STEP)?.parse().ok()
}

/// The name that the checkpoint in `folder` had before it was set aside, if it was.
pub(crate) fn name_before_aside(folder: &Path) -> Option<String> {
    let folder = std::path::absolute(folder).ok()?;
    let number = name_of(&folder)
        .strip_prefix(SUPERSEDED)?
        .strip_prefix(STEP)?
        .split('-')
        .next()?
        .to_owned();
    Some(format!("{STEP}{number}"))
}

/// A file of a checkpoint that cannot be used, with the newest older checkpoint that can.
pub(super) fn damaged(file: &Path, reason: String) -> TaskError {
    let sound = |folder: &PathBuf| {
        Manifest::read(folder).is_ok_and(|manifest| manifest.damage(folder).is_none())
    };
    let folder = file.parent().unwrap_or(file);
    let mut older = Shelf::beside(folder).list();
    older.retain(|other| step_of(other) < step_of(folder));
    TaskError::DamagedCheckpoint {
        path: file.to_owned(),
        reason,
        resuming: false,
        previous: older.into_iter().rev().find(sound),
    }
}

fn name_of(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A shelf with checkpoints of steps and figures, and nothing in them.
    fn shelf(folder: &Path, checkpoints: &[(u64, Option<f64>)]) -> Shelf {
        let shelf = Shelf::of(folder);
        for &(step, figure) in checkpoints {
            let folder = shelf.folder_of(step);
            fs::create_dir_all(&folder).unwrap();
            let files = crate::run::checkpoint::layout::FILES
                .iter()
                .map(|name| (*name, (0, 0)))
                .collect::<std::collections::BTreeMap<_, _>>();
            let manifest = serde_json::json!({
                "format": crate::run::checkpoint::layout::FORMAT,
                "huenet": "0",
                "position": { "step": step, "epoch": 0, "batch": 0 },
                "figure": figure,
                "files": files,
            });
            fs::write(folder.join("manifest.json"), manifest.to_string()).unwrap();
        }
        shelf
    }

    fn steps(shelf: &Shelf) -> Vec<u64> {
        let folders = shelf.list();
        folders
            .iter()
            .filter_map(|folder| step_of(folder))
            .collect()
    }

    #[test]
    fn the_newest_and_the_best_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let checkpoints = [
            (1, Some(0.3)),
            (2, Some(0.1)),
            (3, None),
            (4, Some(0.2)),
            (10, None),
        ];
        let shelf = shelf(folder.path(), &checkpoints);
        assert_eq!(shelf.best().map(|(figure, _)| figure), Some(0.1));
        assert_eq!(shelf.prune(0), 0);
        assert_eq!(shelf.prune(2), 2);
        assert_eq!(steps(&shelf), [2, 4, 10]);
        assert_eq!(fs::read_dir(shelf.path()).unwrap().count(), 3);
    }

    #[test]
    fn figures_are_read_as_they_were_written() {
        // Both are read as their neighbours by a reader that is content with nearly all digits.
        for figure in [0.010218978102189781, 1.3555787278415015] {
            let folder = tempfile::tempdir().unwrap();
            let shelf = shelf(folder.path(), &[(1, Some(figure))]);
            assert_eq!(shelf.best().map(|(figure, _)| figure), Some(figure));
        }
    }

    #[test]
    fn what_is_set_aside_is_no_checkpoint_any_more_and_still_there() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = shelf(folder.path(), &[(1, None), (2, None), (3, Some(0.1))]);
        let mut history = String::new();
        let keep = |name: &str| {
            history += name;
            Ok(())
        };
        assert_eq!(shelf.set_aside_after(1, keep).unwrap(), 2);
        assert_eq!(history, "superseded-step-00000003");
        assert_eq!((steps(&shelf), shelf.best()), (vec![1], None));
        assert!(shelf.path().join(&history).is_dir());
        // The second of a name.
        fs::create_dir(shelf.folder_of(3)).unwrap();
        let keep = |name: &str| {
            assert_eq!(name, "superseded-step-00000003-2");
            Ok(())
        };
        assert_eq!(shelf.set_aside_after(1, keep).unwrap(), 1);
        let before = |name: &str| name_before_aside(&shelf.path().join(name));
        let name = Some("step-00000003".to_owned());
        assert_eq!(before("superseded-step-00000003-2"), name);
        assert_eq!(before("superseded-step-00000003"), name);
        assert_eq!(before("step-00000003"), None);
    }
}
