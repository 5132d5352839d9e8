//! `huenet evaluate`.

mod outputs;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::builder::{PathBufValueParser, TypedValueParser};
use clap::{Arg, ArgMatches, Command, value_parser};
use huenet_data::{Phase, RgbImage};
use huenet_tasks::compare::{
    Comparison, Progress, Study, Which, compare, write_html, write_image, write_json,
};
use huenet_tasks::settings::{KEYS, Key};
use huenet_tasks::{
    Checkpoint, Layer, Settings, SettingsError, TaskError, TrainingBackend, find_run,
};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::backend::OnBackend;
use crate::progress::ONE_HELD_OUT;
use crate::{backend, output, writable};
use outputs::Outputs;

/// The run's settings that an evaluation may change.
fn keys() -> impl Iterator<Item = &'static Key> {
    KEYS.iter().filter(|key| key.in_evaluation)
}

/// What to do if evaluating is too much for the device.
pub(crate) const REMEDY: &str = "free some memory, or choose another --device or --backend";

/// The name of the contact sheet in the run's folder.
const SHEET: &str = "evaluation.png";

const LONG: &str = "\
Measure a run's newest checkpoint on images that it was not trained on, and print a table in \
Markdown. The first row is the model. The rows below are doing nothing, and methods that need no \
training, on the same pairs: histogram matching of each channel, Reinhard's and Monge-Kantorovich's \
linear colour transfer, the latter then matched in RGB, iterative distribution transfer, and local \
colour maps. Each cell is a mean over the pairs with its 95 % bootstrap interval.

With --against OTHER, the second row is another run's model on the same pairs, and a second table \
has the mean difference of each figure with its 95 % interval (paired bootstrap), and the share of \
the pairs in which the first model is the better one. Both runs need the same task and images of the \
same size.

Columns:
emd: earth mover's distance to the reference (RMS of cumulative soft histograms of 256 bins); emd_y, \
emd_u and emd_v: the same of each channel.
emd_other: the mean distance to the references of the other pairs.
swd: sliced Wasserstein distance of the colours to the reference's, in RGB: the mean over 64 \
directions.
h_content_given_output: conditional entropy in nats.
ssim_luma: SSIM to the content, of luma in [0, 1] with data range 1.
cliffs: how much steeper the output is than its content, the 95th percentile over neighbouring \
pixels; noise: the median step of luma between neighbours, over the content's. Neither is in \
edges2photos.
psnr, ssim: comparison with the ground truth, for paired tasks.
out of gamut: the share of pixels whose colour no screen has.

The contact sheet shows the three best, middle and worst pairs by emd.";

/// The verb.
pub(crate) fn command() -> Command {
    let file = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name(value)
            .value_parser(value_parser!(PathBuf))
            .help(help)
    };
    let command = Command::new("evaluate")
        .about("Compare a trained model with methods that need no training")
        .long_about(LONG)
        .arg(
            file(
                "run",
                "RUN",
                "The run: its folder, its name in the output folder, `latest`, or the folder of \
                 one of its checkpoints",
            )
            .required(true),
        )
        .arg(file(
            "against",
            "OTHER",
            "Compare with the model of this run too, on the same pairs; found as RUN is",
        ));
    let command = keys().fold(command, |command, key| {
        let long = key.name.replace('_', "-");
        let help = format!("{} [default: the run's]", crate::flags::help(key));
        let arg = Arg::new(key.name).long(long.clone()).help(help);
        let arg = match long == key.name {
            true => arg,
            false => arg.alias(key.name),
        };
        command.arg(arg.value_name(key.name.to_uppercase()))
    });
    command
        .arg(crate::flags::tf32().help_heading(None::<&str>))
        .arg(
            Arg::new("part")
                .long("part")
                .value_name("PART")
                .value_parser(["held-out", "train"])
                .default_value("held-out")
                .help("Which part of the dataset to evaluate on"),
        )
        .arg(
            Arg::new("images")
                .long("images")
                .value_name("N")
                .value_parser(value_parser!(usize))
                .help("Use only the first N pairs [default: all]"),
        )
        .arg(
            file(
                "pairs",
                "FILE.csv",
                "Evaluate on the pairs of this file instead. Its columns are task, batch, \
                 index_in_batch, content, reference; paths are below the data root; pairs of other \
                 tasks are left out",
            )
            .conflicts_with_all(["part", "images", "dataset", "split"]),
        )
        .arg(file(
            "json",
            "FILE",
            "Write the figures of every pair and the means to this file",
        ))
        .arg(file(
            "html",
            "FILE",
            "Write the table, charts of the intervals and the contact sheet to this file, a page that \
             loads nothing else",
        ))
        .arg(
            file(
                "sheet",
                "FILE.png",
                "File of the contact sheet [default: evaluation.png in the run's folder]",
            )
            .value_parser(PathBufValueParser::new().try_map(of_png)),
        )
        .args(outputs::flags())
        .arg(
            Arg::new("output_dir")
                .long("output-dir")
                .alias("output_dir")
                .value_name("DIR")
                .value_parser(value_parser!(PathBuf))
                .help("The folder that holds the runs, for --run NAME and --against NAME"),
        )
}

/// Refuses a file name that ends as another kind of file than PNG does.
fn of_png(path: PathBuf) -> Result<PathBuf, String> {
    match path.extension() {
        Some(kind) if !kind.eq_ignore_ascii_case("png") => Err(format!(
            "the contact sheet is a PNG file: name it {}",
            path.with_extension("png").display()
        )),
        _ => Ok(path),
    }
}

