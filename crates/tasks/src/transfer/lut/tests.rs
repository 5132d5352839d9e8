use std::fs;
use std::path::PathBuf;

use image::{ImageBuffer, Rgb};
use rstest::rstest;

use super::*;

/// A table of three colours along a side, without order.
fn small() -> Lut {
    let value = |i: usize, by: usize, from: usize| ((by * i + from) % 27) as f32 / 26.0;
    let colours = (0..27).map(|i| [value(i, 7, 0), value(i, 11, 5), value(i, 17, 1)]);
    Lut::new(3, colours).unwrap()
}

/// Smooth, and not to be divided by 2, 3 or 5: no table is like another by chance.
fn look([r, g, b]: [f32; 3]) -> [f32; 3] {
    [
        0.1 + 0.7 * r * r + 0.1 * b,
        (0.9 * g + 0.1 * r).sqrt(),
        0.8 * b + 0.15 * (5.0 * g).sin().abs(),
    ]
}

#[track_caller]
pub(super) fn assert_near(got: [f32; 3], expected: [f32; 3], tolerance: f32) {
    let near = (0..3).all(|c| (got[c] - expected[c]).abs() <= tolerance);
    assert!(near, "{got:?} is not near {expected:?}");
}

fn folder_with(name: &str, text: impl AsRef<[u8]>) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    (folder, path)
}

#[rstest]
#[case(2)]
#[case(17)]
#[case(33)]
#[case(64)]
fn the_identity_changes_no_colour_by_a_level_of_16_bits(#[case] size: usize) {
    let identity = Lut::identity(size).unwrap();
    for i in 0..5000_u32 {
        let colour = [1, 7919, 104_729].map(|by| (i * by % 4999) as f32 / 4998.0);
        assert_near(identity.at(colour), colour, 0.5 / 65535.0);
    }
}

#[test]
fn a_colour_of_the_lattice_becomes_the_tables() {
    for size in [2, 3, 9, 33] {
        let table = Lut::from_fn(size, look).unwrap();
        for (i, colour) in table.colours().enumerate() {
            let place = [i % size, i / size % size, i / size / size];
            let place = place.map(|i| i as f32 / (size - 1) as f32);
            assert_near(table.at(place), colour, 1e-5);
            assert_eq!(colour, look(place));
        }
    }
}

/// Only three corners of the cube have a colour: red at red = 1, green at red and green, blue at white.
/// From black to white the way goes along the axis of the largest value first.
#[rstest]
#[case([0.8, 0.5, 0.1], [0.3, 0.4, 0.1])]
#[case([0.8, 0.1, 0.5], [0.3, 0.0, 0.1])]
#[case([0.5, 0.8, 0.1], [0.0, 0.4, 0.1])]
#[case([0.1, 0.8, 0.5], [0.0, 0.0, 0.1])]
#[case([0.5, 0.1, 0.8], [0.0, 0.0, 0.1])]
#[case([0.1, 0.5, 0.8], [0.0, 0.0, 0.1])]
#[case([0.5, 0.5, 0.5], [0.0, 0.0, 0.5])]
#[case([0.6, 0.6, 0.2], [0.0, 0.4, 0.2])]
#[case([0.6, 0.2, 0.2], [0.4, 0.0, 0.2])]
#[case([-3.0, 2.0, f32::NAN], [0.0, 0.0, 0.0])]
#[case([f32::INFINITY, 0.25, f32::NEG_INFINITY], [0.75, 0.25, 0.0])]
fn a_colour_lies_between_four_corners(#[case] colour: [f32; 3], #[case] expected: [f32; 3]) {
    let mut corners = [[0.0; 3]; 8];
    corners[1] = [1.0, 0.0, 0.0];
    corners[3] = [0.0, 1.0, 0.0];
    corners[7] = [0.0, 0.0, 1.0];
    let table = Lut::new(2, corners).unwrap();
    assert_near(table.at(colour), expected, 1e-6);
}

