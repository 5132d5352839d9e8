//! A generator that changes fitted colour maps: trained, resumed, evaluated, exported, put to use.

use std::path::Path;

use image::GenericImageView;
use predicates::str::{contains, is_empty};
use rstest::rstest;
use safetensors::SafeTensors;
use serde_json::json;

use crate::expected::photographs;
use crate::python;
use crate::support::{Place, assert_same_run, metrics, names, page_data, resume};

/// Six steps.
const OPTIONS: [&str; 10] = [
    "--recipe",
    "recommended",
    "--prediction",
    "local_maps",
    "--epochs",
    "3",
    "--max-steps",
    "6",
    "--save-every-steps",
    "3",
];

fn place() -> Place {
    let place = Place::new();
    place.flowers();
    place
}

fn train(place: &Place, name: &str, more: &[&str]) {
    let mut command = place.train("color_transfer", name);
    command.args(OPTIONS).args(more).assert().success();
}

fn smoothness(place: &Place, name: &str) -> Vec<Option<f64>> {
    let steps = metrics(&place.run(name)).into_iter();
    steps
        .map(|step| step["gen_smoothness_loss"].as_f64())
        .collect()
}

/// What resuming on a backend, and reading in other threads, leaves as it was.
fn resumes_exactly(backend: &str) {
    let place = place();
    let on = ["--backend", backend];
    train(&place, "whole", &[&on[..], &["--workers", "0"]].concat());
    train(&place, "again", &[&on[..], &["--workers", "2"]].concat());
    assert_same_run(&place, "whole", "again");
    resume(&place, "runs/again/checkpoints/step-00000003")
        .args(["--workers", "1"])
        .assert()
        .success();
    assert_same_run(&place, "whole", "again");
    let all = smoothness(&place, "whole");
    assert_eq!(all, smoothness(&place, "again"));
    assert_eq!(all[0], Some(0.0), "the first step changes what was fitted");
    assert!(
        all[1..]
            .iter()
            .all(|loss| loss.is_some_and(|loss| loss > 0.0)),
        "{all:?}"
    );
}

mod flex {
    #[test]
    fn a_run_resumes_exactly() {
        super::resumes_exactly("flex");
    }
}

#[cfg(feature = "tch")]
mod tch {
    #[test]
    fn a_run_resumes_exactly() {
        super::resumes_exactly("tch");
    }
}

#[test]
fn the_change_is_held_together_by_its_weight() {
    let place = place();
    train(&place, "smooth", &["--maps-smoothness", "1000000"]);
    train(&place, "rough", &["--maps-smoothness", "0.001"]);
    train(&place, "none", &["--maps-smoothness", "0"]);
    let last = |name: &str| smoothness(&place, name)[5];
    assert!(
        last("smooth") < last("rough"),
        "{:?} {:?}",
        last("smooth"),
        last("rough")
    );
    assert_eq!(last("none"), None);
    let drawn = |name: &str| page_data(&place.run(name))["losses"]["names"].to_string();
    assert!(drawn("smooth").contains("gen_smoothness_loss"));
    assert!(!drawn("none").contains("gen_smoothness_loss"));
    // Of another prediction there is nothing to hold together.
    train(&place, "blend", &["--prediction", "blend"]);
    assert_eq!(last("blend"), None);
}

#[test]
fn photographs_get_the_maps_at_their_own_size() {
    let place = place();
    train(&place, "model", &[]);
    place.image("a.png", 301, 190, 3);
    place.image("r.jpg", 48, 64, 90);
    place.image("s.jpg", 64, 48, 33);
    place
        .command("export")
        .args(["model", "--output", "out"])
        .assert()
        .success();
    let translate = |run: &str, more: &str, output: &str| {
        let arguments = format!("--content a.png --output {output} --run {run} {more}");
        let mut command = place.command("translate");
        command.args(arguments.split_whitespace());
        command.assert().success().stderr(is_empty());
        image::open(place.root().join(output)).unwrap().into_rgb16()
    };
    let content = image::open(place.root().join("a.png")).unwrap();
    let result = translate("model", "--reference r.jpg", "one.png");
    assert_eq!(result.dimensions(), content.dimensions());
    assert!(result == translate("out/generator.safetensors", "--reference r.jpg", "two.png"));
    assert!(result != translate("model", "--reference s.jpg", "three.png"));
    let content = content.into_rgb16();
    assert!(result != content);
    assert!(content == translate("model", "--reference r.jpg --strength 0", "none.png"));
    // What was fitted alone is another picture.
    train(
        &place,
        "untrained",
        &["--max-steps", "1", "--gen-lr", "1e-30"],
    );
    assert!(result != translate("untrained", "--reference r.jpg", "fitted.png"));
}

