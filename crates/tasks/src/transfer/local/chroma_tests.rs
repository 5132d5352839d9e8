use super::*;
use crate::transfer::tests::mapped;

const SIDE: usize = 40;

fn grid() -> Grid {
    Grid::new(3, 2, 8).unwrap()
}

/// A colour whose chroma is a line of its luma.
fn toned(grey: f32) -> [f32; 3] {
    // Nothing is added to the luma: 0.299·0.2 = 0.587·0.1019 to four digits.
    let warm = [0.2, -0.2 * 0.299 / 0.587, 0.0];
    warm.map(|value| grey + value * (0.3 + grey))
}

/// Colours of lumas that rise from `from` to `to`.
fn ramp(from: f32, to: f32, colour: impl Fn(f32) -> [f32; 3]) -> Sample {
    let count = SIDE * SIDE;
    let grey = |i: usize| from + (to - from) * i as f32 / (count - 1) as f32;
    Sample::new(SIDE, SIDE, (0..count).map(grey).map(colour).collect()).unwrap()
}

#[test]
fn a_grey_image_gets_the_chroma_of_its_luma() {
    let reference = ramp(0.2, 0.7, toned);
    let maps = LocalMaps::colouring(&reference, grid());
    let grey = ramp(0.2, 0.7, |grey| [grey; 3]);
    for (found, expected) in mapped(&maps, &grey).iter().zip(reference.pixels()) {
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 3e-3, "{found} {expected}");
        }
    }
}

#[test]
fn luma_stays_and_colours_of_the_content_do_not_count() {
    let maps = LocalMaps::colouring(&ramp(0.3, 0.6, toned), grid());
    let cool = |grey: f32| [grey - 0.2, grey + 0.2 * 0.299 / 0.587, grey];
    let [of_grey, of_cool] = [|grey| [grey; 3], cool].map(|colour| ramp(0.3, 0.6, colour));
    let [of_grey, of_cool] = [of_grey, of_cool].map(|content| mapped(&maps, &content));
    for (i, (grey, cool)) in of_grey.iter().zip(&of_cool).enumerate() {
        let expected = 0.3 + 0.3 * i as f32 / (SIDE * SIDE - 1) as f32;
        assert!((luma(*grey) - expected).abs() < 1e-4);
        assert!(grey.iter().zip(cool).all(|(a, b)| (a - b).abs() < 1e-4));
    }
}

#[test]
fn lumas_that_the_reference_does_not_have_get_the_nearest_chroma() {
    let maps = LocalMaps::colouring(
        &ramp(0.45, 0.55, |grey| [grey + 0.1, grey - 0.05, grey]),
        grid(),
    );
    let black_and_white = mapped(&maps, &ramp(0.0, 1.0, |grey| [grey; 3]));
    for pixel in [black_and_white[0], black_and_white[SIDE * SIDE - 1]] {
        let grey = luma(pixel);
        assert!((pixel[0] - grey - 0.1).abs() < 0.02, "{pixel:?}");
    }
}
