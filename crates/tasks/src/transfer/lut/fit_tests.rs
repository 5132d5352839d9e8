use super::*;
use crate::transfer::lut::tests::assert_near;
use crate::transfer::{ColourMap, Method, fit};

const SIDE: usize = 48;

fn sample(colour: impl Fn(f32, f32) -> [f32; 3]) -> Sample {
    let place = |i: usize| (i % SIDE, i / SIDE);
    let pixels = (0..SIDE * SIDE).map(|i| {
        let (x, y) = place(i);
        colour(x as f32 / SIDE as f32, y as f32 / SIDE as f32)
    });
    Sample::new(SIDE, SIDE, pixels.collect()).unwrap()
}

/// Ground and sky, each with its own light and shade.
fn landscape() -> Sample {
    sample(|x, y| match y < 0.4 {
        true => [0.5 + 0.2 * x, 0.6 + 0.2 * y, 0.85 + 0.1 * x],
        false => [0.15 + 0.3 * y * x, 0.2 + 0.25 * y, 0.1 + 0.1 * x],
    })
}

/// Much red, little yellow.
fn evening() -> Sample {
    sample(|x, y| match y < 0.2 {
        true => [0.95, 0.75 + 0.2 * x, 0.3 + 0.1 * y],
        false => [0.3 + 0.3 * x, 0.05 + 0.1 * y, 0.2 * y],
    })
}

fn mapped(map: &dyn ColourMap, sample: &Sample) -> Vec<[f32; 3]> {
    let mut pixels = sample.pixels().to_vec();
    for (row, pixels) in pixels.chunks_exact_mut(sample.width()).enumerate() {
        map.map_row(row, sample.height(), pixels);
    }
    let clipped = pixels.iter().map(|rgb| rgb.map(|v| v.clamp(0.0, 1.0)));
    clipped.collect()
}

/// The mean distance of the sorted values along a few directions of colour space.
fn distance(one: &[[f32; 3]], other: &[[f32; 3]]) -> f32 {
    let directions = [
        [1.0, 0.0, 0.0],
        [0.0, 1.0, 0.0],
        [0.0, 0.0, 1.0],
        [0.6, 0.6, 0.5],
        [0.7, -0.7, 0.0],
        [0.4, 0.4, -0.8],
    ];
    let along = |pixels: &[[f32; 3]], axis: [f32; 3]| {
        let along = pixels
            .iter()
            .map(|rgb| (0..3).map(|c| axis[c] * rgb[c]).sum::<f32>());
        let mut along: Vec<f32> = along.collect();
        along.sort_by(f32::total_cmp);
        along
    };
    let distances = directions.map(|axis| {
        let (one, other) = (along(one, axis), along(other, axis));
        let sum: f32 = one.iter().zip(&other).map(|(a, b)| (a - b).abs()).sum();
        sum / one.len() as f32
    });
    distances.iter().sum::<f32>() / directions.len() as f32
}

#[test]
fn a_fitted_table_brings_colours_nearer_than_a_linear_map() {
    let colour = |x: f32, y: f32| [x, y, 0.5 + 0.5 * (6.0 * x + 4.0 * y).sin()];
    let content = sample(colour);
    // Darker reds and lighter greens, which no linear map can make.
    let reference = sample(|x, y| {
        let [r, g, b] = colour(x, y);
        [r * r * r, g.sqrt().sqrt(), 0.5 * b * b]
    });
    let table = Lut::fit(&content, &reference, &FitOptions::default());
    assert_eq!(table.size(), 33);
    let in_range = |colour: [f32; 3]| colour.iter().all(|v| (0.0..=1.0).contains(v));
    assert!(table.colours().all(in_range));
    let options = FitOptions::default();
    let linear = fit(Method::MongeKantorovich, &content, &reference, &options);
    let [before, ours] =
        [&*linear, &table].map(|map| distance(&mapped(map, &content), reference.pixels()));
    assert!(ours < 0.7 * before, "{ours} is not much less than {before}");
}

