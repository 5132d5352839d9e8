//! Histograms, and what is made of them: the content matched to the reference, and both images' quantiles.
//!
//! The same computations as those of `CountBins` (`huenet-data`) and `Matching` (`huenet-models`), operation for
//! operation: where a rank lies at the end of a bin, a rounding more would choose the other bin.

use huenet_data::CountBins;
use huenet_models::constants::QUANTILES;

use super::graph::{Graph, Value, whole, whole_tensor, word};
use super::proto::TensorProto;

/// How many of an image's pixels are in each bin.
///
/// # Shapes
///
/// - `image`: `[batch, channels, height, width]`
/// - output: `[batch, channels, K]`, whole numbers
pub(super) fn counts(graph: &mut Graph, image: &Value, bins: CountBins) -> Value {
    let pixels = graph.reshaped(image, &[0, 0, -1]);
    let pixels = graph.cast(&pixels, TensorProto::DOUBLE);
    let min = graph.double(bins.min());
    let step = graph.double((bins.max() - bins.min()) / bins.bins() as f64);
    let last = graph.double((bins.bins() - 1) as f64);
    let pixels = graph.plain("Max", &[&pixels, &min]);
    let offsets = graph.plain("Sub", &[&pixels, &min]);
    let places = graph.plain("Div", &[&offsets, &step]);
    let places = graph.plain("Min", &[&places, &last]);
    let places = graph.cast(&places, TensorProto::INT64);
    occurrences(graph, &places, bins.bins())
}

/// How often each of the first whole numbers occurs.
///
/// # Shapes
///
/// - `places`: `[batch, channels, pixels]`, each below `count`
/// - output: `[batch, channels, count]`
fn occurrences(graph: &mut Graph, places: &Value, count: usize) -> Value {
    let rows = graph.lengths(places, 0, 2);
    let count = graph.whole(&[count as i64]);
    let shape = graph.joined(&[&rows, &count], 0);
    let none = graph.node("ConstantOfShape", &[&shape], vec![whole_tensor("value", 0)]);
    let shape = graph.plain("Shape", &[places]);
    let each = graph.node("ConstantOfShape", &[&shape], vec![whole_tensor("value", 1)]);
    let add = vec![whole("axis", 2), word("reduction", "add")];
    graph.node("ScatterElements", &[&none, places, &each], add)
}

/// As many counts as there are contents: those of one image for all, or each its own.
///
/// # Shapes
///
/// - `counts`: `[batch or 1, channels, K]`; output: `[batch, channels, K]`
pub(super) fn of_each(graph: &mut Graph, counts: &Value, content: &Value) -> Value {
    let batch = graph.lengths(content, 0, 1);
    let ones = graph.whole(&[1, 1]);
    let shape = graph.joined(&[&batch, &ones], 0);
    graph.plain("Expand", &[counts, &shape])
}

/// Where a content image's channels would go, if each were moved onto a reference's histogram.
pub(super) struct Matching {
    /// The level of each pixel, `[batch, channels, pixels]`.
    levels: Value,
    /// The share of the pixels at each level, `[batch, channels, K + 1]`.
    content: Value,
    /// The share of the pixels in each bin, `[batch, channels, K]`.
    reference: Value,
    bins: usize,
}

impl Matching {
    /// # Shapes
    ///
    /// - `content`: `[batch, channels, height, width]`
    /// - `counts`: `[batch, channels, K]`
    pub(super) fn new(graph: &mut Graph, content: &Value, counts: &Value, bins: usize) -> Self {
        let half = bins as f64 / 2.0;
        let pixels = graph.reshaped(content, &[0, 0, -1]);
        let [factor, offset] = [half, half + 0.5].map(|it| graph.number(it as f32));
        let levels = graph.plain("Mul", &[&pixels, &factor]);
        let levels = graph.plain("Add", &[&levels, &offset]);
        let levels = clipped(graph, &levels, 0.0, bins as f32);
        let levels = graph.cast(&levels, TensorProto::INT64);
        let content = occurrences(graph, &levels, bins + 1);
        let content = graph.cast(&content, TensorProto::FLOAT);
        let pixels = graph.lengths(&levels, 2, 3);
        let pixels = graph.cast(&pixels, TensorProto::FLOAT);
        let content = graph.plain("Div", &[&content, &pixels]);

        let reference = graph.cast(counts, TensorProto::FLOAT);
        let total = graph.sum(&reference, 2, true);
        let one = graph.number(1.0);
        let total = graph.plain("Max", &[&total, &one]);
        let reference = graph.plain("Div", &[&reference, &total]);
        Self {
            levels,
            content,
            reference,
            bins,
        }
    }

