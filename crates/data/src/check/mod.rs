//! Examines every image of a dataset: which ones cannot be used, sizes and colours.

mod histogram;
mod report;
mod survey;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

pub use histogram::{ColourHistogram, LEVELS};
pub use report::{
    CheckReport, DatasetReport, Dimensions, PartReport, Region, SizeSummary, Unusable,
};

use crate::layout::folder;
use crate::{Collection, DataError, Layout, Phase, Split};
use survey::Survey;

/// Decodes every image of the dataset in a folder, or of each dataset in the folders below it, in
/// the threads of rayon's pool.
///
/// After each image `progress` gets the number of images that are done, and of all.
///
/// # Errors
///
/// Those of [`Layout::discover`] if neither the folder nor one below it has a known layout, and
/// [`DataError::Io`] if a folder cannot be listed. What is wrong with single files is not an
/// error but a part of the report.
pub fn check(
    folder: &Path,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<CheckReport, DataError> {
    let found = datasets(folder)?
        .into_iter()
        .map(|(folder, layout)| Ok((list(&folder, layout)?, folder, layout)))
        .collect::<Result<Vec<_>, DataError>>()?;
    let lists = found.iter().flat_map(|(parts, ..)| parts);
    let total = lists.map(|part| part.images.len() as u64).sum();
    let done = AtomicU64::new(0);
    let step = || progress(done.fetch_add(1, Ordering::Relaxed) + 1, total);
    let datasets = found
        .into_iter()
        .map(|(parts, folder, layout)| dataset(folder, layout, parts, &step))
        .collect();
    Ok(CheckReport { datasets })
}

/// The dataset in a folder, or those in the folders below it, sorted by name.
fn datasets(folder: &Path) -> Result<Vec<(PathBuf, Layout)>, DataError> {
    let error = match Layout::discover(folder) {
        Ok(layout) => return Ok(vec![(folder.to_path_buf(), layout)]),
        Err(error @ DataError::Layout { .. }) => error,
        Err(error) => return Err(error),
    };
    let below = folder::folders(folder)?.into_iter();
    let found: Vec<_> = below
        .filter_map(|path| Layout::discover(&path).ok().map(|layout| (path, layout)))
        .collect();
    if found.is_empty() {
        Err(error)
    } else {
        Ok(found)
    }
}

/// A folder of images that are not examined yet.
struct Listed {
    name: &'static str,
    images: Vec<PathBuf>,
    ignored: usize,
    foreign: usize,
}

fn list(folder: &Path, layout: Layout) -> Result<Vec<Listed>, DataError> {
    let present = layout
        .folders()
        .iter()
        .map(|&name| (name, folder.join(name)))
        .filter(|(_, path)| path.is_dir());
    present
        .map(|(name, path)| {
            let listing = folder::list_all(&path)?;
            Ok(Listed {
                name,
                images: listing.images,
                // Anything may lie beside the images of a bare folder.
                ignored: if name.is_empty() { 0 } else { listing.others },
                foreign: listing.foreign,
            })
        })
        .collect()
}

fn dataset(
    folder: PathBuf,
    layout: Layout,
    parts: Vec<Listed>,
    step: &(dyn Fn() + Sync),
) -> DatasetReport {
    let (mut problems, mut notes) = (Vec::new(), Vec::new());
    let parts: Vec<PartReport> = parts
        .into_iter()
        .map(|part| {
            let survey = part
                .images
                .par_iter()
                .fold(Survey::default, |mut survey, path| {
                    survey.look_at(path, layout == Layout::Pix2Pix);
                    step();
                    survey
                })
                .reduce(Survey::default, Survey::join);
            if layout == Layout::Pix2Pix {
                notes.extend(survey.note_on_pairs(part.name));
            }
            if part.foreign > 0 {
                let place = folder.join(part.name);
                notes.push(format!(
                    "{} images in {} are of kinds that are not read, such as HEIC, and are left out: convert them to \
                     JPEG or PNG",
                    part.foreign,
                    place.display()
                ));
            }
            survey.report(part.name, part.ignored)
        })
        .collect();
    remark(&folder, layout, &mut problems, &mut notes);
    DatasetReport {
        folder,
        layout,
        parts,
        problems,
        notes,
    }
}

/// Adds what is wrong with a dataset as a whole, and what is good to know about it.
fn remark(folder: &Path, layout: Layout, problems: &mut Vec<String>, notes: &mut Vec<String>) {
    let seeded = Collection::open(folder, Some(layout), Split::NinetyTen { seed: 0 });
    match seeded {
        Err(error) => problems.push(error.to_string()),
        Ok(collection) if collection.images(Phase::HeldOut).is_empty() => {
            notes.push(collection.empty_phase(Phase::HeldOut).to_string());
        }
        Ok(_) => {}
    }
    if layout == Layout::Flowers {
        match Collection::open(folder, Some(layout), Split::Official) {
            Ok(collection) if collection.missing() > 0 => notes.push(format!(
                "{} images that setid.mat names are missing; they are left out",
                collection.missing()
            )),
            Ok(_) => {}
            Err(DataError::NotFound { .. }) => {
                notes.push("there is no setid.mat, so there is no official split".to_owned());
            }
            Err(error) => problems.push(error.to_string()),
        }
    }
    problems.dedup();
}
