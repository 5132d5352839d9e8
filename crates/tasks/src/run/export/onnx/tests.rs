//! Models, read back. What they compute is compared with the generator's own output by the end-to-end tests, where
//! there is an onnxruntime.

use std::collections::HashSet;

use burn_flex::Flex;
use huenet_models::{Conditioning, LastLayer, Normalization, Prediction};
use rstest::rstest;

use super::proto::{AttributeProto, Length, NodeProto, ValueInfoProto};
use super::*;
use crate::run::export::named;
use crate::settings::{RecipeChoice, Settings, Task};
use crate::step::seeds::{Purpose, stream};

fn small(recipe: RecipeChoice, task: Task) -> Settings {
    Settings {
        img_h: 32,
        img_w: 64,
        base_width: 2,
        depth: 5,
        bin_num: 8,
        ..Settings::of(recipe, task).on_demo().painted()
    }
}

/// A model with the generator of these settings, and its weights.
fn exported(settings: Settings) -> (ModelProto, Vec<Named>) {
    let recipe = Recipe::new(settings).unwrap();
    let mut random = stream(3, Purpose::GeneratorWeights, 0);
    let generator = recipe
        .generator()
        .init::<Flex>(&mut random, &Default::default());
    let weights = || named::tensors(&generator);
    let header = vec![("step", "2".to_owned())];
    let bytes = model(&recipe, weights(), header).unwrap();
    (ModelProto::decode(bytes.as_slice()).unwrap(), weights())
}

fn graph(model: &ModelProto) -> &GraphProto {
    model.graph.as_ref().unwrap()
}

/// How often an operator occurs.
fn count(model: &ModelProto, operator: &str) -> usize {
    let nodes = graph(model).node.iter();
    nodes.filter(|node| node.op_type == operator).count()
}

/// Everything that a node takes is there before it, everything that is there is taken, and nothing has two sources.
fn check_flow(graph: &GraphProto) {
    let mut known = HashSet::new();
    for name in graph.input.iter().map(|input| &input.name) {
        assert!(known.insert(name.as_str()), "{name} twice");
    }
    for name in graph.initializer.iter().map(|tensor| &tensor.name) {
        assert!(known.insert(name.as_str()), "{name} twice");
    }
    let mut taken = HashSet::new();
    for NodeProto {
        name,
        input,
        output,
        ..
    } in &graph.node
    {
        for input in input.iter().filter(|input| !input.is_empty()) {
            assert!(known.contains(input.as_str()), "{name} takes {input}");
            taken.insert(input.as_str());
        }
        for output in output {
            assert!(known.insert(output), "{name} makes {output} again");
        }
    }
    for output in &graph.output {
        assert!(
            known.contains(output.name.as_str()),
            "{} is not made",
            output.name
        );
        taken.insert(&output.name);
    }
    let idle: Vec<_> = known.difference(&taken).collect();
    assert!(idle.is_empty(), "nothing takes {idle:?}");
}

fn check_weights(graph: &GraphProto, weights: &[Named]) {
    assert!(weights.len() > 20);
    for weight in weights {
        let tensor = graph.initializer.iter().find(|it| it.name == weight.name);
        let tensor = tensor.unwrap_or_else(|| panic!("no {}", weight.name));
        let shape: Vec<i64> = weight.shape.iter().map(|&length| length as i64).collect();
        assert_eq!(tensor.dims, shape, "{}", weight.name);
        assert!(tensor.raw_data == weight.bytes, "{}", weight.name);
    }
    for tensor in &graph.initializer {
        let size = match tensor.data_type {
            TensorProto::FLOAT => 4,
            TensorProto::INT64 | TensorProto::DOUBLE => 8,
            other => panic!("{} is of the type {other}", tensor.name),
        };
        let numbers: i64 = tensor.dims.iter().product();
        assert_eq!(
            tensor.raw_data.len(),
            size * numbers as usize,
            "{}",
            tensor.name
        );
    }
}

#[rstest]
fn a_model_has_all_that_the_generator_is_made_of(
    #[values(RecipeChoice::Official, RecipeChoice::Recommended)] recipe: RecipeChoice,
    #[values(Task::Edges2photos, Task::ColorTransfer, Task::Colorization)] task: Task,
) {
    let (model, weights) = exported(small(recipe, task));
    check_flow(graph(&model));
    check_weights(graph(&model), &weights);
    let versions: Vec<_> = model.opset_import.iter().map(|set| set.version).collect();
    assert_eq!((model.ir_version, versions), (8, vec![17]));
    let [step] = model.metadata_props.as_slice() else {
        panic!("{:?}", model.metadata_props);
    };
    assert_eq!((&*step.key, &*step.value), ("step", "2"));
    // Four halvings and four doublings are normalised.
    let normalised = match recipe {
        RecipeChoice::Official => "BatchNormalization",
        RecipeChoice::Recommended => "InstanceNormalization",
    };
    assert_eq!(count(&model, normalised), 8);
    assert_eq!(count(&model, "Dropout"), 0);
    // One for the reference, and one for the content if it is matched.
    let counted = if recipe == RecipeChoice::Official {
        1
    } else {
        2
    };
    assert_eq!(count(&model, "ScatterElements"), counted);
}

