//! The flags of `huenet transfer`.

use std::path::PathBuf;

use clap::builder::{PathBufValueParser, PossibleValue, TypedValueParser};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use huenet_tasks::RefineOptions;
use huenet_tasks::transfer::{FitOptions, Method, TransferError};

use super::samples::Masks;
use crate::{pictures, sheet, written};

const LONG: &str = "\
Give photographs the colours of a reference, without training. Each result has the content's size; of its \
alpha, and of 16 bits a sample, what its format has.

Methods:
local-maps: affine colour maps that vary slowly over the image and with its brightness; the default. --refine brings \
them nearer to the reference's colours, and takes longer.
lut: one smooth table of colours for the whole image.
reinhard, monge-kantorovich: linear, from means and (co)variances.
histogram-matching: each channel by itself; matched-monge-kantorovich: before and after the linear map.
iterative-distribution-transfer: all colours; noisy where they are few.

A look (--lut, --hald, --method lut, --one-look) is made once, from the first content and one reference, and put \
on every content; so the frames of a film do not flicker.";

/// How many steps `--refine` takes by itself: [`RefineOptions::STEPS`], in words of the command line.
const STEPS: &str = "60";

/// The verb.
pub(crate) fn command() -> Command {
    let path = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name(value)
            .value_parser(value_parser!(PathBuf))
            .help(help)
    };
    let command = Command::new("transfer")
        .about("Give photographs the colours of others, without training")
        .long_about(LONG);
    pictures::with_flags(command, false)
        .mut_arg("reference", |arg| arg.required_unless_present("apply"))
        .mut_arg("output", |arg| {
            arg.required(false).required_unless_present_any(["lut", "hald"])
        })
        .arg(
            Arg::new("method")
                .long("method")
                .value_name("METHOD")
                .value_parser(Method::ALL.map(|method| {
                    PossibleValue::new(word(method)).alias(method.name())
                }))
                .help("How colours are found [default: local-maps; lut with --lut or --hald]"),
        )
        .arg(pictures::strength())
        .arg(
            Arg::new("smoothness")
                .long("smoothness")
                .value_name("X")
                .value_parser(value_parser!(f64))
                .help(
                    "How gentle local-maps and lut are: above 0; the larger, the nearer to \
                     monge-kantorovich [default: 1]",
                ),
        )
        .arg(
            Arg::new("refine")
                .long("refine")
                .value_name("STEPS")
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value(STEPS)
                .value_parser(value_parser!(usize))
                .help(
                    "Refine local-maps by gradient descent on the losses of training, in so many steps: 0 to 10000 \
                     [default without STEPS: 60]",
                ),
        )
        .arg(
            path("lut", "FILE.cube", "Write the look as a table that other programs read")
                .value_parser(PathBufValueParser::new().try_map(|path| named(path, "cube"))),
        )
        .arg(
            Arg::new("lut-size")
                .long("lut-size")
                .value_name("N")
                .value_parser(["17", "33", "65"])
                .default_value("33")
                .help("How many colours a look's table has along a side"),
        )
        .arg(
            path("hald", "FILE.png", "Write the look as a HALD image of level 8")
                .value_parser(PathBufValueParser::new().try_map(|path| named(path, "png"))),
        )
        .arg(
            Arg::new("one-look")
                .long("one-look")
                .action(ArgAction::SetTrue)
                .help("Make one look for all contents, from the first one"),
        )
        .arg(
            path(
                "apply",
                "LOOK",
                "Put this look on the contents: a .cube file or a HALD image",
            )
            .conflicts_with_all([
                "reference", "method", "smoothness", "refine", "lut", "hald", "one-look", "all-pairs",
                "reference-mask",
            ]),
        )
        .arg(path(
            "content-mask",
            "FILE|DIR",
            "A grey image of the content's size: what is white counts and changes, what is black does not; or a \
             folder with one of each content's name",
        ))
        .arg(path(
            "reference-mask",
            "FILE|DIR",
            "A grey image of the reference's size: what is white counts; or a folder with one of each reference's \
             name",
        ))
        .args(written::flags())
        .arg(sheet::flag(
            "Write a contact sheet, too: content, reference and result of each picture",
        ))
}

