//! The inputs of a model and its output.

use huenet_models::{GeneratorOptions, MAPS_GRID, Prediction};

use super::maps::VALUES;
use super::proto::{
    Dimension, Length, TensorProto, TensorShapeProto, TensorType, TypeProto, ValueInfoProto,
};

/// The images that are to get new colours.
pub(super) const CONTENT: &str = "content";

/// The images whose colours are wanted.
pub(super) const REFERENCE: &str = "reference";

/// The maps that were fitted to contents and references.
pub(super) const MAPS: &str = "maps";

/// The contents at any size.
pub(super) const PHOTOGRAPH: &str = "photograph";

/// The maps with the generator's change.
pub(super) const CHANGED_MAPS: &str = "changed_maps";

/// The contents in new colours.
pub(super) const OUTPUT: &str = "output";

/// The inputs, and the outputs.
pub(super) fn of(options: &GeneratorOptions) -> [Vec<ValueInfoProto>; 2] {
    let multiple = 1_u64 << options.depth;
    let content = format!("images whose sides are multiples of {multiple}");
    let reference =
        "images whose colours are wanted: as many as contents, or one for all; of any size";
    let (given, made) = (options.input_channels, options.output_channels);
    let content = image(CONTENT, ["batch", "height", "width"], given, &content);
    let axes = ["references", "reference_height", "reference_width"];
    let reference = image(REFERENCE, axes, made, reference);
    if options.prediction != Prediction::LocalMaps {
        let told = "the contents in new colours";
        let output = image(OUTPUT, ["batch", "height", "width"], made, told);
        return [vec![content, reference], vec![output]];
    }
    let axes = ["batch", "photograph_height", "photograph_width"];
    let photograph = image(PHOTOGRAPH, axes, given, "the contents at any size");
    let output = image(OUTPUT, axes, made, "the photographs in new colours");
    let fitted = "colour maps that were fitted to contents and references";
    let changed = "the maps that the photographs got their colours by";
    [
        vec![content, reference, maps(MAPS, fitted), photograph],
        vec![output, maps(CHANGED_MAPS, changed)],
    ]
}

/// Images; the axes are their number and their sides.
fn image(name: &str, axes: [&str; 3], channels: usize, told: &str) -> ValueInfoProto {
    let [batch, height, width] = axes.map(named);
    value(name, vec![batch, fixed(channels), height, width], told)
}

/// Colour maps in a grid.
fn maps(name: &str, told: &str) -> ValueInfoProto {
    let lengths = [VALUES].into_iter().chain(MAPS_GRID).map(fixed);
    let axes = std::iter::once(named("batch")).chain(lengths);
    value(name, axes.collect(), told)
}

fn named(name: &str) -> Length {
    Length::DimParam(name.to_owned())
}

fn fixed(length: usize) -> Length {
    Length::DimValue(length as i64)
}

fn value(name: &str, axes: Vec<Length>, told: &str) -> ValueInfoProto {
    let axes = axes.into_iter().map(|length| Dimension {
        length: Some(length),
    });
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto {
            tensor_type: Some(TensorType {
                elem_type: TensorProto::FLOAT,
                shape: Some(TensorShapeProto {
                    dim: axes.collect(),
                }),
            }),
        }),
        doc_string: told.to_owned(),
    }
}