#[test]
fn the_smoother_a_table_is_the_nearer_it_is_to_the_linear_map() {
    let (content, reference) = (landscape(), evening());
    let linear = fit(
        Method::MongeKantorovich,
        &content,
        &reference,
        &FitOptions::default(),
    );
    let linear = Lut::from_fn(17, |colour| {
        let mut row = [colour];
        linear.map_row(0, 1, &mut row);
        row[0].map(|value| value.clamp(0.0, 1.0))
    });
    let linear = linear.unwrap();
    let from_linear = [1e-3, 1.0, 1e3, 1e6].map(|smoothness| {
        let options = FitOptions::default().with_lut_size(17).unwrap();
        let options = options.with_smoothness(smoothness).unwrap();
        let table = Lut::fit(&content, &reference, &options);
        let both = table.colours().flatten().zip(linear.colours().flatten());
        let sum: f32 = both.map(|(a, b)| (a - b).abs()).sum();
        sum / 3.0 / 17_f32.powi(3)
    });
    assert!(from_linear.is_sorted_by(|a, b| a > b), "{from_linear:?}");
    assert!(
        from_linear[0] > 0.03 && from_linear[3] < 1e-4,
        "{from_linear:?}"
    );
}

#[test]
fn tables_of_every_size_have_one_look() {
    let table = |size| {
        let options = FitOptions::default().with_lut_size(size).unwrap();
        Lut::fit(&landscape(), &evening(), &options)
    };
    let (coarse, fine) = (table(17), table(65));
    // Every fourth colour of the fine lattice is one of the coarse one.
    let place = |i: usize, size: usize| [i % size, i / size % size, i / size / size];
    let fine: Vec<_> = fine.colours().collect();
    for (i, colour) in coarse.colours().enumerate() {
        let [r, g, b] = place(i, 17).map(|i| 4 * i);
        assert_near(fine[(b * 65 + g) * 65 + r], colour, 1e-6);
    }
}

#[test]
fn greys_keep_their_order() {
    let table = Lut::fit(&landscape(), &evening(), &FitOptions::default());
    let luma = |i: u8| {
        let [r, g, b] = table.at([f32::from(i) / 255.0; 3]);
        0.299 * r + 0.587 * g + 0.114 * b
    };
    let lumas: Vec<_> = (0..=255).map(luma).collect();
    assert!(lumas.is_sorted_by(|a, b| *b >= a - 1e-3), "{lumas:?}");
}

#[test]
fn masked_pixels_have_no_part() {
    let (content, reference) = (landscape(), evening());
    let spoilt = |sample: &Sample| {
        let upper = |i: usize| i < SIDE * SIDE / 2;
        let pixels = sample.pixels().iter().enumerate();
        let pixels = pixels.map(|(i, rgb)| if upper(i) { [0.0, 1.0, 0.0] } else { *rgb });
        let mask = (0..SIDE * SIDE).map(|i| f32::from(!upper(i)));
        let spoilt = Sample::new(SIDE, SIDE, pixels.collect()).unwrap();
        spoilt.with_mask(mask.collect()).unwrap()
    };
    let half = |sample: &Sample| {
        let lower = sample.pixels()[SIDE * SIDE / 2..].to_vec();
        Sample::new(SIDE, SIDE / 2, lower).unwrap()
    };
    let options = FitOptions::default().with_lut_size(9).unwrap();
    let masked = Lut::fit(&spoilt(&content), &spoilt(&reference), &options);
    let alone = Lut::fit(&half(&content), &half(&reference), &options);
    assert_eq!(masked, alone);
}

#[test]
fn images_of_one_colour_have_a_look_too() {
    let (grey, red) = (sample(|_, _| [0.4; 3]), sample(|_, _| [0.8, 0.1, 0.1]));
    let options = FitOptions::default();
    let to_red = Lut::fit(&grey, &red, &options);
    assert_near(to_red.at([0.4; 3]), [0.8, 0.1, 0.1], 0.01);
    for (content, reference) in [(&grey, &grey), (&landscape(), &red), (&red, &landscape())] {
        let table = Lut::fit(content, reference, &options);
        assert!(
            table
                .colours()
                .flatten()
                .all(|value| (0.0..=1.0).contains(&value))
        );
    }
}

#[test]
fn an_image_that_is_its_own_reference_stays_as_it_is() {
    let content = landscape();
    let table = Lut::fit(&content, &content, &FitOptions::default());
    for (mapped, colour) in mapped(&table, &content).iter().zip(content.pixels()) {
        assert_near(*mapped, *colour, 0.01);
    }
}
