//! What a generator is told of the colours.

use huenet_models::GeneratorOptions;

use super::graph::{Graph, Value, whole};
use super::layers::{dense, leaky_relu};
use super::proto::TensorProto;

/// Each bin's pixel count looked up in its channel's table, and a dense layer of all.
pub(super) fn encoded_counts(
    graph: &mut Graph,
    counts: &Value,
    options: &GeneratorOptions,
) -> Value {
    let counts = of_configured_size(graph, counts, options);
    let looked_up: Vec<Value> = (0..options.output_channels)
        .map(|channel| {
            let index = graph.whole(&[channel as i64]);
            let own = graph.node("Gather", &[&counts, &index], vec![whole("axis", 1)]);
            let own = graph.reshaped(&own, &[0, -1]);
            let table = Value::named(format!("histogram.tables.{channel}.weight"));
            // `[batch, bins, 1]`.
            graph.node("Gather", &[&table, &own], vec![whole("axis", 0)])
        })
        .collect();
    let looked_up: Vec<&Value> = looked_up.iter().collect();
    let read = graph.joined(&looked_up, 2);
    let read = graph.reshaped(&read, &[0, -1]);
    let encoded = dense(graph, &read, "histogram.dense");
    graph.plain("Relu", &[&encoded])
}

/// The counts of an image of any size as those of one of the configured size, for which the tables were made.
fn of_configured_size(graph: &mut Graph, counts: &Value, options: &GeneratorOptions) -> Value {
    let counts = graph.cast(counts, TensorProto::DOUBLE);
    let axis = graph.whole(&[2]);
    let pixels = graph.plain("ReduceSum", &[&counts, &axis]);
    let wanted = graph.double((options.height * options.width) as f64);
    let counts = graph.plain("Mul", &[&counts, &wanted]);
    let counts = graph.plain("Div", &[&counts, &pixels]);
    let counts = graph.plain("Round", &[&counts]);
    graph.cast(&counts, TensorProto::INT64)
}

/// Two dense layers of the quantiles.
pub(super) fn encoded_quantiles(graph: &mut Graph, quantiles: &Value) -> Value {
    ["distribution.layers.0", "distribution.layers.1"]
        .into_iter()
        .fold(quantiles.clone(), |features, name| {
            let features = dense(graph, &features, name);
            leaky_relu(graph, &features)
        })
}
