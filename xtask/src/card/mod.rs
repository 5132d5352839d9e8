//! `cargo xtask card`: tests and measures a graphics card, part by part, and writes what was found after each.

mod machine;
mod options;
mod pack;
mod process;
mod read;
mod report;
mod row;
mod size;
mod table;
mod target;

use std::ffi::OsString;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::tools::target_folder;
use machine::Memory;
use options::{HELP, Options};
use pack::{MEASURED, Pack, Wanted, make_folder};
use read::{Figures, Output};
use report::Report;
use row::{Outcome, Row, What};
use table::{FULL, Part, QUICK};
use target::Target;

/// A part is not begun if less time is left.
const LEAST: Duration = Duration::from_secs(2);

/// Packs, or measures.
pub(crate) fn card(arguments: &[OsString]) -> Result<u8> {
    let options = Options::parse(arguments)?;
    if options.help {
        print!("{HELP}");
        return Ok(0);
    }
    let wanted = Wanted {
        backends: &options.backends,
        named: options.named,
        profile: &options.profile,
    };
    if let Some(folder) = &options.pack {
        let pack = Pack::make(folder, &wanted)?;
        let mebibytes = pack.shrink()? as f64 / f64::from(1 << 20);
        let folder = folder.display();
        println!(
            "{folder} is ready ({mebibytes:.1} MiB). Copy it to the machine with the card, and start `run` in it."
        );
        return Ok(0);
    }
    let pack = match &options.from {
        Some(folder) => Pack::open(folder)?,
        None => Pack::make(&target_folder()?.join("card"), &wanted)?,
    };
    measure(&pack, &options)
}

/// Measures with the programs of a folder. The exit code says whether all went well.
fn measure(pack: &Pack, options: &Options) -> Result<u8> {
    let until = Instant::now() + options.time;
    let output = options.output.clone();
    let output = output.unwrap_or_else(|| pack.folder.join("results"));
    let logs = output.join("logs");
    make_folder(&logs)?;
    let output = output.canonicalize()?;
    let logs = output.join("logs");

    let mut report = Report {
        card: machine::card(&logs),
        date: machine::today(),
        record: pack.record.clone(),
        quick: options.quick,
        rows: Vec::new(),
    };
    let mut targets = Vec::new();
    for backend in MEASURED {
        if options.backends.iter().any(|wanted| wanted == backend) {
            let target = Target::find(pack, backend, options.named, &output, &logs);
            report.rows.push(of_device(backend, &target));
            targets.extend(target.ok());
        }
    }
    let torch = table::ask_torch(&logs);
    if let Err(reason) = &torch {
        let skipped = Outcome::Skipped(reason.clone());
        report
            .rows
            .push(without_figures(What::Device, "PyTorch, dense", "", skipped));
    }
    for row in &report.rows {
        tell(row);
    }
    report.write(&output)?;

    let scale = if options.quick { QUICK } else { FULL };
    let parts = table::parts(pack, &targets, torch.is_ok(), &scale)?;
    go_through(parts, &mut report, &output, until)?;
    println!("card.json and card.md are in {}", output.display());
    let measured = report.rows.iter().any(|row| !row.figures.is_empty());
    if !measured {
        eprintln!("error: nothing was measured");
    }
    let failed = report.rows.iter().any(Row::has_failed);
    Ok(u8::from(failed || !measured))
}

/// Measures one part after the other, and writes the report after each.
fn go_through(parts: Vec<Part>, report: &mut Report, output: &Path, until: Instant) -> Result<()> {
    let mut watches = report.card.as_ref().is_some_and(|card| card.is_nvidia);
    let count = parts.len();
    for (number, part) in parts.into_iter().enumerate() {
        let name = row::name(part.what, &part.backend, &part.setting);
        eprint!("{} of {count}: {name} … ", number + 1);
        let left = until.saturating_duration_since(Instant::now());
        let row = match left < LEAST {
            true => {
                let over = Outcome::Skipped("the time was over; `--minutes` gives more".to_owned());
                without_figures(part.what, &part.backend, &part.setting, over)
            }
            false => {
                let watched = || Memory::watch(machine::memory_in_use());
                let memory = watches.then(watched).flatten();
                // A tool that tells nothing once would only cost time again.
                watches = memory.is_some();
                carried_out(part, &output.join("logs"), output, left, memory)
            }
        };
        match &row.outcome {
            Outcome::Done => eprintln!("{:.1} s", row.took.as_secs_f64()),
            Outcome::Failed(reason) => eprintln!("FAILED: {reason}"),
            Outcome::Skipped(reason) => eprintln!("SKIPPED: {reason}"),
        }
        report.rows.push(row);
        report.write(output)?;
    }
    Ok(())
}

