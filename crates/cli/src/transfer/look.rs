//! One look for all pictures: read, or fitted once; and written for other programs.

use std::path::Path;

use huenet_data::Photograph;
use huenet_tasks::transfer::{ColourMap, Lut, LutError, Method};

use super::found::found;
use super::options::{Options, TransferUsage};
use super::paint::blend;
use super::samples::{Reference, sample};
use crate::output;
use crate::pictures::Jobs;

/// How all pictures change.
pub(super) struct Look {
    pub(super) map: Box<dyn ColourMap>,
    /// How much of it they get.
    pub(super) strength: f32,
}

impl Look {
    /// The look of all pictures, if the options ask for one. It is written where they say.
    pub(super) fn of_all(options: &Options, jobs: &Jobs) -> anyhow::Result<Option<Self>> {
        if let Some(path) = &options.apply {
            return Ok(Some(Self {
                map: Box::new(read(path)?),
                strength: options.strength,
            }));
        }
        let is_table = options.method == Method::Lut || options.looks().next().is_some();
        if !is_table && !options.one_look {
            return Ok(None);
        }
        // clap has seen that there are both, and a folder without images is an error.
        let (Some(content), [reference]) = (jobs.contents().first(), jobs.references()) else {
            let count = jobs.references().len();
            return Err(TransferUsage::References { count }.into());
        };
        let photograph = Photograph::read(content)?;
        let mask = options.masks.of_content(content, &photograph)?;
        let sample = sample(content, &photograph, mask.as_ref())?;
        drop((photograph, mask));
        let reference = Reference::read(reference, &options.masks)?;
        if jobs.contents().len() > 1 {
            let content = content.display();
            output::note(format_args!(
                "one look for all pictures: that for {content}"
            ));
        }
        let map = found(options, &sample, &reference.sample)?;
        if !is_table {
            let strength = options.strength;
            return Ok(Some(Self { map, strength }));
        }
        let table = Lut::from_fn(options.fit.lut_size(), |colour| {
            let mut pixels = [colour];
            map.map_row(0, 1, &mut pixels);
            blend(colour, pixels[0], options.strength)
        })?;
        if let Some(path) = &options.lut {
            let title = path.file_stem().unwrap_or_default().to_string_lossy();
            table.write_cube(path, &title)?;
            output::line(path.display());
        }
        if let Some(path) = &options.hald {
            table.write_hald(path)?;
            output::line(path.display());
        }
        Ok(Some(Self {
            map: Box::new(table),
            strength: 1.0,
        }))
    }
}

/// Reads a `.cube` file, or a HALD image.
fn read(path: &Path) -> Result<Lut, LutError> {
    match path.extension() {
        Some(kind) if kind.eq_ignore_ascii_case("cube") => Lut::read_cube(path),
        _ => Lut::read_hald(path),
    }
}
