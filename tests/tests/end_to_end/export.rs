//! Networks for Python.

use predicates::prelude::*;
use predicates::str::contains;
use rstest::rstest;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};

use crate::support::{Place, weights};

#[test]
fn a_plain_reader_finds_the_networks_under_their_names() {
    let place = Place::new();
    place.pairs();
    let mut command = place.train("edges2photos", "run");
    command.args(["--max-steps", "2"]).assert().success();
    let export = || place.command("export");
    export()
        .args(["run", "--output", "for-python"])
        .assert()
        .success()
        .stdout(contains("for-python/generator.safetensors"));
    let read = |name: &str| std::fs::read(place.root().join("for-python").join(name)).unwrap();

    let bytes = read("generator.safetensors");
    let generator = SafeTensors::deserialize(&bytes).unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let metadata = header.metadata().clone().unwrap();
    assert_eq!((&*metadata["format"], &*metadata["step"]), ("pt", "2"));
    let bytes = read("discriminator.safetensors");
    let discriminator = SafeTensors::deserialize(&bytes).unwrap();

    // Base width 2, five levels, 8 bins, 32×32 pixels, three channels.
    let shape = |tensors: &SafeTensors<'_>, name: &str| {
        let tensor = tensors.tensor(name);
        let tensor = tensor.unwrap_or_else(|_| panic!("no {name} in {:?}", tensors.names()));
        assert_eq!(tensor.dtype(), Dtype::F32);
        tensor.shape().to_vec()
    };
    for (name, expected) in SHAPES_OF_THE_GENERATOR {
        assert_eq!(shape(&generator, name), *expected, "{name}");
    }
    for (name, expected) in SHAPES_OF_THE_DISCRIMINATOR {
        assert_eq!(shape(&discriminator, name), *expected, "{name}");
    }

    // Nothing is missing, and nothing is twice: the values, in any order, are the networks'.
    let values = |tensors: &SafeTensors<'_>| -> Vec<u32> {
        let floats = |bytes: &[u8]| -> Vec<u32> {
            let words = bytes.chunks_exact(4);
            words
                .map(|word| f32::from_le_bytes(word.try_into().unwrap()).to_bits())
                .collect()
        };
        tensors
            .tensors()
            .iter()
            .flat_map(|(_, tensor)| floats(tensor.data()))
            .collect()
    };
    let dense = generator.tensor("histogram.dense.weight").unwrap();
    let word = |at: usize| f32::from_le_bytes(dense.data()[4 * at..4 * at + 4].try_into().unwrap());
    let trained = weights(&place.run("run"));
    let (_, trained) = trained
        .iter()
        .find(|(name, _)| name.ends_with("hist.dense.kernel"))
        .unwrap();
    for (output, input) in [(0, 0), (3, 20), (15, 1)] {
        // Ours is `[in, out]`, PyTorch's `[out, in]`.
        assert_eq!(
            f64::from(word(24 * output + input)),
            trained[16 * input + output]
        );
    }

    let mut exported = [values(&generator), values(&discriminator)].concat();
    let mut trained: Vec<u32> = weights(&place.run("run"))
        .into_values()
        .flatten()
        .map(|value| (value as f32).to_bits())
        .collect();
    exported.sort_unstable();
    trained.sort_unstable();
    assert!(exported == trained);

    export()
        .args(["run", "--output", "for-python"])
        .assert()
        .code(2)
        .stderr(contains("for-python/generator.safetensors").and(contains("--output")));
    export()
        .arg("runs/run/checkpoints/step-00000002")
        .assert()
        .success()
        .stdout(contains("runs/run/export/generator.safetensors"));
    export()
        .arg("nothing")
        .assert()
        .code(2)
        .stderr(contains("nothing"));
}

const SHAPES_OF_THE_GENERATOR: &[(&str, &[usize])] = &[
    ("downs.0.conv.weight", &[2, 3, 4, 4]),
    ("downs.4.conv.weight", &[16, 16, 4, 4]),
    ("downs.4.norm.weight", &[16]),
    ("downs.4.norm.running_var", &[16]),
    ("histogram.dense.weight", &[16, 24]),
    ("histogram.dense.bias", &[16]),
    ("histogram.tables.2.weight", &[32 * 32 + 1, 1]),
    ("ups.0.conv.weight", &[16, 32, 3, 3]),
    ("ups.3.conv.bias", &[2]),
    ("ups.3.norm.running_mean", &[2]),
    ("last.weight", &[4, 3, 4, 4]),
    ("last.bias", &[3]),
];

const SHAPES_OF_THE_DISCRIMINATOR: &[(&str, &[usize])] = &[
    ("downs.0.conv.weight", &[2, 6, 4, 4]),
    ("downs.2.norm.bias", &[8]),
    ("conv.weight", &[16, 8, 4, 4]),
    ("norm.running_var", &[16]),
    ("last.weight", &[1, 16, 4, 4]),
    ("last.bias", &[1]),
];

