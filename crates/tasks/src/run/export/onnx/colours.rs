//! What is made of the last layer's values: colours and masks painted on the content, and a screen's colours.

use huenet_data::ColourSpace;
use huenet_models::constants::{BLEND_OPEN, PALETTE_COLOURS, QUANTILES};

use super::graph::{Graph, Value};
use super::layers::dense;

/// The palette's colours.
///
/// # Shapes
///
/// - `quantiles`: `[batch, 2·channels·32]`, the reference's of all channels first
/// - `told`: `[batch, 128]`, what these were encoded into
/// - output: `[batch, channels, colours]`
pub(super) fn palette(
    graph: &mut Graph,
    quantiles: &Value,
    told: &Value,
    channels: usize,
) -> Value {
    let (channels, quantile_count) = (channels as i64, QUANTILES as i64);
    let images = graph.reshaped(quantiles, &[0, 2, channels, quantile_count]);
    let rows = graph.turned(&images, &[0, 2, 1, 3]);
    let rows = graph.reshaped(&rows, &[0, channels, 2 * quantile_count]);
    let weight = Value::named("palette.quantiles.weight");
    let weight = graph.turned(&weight, &[1, 0]);
    let own = graph.plain("MatMul", &[&rows, &weight]);
    let added = dense(graph, told, "palette.features");
    let added = graph.reshaped(&added, &[0, channels, PALETTE_COLOURS as i64]);
    graph.plain("Add", &[&own, &added])
}

/// 2·tanh change + Σ ½(1 + tanh mask)·colour.
///
/// # Shapes
///
/// - `colours`: `[batch, channels, colours]`
/// - `changes` and output: `[batch, channels, height, width]`; `masks`: `[batch, colours, height, width]`
pub(super) fn paint(graph: &mut Graph, colours: &Value, changes: &Value, masks: &Value) -> Value {
    let two = graph.number(2.0);
    let changes = graph.plain("Tanh", &[changes]);
    let changes = graph.plain("Mul", &[&changes, &two]);
    let strengths = share(graph, masks);
    let strengths = graph.reshaped(&strengths, &[0, 0, -1]);
    let painted = graph.plain("MatMul", &[colours, &strengths]);
    let shape = graph.plain("Shape", &[&changes]);
    let painted = graph.plain("Reshape", &[&painted, &shape]);
    graph.plain("Add", &[&changes, &painted])
}

/// content + ½(1 + tanh(2 + gate))·(matched − content).
///
/// # Shapes
///
/// - all: `[batch, channels, height, width]`
pub(super) fn blend(graph: &mut Graph, content: &Value, matched: &Value, gates: &Value) -> Value {
    let open = graph.number(BLEND_OPEN as f32);
    let gates = graph.plain("Add", &[gates, &open]);
    let shares = share(graph, &gates);
    let way = graph.plain("Sub", &[matched, content]);
    let way = graph.plain("Mul", &[&shares, &way]);
    graph.plain("Add", &[content, &way])
}

/// ½(1 + tanh x).
fn share(graph: &mut Graph, value: &Value) -> Value {
    let [one, two] = [1.0, 2.0].map(|number| graph.number(number));
    let value = graph.plain("Tanh", &[value]);
    let value = graph.plain("Add", &[&value, &one]);
    graph.plain("Div", &[&value, &two])
}

/// Images with red, green and blue clipped to what a screen has.
///
/// # Shapes
///
/// - `images` and output: `[batch, channels, height, width]`
pub(super) fn displayable(graph: &mut Graph, space: ColourSpace, images: &Value) -> Value {
    let [min, max] = [-1.0, 1.0].map(|bound| graph.number(bound));
    if space != ColourSpace::Yuv {
        return graph.plain("Clip", &[images, &min, &max]);
    }
    let rgb = affine(graph, images, |channels| space.decode_pixel(channels));
    let clipped = graph.plain("Clip", &[&rgb, &min, &max]);
    affine(graph, &clipped, |rgb| {
        space.encode_pixel(rgb.map(|x| (x + 1.0) * 127.5))
    })
}

/// An affine map of each pixel's three channels.
pub(super) fn affine(
    graph: &mut Graph,
    images: &Value,
    map: impl Fn([f32; 3]) -> [f32; 3],
) -> Value {
    let start = map([0.0; 3]);
    let columns = [0, 1, 2].map(|from| {
        let mut unit = [0.0; 3];
        unit[from] = 1.0;
        map(unit)
    });
    let weights: Vec<f32> = (0..3)
        .flat_map(|to| columns.map(|column| column[to] - start[to]))
        .collect();
    let weights = graph.numbers(&weights, &[3, 3, 1, 1]);
    let start = graph.numbers(&start, &[3]);
    graph.plain("Conv", &[images, &weights, &start])
}
