//! Colour maps in a grid: read at an image's pixels, and changed by the last features.
//!
//! The matrices that are constant for one size of images are made here of the images' sizes.

use huenet_data::ColourSpace;
use huenet_models::MAPS_GRID;

use super::colours::affine;
use super::graph::{Graph, Value, whole};
use super::layers::{convolved, framed};
use super::proto::TensorProto;
use crate::transfer::LocalMaps;

/// Values of a map: three outputs from three channels and 1.
pub(super) const VALUES: usize = LocalMaps::VALUES;

/// Three channels and 1.
const INPUTS: usize = 4;

/// Images whose pixels have the colours that their maps make of them.
///
/// Each of a map's values is read by itself: all of them at once would take twelve times the memory.
///
/// # Shapes
///
/// - `maps`: `[batch, 12, levels, rows, columns]`
/// - `images` and output: `[batch, 3, height, width]`
pub(super) fn sliced(graph: &mut Graph, maps: &Value, images: &Value, space: ColourSpace) -> Value {
    let [levels, rows, columns] = MAPS_GRID;
    let down = between_cells(graph, images, 2, rows);
    let across = between_cells(graph, images, 3, columns);
    let across = graph.turned(&across, &[1, 0]);
    let shares = of_levels(graph, images, space, levels);
    let channels = graph.split(images, 1, [1; 3]);
    let values = graph.split(maps, 1, [1; VALUES]).map(|value| {
        let lines = graph.plain("MatMul", &[&down, &value]);
        let planes = graph.plain("MatMul", &[&lines, &across]);
        let planes = graph.plain("Mul", &[&planes, &shares]);
        graph.sum(&planes, 2, false)
    });
    let outputs: Vec<Value> = values
        .as_chunks::<INPUTS>()
        .0
        .iter()
        .map(|[r, g, b, one]| {
            let inputs = [r, g, b].into_iter().zip(&channels);
            inputs.fold(one.clone(), |sum, (value, channel)| {
                let part = graph.plain("Mul", &[value, channel]);
                graph.plain("Add", &[&sum, &part])
            })
        })
        .collect();
    let outputs: Vec<&Value> = outputs.iter().collect();
    graph.joined(&outputs, 1)
}

/// How much each pixel of a side reads of each cell: `[pixels, cells]`.
fn between_cells(graph: &mut Graph, images: &Value, axis: i64, cells: usize) -> Value {
    let centres = centres(graph, images, axis);
    let last = graph.number((cells - 1) as f32);
    let places = graph.plain("Mul", &[&centres, &last]);
    let places = graph.widened(&places, &[1]);
    nearness(graph, &places, &numbered(cells), &[cells])
}

/// How much each pixel reads of each level: `[batch, 1, levels, height, width]`.
fn of_levels(graph: &mut Graph, images: &Value, space: ColourSpace, levels: usize) -> Value {
    let luma = luma(graph, images, space);
    let [zero, one, last] = [0.0, 1.0, (levels - 1) as f32].map(|it| graph.number(it));
    let luma = graph.plain("Clip", &[&luma, &zero, &one]);
    let places = graph.plain("Mul", &[&luma, &last]);
    let places = graph.widened(&places, &[2]);
    nearness(graph, &places, &numbered(levels), &[1, 1, levels, 1, 1])
}

/// Luma from 0, black, to 1, white: `[batch, 1, height, width]`.
fn luma(graph: &mut Graph, images: &Value, space: ColourSpace) -> Value {
    let images = match space {
        ColourSpace::Rgb => affine(graph, images, |rgb| {
            ColourSpace::Yuv.encode_pixel(rgb.map(|x| (x + 1.0) * 127.5))
        }),
        ColourSpace::Yuv | ColourSpace::Grey => images.clone(),
    };
    let first = graph.whole(&[0]);
    let luma = graph.node("Gather", &[&images, &first], vec![whole("axis", 1)]);
    let [one, two] = [1.0, 2.0].map(|it| graph.number(it));
    let luma = graph.plain("Add", &[&luma, &one]);
    graph.plain("Div", &[&luma, &two])
}

