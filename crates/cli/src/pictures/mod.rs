//! Pictures on the command line: which content goes with which reference, where each result is
//! written, and what is said of those that fail.

mod error;
mod files;
mod flags;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::ArgMatches;
use huenet_data::Photograph;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output;
use error::Unmade;
use files::{by_name, is_file_name, listed, name, place, stem};

pub(crate) use error::PicturesError;
pub(crate) use flags::{overwrite, strength, strength_of, with_flags};

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
    /// [`PicturesError`], [`DataError`](huenet_data::DataError) for a folder that cannot be listed or a file that cannot be written, and an
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
            if !self.overwrite {
                refuse_existing(&path)?;
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
            let free = match self.overwrite {
                true => Ok(()),
                false => refuse_existing(&job.output),
            };
            let made = free.and_then(|()| make(job));
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

/// Refuses to write what is there already.
pub(crate) fn refuse_existing(path: &Path) -> anyhow::Result<()> {
    match path.exists() {
        true => Err(Unmade::Exists {
            path: path.to_owned(),
        }
        .into()),
        false => Ok(()),
    }
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

#[cfg(test)]
mod tests;
