//! A generator as an ONNX model: images in, an image out, with all that lies between.
//!
//! | input or output | shape |
//! |---|---|
//! | `content` | `[batch, channels, height, width]`, sides multiples of 2^depth |
//! | `reference` | `[references, channels, reference_height, reference_width]`: as many as contents, or one for all |
//! | `output` | `[batch, channels, height, width]` |
//!
//! A generator that changes fitted colour maps is given them too, and a second image that gets its colours by them:
//!
//! | input or output | shape |
//! |---|---|
//! | `maps` | `[batch, 12, levels, rows, columns]`, fitted to content and reference |
//! | `photograph` | `[batch, channels, photograph_height, photograph_width]`: the content at any size |
//! | `output` | the shape of `photograph` |
//! | `changed_maps` | the shape of `maps` |
//!
//! All are float32 images in the colour space of the networks. The reference is counted, the content matched and
//! the output clipped to a screen's colours (if the recipe does so) inside the model. Normalisation has running
//! statistics, and there is no dropout. The weights have the names that they have in safetensors files.
//!
//! The operators are those of version 17, which onnxruntime 1.12 and later know, in files of version 8.

mod colours;
mod distributions;
mod encoders;
mod generator;
mod graph;
mod interface;
mod layers;
mod maps;
mod proto;
#[cfg(test)]
mod tests;

use prost::Message;

use super::header::Entry;
use super::named::Named;
use crate::step::recipe::Recipe;
use crate::store::error::TaskError;
use graph::Graph;
use proto::{GraphProto, ModelProto, OperatorSetIdProto, StringStringEntryProto, TensorProto};

/// The version of the file's format.
const FORMAT: i64 = 8;

/// The version of the operators.
const OPERATORS: i64 = 17;

/// What readers take: protobuf's limit.
const MAX_BYTES: usize = i32::MAX as usize;

/// The bytes of a model with the generator of `recipe`, of these weights, and with `header` as its metadata.
///
/// # Errors
///
/// [`TaskError::NotInOnnx`] if the generator has a part that this version cannot write, or is too large.
pub(super) fn model(
    recipe: &Recipe,
    weights: Vec<Named>,
    header: Vec<Entry>,
) -> Result<Vec<u8>, TaskError> {
    let mut graph = Graph::default();
    generator::build(&mut graph, recipe)?;
    let (node, constants) = graph.into_parts();
    let weights = weights.into_iter().map(tensor);
    let [input, output] = interface::of(recipe.generator().options());
    let model = ModelProto {
        ir_version: FORMAT,
        producer_name: "huenet".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        doc_string: format!("HueNet's generator, task {}", recipe.task()),
        graph: Some(GraphProto {
            node,
            name: "generator".to_owned(),
            initializer: weights.chain(constants).collect(),
            input,
            output,
        }),
        opset_import: vec![OperatorSetIdProto {
            domain: String::new(),
            version: OPERATORS,
        }],
        metadata_props: header.into_iter().map(property).collect(),
    };
    match model.encoded_len() {
        0..=MAX_BYTES => Ok(model.encode_to_vec()),
        bytes => Err(TaskError::NotInOnnx {
            reason: format!("it takes {bytes} bytes, and an ONNX file has at most {MAX_BYTES}"),
        }),
    }
}

fn tensor(named: Named) -> TensorProto {
    TensorProto {
        dims: named
            .shape
            .into_iter()
            .map(|length| length as i64)
            .collect(),
        data_type: TensorProto::FLOAT,
        name: named.name,
        raw_data: named.bytes,
    }
}

fn property((key, value): Entry) -> StringStringEntryProto {
    StringStringEntryProto {
        key: key.to_owned(),
        value,
    }
}