/// The change of every coefficient.
///
/// # Shapes
///
/// - `features`: `[batch, channels, height, width]`
/// - output: `[batch, 12, levels, rows, columns]`
pub(super) fn change(graph: &mut Graph, features: &Value, channels: usize) -> Value {
    let cells = at_cells(graph, features);
    let cells = framed(graph, &cells);
    let change = convolved(graph, &cells, "maps.conv", true, 0);
    let many = graph.number(((9 * channels) as f64).sqrt() as f32);
    let change = graph.plain("Div", &[&change, &many]);
    let [levels, rows, columns] = MAPS_GRID.map(|length| length as i64);
    graph.reshaped(&change, &[0, VALUES as i64, levels, rows, columns])
}

/// Features at the rows and columns of the grid.
fn at_cells(graph: &mut Graph, features: &Value) -> Value {
    let [_, rows, columns] = MAPS_GRID;
    let down = around_cells(graph, features, 2, rows);
    let across = around_cells(graph, features, 3, columns);
    let across = graph.turned(&across, &[1, 0]);
    let lines = graph.plain("MatMul", &[features, &across]);
    graph.plain("MatMul", &[&down, &lines])
}

/// What each cell of a side is read from pixels with: `[cells, pixels]`, each row summing to 1.
fn around_cells(graph: &mut Graph, images: &Value, axis: i64, cells: usize) -> Value {
    let apart = 1.0 / (cells - 1) as f32;
    let centres = centres(graph, images, axis);
    let centres = graph.widened(&centres, &[0]);
    let side = length(graph, images, axis);
    let [one, least] = [1.0, apart].map(|it| graph.number(it));
    let pixel = graph.plain("Div", &[&one, &side]);
    let reach = graph.plain("Max", &[&pixel, &least]);
    let cells: Vec<f32> = numbered(cells)
        .into_iter()
        .map(|cell| cell * apart)
        .collect();
    let places = graph.numbers(&cells, &[cells.len(), 1]);
    let away = graph.plain("Sub", &[&centres, &places]);
    let away = graph.plain("Div", &[&away, &reach]);
    let near = near(graph, &away);
    let sums = graph.sum(&near, 1, true);
    graph.plain("Div", &[&near, &sums])
}

/// The centres of the pixels of a side, from 0 to 1.
fn centres(graph: &mut Graph, images: &Value, axis: i64) -> Value {
    let count = graph.lengths(images, axis, axis + 1);
    let count = graph.plain("Squeeze", &[&count]);
    let [first, step] = [0, 1].map(|it| graph.scalar(it));
    let pixels = graph.plain("Range", &[&first, &count, &step]);
    let pixels = graph.cast(&pixels, TensorProto::FLOAT);
    let half = graph.number(0.5);
    let pixels = graph.plain("Add", &[&pixels, &half]);
    let side = length(graph, images, axis);
    graph.plain("Div", &[&pixels, &side])
}

/// How many pixels a side has, as a vector of one number.
fn length(graph: &mut Graph, images: &Value, axis: i64) -> Value {
    let side = graph.lengths(images, axis, axis + 1);
    graph.cast(&side, TensorProto::FLOAT)
}

fn numbered(count: usize) -> Vec<f32> {
    (0..count).map(|number| number as f32).collect()
}

/// How much of each of some numbered neighbours is read at places between them.
fn nearness(graph: &mut Graph, places: &Value, numbers: &[f32], shape: &[usize]) -> Value {
    let numbers = graph.numbers(numbers, shape);
    let away = graph.plain("Sub", &[places, &numbers]);
    near(graph, &away)
}

/// 1 at a distance of 0, 0 from 1 on.
fn near(graph: &mut Graph, away: &Value) -> Value {
    let away = graph.plain("Abs", &[away]);
    let one = graph.number(1.0);
    let near = graph.plain("Sub", &[&one, &away]);
    graph.plain("Relu", &[&near])
}
