//! A second saved generator, which gets the pairs of the first.

use std::path::{Path, PathBuf};

use super::pairs::Pairs;
use crate::run::checkpoint::Checkpoint;
use crate::run::folder::RunFolder;
use crate::settings::{Key, Layer, Settings};
use crate::step::recipe::Recipe;
use crate::store::error::TaskError;

/// The settings that two runs have to share, so that both generators can be given the same pairs.
const SHARED: [&str; 5] = ["task", "a2b", "img_h", "img_w", "img_c"];

/// A second saved generator, and the pairs of the first as it needs them.
pub(super) struct Other {
    pub(super) recipe: Recipe,
    pub(super) checkpoint: Checkpoint,
    pub(super) pairs: Pairs,
}

/// What a comparison tells of the second generator.
#[derive(Clone, Debug)]
pub(super) struct Told {
    /// The name of its run.
    pub(super) run: String,
    pub(super) checkpoint: PathBuf,
    pub(super) step: u64,
    pub(super) sample_mode: String,
    /// What it was trained on.
    pub(super) dataset: String,
    /// How the images of its training were resized, and how those of the pairs are, if that differs.
    pub(super) resized: Option<[String; 2]>,
}

impl Other {
    /// The generator of the newest checkpoint in `run`, for the pairs of `first`. `changes` replace some settings.
    pub(super) fn new(
        run: &Path,
        changes: &[Layer],
        first: (&Checkpoint, &Recipe, &Pairs),
    ) -> Result<Self, TaskError> {
        let checkpoint = Checkpoint::newest(run)?;
        let (first_checkpoint, first_recipe, pairs) = first;
        let differences = differences(first_recipe.settings(), checkpoint.settings());
        if !differences.is_empty() {
            return Err(TaskError::NotComparable {
                run: RunFolder::of(first_checkpoint.folder()),
                other: RunFolder::of(checkpoint.folder()),
                differences: differences.join(", "),
            });
        }
        // The images are those of the first run, whether or not the second one's are still there.
        let settings = checkpoint.settings().with(changes)?.for_application();
        let recipe = Recipe::new(settings)?;
        checkpoint.check_configuration(&recipe)?;
        Ok(Self {
            pairs: pairs.prepared_for(&recipe)?,
            recipe,
            checkpoint,
        })
    }

    pub(super) fn told(&self) -> Told {
        let trained = self.checkpoint.settings();
        let here = Settings {
            resize: self.pairs.resize(),
            ..trained.clone()
        };
        let [resized, here] = [trained, &here].map(|it| value(it, "resize").unwrap_or_default());
        Told {
            run: run_name(self.checkpoint.folder()),
            checkpoint: self.checkpoint.folder().to_owned(),
            step: self.checkpoint.position().step,
            sample_mode: sample_mode(self.recipe.settings()),
            dataset: trained.dataset.clone(),
            resized: (resized != here).then_some([resized, here]),
        }
    }
}

impl Told {
    /// The model's name in tables. No other method's begins like it.
    pub(super) fn title(&self) -> String {
        format!("run {}", self.run)
    }
}

/// Each setting that keeps the second run from having the pairs of the first, with both values.
fn differences(first: &Settings, second: &Settings) -> Vec<String> {
    // Only pairs that are made of one image have a direction.
    let directed = first.task == second.task && first.task.is_paired();
    let shared = SHARED.iter().filter(|key| directed || **key != "a2b");
    shared
        .filter_map(|key| Some((key, value(first, key)?, value(second, key)?)))
        .filter(|(_, first, second)| first != second)
        .map(|(key, first, second)| {
            format!("{key} is {first} in the former and {second} in the latter")
        })
        .collect()
}

/// The name of the run that a checkpoint belongs to, on one line.
pub(super) fn run_name(checkpoint: &Path) -> String {
    let run = RunFolder::of(checkpoint);
    let name = run.file_name().unwrap_or(run.as_os_str());
    let line = |c: char| if c.is_control() { '_' } else { c };
    name.to_string_lossy().chars().map(line).collect()
}

/// How samples are normalised, in a word.
pub(super) fn sample_mode(settings: &Settings) -> String {
    value(settings, "sample_mode").unwrap_or_default()
}

/// A setting's value as text.
fn value(settings: &Settings, key: &str) -> Option<String> {
    let value = settings.value(Key::find(key)?)?;
    let text = value.as_str().map(str::to_owned);
    Some(text.unwrap_or_else(|| value.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Task;

    #[test]
    fn only_what_keeps_two_runs_from_the_same_pairs_is_a_difference() {
        let first = Settings::demo(Task::ColorTransfer);
        let told = |second: Settings| differences(&first, &second).join(", ");
        let other = Settings::official(Task::ColorTransfer).on_demo();
        assert_eq!(
            told(Settings {
                yuv: false,
                bin_num: 32,
                a2b: !first.a2b,
                img_h: first.img_h,
                img_w: first.img_w,
                ..other
            }),
            ""
        );
        assert_eq!(
            told(Settings {
                img_w: 128,
                img_c: 1,
                ..first.clone()
            }),
            "img_w is 64 in the former and 128 in the latter, \
             img_c is 3 in the former and 1 in the latter"
        );
        let task = told(Settings::demo(Task::Colorization));
        assert_eq!(
            task,
            "task is color_transfer in the former and colorization in the latter"
        );
        let first = Settings::demo(Task::Colorization);
        let second = Settings {
            a2b: false,
            ..first.clone()
        };
        assert_eq!(
            differences(&first, &second),
            ["a2b is true in the former and false in the latter"]
        );
    }

    #[test]
    fn the_name_of_a_run_is_one_line() {
        assert_eq!(run_name(Path::new("runs/a\nb")), "a_b");
        assert_eq!(run_name(Path::new("runs/é|1")), "é|1");
    }
}
