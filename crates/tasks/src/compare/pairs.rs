//! Which content is put into the colours of which reference.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use huenet_data::{
    Collection, HostBatch, ImageSource, PairDataset, Pairing, Phase, Preprocessing, ResizeFilter,
};

use crate::run::images::Images;
use crate::settings::Task;
use crate::step::recipe::Recipe;
use crate::store::error::TaskError;

/// Pairs of images in batches: which images a batch has matters where it is normalised by its own
/// statistics.
#[derive(Debug)]
pub(super) struct Pairs {
    dataset: PairDataset,
    borrowed: bool,
    batches: Vec<Vec<Pair>>,
}

/// One pair, with the names to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The number of its batch, from 0.
    pub batch: usize,
    /// The content image's file.
    pub content: String,
    /// The colour reference's file.
    pub reference: String,
    /// Their places in the dataset.
    numbers: [usize; 2],
}

impl Pair {
    /// Whether content and reference come from one file, so that, in a paired task, the reference
    /// is the ground truth.
    pub fn is_one_file(&self) -> bool {
        self.numbers[0] == self.numbers[1]
    }

    /// Whether the reference of `other` is another one.
    pub(super) fn has_other_reference(&self, other: &Self) -> bool {
        self.numbers[1] != other.numbers[1]
    }
}

/// The columns of a file of pairs.
const COLUMNS: [&str; 5] = ["task", "batch", "index_in_batch", "content", "reference"];

impl Pairs {
    /// The pairs of one part of the recipe's dataset, in the order that samples and validation
    /// have; at most `most`, from the first.
    pub(super) fn of_dataset(
        recipe: &Recipe,
        phase: Phase,
        most: usize,
    ) -> Result<Self, TaskError> {
        if most == 0 {
            return Err(TaskError::NothingToEvaluate);
        }
        let images = Images::open(recipe)?;
        let loader = match phase {
            Phase::Train => Some(images.train()),
            Phase::HeldOut => images.held_out(),
        };
        let loader = loader.ok_or_else(|| TaskError::NothingHeldOut {
            dataset: recipe.settings().dataset.clone(),
        })?;
        let epoch = loader.dataset().epoch(None, recipe.settings().seed, 0);
        let sources = (0..most).map_while(|position| epoch.sources(position));
        let mut listed = Listed::default();
        let all = sources.map(|pair| listed.pair(pair.content, pair.reference));
        let all: Vec<Pair> = all.collect();
        let batches = all.chunks(recipe.settings().batch_size);
        let batches = batches.map(<[Pair]>::to_vec).collect();
        let borrowed = loader.dataset().borrows_reference();
        Ok(Self {
            borrowed,
            ..listed.finish(recipe, batches)?
        })
    }

    /// The pairs of the recipe's task in a CSV file with the columns `task`, `batch`,
    /// `index_in_batch`, `content` and `reference`; images are files below `root`.
    pub(super) fn of_file(recipe: &Recipe, path: &Path, root: &Path) -> Result<Self, TaskError> {
        let bad = |line: Option<u64>, reason: String| TaskError::Pairs {
            path: path.to_owned(),
            line: line.unwrap_or(0),
            reason,
        };
        let fault = |error: csv::Error| {
            let (line, text) = (error.position().map(csv::Position::line), error.to_string());
            match error.into_kind() {
                csv::ErrorKind::Io(source) => TaskError::read(path, source),
                csv::ErrorKind::Utf8 { .. } => {
                    bad(line, "it is not UTF-8: save the file as UTF-8".to_owned())
                }
                csv::ErrorKind::UnequalLengths {
                    expected_len, len, ..
                } => bad(line, format!("it has {len} columns of {expected_len}")),
                _ => bad(line, text),
            }
        };
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .from_path(path)
            .map_err(fault)?;
        let headers = reader.headers().map_err(fault)?;
        let mut places = [0; COLUMNS.len()];
        for (place, column) in places.iter_mut().zip(COLUMNS) {
            let found = headers.iter().position(|header| header == column);
            *place = found.ok_or_else(|| bad(Some(1), missing(headers, column)))?;
        }
        let mut listed = Listed::default();
        let mut batches: BTreeMap<u64, BTreeMap<u64, Pair>> = BTreeMap::new();
        for record in reader.records() {
            let record = record.map_err(fault)?;
            let number = record.position().map(csv::Position::line);
            // Every line has as many columns as the first.
            let [task, batch, index, content, reference] =
                places.map(|place| record.get(place).unwrap_or_default());
            let task: Task = task
                .parse()
                .map_err(|error| bad(number, format!("{error}")))?;
            if task != recipe.task() {
                continue;
            }
            let whole = |text: &str, column: &str| {
                let reason = format!("{text:?} in the column {column} is no whole number");
                text.parse::<u64>().map_err(|_| bad(number, reason))
            };
            let (batch, index) = (whole(batch, COLUMNS[1])?, whole(index, COLUMNS[2])?);
            let source = |name: &str| match below(root, name) {
                Some(path) => Ok(ImageSource::file(path)),
                None => Err(bad(
                    number,
                    format!("{name:?} is no path below the data root"),
                )),
            };
            let pair = listed.named(
                [source(content)?, source(reference)?],
                [content, reference].map(str::to_owned),
            );
            if recipe.pairing() == Pairing::Unpaired && pair.is_one_file() {
                let reason = "content and reference are one image, which has its colours already";
                return Err(bad(number, reason.to_owned()));
            }
            let pairs = batches.entry(batch).or_default();
            if pairs.insert(index, pair).is_some() {
                let reason = format!("batch {batch} has two pairs of index {index}");
                return Err(bad(number, reason));
            }
        }
        if batches.is_empty() {
            return Err(bad(None, format!("it has no pair of {}", recipe.task())));
        }
        let batches = batches.into_values();
        let batches = batches.map(|batch| batch.into_values().collect()).collect();
        listed.finish(recipe, batches)
    }