/// Measures a part, in the folder `work`, for at most the time that is left.
fn carried_out(
    mut part: Part,
    logs: &Path,
    work: &Path,
    left: Duration,
    memory: Option<Memory>,
) -> Row {
    let name = row::name(part.what, &part.backend, &part.setting);
    let letter = |letter: char| {
        if letter.is_alphanumeric() {
            letter
        } else {
            '-'
        }
    };
    let file: String = name.replace(", ", " ").chars().map(letter).collect();
    let log = logs.join(format!("{file}.txt"));
    part.command.current_dir(work);
    let ended = process::run(&mut part.command, &log, part.limit.min(left));
    let card_mib = memory.map(Memory::most);
    let mut row = without_figures(part.what, &part.backend, &part.setting, Outcome::Done);
    match ended {
        Err(error) => row.outcome = Outcome::Failed(format!("{error:#}")),
        Ok(ended) => {
            row.took = ended.took;
            let figures = part.output.figures(&ended.output);
            row.outcome = outcome(part.output, ended.problem, figures.as_ref());
            row.figures = figures.unwrap_or_default();
        }
    }
    if let Some(mebibytes) = card_mib
        && !row.figures.is_empty()
    {
        row.figures.insert("card_mib".to_owned(), mebibytes.into());
    }
    row
}

/// How a part ended, by its program's problem and by what it printed.
fn outcome(output: Output, problem: Option<String>, figures: Option<&Figures>) -> Outcome {
    let failed: Vec<&str> = figures
        .and_then(|figures| figures.get("names_of_failed")?.as_array())
        .into_iter()
        .flatten()
        .filter_map(|name| name.as_str())
        .collect();
    let passed = figures.and_then(|figures| figures.get("passed")?.as_u64());
    match (problem, figures) {
        (Some(_), _) if !failed.is_empty() => {
            Outcome::Failed(format!("{} failed: {}", failed.len(), failed.join(", ")))
        }
        (Some(problem), _) => Outcome::Failed(problem),
        (None, None) => Outcome::Failed("it printed no figures".to_owned()),
        (None, Some(_)) if output == Output::Tests && passed == Some(0) => {
            Outcome::Failed("no test ran".to_owned())
        }
        (None, Some(_)) => Outcome::Done,
    }
}

/// The row that says whether a backend can be measured.
fn of_device(backend: &str, target: &Result<Target, Outcome>) -> Row {
    let (device, outcome) = match target {
        Ok(target) => {
            let device = target
                .device
                .as_deref()
                .unwrap_or("its first device, no card");
            (device, Outcome::Done)
        }
        Err(outcome) => ("", outcome.clone()),
    };
    without_figures(What::Device, backend, device, outcome)
}

fn without_figures(what: What, backend: &str, setting: &str, outcome: Outcome) -> Row {
    Row {
        what,
        backend: backend.to_owned(),
        setting: setting.to_owned(),
        outcome,
        took: Duration::ZERO,
        figures: Figures::new(),
    }
}

