//! Looks: written, read, and put on pictures.

use predicates::str::{contains, is_empty};

use super::{open, place, transfer};

#[test]
fn a_look_is_written_and_put_on_any_picture() {
    let place = place();
    place.image("frames/1.png", 60, 40, 3);
    place.image("frames/2.png", 60, 40, 7);
    transfer(
        &place,
        "--content a.png --reference r.jpg --lut look.cube --hald look.png --lut-size 17",
    )
    .assert()
    .success()
    .stdout("look.cube\nlook.png\n");
    let cube = std::fs::read_to_string(place.root().join("look.cube")).unwrap();
    assert!(cube.contains("LUT_3D_SIZE 17\n"), "{cube:.200}");
    assert_eq!(
        open(&place, "look.png").into_rgb8().dimensions(),
        (512, 512)
    );

    transfer(
        &place,
        "--content a.png --reference r.jpg --method lut --lut-size 17 --output direct.png",
    )
    .assert()
    .success();
    let differences = |a: &str, b: &str| -> Vec<f64> {
        let [a, b] = [a, b].map(|name| open(&place, name).into_rgb8());
        let pairs = a.iter().zip(b.iter());
        pairs.map(|(a, b)| f64::from(a.abs_diff(*b))).collect()
    };
    for (look, output) in [("look.cube", "by-cube.png"), ("look.png", "by-image.png")] {
        transfer(
            &place,
            &format!("--content a.png --apply {look} --output {output}"),
        )
        .assert()
        .success();
    }
    let by_cube = differences("direct.png", "by-cube.png");
    assert!(by_cube.iter().all(|levels| *levels <= 1.0));
    // The image has 64 steps of its own: where the table bends between two of them, it is some levels off.
    let sum = |a: &str, b: &str| differences(a, b).iter().sum::<f64>();
    let (change, error) = (
        sum("a.png", "direct.png"),
        sum("direct.png", "by-image.png"),
    );
    assert!(error < 0.05 * change, "{error} of {change}");

    // All frames have the first one's look, which is that of the same picture by itself.
    transfer(
        &place,
        "--content frames --reference r.jpg --method lut --lut-size 17 --output film",
    )
    .assert()
    .success()
    .stderr(contains("one look for all pictures: that for frames/1.png"));
    transfer(
        &place,
        "--content frames --apply look.cube --output applied",
    )
    .assert()
    .success()
    .stderr(is_empty());
    for frame in ["1.png", "2.png"] {
        let [film, applied] =
            ["film", "applied"].map(|it| open(&place, &format!("{it}/{frame}")).into_rgb8());
        assert!(
            film.iter()
                .zip(applied.iter())
                .all(|(a, b)| a.abs_diff(*b) <= 1)
        );
    }
    transfer(
        &place,
        "--content frames --reference r.jpg --one-look --output maps",
    )
    .assert()
    .success();
    transfer(
        &place,
        "--content frames/1.png --reference r.jpg --output alone.png",
    )
    .assert()
    .success();
    assert_eq!(open(&place, "maps/1.png"), open(&place, "alone.png"));
}

#[test]
fn a_table_of_no_strength_leaves_colours_as_they_are() {
    let place = place();
    transfer(
        &place,
        "--content a.png --reference r.jpg --method reinhard --strength 0 --lut none.cube",
    )
    .assert()
    .success();
    transfer(&place, "--content a.png --apply none.cube --output o.png")
        .assert()
        .success();
    assert_eq!(open(&place, "o.png"), open(&place, "a.png"));
}

#[test]
fn a_look_that_is_none_is_refused() {
    let place = place();
    place.write("bad.cube", b"LUT_3D_SIZE 2\n0 0 0\n");
    for look in ["bad.cube", "a.png", "gone.cube"] {
        transfer(
            &place,
            &format!("--content a.png --apply {look} --output o.png"),
        )
        .assert()
        .code(1)
        .stderr(contains(look));
    }
    assert!(!place.root().join("o.png").exists());
}