/// What ffmpeg 5.1.9 makes of twelve colours of 16 bits with [`small`]:
/// `ffmpeg -f rawvideo -pix_fmt rgb48le -s 12x1 -i colours -vf lut3d=small.cube -f rawvideo -pix_fmt
/// rgb48le out`. It cuts fractions off.
const OF_FFMPEG: [([u16; 3], [u16; 3]); 12] = [
    ([0, 0, 0], [0, 12602, 2520]),
    ([65535, 65535, 65535], [50411, 52932, 27726]),
    ([9000, 20000, 50000], [30230, 38449, 43114]),
    ([9000, 50000, 20000], [39230, 29449, 38268]),
    ([20000, 9000, 50000], [41230, 42679, 37191]),
    ([50000, 9000, 20000], [36615, 45218, 51982]),
    ([20000, 50000, 9000], [37538, 29273, 37422]),
    ([50000, 20000, 9000], [23923, 40812, 39960]),
    ([40000, 40000, 10000], [10000, 42966, 38674]),
    ([10000, 40000, 40000], [14615, 11833, 40982]),
    ([32767, 32768, 65535], [47890, 10083, 60493]),
    ([60000, 33000, 61000], [59307, 36372, 33212]),
];

#[test]
fn colours_are_those_of_ffmpeg() {
    let white = f32::from(u16::MAX);
    let mut row = OF_FFMPEG.map(|(colour, _)| colour.map(|value| f32::from(value) / white));
    small().map_row(0, 1, &mut row);
    for (got, (_, expected)) in row.iter().zip(OF_FFMPEG) {
        let expected = expected.map(|value| (f32::from(value) + 0.5) / white);
        assert_near(*got, expected, 1.0 / white);
    }
}

#[test]
fn a_colour_does_not_depend_on_its_neighbours() {
    let table = Lut::from_fn(9, look).unwrap();
    let row: Vec<_> = (0..101)
        .map(|i| [i as f32 / 100.0, 0.3, (i % 7) as f32 / 6.0])
        .collect();
    for length in [1, 31, 32, 33, 101] {
        let mut mapped = row[..length].to_vec();
        table.map_row(3, 8, &mut mapped);
        for (mapped, colour) in mapped.iter().zip(&row) {
            assert_eq!(*mapped, table.at(*colour));
        }
    }
}

#[test]
fn a_table_that_cannot_be_is_refused() {
    assert!(matches!(
        Lut::identity(1),
        Err(LutError::Size { size: 1, .. })
    ));
    assert!(matches!(
        Lut::identity(257),
        Err(LutError::Size { size: 257, .. })
    ));
    let few = Lut::new(2, [[0.0; 3]; 7]).unwrap_err();
    assert_eq!(few.to_string(), "a table of size 2 needs 8 colours, not 7");
    assert!(Lut::new(2, [[0.0; 3]; 9]).is_err());
    let mut colours = [[0.0; 3]; 8];
    colours[5][1] = f32::NAN;
    assert!(matches!(
        Lut::new(2, colours),
        Err(LutError::Colour { number: 5, .. })
    ));
}

#[test]
fn a_cube_file_has_what_other_programs_read() {
    let (_folder, path) = folder_with("look.cube", "an older file");
    let colours = [
        [0.0, -0.0, -0.5],
        [1.0, 1.5, 0.333_333_34],
        [0.1, 0.2, 0.3],
        [1e-9, 0.000_000_6, 0.5],
        [0.0; 3],
        [1.0; 3],
        [0.25; 3],
        [0.75; 3],
    ];
    let table = Lut::new(2, colours).unwrap();
    table.write_cube(&path, "dusk, \"my\"\nlook").unwrap();
    let expected = "\
# sRGB-encoded red, green and blue go in and come out.
TITLE \"dusk, 'my' look\"
LUT_3D_SIZE 2
0.000000 0.000000 0.000000
1.000000 1.000000 0.333333
0.100000 0.200000 0.300000
0.000000 0.000001 0.500000
0.000000 0.000000 0.000000
1.000000 1.000000 1.000000
0.250000 0.250000 0.250000
0.750000 0.750000 0.750000
";
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
}

