//! Pictures on the command line: which content goes with which reference, where each result is
//! written, and what is said of those that fail.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use huenet_data::{DataError, Photograph, layout};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output;

/// One picture to be made.
#[derive(Debug, PartialEq)]
pub(crate) struct Job {
    /// The file of the content image.
    pub(crate) content: PathBuf,
    /// The file of the colour reference, unless the verb needs none.
    pub(crate) reference: Option<PathBuf>,
    /// The file of the result.
    pub(crate) output: PathBuf,
}

/// Arguments that do not fit together.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PicturesError {
    #[error(
        "{count} pictures cannot go into one file {}: give --output a folder's name, without an \
         extension or with a / at its end", output.display()
    )]
    OneFile { count: usize, output: PathBuf },
    #[error(
        "the result of {} would take the place of {}: choose another --output",
        content.display(), taken.display()
    )]
    Own { content: PathBuf, taken: PathBuf },
    #[error("{} would take the place of {}: choose another name", output.display(), taken.display())]
    Input { output: PathBuf, taken: PathBuf },
    #[error("{} is named twice for what is to be written: choose another name", output.display())]
    Both { output: PathBuf },
    #[error(
        "the results of {} and {} would both be {}: give one folder at a time, or rename one of them",
        first.display(), second.display(), output.display()
    )]
    Twice {
        first: PathBuf,
        second: PathBuf,
        output: PathBuf,
    },
    #[error(
        "the references {} and {} have the same name: with several references, each content goes \
         with the one of its name; --all-pairs goes through all of them",
        first.display(), second.display()
    )]
    Ambiguous { first: PathBuf, second: PathBuf },
}

/// A picture that cannot be made.
#[derive(Debug, thiserror::Error)]
enum Unmade {
    #[error(
        "{} has no reference: none of the {count} references has the name {}; --all-pairs goes \
         through all of them", content.display(), name.display()
    )]
    Unmatched {
        content: PathBuf,
        name: OsString,
        count: usize,
    },
    #[error("{} already exists: choose another name, or give --overwrite", path.display())]
    Exists { path: PathBuf },
    #[error("{failed} of {all} pictures could not be made:{list}")]
    Several {
        failed: usize,
        all: usize,
        list: String,
    },
}

/// The flags that name the pictures.
pub(crate) fn with_flags(command: Command, needs_reference: bool) -> Command {
    let several = |name: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name("FILE|DIR")
            .num_args(1..)
            .action(ArgAction::Append)
            .value_parser(value_parser!(PathBuf))
            .help(help)
    };
    command
        .arg(
            several(
                "content",
                "The photographs to change: files, or folders of images",
            )
            .required(true),
        )
        .arg(
            several(
                "reference",
                "The colour references. One file is the reference of all contents; of several, or of a \
                 folder, each content gets the one of its own name",
            )
            .required(needs_reference),
        )
        .arg(
            Arg::new("output")
                .long("output")
                .value_name("FILE|DIR")
                .required(true)
                .value_parser(value_parser!(PathBuf))
                .help(
                    "The result's file, whose extension chooses the format; or a folder, where each \
                     result has its content's name",
                ),
        )
        .arg(
            Arg::new("all-pairs")
                .long("all-pairs")
                .action(ArgAction::SetTrue)
                .help("Give every content the colours of every reference"),
        )
        .arg(
            Arg::new("overwrite")
                .long("overwrite")
                .action(ArgAction::SetTrue)
                .help("Replace results that are there already"),
        )
}

/// The flag that says how far results go from their contents.
pub(crate) fn strength() -> Arg {
    Arg::new("strength")
        .long("strength")
        .value_name("0-1")
        .value_parser(share)
        .default_value("1")
        .help("How far each pixel goes from its colour to the new one")
}

/// What the flag of [`strength`] says.
pub(crate) fn strength_of(matches: &ArgMatches) -> f32 {
    matches.get_one::<f32>("strength").copied().unwrap_or(1.0)
}

/// A number from 0 to 1.
fn share(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("give a number from 0 to 1".to_owned()),
    }
}

/// The pictures to be made.
#[derive(Debug, Default)]
pub(crate) struct Jobs {
    contents: Vec<PathBuf>,
    references: Vec<PathBuf>,
    jobs: Vec<Job>,
    /// Contents without a reference, and why.
    unmatched: Vec<Unmade>,
    /// The folder of the results, if they go into one.
    folder: Option<PathBuf>,
    overwrite: bool,
}

