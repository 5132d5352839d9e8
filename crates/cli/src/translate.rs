//! `huenet translate`.

use std::path::{Path, PathBuf};

use clap::builder::{PathBufValueParser, TypedValueParser};
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
use crate::{output, runs, written};

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
        .mut_arg("output", |arg| arg.required(false).required_unless_present("maps"))
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
        .arg(
            Arg::new("maps")
                .long("maps")
                .value_name("FILE.safetensors")
                .value_parser(PathBufValueParser::new().try_map(named))
                .help(
                    "Write the colour maps that are fitted to one content and one reference, and both as the network \
                     sees them: what an exported ONNX model of prediction local_maps takes",
                ),
        )
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

/// Refuses a file name without the extension that readers look for.
fn named(path: PathBuf) -> Result<PathBuf, String> {
    match path.extension() {
        Some(kind) if kind == "safetensors" => Ok(path),
        _ => Err(format!(
            "name it {}",
            path.with_extension("safetensors").display()
        )),
    }
}

/// Options that do not fit together, or not the model.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TranslateUsage {
    #[error(
        "--maps is for one pair, and there are {contents} contents and {references} references: give one of each"
    )]
    Pairs { contents: usize, references: usize },
    #[error(
        "no maps are fitted for the model ({model}): leave --maps out, or give a --run with prediction local_maps"
    )]
    NoMaps { model: String },
}

fn machine() -> impl Iterator<Item = &'static Key> {
    MACHINE.into_iter().filter_map(Key::find)
}

/// Translates photographs.
pub(crate) fn translate(matches: &ArgMatches) -> anyhow::Result<()> {
    let sheet = sheet::given(matches)?;
    let maps = matches.get_one::<PathBuf>("maps").cloned();
    let model = model(matches)?;
    let outputs: Vec<PathBuf> = sheet.iter().chain(&maps).cloned().collect();
    let jobs = Jobs::given(matches, &[], &outputs)?;
    let (contents, references) = (jobs.contents().len(), jobs.references().len());
    if maps.is_some() && (contents, references) != (1, 1) {
        return Err(TranslateUsage::Pairs {
            contents,
            references,
        }
        .into());
    }
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
        maps: maps.as_deref(),
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
    maps: Option<&'a Path>,
}

impl OnBackend for Translating<'_> {
    type Output = anyhow::Result<()>;

    fn remedy(&self) -> &'static str {
        REMEDY
    }

    fn run<B: TrainingBackend>(self, device: &B::Device) -> Self::Output {
        let translator = Translator::<B>::new(self.model, device)?;
        if let Some(path) = self.maps {
            write_maps(&translator, self.model, &self.jobs, path)?;
        }
        let mut maker = Maker {
            translator,
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

/// Writes what the network is given for the only pair.
fn write_maps<B: TrainingBackend>(
    translator: &Translator<B>,
    model: &Model,
    jobs: &Jobs,
    path: &Path,
) -> anyhow::Result<()> {
    for (content, reference) in jobs.contents().iter().zip(jobs.references()) {
        let [content, reference] = [Photograph::read(content)?, Photograph::read(reference)?];
        let Some(given) = translator.maps_input(&content, &reference)? else {
            let model = model.description();
            return Err(TranslateUsage::NoMaps { model }.into());
        };
        given.write(path)?;
        output::line(path.display());
    }
    Ok(())
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
