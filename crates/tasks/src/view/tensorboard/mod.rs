//! Event files that [TensorBoard](https://www.tensorflow.org/tensorboard) reads.
//!
//! The format is TensorFlow's: records of `Event` messages, framed with checksums. A resumed run
//! writes a new file in the same folder; its first events say from which step on what earlier
//! files have is void.

mod proto;
mod record;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use image::RgbImage;
use prost::Message;

use crate::store::error::TaskError;
use proto::{Content, Event, Histogram, Image, SessionLog, Summary, Value, What};

const PREFIX: &str = "events.out.tfevents.";

/// The version of the format in which a session's start voids later steps.
const VERSION: &str = "brain.Event:2";

/// Writes one event file.
pub struct EventWriter {
    path: PathBuf,
    file: BufWriter<File>,
}

impl EventWriter {
    /// Begins a new file in `folder`, for the events after `last_step` steps. What other files of
    /// the folder have of later steps is void from now on.
    ///
    /// # Errors
    ///
    /// [`TaskError::Write`].
    pub fn create(folder: &Path, last_step: u64) -> Result<Self, TaskError> {
        let earlier = newest_file(folder);
        let (path, file) =
            new_file(folder, earlier).map_err(|source| TaskError::write(folder, source))?;
        let mut writer = Self {
            path,
            file: BufWriter::new(file),
        };
        writer.event(0, What::FileVersion(VERSION.to_owned()))?;
        if last_step > 0 || earlier.is_some() {
            let status = SessionLog::START;
            // A run that starts again from nothing draws its first grid, at step 0, again too.
            let void = if last_step == 0 { 0 } else { last_step + 1 };
            writer.event(void, What::SessionLog(SessionLog { status }))?;
        }
        writer.flush()?;
        Ok(writer)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends numbers.
    ///
    /// # Errors
    ///
    /// [`TaskError::Write`].
    pub fn scalars<T: Into<String>>(
        &mut self,
        step: u64,
        scalars: impl IntoIterator<Item = (T, f64)>,
    ) -> Result<(), TaskError> {
        let value = |(tag, value): (T, f64)| Value {
            tag: tag.into(),
            content: Some(Content::SimpleValue(value as f32)),
        };
        self.summary(step, scalars.into_iter().map(value).collect())
    }

    /// Appends an image.
    ///
    /// # Errors
    ///
    /// [`TaskError::Write`].
    pub fn image(&mut self, step: u64, tag: &str, image: &RgbImage) -> Result<(), TaskError> {
        let mut png = io::Cursor::new(Vec::new());
        image
            .write_to(&mut png, image::ImageFormat::Png)
            .map_err(|error| TaskError::write(&self.path, io::Error::other(error)))?;
        let image = Image {
            // A grid of samples is far smaller than 2³¹ pixels on a side.
            height: image.height() as i32,
            width: image.width() as i32,
            colorspace: 3,
            encoded_image_string: png.into_inner(),
        };
        let value = Value {
            tag: tag.to_owned(),
            content: Some(Content::Image(image)),
        };
        self.summary(step, vec![value])
    }

    /// Appends a histogram of the values in `range`: `mass` is the weight of each of its bins,
    /// which are equally wide. One without mass is left out.
    ///
    /// # Errors
    ///
    /// [`TaskError::Write`].
    pub fn histogram(
        &mut self,
        step: u64,
        tag: &str,
        range: [f64; 2],
        mass: &[f64],
    ) -> Result<(), TaskError> {
        let Some(histogram) = histogram(range, mass) else {
            return Ok(());
        };
        let value = Value {
            tag: tag.to_owned(),
            content: Some(Content::Histogram(histogram)),
        };
        self.summary(step, vec![value])
    }

    /// Hands everything to the file system.
    ///
    /// # Errors
    ///
    /// [`TaskError::Write`].
    pub fn flush(&mut self) -> Result<(), TaskError> {
        self.file
            .flush()
            .map_err(|source| TaskError::write(&self.path, source))
    }

    fn summary(&mut self, step: u64, value: Vec<Value>) -> Result<(), TaskError> {
        self.event(step, What::Summary(Summary { value }))
    }

    fn event(&mut self, step: u64, what: What) -> Result<(), TaskError> {
        let event = Event {
            wall_time: now().as_secs_f64(),
            step: i64::try_from(step).unwrap_or(i64::MAX),
            what: Some(what),
        };
        record::write(&mut self.file, &event.encode_to_vec())
            .map_err(|source| TaskError::write(&self.path, source))
    }
}

fn histogram([low, high]: [f64; 2], mass: &[f64]) -> Option<Histogram> {
    let width = (high - low) / mass.len() as f64;
    let held = |bin: &usize| mass[*bin] > 0.0;
    let (first, last) = (
        (0..mass.len()).find(held)?,
        (0..mass.len()).rev().find(held)?,
    );
    let centres = (0..mass.len()).map(|bin| low + (bin as f64 + 0.5) * width);
    let moment = |power: i32| -> f64 {
        let terms = centres
            .clone()
            .zip(mass)
            .map(|(x, mass)| mass * x.powi(power));
        terms.sum()
    };
    let (num, sum, sum_squares) = (moment(0), moment(1), moment(2));
    num.is_finite().then(|| Histogram {
        min: low + first as f64 * width,
        max: low + (last + 1) as f64 * width,
        num,
        sum,
        sum_squares,
        // TensorBoard takes `min` for the lower end of the first bucket, and `max` for the upper
        // end of the last: empty ones before and after would be turned inside out.
        bucket_limit: (first..=last)
            .map(|bin| low + (bin + 1) as f64 * width)
            .collect(),
        bucket: mass[first..=last].to_vec(),
    })
}

/// The second that the newest event file of a folder is named after.
fn newest_file(folder: &Path) -> Option<u64> {
    let entries = std::fs::read_dir(folder).ok()?.flatten();
    let seconds = entries.filter_map(|entry| {
        let name = entry.file_name();
        let rest = name.to_str()?.strip_prefix(PREFIX)?;
        rest.split('.').next()?.parse().ok()
    });
    seconds.max()
}

/// A file that no earlier one of the folder sorts after: TensorBoard reads them by name.
fn new_file(folder: &Path, newest: Option<u64>) -> io::Result<(PathBuf, File)> {
    let mut seconds = now().as_secs().max(newest.map_or(0, |newest| newest + 1));
    loop {
        // Ten digits, as TensorBoard's own writers have, until the year 2286.
        let path = folder.join(format!("{PREFIX}{seconds:010}.huenet"));
        match File::create_new(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => seconds += 1,
            made => return made.map(|file| (path, file)),
        }
    }
}

fn now() -> std::time::Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(path: &Path) -> Vec<Event> {
        let records = record::read_all(&std::fs::read(path).unwrap());
        records
            .iter()
            .map(|data| Event::decode(&data[..]).unwrap())
            .collect()
    }