#[rstest]
#[case(17)]
#[case(33)]
fn a_cube_file_gives_the_table_back(#[case] size: usize) {
    let (_folder, path) = folder_with("look.cube", "");
    let table = Lut::from_fn(size, |colour| look(colour).map(|v| v.clamp(0.0, 1.0))).unwrap();
    table.write_cube(&path, "look").unwrap();
    let again = Lut::read_cube(&path).unwrap();
    assert_eq!(again.size(), size);
    for (again, colour) in again.colours().zip(table.colours()) {
        assert_near(again, colour, 5.1e-7);
    }
}

#[test]
fn a_cube_file_may_be_written_in_other_ways() {
    let text = "\u{feff}# by another program\r\n\r\nDOMAIN_MIN 0 0.0 0\r\nDOMAIN_MAX 1.0 1 1e0\r\n\
                TITLE unquoted \r\n  LUT_3D_SIZE\t2\r\nLUT_3D_INPUT_RANGE 0.0 1.0\r\n\
                0 0 0\r\n\t1.5E-1  -2e-2 3.\r\n# a comment between\r\n1 0 0\r\n0 1 0\r\n1 1 0\r\n\
                0 0 1\r\n1 0 1\r\n\r\n+.5 1 1";
    let mut bytes = text.as_bytes().to_vec();
    let title = text.find("unquoted").unwrap();
    // Not UTF-8.
    bytes[title] = 0xe9;
    let (_folder, path) = folder_with("look.cube", bytes);
    let table = Lut::read_cube(&path).unwrap();
    let colours: Vec<_> = table.colours().collect();
    assert_eq!(colours[1], [0.15, -0.02, 3.0]);
    assert_eq!(colours[7], [0.5, 1.0, 1.0]);
}

#[rstest]
#[case(
    "",
    "line 0: the end of the file after no table, where LUT_3D_SIZE was expected"
)]
#[case(
    "TITLE \"x\"\n0 0 0\n",
    "line 2: \"0 0 0\", where LUT_3D_SIZE before the first colour"
)]
#[case(
    "LUT_3D_SIZE 1\n",
    "line 1: \"LUT_3D_SIZE 1\", where LUT_3D_SIZE and a whole number from 2"
)]
#[case("LUT_3D_SIZE 99999999999999999999\n", "line 1: ")]
#[case("LUT_3D_SIZE 257\n", "line 1: ")]
#[case("LUT_3D_SIZE\n", "line 1: ")]
#[case("LUT_3D_SIZE 2 2\n", "line 1: ")]
#[case(
    "LUT_3D_SIZE 2\n#\nLUT_3D_SIZE 2\n",
    "line 3: \"LUT_3D_SIZE 2\", where no second LUT_3D_SIZE"
)]
#[case(
    "# a curve\nLUT_1D_SIZE 64\n",
    "line 2: \"LUT_1D_SIZE 64\", where LUT_3D_SIZE (a table of three"
)]
#[case(
    "LUT_3D_SIZE 2\nDOMAIN_MAX 2 2 2\n",
    "line 2: \"DOMAIN_MAX 2 2 2\", where DOMAIN_MAX 1 1 1"
)]
#[case("DOMAIN_MIN 0 0\n", "line 1: ")]
#[case("LUT_3D_INPUT_RANGE 0 4\n", "line 1: ")]
#[case(
    "LUT_IN_VIDEO_RANGE\n",
    "line 1: \"LUT_IN_VIDEO_RANGE\", where TITLE, LUT_3D_SIZE, DOMAIN_MIN"
)]
#[case(
    "LUT_3D_SIZE 2\n0 0 0\n0,5 0 0\n",
    "line 3: \"0,5 0 0\", where three numbers: red, green and"
)]
#[case("LUT_3D_SIZE 2\n0 0\n", "line 2: \"0 0\", where three numbers")]
#[case("LUT_3D_SIZE 2\n0 0 0 0\n", "line 2: \"0 0 0 0\", where three numbers")]
#[case(
    "LUT_3D_SIZE 2\n0 0 1e39\n",
    "line 2: \"0 0 1e39\", where three numbers below"
)]
#[case(
    "LUT_3D_SIZE 2\n0 -inf 0\n",
    "line 2: \"0 -inf 0\", where three numbers below"
)]
#[case("LUT_3D_SIZE 2\n0 nan 0\n", "line 2: ")]
#[case(
    "LUT_3D_SIZE 2\n0 0 0\n1 1 1\n",
    "line 3: the end of the file after 2 colours, where 8 colours"
)]
#[case(
    "LUT_3D_SIZE 2\n0 0 0\n0 0 0\n0 0 0\n0 0 0\n0 0 0\n0 0 0\n0 0 0\n0 0 0\n1 1 1\n",
    "line 10: \"1 1 1\", where the end of the file after 8 colours (LUT_3D_SIZE 2) was expected"
)]
fn a_wrong_line_is_named(#[case] text: &str, #[case] expected: &str) {
    let (_folder, path) = folder_with("look.cube", text);
    let error = Lut::read_cube(&path).unwrap_err();
    assert!(matches!(error, LutError::Line { .. }), "{error:?}");
    let error = error.to_string();
    let expected = format!("{}, {expected}", path.display());
    assert!(error.starts_with(&expected), "{error}");
}