    /// The same pairs as the generator of `recipe` needs them: in its colour space, counted in its bins, with its
    /// fits. They are of the same size and are resized in the same way as these.
    pub(super) fn prepared_for(&self, recipe: &Recipe) -> Result<Self, TaskError> {
        let images = self.dataset.images().to_vec();
        let here = self.dataset.preprocessing();
        let preprocessing = Preprocessing {
            size: here.size,
            resize: here.resize,
            ..*recipe.preprocessing()
        };
        let dataset = PairDataset::new(
            Collection::from_sources("pairs", Vec::new(), images),
            Phase::HeldOut,
            self.dataset.pairing(),
            preprocessing,
        )?;
        Ok(Self {
            dataset: dataset.with_fit(recipe.pair_fit()),
            borrowed: self.borrowed,
            batches: self.batches.clone(),
        })
    }

    /// How the images are resized.
    pub(super) fn resize(&self) -> ResizeFilter {
        self.dataset.preprocessing().resize
    }

    /// Pairs by their batches.
    pub(super) fn batches(&self) -> &[Vec<Pair>] {
        &self.batches
    }

    /// Whether the only image takes its colours from a training image.
    pub(super) fn borrows_reference(&self) -> bool {
        self.borrowed
    }

    /// How many pairs there are.
    pub(super) fn len(&self) -> usize {
        self.batches.iter().map(Vec::len).sum()
    }

    /// Reads a batch's images.
    pub(super) fn read(&self, batch: &[Pair]) -> Result<HostBatch, TaskError> {
        let samples = batch.iter().map(|pair| {
            let [content, reference] = pair.numbers;
            self.dataset.pair(content, reference)
        });
        Ok(HostBatch::new(samples.collect::<Result<_, _>>()?))
    }
}

/// Collects images, each once.
#[derive(Default)]
struct Listed {
    images: Vec<ImageSource>,
    numbers: BTreeMap<PathBuf, usize>,
}

impl Listed {
    fn pair(&mut self, content: ImageSource, reference: ImageSource) -> Pair {
        let names = [&content, &reference].map(|source| source.name().into_owned());
        self.named([content, reference], names)
    }

    fn named(&mut self, sources: [ImageSource; 2], [content, reference]: [String; 2]) -> Pair {
        Pair {
            batch: 0,
            content,
            reference,
            numbers: sources.map(|source| self.number(source)),
        }
    }

    fn number(&mut self, source: ImageSource) -> usize {
        // Images in memory are told by their names.
        let known = match source.path() {
            Some(path) => path.to_owned(),
            None => PathBuf::from(source.name().into_owned()),
        };
        *self.numbers.entry(known).or_insert_with(|| {
            self.images.push(source);
            self.images.len() - 1
        })
    }

    fn finish(self, recipe: &Recipe, mut batches: Vec<Vec<Pair>>) -> Result<Pairs, TaskError> {
        for (number, batch) in batches.iter_mut().enumerate() {
            batch.iter_mut().for_each(|pair| pair.batch = number);
        }
        let images = Collection::from_sources("pairs", Vec::new(), self.images);
        let dataset = PairDataset::new(
            images,
            Phase::HeldOut,
            recipe.pairing(),
            *recipe.preprocessing(),
        )?;
        Ok(Pairs {
            dataset: dataset.with_fit(recipe.pair_fit()),
            borrowed: false,
            batches,
        })
    }
}

/// What is wrong with a first line that lacks a column.
fn missing(headers: &csv::StringRecord, column: &str) -> String {
    let whole = headers.iter().collect::<Vec<_>>().join(",");
    let other = [(';', "semicolons"), ('\t', "tabs")];
    match other.iter().find(|(mark, _)| whole.contains(*mark)) {
        Some((_, marks)) => {
            format!("its columns are separated by {marks}: separate them by commas")
        }
        None => format!("it has no column {column}"),
    }
}

/// The file `name` below `root`; none if it would lie elsewhere.
fn below(root: &Path, name: &str) -> Option<PathBuf> {
    let relative = Path::new(name);
    let plain = relative
        .components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    (plain && !name.is_empty()).then(|| root.join(relative))
}

#[cfg(test)]
impl Pair {
    /// Pairs with these references; equal names are the same image.
    pub(super) fn made_up(references: &[&str]) -> Vec<Self> {
        let mut listed = Listed::default();
        let source = |name: &str| ImageSource::file(Path::new("data").join(name));
        let pairs = references.iter().enumerate().map(|(i, reference)| {
            let names = [i.to_string(), (*reference).to_owned()];
            listed.named([source(&names[0]), source(reference)], names)
        });
        pairs.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_below_the_root() {
        let root = Path::new("root");
        assert_eq!(
            below(root, "a/b c.jpg"),
            Some(PathBuf::from("root/a/b c.jpg"))
        );
        assert_eq!(
            below(root, "./a.jpg").map(|path| path.ends_with("a.jpg")),
            Some(true)
        );
        for bad in ["", "../a.jpg", "a/../../b.jpg", "/etc/passwd"] {
            assert_eq!(below(root, bad), None, "{bad}");
        }
    }
}
