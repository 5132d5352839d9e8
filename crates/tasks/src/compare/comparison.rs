//! What a comparison gives: figures of each pair and each method, their means and intervals.

use std::path::PathBuf;

use huenet_data::{ColourSpace, RgbImage};
use serde_json::{Map, Value, json};

use super::bootstrap::CONFIDENCE;
use super::difference::{Difference, Named, differences};
use super::differences_table::DifferencesTable;
use super::method::Method;
use super::other::{Other, Told, run_name, sample_mode};
use super::page;
use super::pairs::Pair;
use super::study::{BINS, Study};
use super::summary::Summary;
use super::table::Table;
use crate::measure::figures::Figures;

/// The figures of one pair.
#[derive(Clone, Debug, PartialEq)]
pub struct PairFigures {
    /// The figures that validation has too.
    pub figures: Figures,
    /// The mean earth mover's distance between the output and the references of all other pairs
    /// that have another reference. An output that follows its own reference has a smaller distance to that.
    /// `None` if there are no others.
    pub emd_other: Option<f64>,
    /// The share of pixels whose colour no screen has, before clipping.
    pub out_of_gamut: f64,
}

/// The figures of one method.
#[derive(Clone, Debug)]
pub struct Measured {
    method: Method,
    pairs: Vec<PairFigures>,
}

impl Measured {
    pub(super) fn new(method: Method) -> Self {
        Self {
            method,
            pairs: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, figures: Figures, out_of_gamut: f64) {
        self.pairs.push(PairFigures {
            figures,
            emd_other: None,
            out_of_gamut,
        });
    }

    pub(super) fn compare_with_others(&mut self, histograms: &Histograms, pairs: &[Pair]) {
        let distances = histograms.to_others(self.method, pairs);
        for (pair, distance) in self.pairs.iter_mut().zip(distances) {
            pair.emd_other = distance;
        }
    }

    /// The method.
    pub fn method(&self) -> Method {
        self.method
    }

    /// The figures of each pair.
    pub fn pairs(&self) -> &[PairFigures] {
        &self.pairs
    }

    /// Names and values of the figures of each pair.
    fn named(&self, colour: ColourSpace) -> Vec<Named> {
        self.pairs.iter().map(|pair| pair.named(colour)).collect()
    }

    /// Each figure over all pairs, those of channels by the names that `colour` gives them.
    pub fn summary(&self, colour: ColourSpace) -> Vec<Summary> {
        let mut all: Vec<(String, Vec<f64>)> = Vec::new();
        for pair in &self.pairs {
            for (name, value) in pair.named(colour) {
                match all.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, values)) => values.push(value),
                    None => all.push((name, vec![value])),
                }
            }
        }
        let summary = |(name, values)| Summary::new(name, values);
        all.into_iter().map(summary).collect()
    }
}

impl PairFigures {
    /// Names and values, those that there are.
    pub fn named(&self, colour: ColourSpace) -> Vec<(String, f64)> {
        let mut all = self.figures.named(colour);
        all.extend(self.emd_other.map(|value| ("emd_other".to_owned(), value)));
        all.push(("out_of_gamut".to_owned(), self.out_of_gamut));
        all
    }
}

/// A generator beside the other methods, and beside another generator if there is one, on the same pairs.
#[derive(Clone, Debug)]
pub struct Comparison {
    checkpoint: PathBuf,
    task: String,
    dataset: String,
    sample_mode: String,
    step: u64,
    size: [usize; 2],
    colour: ColourSpace,
    pairs: Vec<Pair>,
    methods: Vec<Measured>,
    other: Option<Told>,
}