/// Every choice of parts.
#[rstest]
fn every_choice_of_parts_has_a_model(
    #[values(Conditioning::Counts, Conditioning::Modulation)] conditioning: Conditioning,
    #[values(Normalization::Batch, Normalization::Group)] normalization: Normalization,
    #[values(LastLayer::Transposed, LastLayer::Resize)] last_layer: LastLayer,
    #[values(
        Prediction::Image,
        Prediction::Change,
        Prediction::Palette,
        Prediction::Blend,
        Prediction::LocalMaps
    )]
    prediction: Prediction,
    #[values(false, true)] matched_content: bool,
) {
    let blends = prediction == Prediction::Blend;
    let paints = blends || prediction == Prediction::Palette;
    if (paints && conditioning == Conditioning::Counts) || (blends && !matched_content) {
        // There is no such generator.
        return;
    }
    let (model, weights) = exported(Settings {
        conditioning,
        normalization,
        last_layer,
        prediction,
        matched_content,
        ..small(RecipeChoice::Official, Task::ColorTransfer)
    });
    check_flow(graph(&model));
    check_weights(graph(&model), &weights);
    // There is no last layer where maps are changed, and no doubling beyond 8×16, the grid's height.
    let maps = prediction == Prediction::LocalMaps;
    let transposed = usize::from(last_layer == LastLayer::Transposed && !maps);
    assert_eq!(count(&model, "ConvTranspose"), transposed);
    // Four doublings, and one of the last layer's.
    let doublings = if maps { 3 } else { 5 - transposed };
    assert_eq!(count(&model, "Resize"), doublings);
}

/// The lengths of the axes, or their names.
fn axes(value: &ValueInfoProto) -> Vec<String> {
    let shape = value.r#type.clone().unwrap().tensor_type.unwrap().shape;
    let axes = shape.unwrap().dim.into_iter().map(|axis| axis.length);
    axes.map(|length| match length.unwrap() {
        Length::DimValue(length) => length.to_string(),
        Length::DimParam(name) => name,
    })
    .collect()
}

#[rstest]
#[case::colours(3)]
#[case::grey(1)]
fn images_of_any_number_and_size_go_in_and_out(#[case] channels: usize) {
    let (model, _) = exported(Settings {
        img_c: channels,
        img_out_c: channels,
        ..small(RecipeChoice::Recommended, Task::ColorTransfer)
    });
    let channels = channels.to_string();
    let [content, reference] = graph(&model).input.as_slice() else {
        panic!("other than two inputs");
    };
    let [output] = graph(&model).output.as_slice() else {
        panic!("other than one output");
    };
    assert_eq!((&*content.name, &*reference.name), ("content", "reference"));
    assert_eq!(output.name, "output");
    let whole = ["batch", &*channels, "height", "width"];
    assert_eq!(axes(content), whole);
    assert_eq!(axes(output), whole);
    let other = [
        "references",
        &*channels,
        "reference_height",
        "reference_width",
    ];
    assert_eq!(axes(reference), other);
    assert!(content.doc_string.contains("multiples of 32"));
}

#[test]
fn a_model_that_changes_maps_takes_them_and_an_image_of_another_size() {
    let (model, _) = exported(Settings {
        prediction: Prediction::LocalMaps,
        ..small(RecipeChoice::Recommended, Task::ColorTransfer)
    });
    let names = |values: &[ValueInfoProto]| -> Vec<String> {
        values.iter().map(|value| value.name.clone()).collect()
    };
    let inputs = names(&graph(&model).input);
    assert_eq!(inputs, ["content", "reference", "maps", "photograph"]);
    assert_eq!(names(&graph(&model).output), ["output", "changed_maps"]);
    let all = (graph(&model).input.iter()).chain(&graph(&model).output);
    let axes: Vec<_> = all.map(axes).collect();
    assert_eq!(axes[2], ["batch", "12", "8", "8", "8"]);
    assert_eq!(axes[5], axes[2]);
    let sides = ["batch", "3", "photograph_height", "photograph_width"];
    assert_eq!(axes[3], sides);
    assert_eq!(axes[4], sides);
}

#[test]
fn an_attribute_of_zero_is_written() {
    // Whoever reads the file should not have to know what is meant by nothing.
    let attribute = super::graph::whole("axis", 0);
    let read = AttributeProto::decode(attribute.encode_to_vec().as_slice()).unwrap();
    assert_eq!((read.i, read.r#type), (Some(0), AttributeProto::INT));
}

#[test]
fn colours_are_clipped_where_the_recipe_does_so() {
    let clips = |displayable: bool| {
        let (model, _) = exported(Settings {
            displayable,
            ..small(RecipeChoice::Official, Task::Edges2photos)
        });
        count(&model, "Clip")
    };
    assert_eq!((clips(false), clips(true)), (0, 1));
}
