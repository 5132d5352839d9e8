//! The generator's layers, from the images to the image.

use huenet_models::constants::PALETTE_COLOURS;
use huenet_models::{
    Conditioning, GeneratorConfig, GeneratorOptions, LastLayer, Normalization, Prediction,
};

use super::colours::{blend, displayable, paint, palette};
use super::distributions::{Matching, counts, of_each};
use super::encoders::{encoded_counts, encoded_quantiles};
use super::graph::{Graph, Value};
use super::interface::{CHANGED_MAPS, CONTENT, MAPS, OUTPUT, PHOTOGRAPH, REFERENCE};
use super::layers::{
    convolved, dense, doubled, framed, halved, leaky_relu, normalized, resized, transposed,
};
use super::maps;
use crate::settings::{Key, Settings};
use crate::step::recipe::Recipe;
use crate::store::error::TaskError;

/// Adds to `graph` all that the generator of `recipe` computes.
///
/// # Errors
///
/// [`TaskError::NotInOnnx`] for a part that is not known here.
pub(super) fn build(graph: &mut Graph, recipe: &Recipe) -> Result<(), TaskError> {
    let options = recipe.generator().options();
    let settings = recipe.settings();
    let normalization = match options.normalization {
        known @ (Normalization::Batch | Normalization::Group) => known,
        _ => return Err(unknown(settings, "normalization")),
    };
    let [content, reference] = [CONTENT, REFERENCE].map(Value::named);
    let counts = counts(graph, &reference, recipe.preprocessing().counts);
    let counts = of_each(graph, &counts, &content);
    let modulated = options.conditioning == Conditioning::Modulation;
    let matching = (modulated || options.matched_content)
        .then(|| Matching::new(graph, &content, &counts, options.bins));
    let matched = match &matching {
        Some(matching) if options.matched_content => Some(matching.matched(graph, &content)),
        _ => None,
    };
    let changes_maps = options.prediction == Prediction::LocalMaps;
    let fitted = changes_maps.then(|| Value::named(MAPS));
    let colour = recipe.colour();
    let mapped = (fitted.as_ref()).map(|maps| maps::sliced(graph, maps, &content, colour));
    let images = [Some(&content), matched.as_ref(), mapped.as_ref()];
    let images: Vec<&Value> = images.into_iter().flatten().collect();
    let given = match images.as_slice() {
        [only] => (*only).clone(),
        several => graph.joined(several, 1),
    };

    let (smallest, skips) = halvings(graph, &given, options, normalization);
    let quantiles = match &matching {
        Some(matching) if modulated => Some(matching.quantiles(graph)),
        _ => None,
    };
    let told = match (options.conditioning, &quantiles) {
        (Conditioning::Counts, _) => encoded_counts(graph, &counts, options),
        (Conditioning::Modulation, Some(quantiles)) => encoded_quantiles(graph, quantiles),
        _ => return Err(unknown(settings, "conditioning")),
    };
    let features = beside(graph, &smallest, &told);
    let features = doublings(
        graph,
        features,
        &skips,
        &told,
        recipe.generator(),
        normalization,
    );
    if let Some(fitted) = &fitted {
        let change = maps::change(graph, &features, recipe.generator().last_features());
        let changed = graph.plain("Add", &[fitted, &change]);
        graph.output(CHANGED_MAPS, &changed);
        let photograph = Value::named(PHOTOGRAPH);
        let image = maps::sliced(graph, &changed, &photograph, colour);
        show(graph, recipe, &image);
        return Ok(());
    }
    let predicted = match options.last_layer {
        LastLayer::Transposed => transposed(graph, &features),
        LastLayer::Resize => resized(graph, &features, &given),
        _ => return Err(unknown(settings, "last_layer")),
    };
    let image = Image {
        predicted: &predicted,
        content: &content,
        matched: matched.as_ref(),
        quantiles: quantiles.as_ref(),
        told: &told,
        channels: options.output_channels,
    };
    let image = image.of(graph, options.prediction);
    let image = image.ok_or_else(|| unknown(settings, "prediction"))?;
    show(graph, recipe, &image);
    Ok(())
}

/// Makes an image the output, clipped to a screen's colours if the recipe says so.
fn show(graph: &mut Graph, recipe: &Recipe, image: &Value) {
    let shown = match recipe.settings().displayable {
        true => displayable(graph, recipe.colour(), image),
        false => image.clone(),
    };
    graph.output(OUTPUT, &shown);
}

