//! `huenet translate`.

use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Command, value_parser};
use huenet_data::{Photograph, RgbImage, WriteOptions};
use huenet_tasks::settings::Key;
use huenet_tasks::{
    Layer, Model, Settings, Task, TaskError, TrainingBackend, TranslateOptions, Translator,
    find_run,
};

use crate::backend::{self, OnBackend};
use crate::evaluate::REMEDY;
use crate::pictures::{self, Job, Jobs};
use crate::sheet::{self, Sheet};
use crate::shipped::{Shipped, on_this_machine};
use crate::{runs, written};

/// The settings of the machine; the first two say where to compute.
const MACHINE: [&str; 3] = ["backend", "device", "threads"];

const LONG: &str = "\
Translate photographs with a trained model: one that ships with huenet, or with --run one of yours. Each result has the content's size; of its alpha, and of 16 bits a \
sample, what its format has. The network works at its own size; color_transfer and colorization give the content's \
own pixels new colours, edges2photos enlarges the network's image.

The models that ship are for color_transfer (the default) and, with --task colorization, for colorization.

The content of colorization may have colours; they are not used. That of edges2photos is a drawing of edges.";

/// The verb.
pub(crate) fn command() -> Command {
    let command = Command::new("translate")
        .about("Translate photographs with a trained model")
        .long_about(LONG);
    let command = pictures::with_flags(command, true)
        .mut_arg("output", |arg| arg.required(true))
        .arg(
            Arg::new("run")
                .long("run")
                .value_name("RUN|FILE")
                .value_parser(value_parser!(PathBuf))
                .help(
                    "A model of yours: a run's folder, its name in the output folder, `latest`, the folder of a \
                     checkpoint, or generator.safetensors of `huenet export` [default: a model that ships with \
                     huenet]",
                ),
        )
        .arg(
            Arg::new("task")
                .long("task")
                .value_name("TASK")
                .value_parser(str::parse::<Task>)
                .conflicts_with("run")
                .help(
                    "Which model that ships with huenet: color_transfer or colorization [default: color_transfer]",
                ),
        )
        .arg(pictures::strength())
        .args(written::flags())
        .arg(sheet::flag(
            "Write a contact sheet, too: content, reference and result of each picture",
        ))
        .arg(runs::output_dir());
    let machine = machine().map(|key| {
        Arg::new(key.name)
            .long(key.name)
            .value_name(key.name.to_uppercase())
            .help(format!(
                "{} [default: the run's; without --run that of `huenet train`]",
                crate::flags::help(key)
            ))
    });
    command
        .args(machine)
        .arg(crate::flags::tf32().help_heading(None::<&str>))
}

fn machine() -> impl Iterator<Item = &'static Key> {
    MACHINE.into_iter().filter_map(Key::find)
}

/// Translates photographs.
pub(crate) fn translate(matches: &ArgMatches) -> anyhow::Result<()> {
    let sheet = sheet::given(matches)?;
    let model = model(matches)?;
    let outputs: Vec<PathBuf> = sheet.iter().cloned().collect();
    let jobs = Jobs::given(matches, &[], &outputs)?;
    let settings = settings_of(&model, matches)?;
    let asked = machine()
        .take(2)
        .any(|key| matches.contains_id(key.name) || std::env::var_os(key.variable()).is_some());
    let (name, device) = match asked {
        true => (settings.backend, settings.device),
        false => backend::usable(&settings),
    };
    backend::set_threads(settings.threads);
    let strength = pictures::strength_of(matches);
    let made_by = format!("translate, {}, strength {strength}", model.description());
    let work = Translating {
        model: &model,
        jobs,
        options: TranslateOptions { strength },
        writing: written::options(matches, &made_by),
        sheet: sheet.as_deref(),
    };
    backend::on(&name, device.as_deref(), work)?
}

/// The settings that a translation has, before they are checked.
pub(crate) fn settings(matches: &ArgMatches) -> anyhow::Result<Settings> {
    Ok(settings_of(&model(matches)?, matches)?)
}