#[test]
fn the_recommended_parts_have_names_and_layouts_that_python_has() {
    let place = Place::new();
    place.pairs();
    let mut command = place.train("edges2photos", "run");
    command.args(["--max-steps", "1", "--recipe", "recommended"]);
    command.assert().success();
    let mut export = place.command("export");
    export.args(["run", "--output", "for-python"]);
    export.assert().success();
    let file = place.root().join("for-python/generator.safetensors");
    let bytes = std::fs::read(file).unwrap();
    let generator = SafeTensors::deserialize(&bytes).unwrap();
    // 32 quantiles of three channels of two images; the first doubling makes 16 channels.
    for (name, expected) in [
        ("distribution.layers.0.weight", &[128, 192][..]),
        ("distribution.modulations.0.weight", &[32, 128]),
        ("distribution.modulations.0.bias", &[32]),
        ("downs.0.conv.weight", &[2, 6, 4, 4]),
        ("ups.0.group_norm.weight", &[16]),
        // Three channels of change, and five masks.
        ("resize.features.weight", &[8, 4, 3, 3]),
        ("resize.given.weight", &[8, 6, 3, 3]),
        ("palette.quantiles.weight", &[5, 64]),
        ("palette.features.weight", &[15, 128]),
    ] {
        let tensor = generator.tensor(name);
        let tensor = tensor.unwrap_or_else(|_| panic!("no {name} in {:?}", generator.names()));
        assert_eq!(tensor.shape(), expected, "{name}");
    }
}

#[rstest]
fn weights_of_16_bits_take_half_the_space_and_give_nearly_the_same_image(
    #[values("color_transfer", "colorization")] task: &str,
) {
    let place = Place::new();
    place.yosemite().flowers();
    let mut train = place.train(task, "run");
    train.args(["--max-steps", "2", "--recipe", "recommended", "-q"]);
    train.assert().success();
    place.image("a.png", 90, 60, 3);
    place.image("r.png", 48, 64, 90);
    let read = |path: &str| std::fs::read(place.root().join(path)).unwrap();
    let translate = |model: &str, output: &str| {
        let mut translate = place.command("translate");
        translate.args(["--content", "a.png", "--reference", "r.png"]);
        translate.args(["--run", model, "--output", output]);
        translate.assert()
    };
    for (format, dtype) in [("safetensors", Dtype::F32), ("safetensors-f16", Dtype::F16)] {
        let mut export = place.command("export");
        export.args(["run", "--output", format, "--format", format]);
        export.assert().success();
        for network in ["generator", "discriminator"] {
            let bytes = read(&format!("{format}/{network}.safetensors"));
            let network = SafeTensors::deserialize(&bytes).unwrap();
            let tensors = network.tensors();
            assert!(tensors.iter().all(|(_, tensor)| tensor.dtype() == dtype));
        }
        let output = format!("{format}.png");
        translate(&format!("{format}/generator.safetensors"), &output).success();
    }
    let (single, half) = (
        read("safetensors/generator.safetensors"),
        read("safetensors-f16/generator.safetensors"),
    );
    let numbers = |bytes: &[u8]| -> usize {
        let tensors = SafeTensors::deserialize(bytes).unwrap();
        tensors.iter().map(|(_, tensor)| tensor.data().len()).sum()
    };
    assert_eq!(numbers(&half) * 2, numbers(&single));

    let image = |name: &str| image::open(place.root().join(name)).unwrap().into_rgb8();
    let [content, single, half] = ["a.png", "safetensors.png", "safetensors-f16.png"].map(image);
    assert_ne!(single, content);
    let pairs = single.as_raw().iter().zip(half.as_raw());
    let largest = pairs.map(|(a, b)| a.abs_diff(*b)).max();
    assert!(largest <= Some(2), "{largest:?}");
}

#[test]
fn weights_of_other_types_are_refused_by_name() {
    let place = Place::new();
    place.flowers();
    let mut train = place.train("color_transfer", "run");
    train.args(["--max-steps", "1", "-q"]).assert().success();
    let mut export = place.command("export");
    export.args(["run", "--output", "out"]).assert().success();
    let bytes = std::fs::read(place.root().join("out/generator.safetensors")).unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap().tensors();
    let views = tensors.iter().map(|(name, tensor)| {
        let dtype = match name.as_str() {
            "last.bias" => Dtype::I32,
            _ => tensor.dtype(),
        };
        let shape = tensor.shape().to_vec();
        (name, TensorView::new(dtype, shape, tensor.data()).unwrap())
    });
    let other = safetensors::serialize(views, header.metadata().clone()).unwrap();
    place.write("other.safetensors", &other);
    place.image("a.png", 40, 40, 3);
    let mut translate = place.command("translate");
    translate.args(["--content", "a.png", "--reference", "a.png"]);
    translate.args(["--run", "other.safetensors", "--output", "n.png"]);
    let words = contains("other.safetensors cannot be used")
        .and(contains("last.bias"))
        .and(contains("I32"));
    translate.assert().code(1).stderr(words);
}