    #[test]
    fn what_is_written_can_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = EventWriter::create(folder.path(), 0).unwrap();
        writer
            .scalars(3, [("loss/gen", 0.25), ("loss/disc", 1.5)])
            .unwrap();
        let image = RgbImage::from_pixel(5, 4, image::Rgb([1, 2, 3]));
        writer.image(4, "samples", &image).unwrap();
        writer
            .histogram(4, "y", [-1.0, 1.0], &[0.0, 1.0, 3.0, 0.0])
            .unwrap();
        writer
            .histogram(4, "nothing", [-1.0, 1.0], &[0.0, 0.0])
            .unwrap();
        writer.flush().unwrap();

        let events = events(writer.path());
        assert_eq!(events[0].what, Some(What::FileVersion(VERSION.to_owned())));
        let steps: Vec<i64> = events.iter().map(|event| event.step).collect();
        assert_eq!(steps, [0, 3, 4, 4]);
        let values = |event: &Event| match &event.what {
            Some(What::Summary(summary)) => summary.value.clone(),
            other => panic!("{other:?}"),
        };
        let scalars = values(&events[1]);
        assert_eq!(scalars[1].tag, "loss/disc");
        assert_eq!(scalars[1].content, Some(Content::SimpleValue(1.5)));
        let Some(Content::Image(png)) = &values(&events[2])[0].content else {
            panic!("an image");
        };
        assert_eq!(
            image::load_from_memory(&png.encoded_image_string)
                .unwrap()
                .to_rgb8(),
            image
        );
        let Some(Content::Histogram(histogram)) = &values(&events[3])[0].content else {
            panic!("a histogram");
        };
        assert_eq!((histogram.min, histogram.max), (-0.5, 0.5));
        assert_eq!((histogram.num, histogram.sum), (4.0, 0.5));
        assert_eq!(histogram.bucket_limit, [0.0, 0.5]);
        assert_eq!(histogram.bucket, [1.0, 3.0]);
    }

    #[test]
    fn a_resumed_run_voids_later_steps_in_a_file_that_sorts_after() {
        let folder = tempfile::tempdir().unwrap();
        let first = EventWriter::create(folder.path(), 0).unwrap();
        let second = EventWriter::create(folder.path(), 7).unwrap();
        assert!(second.path() > first.path());
        let events = events(second.path());
        let status = SessionLog::START;
        assert_eq!(
            events[1].what,
            Some(What::SessionLog(SessionLog { status }))
        );
        assert_eq!(events[1].step, 8);
    }
}