/// Evaluates a run.
pub(crate) fn evaluate(matches: &ArgMatches) -> anyhow::Result<()> {
    let changes = changes(matches).map_err(TaskError::from)?;
    let which = match matches.get_one::<PathBuf>("pairs") {
        Some(file) => Which::Listed(file.clone()),
        None => {
            let part = matches.get_one::<String>("part").map(String::as_str);
            let phase = match part {
                Some("train") => Phase::Train,
                _ => Phase::HeldOut,
            };
            let most = matches.get_one::<usize>("images").copied();
            Which::Part(phase, most.unwrap_or(usize::MAX))
        }
    };
    let (run, other) = (run(matches)?, found(matches, "against")?);
    let study = Study::new(&run, &changes, &which)?;
    let study = match other {
        Some(other) => study.against(&other, &changes)?,
        None => study,
    };
    let settings = study.recipe().settings();
    let (name, device) = (settings.backend.as_str(), settings.device.as_deref());
    backend::check(name, device)?;

    let sheet_path = matches.get_one::<PathBuf>("sheet").cloned();
    let sheet_path = sheet_path.unwrap_or_else(|| study.run().join(SHEET));
    let [json_path, html_path] = ["json", "html"].map(|option| matches.get_one::<PathBuf>(option));
    check_target("sheet", &sheet_path)?;
    for (option, path) in [("json", json_path), ("html", html_path)] {
        path.map_or(Ok(()), |path| check_target(option, path))?;
    }

    let mut outputs = Outputs::given(matches, &study.picture_names())?;

    if study.borrows_reference() {
        output::note(format_args!("warning: {ONE_HELD_OUT}"));
    }
    backend::set_threads(settings.threads);
    let bar = bar(study.pairs());
    let measuring = Measuring {
        study: &study,
        tell: &mut |progress| match progress {
            Progress::Made(picture) => outputs.iter_mut().for_each(|it| it.write(&picture)),
            Progress::Done(pairs) => bar.set_position(pairs as u64),
            _ => {}
        },
    };
    let outcome = backend::on(name, device, measuring);
    bar.finish_and_clear();
    let (comparison, sheet) = outcome??;

    // Measuring took long: each of the results is given even if another one fails.
    output::print(comparison.to_markdown());
    let written = json_path.map_or(Ok(()), |path| write_json(&comparison, path));
    let page = html_path.map_or(Ok(()), |path| {
        write_html(&comparison, sheet.as_ref().ok(), path)
    });
    let drawn = sheet.and_then(|sheet| write_image(&sheet, &sheet_path));
    let all_out = outputs.as_mut().map_or(Ok(()), Outputs::finish);
    written.and(page).and(drawn).and(all_out)?;
    output::note(format_args!("contact sheet  {}", sheet_path.display()));
    if let Some(outputs) = &outputs {
        output::note(format_args!(
            "outputs        {}",
            outputs.folder().display()
        ));
    }
    Ok(())
}

/// The settings that an evaluation has, before they are checked.
pub(crate) fn settings(matches: &ArgMatches) -> Result<Settings, TaskError> {
    let checkpoint = Checkpoint::newest(&run(matches)?)?;
    Ok(checkpoint.settings().with(&changes(matches)?)?)
}

/// The folder of the run, or of its checkpoint.
fn run(matches: &ArgMatches) -> Result<PathBuf, TaskError> {
    // clap has seen that it is given.
    Ok(found(matches, "run")?.unwrap_or_default())
}

/// The folder of the run that an option names, or of its checkpoint.
fn found(matches: &ArgMatches, option: &str) -> Result<Option<PathBuf>, TaskError> {
    let Some(run) = matches.get_one::<PathBuf>(option) else {
        return Ok(None);
    };
    let output_dir = match matches.get_one::<PathBuf>("output_dir") {
        Some(folder) => folder.clone(),
        None => Settings::resolve(&[Layer::from_environment(std::env::vars_os())?])?.output_dir,
    };
    find_run(run, &output_dir).map(Some)
}

/// What the environment and the flags change of the run's settings.
fn changes(matches: &ArgMatches) -> Result<[Layer; 2], SettingsError> {
    let names: Vec<String> = keys().map(Key::variable).collect();
    let variables = std::env::vars_os();
    let variables = variables.filter(|(name, _)| names.iter().any(|known| name == known.as_str()));
    let flags = keys().filter_map(|key| {
        let value = matches.get_one::<String>(key.name)?;
        Some((key.name, value.as_str()))
    });
    Ok([
        Layer::from_environment(variables)?,
        Layer::from_flags(flags)?,
    ])
}

/// Whether the file of an option can be written.
fn check_target(option: &str, path: &Path) -> anyhow::Result<()> {
    let fix = |error| {
        anyhow!(
            "cannot write {}: {error}; name another file with --{option}",
            path.display()
        )
    };
    writable::check_file(path).map_err(fix)
}

struct Measuring<'a> {
    study: &'a Study,
    tell: &'a mut dyn FnMut(Progress<'_>),
}

impl OnBackend for Measuring<'_> {
    type Output = Result<(Comparison, Result<RgbImage, TaskError>), TaskError>;

    fn remedy(&self) -> &'static str {
        REMEDY
    }

    fn run<B: TrainingBackend>(self, device: &B::Device) -> Self::Output {
        compare::<B>(self.study, device, self.tell)
    }
}

/// A bar over all pairs, on a terminal.
fn bar(pairs: usize) -> ProgressBar {
    let target = match std::io::stderr().is_terminal() {
        true => ProgressDrawTarget::stderr(),
        false => ProgressDrawTarget::hidden(),
    };
    let bar = ProgressBar::with_draw_target(Some(pairs as u64), target);
    match ProgressStyle::with_template("{bar:32} {pos} of {len} pairs, {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