fn settings_of(model: &Model, matches: &ArgMatches) -> Result<Settings, TaskError> {
    let settings = match matches.contains_id("run") {
        true => model.settings().clone(),
        false => on_this_machine(model.settings()),
    };
    Ok(settings.with(&changes(matches)?)?)
}

/// The model that a user means.
fn model(matches: &ArgMatches) -> anyhow::Result<Model> {
    let Some(given) = matches.get_one::<PathBuf>("run") else {
        let task = matches.get_one::<Task>("task").copied();
        return Ok(Shipped::of(task)?.model()?);
    };
    let is_export = given.extension().is_some_and(|kind| kind == "safetensors");
    Ok(match is_export && given.is_file() {
        true => Model::open(given)?,
        false => {
            let folder = runs::folder(matches).map_err(TaskError::from)?;
            Model::open(&find_run(given, &folder)?)?
        }
    })
}

/// What the environment and the flags change of the model's settings.
fn changes(matches: &ArgMatches) -> Result<[Layer; 2], TaskError> {
    let names: Vec<String> = machine().map(Key::variable).collect();
    let variables = std::env::vars_os();
    let variables = variables.filter(|(name, _)| names.iter().any(|known| name == known.as_str()));
    let flags = machine().filter_map(|key| {
        let value = matches.get_one::<String>(key.name)?;
        Some((key.name, value.as_str()))
    });
    Ok([
        Layer::from_environment(variables)?,
        Layer::from_flags(flags)?,
    ])
}

/// The work for a backend.
struct Translating<'a> {
    model: &'a Model,
    jobs: Jobs,
    options: TranslateOptions,
    writing: WriteOptions,
    sheet: Option<&'a Path>,
}

impl OnBackend for Translating<'_> {
    type Output = anyhow::Result<()>;

    fn remedy(&self) -> &'static str {
        REMEDY
    }

    fn run<B: TrainingBackend>(self, device: &B::Device) -> Self::Output {
        let mut maker = Maker {
            translator: Translator::<B>::new(self.model, device)?,
            options: self.options,
            writing: self.writing,
            reference: None,
            sheet: self.sheet.map(|_| Sheet::default()),
        };
        let made = self.jobs.each(|job| maker.make(job));
        if let (Some(path), Some(sheet)) = (self.sheet, maker.sheet) {
            sheet.finish(path)?;
        }
        made
    }
}

/// Makes pictures.
struct Maker<B: TrainingBackend> {
    translator: Translator<B>,
    options: TranslateOptions,
    writing: WriteOptions,
    /// The last reference: most often it is that of the next picture too.
    reference: Option<Reference>,
    sheet: Option<Sheet>,
}

struct Reference {
    path: PathBuf,
    photograph: Photograph,
    tile: RgbImage,
}

impl<B: TrainingBackend> Maker<B> {
    /// Makes a picture, and returns what there is to note about it.
    fn make(&mut self, job: &Job) -> anyhow::Result<Vec<String>> {
        Photograph::check_output(&job.output)?;
        // clap has seen that there are references.
        let path = job.reference.clone().unwrap_or_default();
        let reference = match self.reference.take() {
            Some(last) if last.path == path => last,
            last => {
                drop(last);
                let photograph = Photograph::read(&path)?;
                let tile = sheet::tile(&photograph);
                Reference {
                    path,
                    photograph,
                    tile,
                }
            }
        };
        let reference = self.reference.insert(reference);
        let content = Photograph::read(&job.content)?;
        let result = self
            .translator
            .translate(&content, &reference.photograph, &self.options);
        let result = result.map_err(|error| {
            anyhow::anyhow!("cannot translate {}: {error}", job.content.display())
        })?;
        let notes = written::write(&result, &job.content, &job.output, &self.writing)?;
        if let Some(sheet) = &mut self.sheet {
            sheet.add(vec![
                sheet::tile(&content),
                reference.tile.clone(),
                sheet::tile(&result),
            ]);
        }
        Ok(notes)
    }
}