#[test]
fn what_the_network_is_given_is_written_for_one_pair() {
    let place = place();
    train(&place, "model", &["--max-steps", "1"]);
    place.image("a.png", 61, 50, 3);
    place.image("r.jpg", 48, 64, 90);
    let translate = |options: &str| {
        let mut command = place.command("translate");
        command.args(options.split_whitespace()).assert()
    };
    let one = "--run model --content a.png --reference r.jpg --maps fitted.safetensors";
    // No picture is asked for.
    translate(one).success().stdout("fitted.safetensors\n");
    let bytes = std::fs::read(place.root().join("fitted.safetensors")).unwrap();
    let fitted = SafeTensors::deserialize(&bytes).unwrap();
    let shape = |name: &str| fitted.tensor(name).unwrap().shape().to_vec();
    assert_eq!(shape("content"), [1, 3, 32, 32]);
    assert_eq!(shape("reference"), [1, 3, 32, 32]);
    assert_eq!(shape("maps"), [1, 12, 8, 8, 8]);
    assert_eq!(fitted.len(), 3);

    translate(one)
        .code(1)
        .stderr(contains("fitted.safetensors already exists"));
    let refused = |options: &str, words: &str| {
        translate(options).code(2).stderr(contains(words));
    };
    refused(
        &one.replace(".safetensors", ".bin"),
        "name it fitted.safetensors",
    );
    refused(
        &format!("{one} --content r.jpg --output out --overwrite"),
        "2 contents and 1 references",
    );
    train(
        &place,
        "blend",
        &["--prediction", "blend", "--max-steps", "1"],
    );
    refused(
        "--run blend --content a.png --reference r.jpg --maps blend.safetensors",
        "no maps are fitted for the model",
    );
}

/// The page's fit in Python. Of fewer pixels, roundings that move one of them count more.
#[rstest]
#[case::of_its_own_size("--img-h 64 --img-w 64", "yuv")]
#[case::averaged_down("--img-h 96 --img-w 128 --no-yuv", "rgb")]
fn python_fits_the_maps_that_huenet_fits(#[case] options: &str, #[case] colours: &str) {
    let Some(python) = python::with("numpy, scipy, safetensors", "numpy, scipy and safetensors")
    else {
        return;
    };
    let place = place();
    let options: Vec<&str> = options.split_whitespace().collect();
    train(
        &place,
        "model",
        &[&options[..], &["--max-steps", "1"]].concat(),
    );
    for (name, size, seed) in [("a.png", [160, 120], 6), ("r.png", [70, 130], 3)] {
        let photograph = &photographs(1, size, seed)[0];
        photograph.save(place.file(name)).unwrap();
    }
    let mut translate = place.command("translate");
    translate.args([
        "--run",
        "model",
        "--content",
        "a.png",
        "--reference",
        "r.png",
    ]);
    translate
        .args(["--maps", "given.safetensors"])
        .assert()
        .success();
    let job = json!({
        "modules": Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs"),
        "given": place.root().join("given.safetensors"),
        "colours": colours,
    });
    let found = python::run(&python, include_str!("fit_maps.py"), &job);
    let of = |name: &str| found[name].as_f64().unwrap_or(f64::NAN);
    assert!(of("moved") > 5.0, "{found}");
    assert!(of("largest") < 2.0 && of("mean") < 0.3, "{found}");
}