/// That a setting has a value of which nothing is known here.
fn unknown(settings: &Settings, name: &str) -> TaskError {
    let value = Key::find(name).and_then(|key| settings.value(key));
    let value = value.map_or_else(String::new, |value| format!(" = {value}"));
    TaskError::NotInOnnx {
        reason: format!("generators with {name}{value} can be exported as safetensors only"),
    }
}

/// Channels after each halving.
fn widths(options: &GeneratorOptions) -> Vec<usize> {
    (0..options.depth)
        .map(|level| options.base_width << level.min(3))
        .collect()
}

/// The features after the last halving, and those after each that doublings are joined by.
fn halvings(
    graph: &mut Graph,
    given: &Value,
    options: &GeneratorOptions,
    normalization: Normalization,
) -> (Value, Vec<Value>) {
    let mut features = given.clone();
    let mut skips = Vec::new();
    for (level, channels) in widths(options).into_iter().enumerate() {
        let name = format!("downs.{level}");
        features = halved(graph, &features, &format!("{name}.conv"));
        if level > 0 {
            features = normalized(graph, &features, &name, normalization, channels, None);
        }
        features = leaky_relu(graph, &features);
        skips.push(features.clone());
    }
    skips.pop();
    (features, skips)
}

/// What was told beside the features, the same at every pixel.
fn beside(graph: &mut Graph, features: &Value, told: &Value) -> Value {
    let ones = graph.whole(&[1, 1]);
    let sides = graph.lengths(features, 2, 4);
    let shape = graph.joined(&[&ones, &sides], 0);
    let everywhere = graph.widened(told, &[2, 3]);
    let everywhere = graph.plain("Expand", &[&everywhere, &shape]);
    graph.joined(&[features, &everywhere], 1)
}

/// The features at half of the image's size, or at that of a grid of maps: doubled again and again, each time joined by
/// the halving of their size.
fn doublings(
    graph: &mut Graph,
    mut features: Value,
    skips: &[Value],
    told: &Value,
    config: &GeneratorConfig,
    normalization: Normalization,
) -> Value {
    let options = config.options();
    let skips = skips.iter().zip(widths(options)).rev();
    for (level, (skip, channels)) in skips.take(config.doublings()).enumerate() {
        let name = format!("ups.{level}");
        let larger = doubled(graph, &features);
        let larger = framed(graph, &larger);
        let convolved = convolved(graph, &larger, &format!("{name}.conv"), true, 0);
        let modulation = (options.conditioning == Conditioning::Modulation).then(|| {
            let both = dense(graph, told, &format!("distribution.modulations.{level}"));
            graph.split(&both, 1, [channels, channels])
        });
        let normal = normalized(
            graph,
            &convolved,
            &name,
            normalization,
            channels,
            modulation,
        );
        let active = graph.plain("Relu", &[&normal]);
        features = graph.joined(&[&active, skip], 1);
    }
    features
}

/// What an image is made of.
struct Image<'a> {
    predicted: &'a Value,
    content: &'a Value,
    matched: Option<&'a Value>,
    quantiles: Option<&'a Value>,
    told: &'a Value,
    channels: usize,
}

impl Image<'_> {
    /// The image that is predicted, or the content with what is predicted added to it; `None` for a prediction
    /// that is not known here.
    fn of(&self, graph: &mut Graph, prediction: Prediction) -> Option<Value> {
        let channels = self.channels;
        let (ground, changes, masks) = match prediction {
            Prediction::Image => return Some(graph.plain("Tanh", &[self.predicted])),
            Prediction::Change => {
                return Some(graph.plain("Add", &[self.content, self.predicted]));
            }
            Prediction::Palette => {
                let lengths = [channels, PALETTE_COLOURS];
                let [changes, masks] = graph.split(self.predicted, 1, lengths);
                (self.content.clone(), changes, masks)
            }
            Prediction::Blend => {
                let lengths = [channels, PALETTE_COLOURS, channels];
                let [changes, masks, gates] = graph.split(self.predicted, 1, lengths);
                let ground = blend(graph, self.content, self.matched?, &gates);
                (ground, changes, masks)
            }
            _ => return None,
        };
        let colours = palette(graph, self.quantiles?, self.told, channels);
        let painted = paint(graph, &colours, &changes, &masks);
        Some(graph.plain("Add", &[&ground, &painted]))
    }
}