impl Jobs {
    /// What the flags of [`with_flags`] ask for. The verb reads `inputs` too, and writes `outputs`.
    ///
    /// # Errors
    ///
    /// [`PicturesError`], [`DataError`] for a folder that cannot be listed or a file that cannot be written, and an
    /// error that names a file of `outputs` that is there already.
    pub(crate) fn given(
        matches: &ArgMatches,
        inputs: &[PathBuf],
        outputs: &[PathBuf],
    ) -> anyhow::Result<Self> {
        let paths = |name: &str| -> Vec<PathBuf> {
            let given = matches.get_many::<PathBuf>(name).into_iter().flatten();
            given.cloned().collect()
        };
        let (contents, references) = (paths("content"), paths("reference"));
        let output = matches.get_one::<PathBuf>("output");
        let all_pairs = matches.get_flag("all-pairs");
        let mut planned = Self::plan(
            &contents,
            &references,
            output.map(PathBuf::as_path),
            all_pairs,
        )?;
        planned.overwrite = matches.get_flag("overwrite");
        planned.check(inputs, outputs)?;
        Ok(planned)
    }

    fn plan(
        contents: &[PathBuf],
        references: &[PathBuf],
        output: Option<&Path>,
        all_pairs: bool,
    ) -> anyhow::Result<Self> {
        let one_file = matches!(contents, [content] if !content.is_dir());
        let one_reference = matches!(references, [reference] if !reference.is_dir());
        let mut planned = Self {
            contents: listed(contents)?,
            references: listed(references)?,
            ..Self::default()
        };
        let Some(output) = output else {
            return Ok(planned);
        };
        let (contents, references) = (&planned.contents, &planned.references);
        let mut unmatched = Vec::new();
        let mut pairs: Vec<(&PathBuf, Option<&PathBuf>)> = Vec::new();
        if references.is_empty() {
            pairs.extend(contents.iter().map(|content| (content, None)));
        } else if all_pairs || one_reference {
            for content in contents {
                pairs.extend(
                    references
                        .iter()
                        .map(|reference| (content, Some(reference))),
                );
            }
        } else {
            let named = by_name(references)?;
            for content in contents {
                match named.get(stem(content)) {
                    Some(reference) => pairs.push((content, Some(*reference))),
                    None => unmatched.push(Unmade::Unmatched {
                        content: content.clone(),
                        name: stem(content).to_owned(),
                        count: references.len(),
                    }),
                }
            }
        }
        let is_file = is_file_name(output) && !output.is_dir();
        let count = pairs.len() + unmatched.len();
        if is_file && (count > 1 || !one_file) {
            let output = output.to_owned();
            return Err(PicturesError::OneFile { count, output }.into());
        }
        if is_file {
            Photograph::check_output(output)?;
        }
        let both_names = all_pairs && references.len() > 1;
        let job = |(content, reference): (&PathBuf, Option<&PathBuf>)| Job {
            content: content.clone(),
            reference: reference.cloned(),
            output: match is_file {
                true => output.to_owned(),
                false => output.join(name(content, reference.filter(|_| both_names))),
            },
        };
        planned.jobs = pairs.into_iter().map(job).collect();
        planned.unmatched = unmatched;
        planned.folder = (!is_file).then(|| output.to_owned());
        Ok(planned)
    }

    /// The content images, in order.
    pub(crate) fn contents(&self) -> &[PathBuf] {
        &self.contents
    }

    /// The references, in order.
    pub(crate) fn references(&self) -> &[PathBuf] {
        &self.references
    }

    /// Refuses results that would replace one another, or a file that is read.
    fn check(&self, inputs: &[PathBuf], outputs: &[PathBuf]) -> anyhow::Result<()> {
        let read = self.contents.iter().chain(&self.references).chain(inputs);
        let read: BTreeMap<PathBuf, &PathBuf> = read.map(|path| (place(path), path)).collect();
        let mut written: BTreeMap<PathBuf, &PathBuf> = BTreeMap::new();
        for job in &self.jobs {
            let output = place(&job.output);
            if let Some(taken) = read.get(&output) {
                let (content, taken) = (job.content.clone(), (*taken).clone());
                return Err(PicturesError::Own { content, taken }.into());
            }
            if let Some(first) = written.insert(output, &job.content) {
                return Err(PicturesError::Twice {
                    first: first.clone(),
                    second: job.content.clone(),
                    output: job.output.clone(),
                }
                .into());
            }
        }
        for path in outputs {
            let (output, path) = (place(path), path.clone());
            if let Some(taken) = read.get(&output) {
                let (output, taken) = (path, (*taken).clone());
                return Err(PicturesError::Input { output, taken }.into());
            }
            if written.contains_key(&output) || outputs.iter().filter(|it| **it == path).count() > 1
            {
                return Err(PicturesError::Both { output: path }.into());
            }
            if path.exists() && !self.overwrite {
                return Err(Unmade::Exists { path }.into());
            }
        }
        Ok(())
    }

