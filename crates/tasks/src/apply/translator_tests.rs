use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::backend::Backend;
use burn_flex::Flex;
use huenet_data::{Phase, RgbImage, demo};
use rstest::rstest;

use super::*;
use crate::settings::{Settings, Task};
use crate::step::seeds::{Purpose, stream};

/// A generator that has not learned anything; that of color_transfer begins with matched colours.
fn translator(settings: Settings) -> Translator<Flex> {
    let recipe = Recipe::new(settings.for_application()).unwrap();
    let mut random = stream(1, Purpose::GeneratorWeights, 0);
    Translator {
        generator: recipe.generator().init(&mut random, &Default::default()),
        recipe,
        device: Default::default(),
        model: "model".into(),
    }
}

/// Demo images, cut to different proportions and enlarged.
fn photographs() -> [Photograph; 2] {
    let collection = demo::collection();
    let image = |number: usize| collection.images(Phase::Train)[number].load().unwrap();
    let photograph = |number: usize, width: u32, height: u32| {
        let cut = image::imageops::crop_imm(&*image(number), 0, 0, 128, 96).to_image();
        let filter = image::imageops::FilterType::CatmullRom;
        Photograph::from_rgb8(image::imageops::resize(&cut, width, height, filter))
    };
    [photograph(0, 520, 390), photograph(2, 100, 75)]
}

fn psnr(one: &[[f32; 3]], other: &[[f32; 3]]) -> f64 {
    let values = one.iter().flatten().zip(other.iter().flatten());
    let squares: f64 = values.map(|(a, b)| f64::from(a - b).powi(2)).sum();
    10.0 * (3.0 * one.len() as f64 / squares).log10()
}

#[rstest]
#[case(Task::ColorTransfer)]
#[case(Task::Colorization)]
#[case(Task::Edges2photos)]
fn the_result_is_the_networks_image_when_it_is_shrunk(#[case] task: Task) {
    let translator = translator(Settings::demo(task).painted());
    let [content, reference] = photographs();
    let small = translator.small(&content, &reference).unwrap();
    let result = small.at_full_size(&content, 1.0);
    assert_eq!(
        [result.width(), result.height()],
        [content.width(), content.height()]
    );
    let (width, height) = (small.output.width(), small.output.height());
    assert_eq!([width, height], [64, 48]);
    let before = psnr(&content.reduced(width, height), small.output.values());
    let after = psnr(&result.reduced(width, height), small.output.values());
    if task == Task::Colorization {
        // Luma is the content's, chroma the network's.
        let chroma = |values: &[[f32; 3]]| -> Vec<[f32; 3]> {
            let colours = values
                .iter()
                .map(|colour| colour.map(|value| 255.0 * value));
            let chroma = colours.map(huenet_data::colour::rgb_to_yuv);
            chroma.map(|[_, u, v]| [0.0, u / 2.0, v / 2.0]).collect()
        };
        let after = psnr(
            &chroma(&result.reduced(width, height)),
            &chroma(small.output.values()),
        );
        assert!(after > 38.0, "{after} dB");
        return;
    }
    assert!(
        after > 38.0 || task == Task::Edges2photos,
        "{after} dB, before {before} dB"
    );
    assert!(after > before + 10.0, "{after} dB, before {before} dB");
}

#[test]
fn colorization_keeps_the_contents_luma() {
    let translator = translator(Settings::demo(Task::Colorization).painted());
    let [content, reference] = photographs();
    let result = translator
        .translate(&content, &reference, &TranslateOptions::default())
        .unwrap();
    let luma = |[r, g, b]: [f32; 3]| 0.299 * r + 0.587 * g + 0.114 * b;
    for row in 0..content.height() {
        for (before, after) in content.row(row).into_iter().zip(result.row(row)) {
            let (before, after) = (luma(before), luma(after));
            // A rounding of each channel.
            assert!((before - after).abs() < 1.0 / 255.0, "{before} {after}");
        }
    }
}

#[test]
fn a_photograph_of_the_networks_size_becomes_the_networks_image() {
    let translator = translator(Settings::demo(Task::ColorTransfer).painted());
    let [content, reference] = photographs();
    let of = |width: u32, height: u32| {
        let filter = image::imageops::FilterType::Triangle;
        Photograph::from_rgb8(image::imageops::resize(
            &content.to_rgb8(),
            width,
            height,
            filter,
        ))
    };
    for (width, height) in [(64, 48), (20, 15)] {
        let content = of(width, height);
        let small = translator.small(&content, &reference).unwrap();
        assert_eq!([small.output.width(), small.output.height()], [64, 48]);
        let result = small.at_full_size(&content, 1.0);
        let (width, height) = (result.width(), result.height());
        let expected = small.output.reduced(width, height);
        let after = psnr(&result.reduced(width, height), expected.values());
        // Roundings to 8 bits: 59 dB.
        assert!(after > 55.0, "{after} dB");
    }
}

#[test]
fn the_same_again_gives_the_same_and_without_strength_the_content() {
    // The official recipe has dropout and the batch's statistics in its samples.
    let translator = translator(Settings::official(Task::ColorTransfer).on_demo());
    let [content, reference] = photographs();
    let with = |strength| {
        let options = TranslateOptions { strength };
        translator
            .translate(&content, &reference, &options)
            .unwrap()
    };
    assert_eq!(with(1.0), with(1.0));
    assert_ne!(with(1.0), content);
    assert_eq!(with(0.0), content);
    assert_eq!(with(f32::NAN), content);
    assert_eq!(with(7.0), with(1.0));
}

/// Puts a value that is not a number into each weight.
struct Spoil;

impl<B: Backend> ModuleMapper<B> for Spoil {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        param.map(|tensor| tensor.mul_scalar(f32::NAN))
    }
}

#[test]
fn what_is_not_finite_is_an_error_that_names_the_model() {
    let good = translator(Settings::demo(Task::ColorTransfer));
    let spoiled = Translator {
        generator: good.generator.map(&mut Spoil),
        ..good
    };
    let [content, reference] = photographs();
    let made = spoiled.translate(&content, &reference, &TranslateOptions::default());
    let error = made.unwrap_err();
    assert!(
        matches!(error, TaskError::NonFiniteOutput { .. }),
        "{error}"
    );
    assert!(error.to_string().contains("model"), "{error}");
}

#[test]
fn odd_photographs_become_photographs() {
    let of = |width: u32, height: u32, colour: [u8; 3]| {
        Photograph::from_rgb8(RgbImage::from_pixel(width, height, colour.into()))
    };
    for task in Task::ALL {
        for settings in [Settings::demo(task), Settings::official(task).on_demo()] {
            let translator = translator(settings);
            for content in [
                of(1, 1, [9, 200, 3]),
                of(3, 500, [255; 3]),
                of(500, 3, [0; 3]),
            ] {
                let made = translator.translate(
                    &content,
                    &of(5, 1, [250, 1, 90]),
                    &TranslateOptions::default(),
                );
                let made = made.unwrap();
                assert_eq!(
                    [made.width(), made.height()],
                    [content.width(), content.height()]
                );
            }
        }
    }
}
