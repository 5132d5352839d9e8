use rstest::rstest;

use super::*;

/// A smooth image of many colours.
pub(crate) fn waves(width: usize, height: usize, phase: f32) -> Sample {
    let pixel = |i: usize| {
        let (x, y) = ((i % width) as f32, (i / width) as f32);
        [0.0, 1.0, 2.0].map(|c| {
            let wave = (0.31 * x + phase + c).sin() * (0.23 * y - 0.7 * c).cos();
            0.1 + 0.8 * ((wave + 1.0) / 2.0).powf(1.0 + phase)
        })
    };
    Sample::new(width, height, (0..width * height).map(pixel).collect()).unwrap()
}

/// An image after a map.
pub(crate) fn mapped(map: &dyn ColourMap, image: &Sample) -> Vec<[f32; 3]> {
    let mut pixels = image.pixels().to_vec();
    for (row, pixels) in pixels.chunks_mut(image.width()).enumerate() {
        map.map_row(row, image.height(), pixels);
    }
    pixels
}

/// The mean distance of ranks along a few directions.
pub(crate) fn distance(image: &[[f32; 3]], reference: &Sample) -> f32 {
    let directions = [
        [1.0, 0.0, 0.0],
        [0.0, 1.0, 0.0],
        [0.0, 0.0, 1.0],
        [0.577, 0.577, 0.577],
        [0.707, -0.707, 0.0],
        [0.408, 0.408, -0.816],
    ];
    let mut sum = 0.0;
    for direction in directions {
        let ranked = |image: &[[f32; 3]]| {
            let along = |rgb: &[f32; 3]| (0..3).map(|c| rgb[c] * direction[c]).sum::<f32>();
            let mut values: Vec<f32> = image.iter().map(along).collect();
            values.sort_by(f32::total_cmp);
            values
        };
        let (a, b) = (ranked(image), ranked(reference.pixels()));
        for rank in 0..100 {
            let at = |values: &[f32]| values[(2 * rank + 1) * values.len() / 200];
            sum += (at(&a) - at(&b)).abs();
        }
    }
    sum / 600.0
}

/// A small grid, since tests are not optimised.
fn options() -> FitOptions {
    FitOptions::default().with_grid(Grid::new(4, 4, 4).unwrap())
}

fn found(method: Method, content: &Sample, reference: &Sample) -> Vec<[f32; 3]> {
    let map = fit(method, content, reference, &options());
    mapped(&*map, content)
}

/// A sample in which some pixels have another colour and a weight.
pub(crate) fn with_hidden(image: &Sample, colour: [f32; 3], weight: f32) -> Sample {
    let hidden = |i: usize| i % 5 == 2 || i % image.width() > 20;
    let number = image.pixels().len();
    let pixels = (0..number).map(|i| if hidden(i) { colour } else { image.pixels()[i] });
    let sample = Sample::new(image.width(), image.height(), pixels.collect()).unwrap();
    let mask = (0..number).map(|i| if hidden(i) { weight } else { 1.0 });
    sample.with_mask(mask.collect()).unwrap()
}

#[rstest]
fn every_method_brings_the_colours_nearer(#[values(0, 1, 2, 3, 4, 5, 6)] number: usize) {
    let method = Method::ALL[number];
    let (content, reference) = (waves(40, 30, 0.0), waves(35, 25, 1.5));
    let before = distance(content.pixels(), &reference);
    let after = distance(&found(method, &content, &reference), &reference);
    let most = match method {
        Method::IterativeDistributionTransfer => 0.05,
        Method::MatchedMongeKantorovich => 0.3,
        _ => 0.6,
    };
    assert!(after < most * before, "{method:?}: {after} of {before}");
}

#[rstest]
fn an_image_in_its_own_colours_hardly_changes(#[values(0, 1, 2, 3, 4, 5, 6)] number: usize) {
    let image = waves(40, 30, 0.0);
    let made = found(Method::ALL[number], &image, &image);
    for (made, own) in made.iter().zip(image.pixels()) {
        for c in 0..3 {
            assert!((made[c] - own[c]).abs() < 0.01, "{made:?} {own:?}");
        }
    }
}

#[rstest]
fn pixels_of_weight_nothing_have_no_part(#[values(0, 1, 2, 3, 4, 5, 6)] number: usize) {
    let method = Method::ALL[number];
    let (content, reference) = (waves(40, 30, 0.0), waves(35, 25, 1.5));
    let of = |colour, weight| {
        let [from, to] = [&content, &reference].map(|image| with_hidden(image, colour, weight));
        let map = fit(method, &from, &to, &options());
        mapped(&*map, &content)
    };
    assert_eq!(of([0.9, 0.1, 0.4], 0.0), of([0.2, 0.6, 1.0], 0.0));
    assert_ne!(of([0.9, 0.1, 0.4], 0.5), of([0.9, 0.1, 0.4], 1.0));
}