#[test]
fn what_is_no_text_is_refused_at_its_first_line() {
    let (_folder, path) = folder_with("look.cube", vec![b'7'; 1 << 20]);
    let error = Lut::read_cube(&path).unwrap_err().to_string();
    assert!(
        error.contains("line 1: more than 1024 bytes in a line"),
        "{error}"
    );
    let error = Lut::read_cube(&path.with_file_name("none.cube")).unwrap_err();
    assert!(matches!(error, LutError::Read { .. }), "{error:?}");
}

#[test]
fn a_table_that_cannot_be_written_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing").join("look.cube");
    let error = small().write_cube(&path, "look").unwrap_err();
    let named = error.to_string().contains(&path.display().to_string());
    assert!(named, "{error}");
    assert!(small().write_hald(&path.with_extension("png")).is_err());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_hald_image_gives_the_table_back() {
    let (_folder, path) = folder_with("look.png", "");
    let table = Lut::from_fn(64, |colour| look(colour).map(|v| v.clamp(0.0, 1.0))).unwrap();
    table.write_hald(&path).unwrap();
    let image = image::open(&path).unwrap();
    assert_eq!((image.width(), image.height()), (512, 512));
    assert_eq!(image.color(), image::ColorType::Rgb16);
    let again = Lut::read_hald(&path).unwrap();
    assert_eq!(again.size(), 64);
    for (again, colour) in again.colours().zip(table.colours()) {
        assert_near(again, colour, 0.51 / 65535.0);
    }
}

#[test]
fn a_hald_image_of_another_size_of_table_has_the_same_look() {
    let (_folder, path) = folder_with("look.png", "");
    let table = small();
    table.write_hald(&path).unwrap();
    let again = Lut::read_hald(&path).unwrap();
    for (i, colour) in again.colours().enumerate() {
        let place = [i % 64, i / 64 % 64, i / 64 / 64].map(|i| i as f32 / 63.0);
        assert_near(table.at(place), colour, 1.0 / 65535.0);
    }
}

#[test]
fn hald_images_of_other_programs_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("level-3.png");
    // Level 3: 9 levels of red, then green, then blue, through 27×27 pixels.
    let level = |i: u32| [i % 9, i / 9 % 9, i / 81].map(|value| (value * 255 / 8) as u8);
    let image = ImageBuffer::from_fn(27, 27, |x, y| Rgb(level(27 * y + x)));
    image.save(&path).unwrap();
    let table = Lut::read_hald(&path).unwrap();
    assert_eq!(table.size(), 9);
    assert_near(table.at([0.25, 0.5, 1.0]), [0.25, 0.5, 1.0], 0.005);

    for (width, height) in [(27, 26), (28, 28), (1, 1)] {
        let image = ImageBuffer::from_pixel(width, height, Rgb([0_u8; 3]));
        image.save(&path).unwrap();
        let error = Lut::read_hald(&path).unwrap_err();
        assert!(matches!(error, LutError::Hald { .. }), "{error:?}");
        let named = error
            .to_string()
            .contains(&format!("{width}×{height} pixels"));
        assert!(named, "{error}");
    }
    fs::write(&path, "no image").unwrap();
    assert!(matches!(Lut::read_hald(&path), Err(LutError::Image(_))));
}
