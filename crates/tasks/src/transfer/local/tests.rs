use super::*;
use crate::transfer::tests::{mapped, waves};

fn options(smoothness: f64) -> FitOptions {
    FitOptions::default()
        .with_smoothness(smoothness)
        .unwrap()
        .with_grid(Grid::new(5, 4, 3).unwrap())
}

#[test]
fn what_is_sliced_is_what_was_fitted() {
    let (content, reference) = (waves(30, 20, 0.0), waves(25, 25, 1.5));
    let maps = LocalMaps::fit(&content, &reference, &options(0.5));
    let linear = MongeKantorovich::of_samples(&content, &reference);
    let problem = Problem::new(&content, &linear, maps.grid(), 0.5);
    let base = linear.affine();
    let changes: Vec<_> = maps
        .maps()
        .chunks(LocalMaps::VALUES)
        .map(|map| {
            let change = |k: usize, c: usize| f64::from(map[4 * c + k] - base[k][c]);
            [0, 1, 2, 3].map(|k| [change(k, 0), change(k, 1), change(k, 2), 0.0])
        })
        .collect();
    let sliced = mapped(&maps, &content);
    let fitted = problem.changes(&changes);
    for ((got, rgb), change) in sliced.iter().zip(content.pixels()).zip(fitted) {
        let expected = add(linear.at(*rgb), change);
        for c in 0..3 {
            assert!((got[c] - expected[c]).abs() < 1e-5, "{got:?} {expected:?}");
        }
    }
    // Local maps are nearer to the colours than the linear one.
    let distance = |image: &[[f32; 3]]| crate::transfer::tests::distance(image, &reference);
    assert!(distance(&sliced) < 0.8 * distance(&mapped(&linear, &content)));
}

#[test]
fn smooth_maps_are_one_map() {
    let (content, reference) = (waves(30, 20, 0.0), waves(25, 25, 1.5));
    let spread = |smoothness: f64| {
        let maps = LocalMaps::fit(&content, &reference, &options(smoothness));
        let first = &maps.maps()[..LocalMaps::VALUES];
        let cells = maps.maps().chunks(LocalMaps::VALUES);
        let apart = cells.flat_map(|map| map.iter().zip(first).map(|(a, b)| (a - b).abs()));
        apart.fold(0.0, f32::max)
    };
    assert!(spread(1e6) < 1e-3, "{}", spread(1e6));
    assert!(spread(0.1) > 0.1, "{}", spread(0.1));
}

#[test]
fn the_grid_lies_alike_at_every_size() {
    let (content, reference) = (waves(30, 20, 0.0), waves(25, 25, 1.5));
    let maps = LocalMaps::fit(&content, &reference, &options(0.3));
    let small = mapped(&maps, &content);
    // The middle of three pixels has its centre where the one pixel has its own.
    let enlarged: Vec<[f32; 3]> = (0..60)
        .flat_map(|y| (0..90).map(move |x| (x / 3, y / 3)))
        .map(|(x, y)| content.pixels()[y * 30 + x])
        .collect();
    let large = mapped(&maps, &Sample::new(90, 60, enlarged).unwrap());
    for (i, expected) in small.iter().enumerate() {
        let got = large[(3 * (i / 30) + 1) * 90 + 3 * (i % 30) + 1];
        for c in 0..3 {
            assert!((got[c] - expected[c]).abs() < 1e-5);
        }
    }
}

#[test]
fn a_ramp_has_no_steps_at_the_borders_of_cells() {
    let (content, reference) = (waves(30, 20, 0.0), waves(25, 25, 1.5));
    let maps = LocalMaps::fit(&content, &reference, &options(0.1));
    let mut row: Vec<[f32; 3]> = (0..3000).map(|i| [i as f32 / 2999.0; 3]).collect();
    maps.map_row(7, 20, &mut row);
    for pair in row.windows(2) {
        for c in 0..3 {
            assert!((pair[1][c] - pair[0][c]).abs() < 0.01, "{pair:?}");
        }
    }
}

#[test]
fn repeats_come_nearer_to_the_reference() {
    let (content, reference) = (waves(30, 20, 0.0), waves(25, 25, 1.5));
    let distance = |repeats| {
        let options = options(1.0).with_repeats(repeats).unwrap();
        let maps = LocalMaps::fit(&content, &reference, &options);
        crate::transfer::tests::distance(&mapped(&maps, &content), &reference)
    };
    assert!(distance(4) < 0.9 * distance(1));
}

#[test]
fn maps_of_elsewhere_have_to_be_as_many_as_the_cells_need() {
    let grid = Grid::new(2, 3, 4).unwrap();
    let mut identity = [0.0; LocalMaps::VALUES];
    (identity[0], identity[5], identity[10]) = (1.0, 1.0, 1.0);
    let maps = LocalMaps::new(grid, identity.repeat(24)).unwrap();
    let content = waves(9, 7, 0.4);
    for (got, expected) in mapped(&maps, &content).iter().zip(content.pixels()) {
        for c in 0..3 {
            assert!((got[c] - expected[c]).abs() < 1e-6);
        }
    }
    let too_few = LocalMaps::new(grid, identity.repeat(23)).unwrap_err();
    assert!(too_few.to_string().contains("288"), "{too_few}");
    let mut wrong = identity.repeat(24);
    wrong[7] = f32::NAN;
    assert!(LocalMaps::new(grid, wrong).is_err());
}
