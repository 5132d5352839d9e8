//! Layers, of which the weights are known by their names.

use huenet_models::Normalization;
use huenet_models::constants::{BATCH_NORM_EPSILON, GROUP_NORM_EPSILON, LEAKY_SLOPE, group_size};

use super::graph::{Graph, Value, number, whole, wholes, word};
use super::proto::AttributeProto;

/// A dense layer whose weight is `[outputs, inputs]`.
pub(super) fn dense(graph: &mut Graph, input: &Value, name: &str) -> Value {
    let weight = Value::named(format!("{name}.weight"));
    let bias = Value::named(format!("{name}.bias"));
    graph.node("Gemm", &[input, &weight, &bias], vec![whole("transB", 1)])
}

/// Features normalised, then modulated by a scale and a shift of each channel: y·(1 + scale) + shift.
pub(super) fn normalized(
    graph: &mut Graph,
    features: &Value,
    name: &str,
    normalization: Normalization,
    channels: usize,
    modulation: Option<[Value; 2]>,
) -> Value {
    let part = |part: &str| Value::named(format!("{name}.{part}"));
    if normalization == Normalization::Batch {
        let weights = ["weight", "bias", "running_mean", "running_var"];
        let [scale, bias, mean, variance] = weights.map(|it| part(&format!("norm.{it}")));
        let normal = graph.node(
            "BatchNormalization",
            &[features, &scale, &bias, &mean, &variance],
            vec![number("epsilon", BATCH_NORM_EPSILON)],
        );
        let Some([scale, shift]) = modulation else {
            return normal;
        };
        let one = graph.number(1.0);
        let gain = graph.plain("Add", &[&scale, &one]);
        return scaled(graph, &normal, &gain, &shift, &[2, 3]);
    }
    // Group normalisation is instance normalisation of what has a group where that has a channel.
    let groups = channels / group_size(channels);
    let rows = graph.reshaped(features, &[0, groups as i64, -1]);
    let ones = graph.numbers(&vec![1.0; groups], &[groups]);
    let zeros = graph.numbers(&vec![0.0; groups], &[groups]);
    let normal = graph.node(
        "InstanceNormalization",
        &[&rows, &ones, &zeros],
        vec![number("epsilon", GROUP_NORM_EPSILON)],
    );
    let shape = graph.plain("Shape", &[features]);
    let normal = graph.plain("Reshape", &[&normal, &shape]);
    let [gamma, beta] = ["group_norm.weight", "group_norm.bias"].map(part);
    let Some([scale, shift]) = modulation else {
        return scaled(graph, &normal, &gamma, &beta, &[1, 2]);
    };
    let one = graph.number(1.0);
    let gain = graph.plain("Add", &[&scale, &one]);
    let gamma = graph.plain("Mul", &[&gamma, &gain]);
    let beta = graph.plain("Mul", &[&beta, &gain]);
    let beta = graph.plain("Add", &[&beta, &shift]);
    scaled(graph, &normal, &gamma, &beta, &[2, 3])
}

/// features·gamma + beta, each with axes added at these places for the sides.
fn scaled(
    graph: &mut Graph,
    features: &Value,
    gamma: &Value,
    beta: &Value,
    sides: &[i64],
) -> Value {
    let [gamma, beta] = [gamma, beta].map(|it| graph.widened(it, sides));
    let scaled = graph.plain("Mul", &[features, &gamma]);
    graph.plain("Add", &[&scaled, &beta])
}

pub(super) fn leaky_relu(graph: &mut Graph, features: &Value) -> Value {
    graph.node("LeakyRelu", &[features], vec![number("alpha", LEAKY_SLOPE)])
}

/// Images of twice the size, bilinear with half-pixel centres.
pub(super) fn doubled(graph: &mut Graph, images: &Value) -> Value {
    let factors = graph.numbers(&[1.0, 1.0, 2.0, 2.0], &[4]);
    let bilinear = vec![
        word("mode", "linear"),
        word("coordinate_transformation_mode", "half_pixel"),
    ];
    graph.node("Resize", &[images, &Value::none(), &factors], bilinear)
}

/// Images with one pixel of reflected border.
pub(super) fn framed(graph: &mut Graph, images: &Value) -> Value {
    let border = graph.whole(&[0, 0, 1, 1, 0, 0, 1, 1]);
    graph.node("Pad", &[images, &border], vec![word("mode", "reflect")])
}

/// A 3×3 convolution with so many pixels of zeros around.
pub(super) fn convolved(
    graph: &mut Graph,
    images: &Value,
    name: &str,
    biased: bool,
    pads: i64,
) -> Value {
    let weight = Value::named(format!("{name}.weight"));
    let attributes = vec![wholes("kernel_shape", &[3, 3]), wholes("pads", &[pads; 4])];
    if !biased {
        return graph.node("Conv", &[images, &weight], attributes);
    }
    let bias = Value::named(format!("{name}.bias"));
    graph.node("Conv", &[images, &weight, &bias], attributes)
}

/// What halves an image, and what doubles it: 4×4, of stride 2.
fn of_stride_two() -> Vec<AttributeProto> {
    vec![
        wholes("kernel_shape", &[4, 4]),
        wholes("strides", &[2, 2]),
        wholes("pads", &[1; 4]),
    ]
}

/// A 4×4 convolution of stride 2 without bias.
pub(super) fn halved(graph: &mut Graph, images: &Value, name: &str) -> Value {
    let weight = Value::named(format!("{name}.weight"));
    graph.node("Conv", &[images, &weight], of_stride_two())
}

/// The last layer with a transposed convolution of stride 2.
pub(super) fn transposed(graph: &mut Graph, features: &Value) -> Value {
    let [weight, bias] = ["last.weight", "last.bias"].map(Value::named);
    graph.node(
        "ConvTranspose",
        &[features, &weight, &bias],
        of_stride_two(),
    )
}

/// The last layer that doubles a convolution of the features, and adds one of what was given.
pub(super) fn resized(graph: &mut Graph, features: &Value, given: &Value) -> Value {
    let coarse = convolved(graph, features, "resize.features", true, 1);
    let coarse = doubled(graph, &coarse);
    let fine = framed(graph, given);
    let fine = convolved(graph, &fine, "resize.given", false, 0);
    graph.plain("Add", &[&coarse, &fine])
}
