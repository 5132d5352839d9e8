//! Adds what to do about an error of the libraries, which know no flags and no commands.

use std::path::Path;

use huenet_data::download::DownloadError;
use huenet_data::prepare::PrepareError;
use huenet_tasks::{SettingsError, TaskError};

use crate::output;

/// The text of an error for the user: its own message, and what helps.
pub(crate) fn told(error: &anyhow::Error) -> String {
    if let Some(error) = error.downcast_ref() {
        return told_of_task(error);
    }
    if let Some(DownloadError::From { .. }) = error.downcast_ref() {
        return format!("--from {error}");
    }
    let flag = error.downcast_ref().and_then(of_download);
    let flag = flag.or_else(|| error.downcast_ref().and_then(of_preparation));
    format!("{error}{}", flag.unwrap_or_default())
}

/// The same of an error of a run.
pub(crate) fn told_of_task(error: &TaskError) -> String {
    with_lines(error.to_string(), &of_task(error))
}

/// The same of an error of settings.
pub(crate) fn told_of_settings(error: &SettingsError) -> String {
    with_lines(error.to_string(), &of_settings(error))
}

/// One piece of advice follows the message on its line; each of several has a line of its own.
fn with_lines(message: String, advice: &[String]) -> String {
    match advice {
        [one] => format!("{message}; {one}"),
        several => several
            .iter()
            .fold(message, |text, line| text + "\n  " + line),
    }
}

/// What can be done about an error of a run.
fn of_task(error: &TaskError) -> Vec<String> {
    let one = |advice: &str| vec![advice.to_owned()];
    match error {
        TaskError::Settings(error) => of_settings(error),
        TaskError::Write { .. } => one("--output-dir chooses another folder"),
        TaskError::RunExists { path } => vec![
            "choose another --name".to_owned(),
            format!("or go on with the run: {}", resume(path)),
        ],
        TaskError::RunInUse { .. } => one("stop that first, or wait for it"),
        TaskError::NoCheckpoint { run } => {
            vec![format!("{} trains it from its first step", resume(run))]
        }
        TaskError::Superseded { path, name } => vec![
            format!("{} starts a new run from its weights", start_from(path)),
            "to go on from it in its own run:".to_owned(),
            format!("  rename it to {name}"),
            "  rename metrics.superseded-….jsonl to metrics.jsonl, and validation.superseded-….jsonl \
             to validation.jsonl: its history"
                .to_owned(),
            format!("  {}", resume(&path.with_file_name(name))),
        ],
        TaskError::NothingToEvaluate => one("give 1 or more in place of --images 0"),
        TaskError::NothingHeldOut { .. } => vec![
            "--part train evaluates on the training images".to_owned(),
            "--pairs FILE.csv evaluates on the pairs of a file".to_owned(),
        ],
        TaskError::DamagedCheckpoint {
            previous: Some(previous),
            resuming,
            ..
        } => match resuming {
            true => vec![
                format!("{} goes on from there", resume(previous)),
                format!("{} starts a new run from its weights", start_from(previous)),
            ],
            false => one("give that in its place"),
        },
        TaskError::DamagedMetrics { .. } => {
            one("mend the line, or move the file away to go on without the history")
        }
        TaskError::OtherImages { run, .. } => vec![
            "give the --dataroot of the images that it was trained on".to_owned(),
            format!("or {} starts a new run from its weights", start_from(run)),
        ],
        TaskError::LostImage { run, .. } => vec![
            format!("once the file is as it was, {} goes on", resume(run)),
            format!(
                "without the file, {} starts a new run from the weights",
                start_from(run)
            ),
        ],
        TaskError::Serve { .. } => {
            one("give --serve another address, such as 127.0.0.1:0 for any free port")
        }
        TaskError::Diverged {
            run,
            saved,
            log_every,
            ..
        } => of_divergence(run, saved.is_some(), *log_every),
        TaskError::ExportExists { .. } => one("choose another --output"),
        TaskError::NotInF16 { .. } => one("--format safetensors writes 32 bits"),
        _ => Vec::new(),
    }
}