    /// How many pictures are to be made.
    pub(crate) fn len(&self) -> usize {
        self.jobs.len() + self.unmatched.len()
    }

    /// Makes each picture by `make`, and prints where it is and what `make` notes about it. One that fails does not
    /// stop the others. A folder for the results is made first.
    ///
    /// # Errors
    ///
    /// The only picture's error; or one that names all that failed.
    pub(crate) fn each(
        self,
        mut make: impl FnMut(&Job) -> anyhow::Result<Vec<String>>,
    ) -> anyhow::Result<()> {
        if let Some(folder) = &self.folder {
            let told = |error| anyhow!("cannot make the folder {}: {error}", folder.display());
            std::fs::create_dir_all(folder).map_err(told)?;
        }
        let all = self.len();
        let bar = bar(all);
        let mut failed: Vec<anyhow::Error> = Vec::new();
        for job in &self.jobs {
            let made = match !self.overwrite && job.output.exists() {
                true => Err(Unmade::Exists {
                    path: job.output.clone(),
                }
                .into()),
                false => make(job),
            };
            match made {
                Ok(notes) => bar.suspend(|| {
                    output::line(job.output.display());
                    notes.iter().for_each(output::note);
                }),
                Err(error) => failed.push(error),
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        failed.extend(self.unmatched.into_iter().map(anyhow::Error::from));
        match failed.len() {
            0 => Ok(()),
            1 if all == 1 => Err(failed.remove(0)),
            count => Err(Unmade::Several {
                failed: count,
                all,
                list: failed.iter().map(|error| format!("\n  {error}")).collect(),
            }
            .into()),
        }
    }
}

/// Where a path leads, however it is written.
fn place(path: &Path) -> PathBuf {
    let absolute = || std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    std::fs::canonicalize(path).unwrap_or_else(|_| absolute())
}

/// A bar over several pictures, on a terminal.
fn bar(pictures: usize) -> ProgressBar {
    let target = match pictures > 1 && output::redraws() {
        true => ProgressDrawTarget::stderr(),
        false => ProgressDrawTarget::hidden(),
    };
    let bar = ProgressBar::with_draw_target(Some(pictures as u64), target);
    match ProgressStyle::with_template("{bar:32} {pos} of {len} pictures, {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// The files that are given, and those in the folders that are given.
fn listed(given: &[PathBuf]) -> Result<Vec<PathBuf>, DataError> {
    let mut files = Vec::new();
    for path in given {
        match path.is_dir() {
            true => files.extend(layout::images_in(path)?),
            false => files.push(path.clone()),
        }
    }
    Ok(files)
}

/// A file's name without folder and extension.
fn stem(path: &Path) -> &OsStr {
    path.file_stem().unwrap_or(path.as_os_str())
}

fn by_name(references: &[PathBuf]) -> Result<BTreeMap<&OsStr, &PathBuf>, PicturesError> {
    let mut named = BTreeMap::new();
    for reference in references {
        if let Some(first) = named.insert(stem(reference), reference) {
            return Err(PicturesError::Ambiguous {
                first: first.clone(),
                second: reference.clone(),
            });
        }
    }
    Ok(named)
}

/// Whether a path is that of a file: it has an extension, and no separator at its end.
fn is_file_name(path: &Path) -> bool {
    let text = path.as_os_str().as_encoded_bytes();
    let ends = text.last().is_some_and(|end| matches!(end, b'/' | b'\\'));
    !ends && path.extension().is_some()
}

/// The name of a result in a folder: its content's, with that of its reference if there are several of each
/// content. What cannot be written as the content's kind of file becomes PNG.
fn name(content: &Path, reference: Option<&PathBuf>) -> OsString {
    let mut name = stem(content).to_owned();
    if let Some(reference) = reference {
        name.push("-");
        name.push(stem(reference));
    }
    let extension = content.extension().unwrap_or_default();
    let mut known = Photograph::EXTENSIONS.iter();
    let is_written = known.any(|known| extension.eq_ignore_ascii_case(known));
    name.push(".");
    name.push(if is_written {
        extension
    } else {
        "png".as_ref()
    });
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Place(tempfile::TempDir);

    impl Place {
        /// A folder with empty files.
        fn with(files: &[&str]) -> Self {
            let place = Self(tempfile::tempdir().unwrap());
            for name in files {
                let path = place.at(name);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, "").unwrap();
            }
            place
        }

        fn at(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        /// The pairs with their results, below the place; or the error.
        fn plan(
            &self,
            contents: &[&str],
            references: &[&str],
            output: &str,
            all_pairs: bool,
        ) -> Result<Vec<String>, String> {
            let paths = |names: &[&str]| -> Vec<PathBuf> {
                names.iter().map(|name| self.at(name)).collect()
            };
            let (contents, references) = (paths(contents), paths(references));
            let jobs = Jobs::plan(&contents, &references, Some(&self.at(output)), all_pairs);
            let jobs = jobs.map_err(|error| error.to_string())?;
            jobs.check(&[], &[]).map_err(|error| error.to_string())?;
            let short = |path: &PathBuf| {
                let below = path.strip_prefix(self.0.path()).unwrap();
                below.to_string_lossy().replace('\\', "/")
            };
            let told = jobs.jobs.iter().map(|job| {
                let reference = job.reference.as_ref().map(short).unwrap_or_default();
                format!("{} {reference} {}", short(&job.content), short(&job.output))
            });
            Ok(told.collect())
        }
    }

    #[test]
    fn one_file_goes_into_a_file_or_a_folder() {
        let place = Place::with(&["a.jpg", "b.gif", "r.png", "there/x"]);
        let plan = |content, output| place.plan(&[content], &["r.png"], output, false);
        assert_eq!(plan("a.jpg", "c.png").unwrap(), ["a.jpg r.png c.png"]);
        assert_eq!(plan("a.jpg", "new").unwrap(), ["a.jpg r.png new/a.jpg"]);
        assert_eq!(plan("a.jpg", "v1.0/").unwrap(), ["a.jpg r.png v1.0/a.jpg"]);
        assert_eq!(plan("b.gif", "there").unwrap(), ["b.gif r.png there/b.png"]);
        assert_eq!(
            place.plan(&["a.jpg"], &[], "c.png", false).unwrap(),
            ["a.jpg  c.png"]
        );
    }

    #[test]
    fn references_are_one_for_all_or_of_the_same_name_or_all_of_them() {
        let place = Place::with(&[
            "in/a.jpg",
            "in/b.png",
            "in/notes.txt",
            "refs/b.jpg",
            "refs/c.jpg",
        ]);
        assert_eq!(
            place.plan(&["in"], &["refs/c.jpg"], "out", false).unwrap(),
            [
                "in/a.jpg refs/c.jpg out/a.jpg",
                "in/b.png refs/c.jpg out/b.png"
            ]
        );
        assert_eq!(
            place.plan(&["in"], &["refs"], "out", false).unwrap(),
            ["in/b.png refs/b.jpg out/b.png"]
        );
        assert_eq!(
            place.plan(&["in/a.jpg"], &["refs"], "out", true).unwrap(),
            [
                "in/a.jpg refs/b.jpg out/a-b.jpg",
                "in/a.jpg refs/c.jpg out/a-c.jpg"
            ]
        );
    }

    #[test]
    fn nothing_is_replaced_unawares() {
        let place = Place::with(&["a.jpg", "in/a.jpg", "in/b.jpg", "r.png", "x/r.jpg"]);
        let refused = |contents: &[&str], references: &[&str], output: &str, words: &str| {
            let error = place.plan(contents, references, output, false).unwrap_err();
            assert!(error.contains(words), "{error}");
        };
        refused(
            &["in"],
            &["r.png"],
            "one.png",
            "2 pictures cannot go into one file",
        );
        refused(&["in"], &["r.png"], "in", "would take the place of");
        refused(&["a.jpg"], &["r.png"], "r.png", "would take the place of");
        refused(&["a.jpg", "in/a.jpg"], &["r.png"], "out", "would both be");
        refused(
            &["a.jpg"],
            &["r.png", "x/r.jpg"],
            "out",
            "have the same name",
        );
    }

    #[test]
    fn a_failure_stops_no_other_picture_and_is_named() {
        let place = Place::with(&[
            "in/a.jpg",
            "in/b.jpg",
            "in/c.jpg",
            "out/b.jpg",
            "refs/a.png",
            "refs/b.png",
        ]);
        let jobs = Jobs::plan(
            &[place.at("in")],
            &[place.at("refs")],
            Some(&place.at("out")),
            false,
        );
        let mut made = Vec::new();
        let outcome = jobs.unwrap().each(|job| {
            made.push(stem(&job.content).to_owned());
            Ok(Vec::new())
        });
        assert_eq!(made, ["a"]);
        let error = outcome.unwrap_err().to_string();
        for words in ["2 of 3 pictures", "--overwrite", "c.jpg has no reference"] {
            assert!(error.contains(words), "{words}: {error}");
        }
    }
}
