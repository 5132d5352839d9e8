//! `huenet transfer`.

mod found;
mod look;
mod options;
mod paint;
mod samples;

use std::path::Path;

use clap::ArgMatches;
use huenet_data::{Photograph, WriteOptions};

use crate::pictures::{Job, Jobs};
use crate::sheet::{self, Sheet};
use crate::written;
use found::found;
use look::Look;
use options::Options;
use paint::paint;
use samples::{Reference, sample};

pub(crate) use options::{TransferUsage, command};

/// Gives photographs the colours of others.
pub(crate) fn transfer(matches: &ArgMatches) -> anyhow::Result<()> {
    let options = Options::given(matches)?;
    let sheet = sheet::given(matches)?;
    let outputs: Vec<_> = options.looks().chain(sheet.clone()).collect();
    let jobs = Jobs::given(matches, &options.inputs(), &outputs)?;
    let look = Look::of_all(&options, &jobs)?;
    let mut maker = Maker {
        options: &options,
        writing: written::options(matches, &options.told()),
        look,
        reference: None,
        sheet: sheet.as_ref().map(|_| Sheet::default()),
    };
    let made = jobs.each(|job| maker.make(job));
    if let (Some(path), Some(sheet)) = (sheet, maker.sheet) {
        sheet.finish(&path)?;
    }
    made
}

/// Makes pictures.
struct Maker<'a> {
    options: &'a Options,
    writing: WriteOptions,
    /// The look of all pictures, if they have one.
    look: Option<Look>,
    /// The last reference: most often it is that of the next picture too.
    reference: Option<Reference>,
    sheet: Option<Sheet>,
}

impl Maker<'_> {
    /// Makes a picture, and returns what there is to note about it.
    fn make(&mut self, job: &Job) -> anyhow::Result<Vec<String>> {
        Photograph::check_output(&job.output)?;
        let options = self.options;
        let mut photograph = Photograph::read(&job.content)?;
        let mask = options.masks.of_content(&job.content, &photograph)?;
        let before = self.sheet.as_ref().map(|_| sheet::tile(&photograph));
        if let Some(path) = &job.reference
            && (self.look.is_none() || self.sheet.is_some())
        {
            self.read_reference(path)?;
        }
        match (&self.look, &self.reference) {
            (Some(look), _) => {
                paint(&*look.map, look.strength, &mut photograph, mask.as_ref());
            }
            (None, Some(reference)) => {
                let content = sample(&job.content, &photograph, mask.as_ref())?;
                let map = found(options, &content, &reference.sample)?;
                paint(&*map, options.strength, &mut photograph, mask.as_ref());
            }
            // clap has seen that there is a look or a reference.
            (None, None) => {}
        }
        let notes = written::write(&photograph, &job.content, &job.output, &self.writing)?;
        if let (Some(sheet), Some(before)) = (&mut self.sheet, before) {
            let reference = self.reference.as_ref().map(|it| it.tile.clone());
            let after = sheet::tile(&photograph);
            sheet.add(
                [before]
                    .into_iter()
                    .chain(reference)
                    .chain([after])
                    .collect(),
            );
        }
        Ok(notes)
    }

    fn read_reference(&mut self, path: &Path) -> anyhow::Result<()> {
        if self.reference.as_ref().is_none_or(|it| it.path != path) {
            self.reference = None;
            self.reference = Some(Reference::read(path, &self.options.masks)?);
        }
        Ok(())
    }
}