/// Options that do not fit together.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TransferUsage {
    #[error(
        "local-maps change with the place in the image, and a table of colours does not: leave --method out, or \
         choose another one"
    )]
    Places,
    #[error(
        "a look for all pictures is made from one reference, and there are {count}: give one, or leave out \
         --lut, --hald, --one-look and --method lut"
    )]
    References { count: usize },
    #[error("--smoothness is for local-maps and lut, not for {method}")]
    Smoothness { method: String },
    #[error(
        "--refine changes local maps, and a table of colours has none: leave out --refine or {table}"
    )]
    RefinedTable { table: &'static str },
    #[error("--refine is for local-maps, not for {method}: leave out --refine or --method")]
    RefinedMethod { method: String },
    #[error(transparent)]
    Fit(#[from] TransferError),
}

/// What the flags ask for.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) method: Method,
    pub(super) fit: FitOptions,
    /// How fitted maps are refined, if they are.
    pub(super) refine: Option<RefineOptions>,
    /// 0 to 1.
    pub(super) strength: f32,
    pub(super) masks: Masks,
    pub(super) lut: Option<PathBuf>,
    pub(super) hald: Option<PathBuf>,
    pub(super) apply: Option<PathBuf>,
    pub(super) one_look: bool,
}

impl Options {
    pub(super) fn given(matches: &ArgMatches) -> Result<Self, TransferUsage> {
        let path = |name: &str| matches.get_one::<PathBuf>(name).cloned();
        let (lut, hald) = (path("lut"), path("hald"));
        let is_table = lut.is_some() || hald.is_some();
        let given = matches.get_one::<String>("method");
        let given = given.and_then(|given| {
            let mut methods = Method::ALL.into_iter();
            methods.find(|method| *given == word(*method) || given == method.name())
        });
        let method = match given {
            Some(Method::LocalMaps) if is_table => return Err(TransferUsage::Places),
            Some(method) => method,
            None if is_table => Method::Lut,
            None => Method::default(),
        };
        let mut fit = FitOptions::default();
        if let Some(smoothness) = matches.get_one::<f64>("smoothness") {
            if !is_smooth(method) {
                let method = word(method);
                return Err(TransferUsage::Smoothness { method });
            }
            fit = fit.with_smoothness(*smoothness)?;
        }
        let size = matches.get_one::<String>("lut-size");
        if let Some(size) = size.and_then(|size| size.parse().ok()) {
            fit = fit.with_lut_size(size)?;
        }
        let steps = matches.get_one::<usize>("refine").copied();
        if let Some(table) = steps.and_then(|_| table(method, is_table)) {
            return Err(TransferUsage::RefinedTable { table });
        }
        if steps.is_some() && method != Method::LocalMaps {
            let method = word(method);
            return Err(TransferUsage::RefinedMethod { method });
        }
        // As gentle as the fit.
        let refine = steps.map(|steps| {
            RefineOptions::default()
                .with_smoothness(fit.smoothness())?
                .with_steps(steps)
        });
        Ok(Self {
            method,
            refine: refine.transpose()?,
            fit,
            strength: pictures::strength_of(matches),
            masks: Masks {
                content: path("content-mask"),
                reference: path("reference-mask"),
            },
            lut,
            hald,
            apply: path("apply"),
            one_look: matches.get_flag("one-look"),
        })
    }

    /// The files of the look that are to be written.
    pub(super) fn looks(&self) -> impl Iterator<Item = PathBuf> {
        self.lut.iter().chain(&self.hald).cloned()
    }

    /// The files that are read beside contents and references.
    pub(super) fn inputs(&self) -> Vec<PathBuf> {
        let masks = self.masks.content.iter().chain(&self.masks.reference);
        masks.chain(&self.apply).cloned().collect()
    }

    /// What is done, for the results' metadata.
    pub(super) fn told(&self) -> String {
        let strength = self.strength;
        if let Some(look) = &self.apply {
            let name = look.file_name().unwrap_or_default().to_string_lossy();
            return format!("transfer, look {name}, strength {strength}");
        }
        let method = word(self.method);
        let smoothness = match is_smooth(self.method) {
            true => format!(", smoothness {}", self.fit.smoothness()),
            false => String::new(),
        };
        let refined = self.refine.as_ref().map_or_else(String::new, |refine| {
            format!(", refined in {} steps", refine.steps())
        });
        format!("transfer, method {method}{smoothness}{refined}, strength {strength}")
    }
}

/// The word of a method on the command line.
fn word(method: Method) -> String {
    method.name().replace('_', "-")
}

/// What asks for a table of colours, if something does.
fn table(method: Method, is_written: bool) -> Option<&'static str> {
    match (is_written, method) {
        (true, _) => Some("--lut and --hald"),
        (false, Method::Lut) => Some("--method lut"),
        (false, _) => None,
    }
}

fn is_smooth(method: Method) -> bool {
    matches!(method, Method::LocalMaps | Method::Lut)
}

/// Refuses a file name without the extension.
fn named(path: PathBuf, extension: &str) -> Result<PathBuf, String> {
    match path.extension() {
        Some(kind) if kind.eq_ignore_ascii_case(extension) => Ok(path),
        _ => Err(format!(
            "name it {}",
            path.with_extension(extension).display()
        )),
    }
}