fn of_divergence(run: &Path, saved: bool, log_every: usize) -> Vec<String> {
    // Only with the losses of each step at hand can one be skipped, or saved.
    let each = if log_every > 1 { " --log-every 1" } else { "" };
    let mut advice = vec![
        format!(
            "if training went well until then: {} --non-finite skip{each}",
            resume(run)
        ),
        "else start again with a lower --gen-lr and --dis-lr, or with --clip-gradients".to_owned(),
        format!(
            "  ({} takes the weights of its newest checkpoint, if there is one)",
            start_from(run)
        ),
    ];
    if !saved && log_every > 1 {
        advice.push("with --log-every 1 such a step is saved for inspection".to_owned());
    }
    advice
}

/// What can be done about an error of settings.
fn of_settings(error: &SettingsError) -> Vec<String> {
    let advice = match error {
        SettingsError::UnknownKey { nearest: None, .. } => {
            format!("`{} train --help` lists them", output::huenet())
        }
        SettingsError::Missing {
            key: "dataroot", ..
        } => "give --dataroot DIR".to_owned(),
        SettingsError::Missing { key: "task", .. } => {
            "copy settings.toml of one of the run's checkpoints there".to_owned()
        }
        SettingsError::Unfit {
            key: "name", value, ..
        } if is_path(value) => "--output-dir says where the folder lies".to_owned(),
        _ => return Vec::new(),
    };
    vec![advice]
}

fn is_path(name: &str) -> bool {
    Path::new(name).file_name().is_none_or(|last| last != name)
}

fn resume(run: &Path) -> String {
    format!("{} train --resume {}", output::huenet(), run.display())
}

fn start_from(run: &Path) -> String {
    format!("--output-pre-dir {}", run.display())
}

fn of_download(error: &DownloadError) -> Option<&'static str> {
    Some(match error {
        DownloadError::Linked { .. } => ", and name the other folder's parent with --dataroot",
        DownloadError::Unreachable { .. } => {
            ": give the same command again to continue; or name another mirror or a copy that you \
             have with --from; --unverified takes a file that is not the published one"
        }
        DownloadError::Mismatch { .. } => {
            "; add --unverified to take it all the same, if it is a part of the dataset that you \
             packed yourself, say"
        }
        DownloadError::Changed { .. } => ", or take it with --unverified",
        DownloadError::NoSpace { .. } => ", or choose another folder with --dataroot",
        _ => return None,
    })
}

fn of_preparation(error: &PrepareError) -> Option<&'static str> {
    Some(match error {
        PrepareError::Exists { .. } => ": choose another --output",
        PrepareError::Unmatched { .. } => " with --skip-unmatched",
        PrepareError::Shape { .. } => " with --stretch",
        PrepareError::TooLarge { .. } => " with --size",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn only_what_helps_is_advised() {
        let diverged = |log_every| {
            told_of_task(&TaskError::Diverged {
                step: 1,
                what: String::new(),
                run: "run".into(),
                saved: None,
                log_every,
            })
        };
        assert!(diverged(3).contains("--log-every 1"));
        assert!(!diverged(1).contains("--log-every"));

        let damaged = |resuming| {
            told_of_task(&TaskError::DamagedCheckpoint {
                path: "run/checkpoints/step-00000002/manifest.json".into(),
                reason: String::new(),
                previous: Some("run/checkpoints/step-00000001".into()),
                resuming,
            })
        };
        let (plain, resuming) = (damaged(false), damaged(true));
        assert!(!plain.contains("--resume"), "{plain}");
        assert!(plain.contains("run/checkpoints/step-00000001"), "{plain}");
        let command = "--resume run/checkpoints/step-00000001";
        assert!(resuming.contains(command), "{resuming}");

        let (path, source) = ("file".into(), io::Error::other("no room"));
        let own = told_of_task(&TaskError::Write { path, source });
        assert!(own.contains("--output-dir"), "{own}");
        let (path, source) = ("file".into(), io::Error::other("no room"));
        let named = told_of_task(&TaskError::Unwritten { path, source });
        assert!(!named.contains("--output-dir"), "{named}");
    }

    #[test]
    fn an_error_within_another_type_keeps_its_advice() {
        let source = SettingsError::Missing {
            key: "dataroot",
            reason: String::new(),
        };
        let error = anyhow::Error::from(TaskError::from(source));
        assert!(told(&error).contains("--dataroot"), "{}", told(&error));
    }
}
