use burn_flex::Flex;
use rstest::rstest;

use super::*;
use crate::transfer::tests::{distance, mapped, waves, with_hidden};
use crate::transfer::{FitOptions, Grid};

/// A small grid, since tests are not optimised.
fn fitted(content: &Sample, reference: &Sample) -> LocalMaps {
    let options = FitOptions::default().with_grid(Grid::new(4, 3, 5).unwrap());
    LocalMaps::fit(content, reference, &options)
}

fn steps(steps: usize) -> RefineOptions {
    RefineOptions::default().with_steps(steps).unwrap()
}

fn refined(content: &Sample, reference: &Sample, options: &RefineOptions) -> LocalMaps {
    let maps = fitted(content, reference);
    refine::<Flex>(&maps, content, reference, options, &Default::default()).unwrap()
}

fn pair() -> (Sample, Sample) {
    (waves(40, 30, 0.0), waves(35, 25, 1.5))
}

#[test]
fn the_loss_goes_down_and_the_colours_come_nearer() {
    let (content, reference) = pair();
    let maps = fitted(&content, &reference);
    let device = Default::default();
    // A gentle change of so few and so large waves is small.
    let options = steps(40).with_smoothness(0.01).unwrap();
    let objective =
        Objective::<Autodiff<Flex>>::new(&maps, &content, &reference, &options, &device);
    let lost = |change: Tensor<Flex, 5>| -> f64 {
        let loss = objective.loss(Tensor::from_inner(change));
        loss.into_scalar().elem()
    };
    let change = descend(&objective, &maps, 40, &device);
    let before = lost(change.zeros_like());
    let after = lost(change);
    assert!(after < 0.8 * before, "{before} became {after}");

    let refined = refined(&content, &reference, &options);
    let apart = |maps: &LocalMaps| distance(&mapped(maps, &content), &reference);
    assert!(apart(&refined) < 0.9 * apart(&maps));
}

#[test]
fn no_steps_leave_the_fitted_maps_bit_for_bit() {
    let (content, reference) = pair();
    let maps = fitted(&content, &reference);
    assert_eq!(refined(&content, &reference, &steps(0)), maps);
    assert_ne!(refined(&content, &reference, &steps(20)), maps);
}

#[test]
fn any_number_of_threads_makes_the_same_bits() {
    let (content, reference) = pair();
    let [one, again, three] = [1, 1, 3].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap()
            .install(|| refined(&content, &reference, &steps(4)))
    });
    assert_eq!(one, again);
    assert_eq!(one, three);
}

#[test]
fn an_image_in_its_own_colours_hardly_changes() {
    let image = waves(40, 30, 0.0);
    let made = mapped(&refined(&image, &image, &steps(20)), &image);
    for (made, own) in made.iter().zip(image.pixels()) {
        for c in 0..3 {
            assert!((made[c] - own[c]).abs() < 0.02, "{made:?} {own:?}");
        }
    }
}

#[test]
fn gentler_changes_are_more_alike() {
    let (content, reference) = pair();
    let maps = fitted(&content, &reference);
    let spread = |smoothness: f64| {
        let options = steps(10).with_smoothness(smoothness).unwrap();
        let refined = refined(&content, &reference, &options);
        let change = refined.maps().iter().zip(maps.maps()).map(|(a, b)| a - b);
        let change: Vec<f32> = change.collect();
        let first = &change[..LocalMaps::VALUES];
        let cells = change.chunks(LocalMaps::VALUES);
        let apart = cells.flat_map(|cell| cell.iter().zip(first).map(|(a, b)| (a - b).abs()));
        apart.fold(0.0, f32::max)
    };
    assert!(
        spread(1e4) < 0.5 * spread(1e-4),
        "{} {}",
        spread(1e4),
        spread(1e-4)
    );
}

#[test]
fn pixels_of_weight_nothing_have_no_part() {
    let (content, reference) = pair();
    let of = |colour, weight| {
        let [from, to] = [&content, &reference].map(|image| with_hidden(image, colour, weight));
        refined(&from, &to, &steps(3))
    };
    assert_eq!(of([0.9, 0.1, 0.4], 0.0), of([0.2, 0.6, 1.0], 0.0));
    assert_ne!(of([0.9, 0.1, 0.4], 0.5), of([0.9, 0.1, 0.4], 1.0));
}

#[test]
fn large_contents_are_thinned() {
    let (content, reference) = (waves(100, 30, 0.0), waves(20, 80, 1.5));
    let options = steps(20).with_working_side(20).unwrap();
    let maps = fitted(&content, &reference);
    let of = |content: &Sample| {
        refine::<Flex>(&maps, content, &reference, &options, &Default::default()).unwrap()
    };
    assert_eq!(of(&content), of(&counting::thinned(&content, 20).unwrap()));
    assert_ne!(of(&content), maps);
}

#[rstest]
fn what_has_few_colours_or_pixels_gets_finite_maps(#[values(0, 1, 2, 3, 4, 5)] number: usize) {
    let even = |colour| Sample::new(9, 8, vec![colour; 72]).unwrap();
    let black_and_white = |i: usize| [(i / 3 % 2) as f32; 3];
    let images = [
        even([0.3, 0.5, 0.9]),
        even([0.0; 3]),
        Sample::new(1, 1, vec![[0.2, 0.9, 0.4]]).unwrap(),
        Sample::new(9, 8, (0..72).map(black_and_white).collect()).unwrap(),
        Sample::new(300, 1, (0..300).map(|i| [i as f32 / 299.0; 3]).collect()).unwrap(),
        waves(3, 2, 0.3),
    ];
    let content = &images[number];
    for reference in &images {
        let made = mapped(&refined(content, reference, &steps(4)), content);
        assert!(
            made.as_flattened().iter().all(|value| value.is_finite()),
            "{made:?}"
        );
        let only = reference.pixels()[0];
        if reference.pixels().iter().all(|rgb| *rgb == only) {
            for rgb in &made {
                for c in 0..3 {
                    let apart = rgb[c].clamp(0.0, 1.0) - only[c];
                    assert!(apart.abs() < 0.03, "{rgb:?} {only:?}");
                }
            }
        }
    }
}

#[test]
fn options_are_checked() {
    let options = RefineOptions::default;
    let refused = |result: Result<RefineOptions, TransferError>, words: &str| {
        let message = result.unwrap_err().to_string();
        assert!(message.contains(words), "{message}");
    };
    refused(options().with_steps(10_001), "the number of steps is 10001");
    refused(options().with_working_side(7), "the working size is 7");
    for weight in [-1.0, f64::NAN, f64::INFINITY] {
        refused(
            options().with_structure(weight),
            "the weight of the structure",
        );
        refused(options().with_smoothness(weight), "the smoothness");
    }
    refused(options().with_smoothness(0.0), "the smoothness is 0");
    assert_eq!(options().with_structure(0.0).unwrap().structure(), 0.0);
    assert_eq!(steps(7).steps(), 7);
}