#[test]
fn pictures_of_every_kind_are_translated() {
    let place = place();
    train(&place, "model", &[]);
    place.image("in/high.png", 3, 400, 7);
    place.image("in/wide.png", 400, 3, 9);
    place.image("in/dot.png", 1, 1, 11);
    let clear = image::RgbaImage::from_pixel(9, 7, [90, 10, 200, 0].into());
    clear.save(place.file("in/clear.png")).unwrap();
    let half = image::RgbaImage::from_fn(90, 70, |x, y| {
        [x as u8, y as u8, 9, 255 * (x as u8 / 45)].into()
    });
    half.save(place.file("in/half.png")).unwrap();
    place.image("flat.png", 1, 1, 11);
    let mut command = place.command("translate");
    command.args([
        "--run",
        "model",
        "--content",
        "in",
        "--reference",
        "flat.png",
        "--output",
        "out",
    ]);
    command.assert().success().stderr(is_empty());
    assert_eq!(names(&place.root().join("out")).len(), 5);
    let [before, after] = ["in", "out"]
        .map(|folder| image::open(place.root().join(folder).join("half.png")).unwrap());
    let alpha = |image: &image::DynamicImage| -> Vec<u8> {
        image.pixels().map(|(_, _, pixel)| pixel.0[3]).collect()
    };
    assert_eq!(alpha(&before), alpha(&after));
}

#[test]
fn a_model_is_measured() {
    let place = place();
    train(&place, "model", &["--bin-num", "256"]);
    let json = place.root().join("figures.json");
    let mut command = place.command("evaluate");
    command.args(["--run", "model", "--json"]).arg(&json);
    command.assert().success();
    let figures: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(json).unwrap()).unwrap();
    let emd = |method: &serde_json::Value| method["mean"]["emd"].as_f64().unwrap();
    let of = |name: &str| {
        let all = figures["methods"].as_array().unwrap();
        emd(all.iter().find(|method| method["method"] == name).unwrap())
    };
    assert!(of("generator") < of("nothing"), "{figures:#}");
}

#[test]
fn a_photograph_that_is_coloured_keeps_its_luma() {
    let place = Place::new();
    place.yosemite();
    let mut command = place.train("colorization", "model");
    command.args(OPTIONS).assert().success();
    place.image("colours.png", 150, 95, 3);
    place.image("r.jpg", 48, 64, 90);
    let luma = |pixel: &image::Rgb<u8>| {
        let [r, g, b] = pixel.0.map(f32::from);
        0.299 * r + 0.587 * g + 0.114 * b
    };
    let content = image::open(place.root().join("colours.png")).unwrap();
    let content = content.into_rgb8();
    let mut grey = content.clone();
    for pixel in grey.pixels_mut() {
        pixel.0 = [luma(pixel).round() as u8; 3];
    }
    grey.save(place.file("grey.png")).unwrap();
    let [of_colours, of_grey] = ["colours", "grey"].map(|name| {
        let arguments = format!("--content {name}.png --output out-{name}.png --run model");
        let mut command = place.command("translate");
        command.args(arguments.split_whitespace());
        command.args(["--reference", "r.jpg"]).assert().success();
        let output = place.root().join(format!("out-{name}.png"));
        image::open(output).unwrap().into_rgb8()
    });
    let (mut coloured, mut apart) = (0, 0.0);
    for ((before, one), two) in content
        .pixels()
        .zip(of_colours.pixels())
        .zip(of_grey.pixels())
    {
        assert!((luma(before) - luma(one)).abs() < 1.5, "{before:?} {one:?}");
        apart += (0..3)
            .map(|c| f64::from(one.0[c].abs_diff(two.0[c])))
            .sum::<f64>();
        coloured += usize::from(one.0[0].abs_diff(one.0[2]) > 10);
    }
    assert!(coloured > 1000, "{coloured} pixels got a colour");
    // The colours of the content are not used. Its luma was rounded in the one and not in the other.
    let apart = apart / f64::from(3 * content.width() * content.height());
    assert!(apart < 1.0, "{apart} levels apart");
}

#[test]
fn drawings_and_grey_images_are_refused() {
    let place = place();
    place.pairs();
    let mut command = place.train("edges2photos", "refused");
    command.args(["--prediction", "local_maps"]);
    command
        .assert()
        .code(2)
        .stderr(contains("prediction = local_maps"));
    let mut command = place.train("color_transfer", "grey");
    command.args([
        "--prediction",
        "local_maps",
        "--img-c",
        "1",
        "--img-out-c",
        "1",
    ]);
    command
        .assert()
        .code(2)
        .stderr(contains("images of 3 channels"));
}