/// Prints what became of a part.
fn tell(row: &Row) {
    match &row.outcome {
        Outcome::Done => eprintln!("{}", row.name()),
        Outcome::Failed(reason) => eprintln!("FAILED: {}. {reason}", row.name()),
        Outcome::Skipped(reason) => eprintln!("SKIPPED: {}. {reason}", row.name()),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use serde_json::{Value, json};

    use super::process::tests::sh;
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn part(what: What, setting: &str, script: &str, output: Output, limit: Duration) -> Part {
        Part {
            what,
            backend: "wgpu".to_owned(),
            setting: setting.to_owned(),
            command: sh(script),
            output,
            limit,
        }
    }

    /// The outcomes of parts, as they are in card.json.
    fn measured(parts: Vec<Part>, time: Duration) -> (Vec<Value>, String) {
        let folder = tempfile::tempdir().unwrap();
        make_folder(&folder.path().join("logs")).unwrap();
        let mut report = Report {
            card: None,
            date: machine::today(),
            record: json!({}),
            quick: false,
            rows: Vec::new(),
        };
        go_through(parts, &mut report, folder.path(), Instant::now() + time).unwrap();
        let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        let json: Value = serde_json::from_str(&read("card.json")).unwrap();
        (json["parts"].as_array().unwrap().clone(), read("card.md"))
    }

    const LOSSES: &str =
        r#"echo '{"size": 32, "batch": 1, "bins": 16, "median_ms": 2.5, "min_ms": 2}'"#;

    #[test]
    fn each_part_survives_what_happens_to_the_others() {
        let short = Duration::from_millis(200);
        let tests = "echo 'test wgpu::a ... FAILED'; \
            echo 'test result: FAILED. 1 passed; 1 failed; 0 ignored'; exit 101";
        let none = "echo 'test result: ok. 0 passed; 0 failed; 0 ignored'";
        let (rows, text) = measured(
            vec![
                part(
                    What::Step,
                    "1",
                    "echo 'error: no memory'; exit 1",
                    Output::Step,
                    LONG,
                ),
                part(What::Step, "2", "exec sleep 600", Output::Step, short),
                part(What::Step, "3", "kill -9 $$", Output::Step, LONG),
                part(What::Step, "4", "echo something else", Output::Step, LONG),
                part(What::Conformance, "5", tests, Output::Tests, LONG),
                part(What::Kernels, "6", none, Output::Tests, LONG),
                part(What::Losses, "7", LOSSES, Output::Losses, LONG),
            ],
            LONG,
        );
        let reasons: Vec<&str> = rows
            .iter()
            .map(|row| row["reason"].as_str().unwrap_or_default())
            .collect();
        assert_eq!(reasons[0], "error: no memory (exit status: 1)");
        assert!(reasons[1].starts_with("took longer than"), "{reasons:?}");
        assert!(reasons[2].contains("signal: 9"), "{reasons:?}");
        assert_eq!(reasons[3], "it printed no figures");
        assert_eq!(reasons[4], "1 failed: wgpu::a");
        assert_eq!(rows[4]["figures"]["passed"], 1);
        assert_eq!(reasons[5], "no test ran");
        assert_eq!(rows[6]["outcome"], "done");
        assert_eq!(rows[6]["figures"]["median_ms"], 2.5);
        assert!(text.contains("| wgpu | 7 | 2.50 | 2.00 |"), "{text}");
        assert!(
            text.contains("| wgpu, step, 1 | failed | error: no memory"),
            "{text}"
        );
    }

    #[test]
    fn what_the_time_is_too_short_for_is_skipped() {
        let parts = vec![part(What::Losses, "1", LOSSES, Output::Losses, LONG)];
        let (rows, _) = measured(parts, Duration::ZERO);
        assert_eq!(rows[0]["outcome"], "skipped");
        assert!(rows[0]["reason"].as_str().unwrap().contains("--minutes"));
    }

    #[test]
    fn what_a_part_printed_can_be_read_later() {
        let folder = tempfile::tempdir().unwrap();
        let script = "echo 'the driver is too old' >&2; exit 1";
        let part = part(What::Step, "batch 1, `--tf32`", script, Output::Step, LONG);
        carried_out(part, folder.path(), folder.path(), LONG, None);
        let log = folder.path().join("wgpu-step-batch-1----tf32-.txt");
        let text = std::fs::read_to_string(log).unwrap();
        assert_eq!(text, "the driver is too old\n");
    }
}