    /// The content with each channel moved onto the reference's histogram.
    ///
    /// # Shapes
    ///
    /// - `content` and output: `[batch, channels, height, width]`
    pub(super) fn matched(&self, graph: &mut Graph, content: &Value) -> Value {
        let ranks = cumulated(graph, &self.content);
        let two = graph.number(2.0);
        let halves = graph.plain("Div", &[&self.content, &two]);
        let ranks = graph.plain("Sub", &[&ranks, &halves]);
        let places = places(graph, &self.reference, self.bins, &ranks);
        let curves = self.value(graph, &places);
        let matched = gathered(graph, &curves, &self.levels);
        let shape = graph.plain("Shape", &[content]);
        graph.plain("Reshape", &[&matched, &shape])
    }

    /// The reference's quantiles of all channels, then the content's.
    ///
    /// # Shapes
    ///
    /// - output: `[batch, 2·channels·32]`
    pub(super) fn quantiles(&self, graph: &mut Graph) -> Value {
        let ranks: Vec<f32> = (0..QUANTILES)
            .map(|i| (i as f32 + 0.5) / QUANTILES as f32)
            .collect();
        let ranks = graph.numbers(&ranks, &[1, 1, QUANTILES]);
        let reference = places(graph, &self.reference, self.bins, &ranks);
        let reference = self.value(graph, &reference);
        let content = places(graph, &self.content, self.bins + 1, &ranks);
        // Levels lie at the bins' edges, half a bin before their middles.
        let half = graph.number(0.5);
        let content = graph.plain("Sub", &[&content, &half]);
        let content = self.value(graph, &content);
        let [reference, content] = [reference, content].map(|it| graph.reshaped(&it, &[0, -1]));
        graph.joined(&[&reference, &content], 1)
    }

    /// The value at a place on the axis of bins.
    fn value(&self, graph: &mut Graph, places: &Value) -> Value {
        let half = graph.number((self.bins as f64 / 2.0) as f32);
        let one = graph.number(1.0);
        let values = graph.plain("Div", &[places, &half]);
        graph.plain("Sub", &[&values, &one])
    }
}

/// Where on the axis of its bins a distribution has reached each rank.
///
/// # Shapes
///
/// - `shares`: `[batch, channels, bins]`
/// - `ranks`: `[batch or 1, channels or 1, ranks]`
/// - output: `[batch, channels, ranks]`
fn places(graph: &mut Graph, shares: &Value, bins: usize, ranks: &Value) -> Value {
    let cumulative = cumulated(graph, shares);
    let ends = graph.widened(&cumulative, &[2]);
    let column = graph.widened(ranks, &[3]);
    let before = graph.plain("Less", &[&ends, &column]);
    let before = graph.cast(&before, TensorProto::FLOAT);
    let bin = graph.sum(&before, 3, false);
    let bin = clipped(graph, &bin, 0.0, (bins - 1) as f32);
    let index = graph.cast(&bin, TensorProto::INT64);
    let inside = gathered(graph, shares, &index);
    let ends = gathered(graph, &cumulative, &index);
    let begins = graph.plain("Sub", &[&ends, &inside]);
    let beyond = graph.plain("Sub", &[ranks, &begins]);
    let least = graph.number(f32::EPSILON);
    let inside = graph.plain("Max", &[&inside, &least]);
    let part = graph.plain("Div", &[&beyond, &inside]);
    let part = clipped(graph, &part, 0.0, 1.0);
    graph.plain("Add", &[&bin, &part])
}

/// Sums of the entries up to each, along the last of three axes.
fn cumulated(graph: &mut Graph, value: &Value) -> Value {
    let axis = graph.scalar(2);
    graph.plain("CumSum", &[value, &axis])
}

/// Entries along the last of three axes.
fn gathered(graph: &mut Graph, value: &Value, places: &Value) -> Value {
    graph.node("GatherElements", &[value, places], vec![whole("axis", 2)])
}

fn clipped(graph: &mut Graph, value: &Value, min: f32, max: f32) -> Value {
    let [min, max] = [min, max].map(|bound| graph.number(bound));
    graph.plain("Clip", &[value, &min, &max])
}