impl Comparison {
    pub(super) fn new(study: &Study, pairs: Vec<Pair>, methods: Vec<Measured>) -> Self {
        let settings = study.recipe.settings();
        Self {
            checkpoint: study.checkpoint.folder().to_owned(),
            task: settings.task.to_string(),
            dataset: settings.dataset.clone(),
            sample_mode: sample_mode(settings),
            step: study.checkpoint.position().step,
            size: [settings.img_h, settings.img_w],
            colour: study.colour,
            pairs,
            methods,
            other: study.other.as_ref().map(Other::told),
        }
    }

    /// The pairs, in the order of the figures.
    pub fn pairs(&self) -> &[Pair] {
        &self.pairs
    }

    /// The methods, the generator first, and then the second generator if there is one.
    pub fn methods(&self) -> &[Measured] {
        &self.methods
    }

    /// How each figure of the generator differs from that of the second one, over the pairs; nothing if there is no
    /// second one.
    pub fn differences(&self) -> Vec<Difference> {
        let of = |method: Method| self.methods.iter().find(|it| it.method == method);
        match (of(Method::Generator), of(Method::Other)) {
            (Some(this), Some(other)) => {
                differences(&this.named(self.colour), &other.named(self.colour))
            }
            _ => Vec::new(),
        }
    }

    /// The name of a method in tables.
    pub(super) fn title(&self, method: Method) -> String {
        match (method, &self.other) {
            (Method::Other, Some(other)) => other.title(),
            _ => method.title().to_owned(),
        }
    }

    /// The pairs from that with the generator's least earth mover's distance to that with its
    /// greatest.
    pub fn ranking(&self) -> Vec<usize> {
        let emd = |i: usize| match self.methods.first() {
            Some(generator) => generator.pairs[i].figures.emd,
            None => f64::NAN,
        };
        let mut order: Vec<usize> = (0..self.pairs.len()).collect();
        order.sort_by(|&i, &j| emd(i).total_cmp(&emd(j)));
        order
    }

    fn table(&self) -> Table {
        let rows = self.methods.iter();
        let rows = rows.map(|it| (self.title(it.method), it.summary(self.colour)));
        let other = self.other.as_ref();
        let [height, width] = self.size;
        Table {
            about: format!(
                "{} on {} pairs of {}, step {}, {width}×{height} pixels, {} statistics",
                self.task,
                self.pairs.len(),
                self.dataset,
                self.step,
                self.sample_mode,
            ),
            rows: rows.collect(),
            differences: other.map(|other| DifferencesTable::new(other, self.differences())),
        }
    }

    /// A table in Markdown: a row for each method, a column for each figure, means with their
    /// intervals. If there is a second generator, a table of the differences follows.
    pub fn to_markdown(&self) -> String {
        self.table().to_markdown()
    }

    /// A page in one file that loads nothing: the tables, a chart of each figure's intervals, and the
    /// contact sheet.
    pub fn to_html(&self, sheet: Option<&RgbImage>) -> String {
        page::page(&run_name(&self.checkpoint), &self.table(), sheet)
    }

    /// Everything, with the figures of each pair. A figure that is no finite number is null.
    pub fn to_json(&self) -> Value {
        let methods = self.methods.iter().map(|measured| {
            let summary = measured.summary(self.colour);
            let mean = summary.iter().map(|s| (s.name.clone(), s.mean.into()));
            let interval = summary.iter().map(|s| (s.name.clone(), json!(s.interval)));
            let left_out = summary.iter().filter(|s| s.left_out > 0);
            let left_out = left_out.map(|s| (s.name.clone(), s.left_out.into()));
            let pairs = self.pairs.iter().zip(&measured.pairs);
            let pairs = pairs.map(|(pair, figures)| {
                let figures = figures.named(self.colour).into_iter();
                let mut all: Map<String, Value> =
                    figures.map(|(name, value)| (name, value.into())).collect();
                all.insert("batch".to_owned(), pair.batch.into());
                all.insert("content".to_owned(), pair.content.clone().into());
                all.insert("reference".to_owned(), pair.reference.clone().into());
                Value::Object(all)
            });
            json!({
                "method": measured.method.name(),
                "mean": mean.collect::<Map<_, _>>(),
                "interval": interval.collect::<Map<_, _>>(),
                "left_out": left_out.collect::<Map<_, _>>(),
                "pairs": pairs.collect::<Vec<_>>(),
            })
        });
        let mut all = json!({
            "checkpoint": self.checkpoint,
            "step": self.step,
            "task": self.task,
            "dataset": self.dataset,
            "height": self.size[0],
            "width": self.size[1],
            "sample_mode": self.sample_mode,
            "bins": BINS,
            "confidence": CONFIDENCE,
            "methods": methods.collect::<Vec<_>>(),
        });
        if let Some(other) = &self.other {
            let differences = self.differences().into_iter();
            let differences = differences.map(|it| (it.name.clone(), it.to_json()));
            all["against"] = json!({
                "run": other.run,
                "checkpoint": other.checkpoint,
                "step": other.step,
                "dataset": other.dataset,
                "sample_mode": other.sample_mode,
                "differences": differences.collect::<Map<_, _>>(),
            });
        }
        all
    }
}