#[rstest]
fn a_large_sample_is_averaged_by_weight() {
    let large = with_hidden(&waves(40, 30, 0.0), [1.0, 0.0, 1.0], 0.0);
    let small = large.reduced(10);
    assert_eq!([small.width(), small.height()], [10, 8]);
    let part = |image: &Sample| {
        let all = cloud::counted(image).map(|(.., weight)| weight);
        all.sum::<f32>() / image.pixels().len() as f32
    };
    assert!((part(&small) - part(&large)).abs() < 0.02);
    let cloud = |image| cloud::Cloud::of(image).mean_and_covariance().0;
    assert!((cloud(&small) - cloud(&large)).norm() < 0.02);
    assert!(matches!(large.reduced(40), std::borrow::Cow::Borrowed(_)));
}

#[rstest]
fn what_has_few_colours_becomes_a_picture(#[values(0, 1, 2, 3, 4, 5, 6)] number: usize) {
    let method = Method::ALL[number];
    let even = |colour| Sample::new(9, 8, vec![colour; 72]).unwrap();
    let black_and_white = |i: usize| [(i / 3 % 2) as f32; 3];
    let images = [
        even([0.3, 0.5, 0.9]),
        even([0.0; 3]),
        Sample::new(1, 1, vec![[0.2, 0.9, 0.4]]).unwrap(),
        Sample::new(9, 8, (0..72).map(black_and_white).collect()).unwrap(),
        Sample::new(300, 1, (0..300).map(|i| [i as f32 / 299.0; 3]).collect()).unwrap(),
        waves(12, 9, 0.3),
    ];
    for content in &images {
        for reference in &images {
            let made = found(method, content, reference);
            let values = made.as_flattened();
            assert!(values.iter().all(|value| value.is_finite()), "{made:?}");
            if reference
                .pixels()
                .iter()
                .all(|rgb| *rgb == reference.pixels()[0])
            {
                for rgb in &made {
                    for c in 0..3 {
                        let apart = rgb[c].clamp(0.0, 1.0) - reference.pixels()[0][c];
                        assert!(apart.abs() < 0.02, "{rgb:?} {:?}", reference.pixels()[0]);
                    }
                }
            }
        }
    }
}

#[rstest]
fn any_number_of_threads_makes_the_same_bits(#[values(0, 1, 2, 3, 4, 5, 6)] number: usize) {
    let (content, reference) = (waves(40, 30, 0.0), waves(35, 25, 1.5));
    let one = found(Method::ALL[number], &content, &reference);
    std::thread::scope(|scope| {
        let work = || found(Method::ALL[number], &content, &reference);
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
        for thread in threads {
            assert_eq!(thread.join().unwrap(), one);
        }
    });
}

#[test]
fn matching_as_a_map_is_matching_of_planes() {
    let (content, reference) = (waves(40, 30, 0.0), waves(35, 25, 1.5));
    let made = found(Method::HistogramMatching, &content, &reference);
    let plane = |image: &[[f32; 3]], c: usize| -> Vec<f32> {
        let yuv = |rgb: &[f32; 3]| ColourSpace::Yuv.encode_pixel(rgb.map(|x| x * 255.0))[c];
        image.iter().map(yuv).collect()
    };
    for c in 0..3 {
        let expected = match_histogram(&plane(content.pixels(), c), &plane(reference.pixels(), c));
        for (got, expected) in plane(&made, c).iter().zip(expected) {
            assert!((got - expected).abs() < 1e-5);
        }
    }
}

#[test]
fn a_sample_is_what_it_says() {
    let pixels = vec![[0.5; 3]; 6];
    assert!(Sample::new(2, 2, pixels.clone()).is_err());
    assert!(Sample::new(0, 0, Vec::new()).is_err());
    assert!(Sample::new(1, 1, vec![[f32::NAN, 0.0, 0.0]]).is_err());
    assert_eq!(
        Sample::new(1, 1, vec![[-0.5, 0.5, 1.5]]).unwrap().pixels(),
        [[0.0, 0.5, 1.0]]
    );
    let sample = Sample::new(3, 2, pixels).unwrap();
    let masked = |mask: Vec<f32>| sample.clone().with_mask(mask).map(|_| ());
    assert_eq!(masked(vec![0.0; 6]), Err(TransferError::Nothing));
    assert!(masked(vec![1.0; 5]).is_err());
    assert!(masked(vec![1.0, 1.0, 1.0, 2.0, 1.0, 1.0]).is_err());
    assert!(masked(vec![0.0, 0.0, 0.0, 0.1, 0.0, 0.0]).is_ok());
}

#[test]
fn options_are_checked() {
    for smoothness in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(options().with_smoothness(smoothness).is_err());
    }
    assert!(options().with_repeats(0).is_err());
    assert!(options().with_working_side(1).is_err());
    assert!(Grid::new(0, 8, 8).is_err() && Grid::new(8, 8, 17).is_err());
    assert_eq!(Grid::new(4, 3, 2).unwrap().cells(), 24);
}
