//! The inputs of a model and its output.

use huenet_models::GeneratorOptions;

use super::proto::{
    Dimension, Length, TensorProto, TensorShapeProto, TensorType, TypeProto, ValueInfoProto,
};

/// The images that are to get new colours.
pub(super) const CONTENT: &str = "content";

/// The images whose colours are wanted.
pub(super) const REFERENCE: &str = "reference";

/// The contents in new colours.
pub(super) const OUTPUT: &str = "output";

/// The inputs, and the output.
pub(super) fn of(options: &GeneratorOptions) -> [Vec<ValueInfoProto>; 2] {
    let image = |name: &str, axes: [&str; 3], channels: usize, told: &str| {
        let named = |name: &str| Length::DimParam(name.to_owned());
        let [batch, height, width] = axes.map(named);
        let axes = [batch, Length::DimValue(channels as i64), height, width];
        let axes = axes.map(|length| Dimension {
            length: Some(length),
        });
        ValueInfoProto {
            name: name.to_owned(),
            r#type: Some(TypeProto {
                tensor_type: Some(TensorType {
                    elem_type: TensorProto::FLOAT,
                    shape: Some(TensorShapeProto { dim: axes.into() }),
                }),
            }),
            doc_string: told.to_owned(),
        }
    };
    let multiple = 1_u64 << options.depth;
    let content = format!("images whose sides are multiples of {multiple}");
    let reference =
        "images whose colours are wanted: as many as contents, or one for all; of any size";
    let axes = ["references", "reference_height", "reference_width"];
    let whole = ["batch", "height", "width"];
    let (given, made) = (options.input_channels, options.output_channels);
    [
        vec![
            image(CONTENT, whole, given, &content),
            image(REFERENCE, axes, made, reference),
        ],
        vec![image(OUTPUT, whole, made, "the contents in new colours")],
    ]
}