/// The cumulative histograms of all references, and of what each method made.
pub(super) struct Histograms {
    channels: usize,
    bins: usize,
    references: Vec<f32>,
    outputs: Vec<(Method, Vec<f32>)>,
}

impl Histograms {
    pub(super) fn new(channels: usize, bins: usize) -> Self {
        Self {
            channels,
            bins,
            references: Vec::new(),
            outputs: Vec::new(),
        }
    }

    /// Appends the histograms of references, `[pairs · channels · K]`.
    pub(super) fn references(&mut self, histograms: Vec<f32>) {
        self.references.extend(self.cumulative(&histograms));
    }

    /// Appends the histograms of what a method made.
    pub(super) fn outputs(&mut self, method: Method, histograms: Vec<f32>) {
        let new = self.cumulative(&histograms);
        match self.outputs.iter_mut().find(|(known, _)| *known == method) {
            Some((_, all)) => all.extend(new),
            None => self.outputs.push((method, new)),
        }
    }

    fn cumulative(&self, histograms: &[f32]) -> Vec<f32> {
        let rows = histograms.chunks_exact(self.bins);
        rows.flat_map(|row| {
            row.iter().scan(0.0_f64, |sum, mass| {
                *sum += f64::from(*mass);
                Some(*sum as f32)
            })
        })
        .collect()
    }

    /// For each pair, the mean distance of what `method` made to all other references.
    fn to_others(&self, method: Method, pairs: &[Pair]) -> Vec<Option<f64>> {
        let outputs = self.outputs.iter().find(|(known, _)| *known == method);
        let outputs = outputs.map_or(&[][..], |(_, outputs)| outputs);
        let length = self.channels * self.bins;
        let one = |(output, own): (&[f32], &Pair)| {
            let others = self.references.chunks_exact(length).zip(pairs);
            let others = others.filter(|(_, other)| own.has_other_reference(other));
            let distances: Vec<f64> = others
                .map(|(reference, _)| distance(output, reference, self.bins))
                .collect();
            let sum = distances.iter().sum::<f64>();
            (!distances.is_empty()).then(|| sum / distances.len() as f64)
        };
        outputs.chunks_exact(length).zip(pairs).map(one).collect()
    }
}

/// The earth mover's distance of images, from the cumulative histograms of their channels: the
/// root of the mean square of the difference, the mean over channels.
fn distance(a: &[f32], b: &[f32], bins: usize) -> f64 {
    let channels = a.chunks_exact(bins).zip(b.chunks_exact(bins));
    let count = a.len() / bins;
    let distances = channels.map(|(a, b)| {
        let squares = a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2));
        (squares.sum::<f64>() / bins as f64).sqrt()
    });
    distances.sum::<f64>() / count as f64
}

#[cfg(test)]
#[path = "comparison_tests.rs"]
mod tests;
