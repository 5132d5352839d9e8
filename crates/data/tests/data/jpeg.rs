//! JPEG files of all samplings and scans, against what libjpeg-turbo's `djpeg` makes of them.

use std::path::Path;
use std::process::{Command, Stdio};

use huenet_data::{DataError, RgbImage, decode_image};
use rstest::rstest;

use crate::support::picture;

/// How far from `djpeg`'s pixels ours are: on average and at most, in levels of 255. Decoders differ in the roundings of
/// the inverse transform, and in how they interpolate chroma between its samples.
fn distance(ours: &RgbImage, theirs: &RgbImage) -> (f64, u8) {
    assert_eq!(ours.dimensions(), theirs.dimensions());
    let pairs = ours.as_raw().iter().zip(theirs.as_raw());
    let each: Vec<u8> = pairs.map(|(a, b)| a.abs_diff(*b)).collect();
    let sum: f64 = each.iter().copied().map(f64::from).sum();
    let most = each.iter().copied().max().unwrap_or(0);
    (sum / each.len() as f64, most)
}

fn assert_near(name: &str, ours: &RgbImage, theirs: &RgbImage) {
    let (mean, most) = distance(ours, theirs);
    assert!(
        mean < 2.0 && most < 24,
        "{name}: {mean:.2} on average, {most} at most"
    );
}

macro_rules! file {
    ($name:literal) => {
        (
            include_bytes!(concat!("files/jpeg/", $name, ".jpg")).as_slice(),
            include_bytes!(concat!("files/jpeg/", $name, ".png")).as_slice(),
        )
    };
}

#[rstest]
#[case::scans_420(file!("scans_420"))]
#[case::scans_422(file!("scans_422"))]
#[case::scans_440_restarts(file!("scans_440_restarts"))]
#[case::scans_coarse_luma(file!("scans_coarse_luma"))]
#[case::coarse_luma(file!("coarse_luma"))]
#[case::luma_of_four(file!("luma_of_four"))]
#[case::mixed_chroma(file!("mixed_chroma"))]
#[case::progressive_coarse_luma(file!("progressive_coarse_luma"))]
#[case::progressive_420_restarts(file!("progressive_420_restarts"))]
#[case::usual_420_restarts(file!("usual_420_restarts"))]
#[case::rgb(file!("rgb"))]
fn any_sampling_and_scans_have_the_pixels_of_djpeg(#[case] (jpeg, png): (&[u8], &[u8])) {
    let ours = decode_image(Path::new("a.jpg"), jpeg).expect("a sound file");
    let theirs = image::load_from_memory(png).expect("sound").into_rgb8();
    assert_near("a.jpg", &ours, &theirs);
}

#[test]
fn arithmetic_coding_is_told_to_be_converted() {
    let bytes = include_bytes!("files/jpeg/arithmetic.jpg");
    let error = decode_image(Path::new("a.jpg"), bytes).expect_err("not read");
    assert!(matches!(error, DataError::Unsupported { .. }), "{error}");
    let told = error.to_string();
    assert!(
        told.contains("arithmetic") && told.contains("convert"),
        "{told}"
    );
    assert!(
        told.contains("a.jpg") && !told.contains("restore"),
        "{told}"
    );
}

#[test]
fn a_sampling_that_no_decoder_gets_right_is_refused_by_name() {
    let bytes = include_bytes!("files/jpeg/scans_of_three_samplings.jpg");
    let error = decode_image(Path::new("a.jpg"), bytes).expect_err("not read");
    assert!(matches!(error, DataError::Unsupported { .. }), "{error}");
    assert!(error.to_string().contains("sampled"), "{error}");
}

#[rstest]
#[case::lossless(0xC3, 8, "lossless")]
#[case::hierarchical(0xC5, 8, "hierarchical")]
#[case::deep(0xC1, 12, "8 bits a sample")]
fn other_codings_are_refused_by_name(#[case] coding: u8, #[case] bits: u8, #[case] name: &str) {
    let mut bytes = include_bytes!("files/jpeg/usual_420_restarts.jpg").to_vec();
    let frame = bytes.windows(2).position(|pair| pair == [0xFF, 0xC0]);
    let frame = frame.expect("a frame header");
    (bytes[frame + 1], bytes[frame + 4]) = (coding, bits);
    let error = decode_image(Path::new("a.jpg"), &bytes).expect_err("not read");
    assert!(matches!(error, DataError::Unsupported { .. }), "{error}");
    assert!(error.to_string().contains(name), "{error}");
}

/// What a command makes of `input`; none if it fails, or is not there.
fn piped(command: &mut Command, input: &[u8]) -> Option<Vec<u8>> {
    use std::io::Write;
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    child.stdin.take()?.write_all(input).ok()?;
    let output = child.wait_with_output().ok()?;
    output.status.success().then_some(output.stdout)
}

/// Where `cjpeg` and `djpeg` are installed (libjpeg-turbo).
#[test]
fn a_grid_of_samplings_scans_and_restarts_has_the_pixels_of_djpeg() {
    let folder = tempfile::tempdir().expect("a folder");
    let scripts = [
        ("interleaved", ""),
        ("one by one", "0;\n1;\n2;\n"),
        ("backwards", "2;\n1;\n0;\n"),
        ("chroma together", "0;\n1 2;\n"),
        (
            "progressive",
            "0 1 2: 0-0, 0, 0;\n0: 1-63, 0, 0;\n1: 1-63, 0, 0;\n2: 1-63, 0, 0;\n",
        ),
    ];
    let scripts = scripts.map(|(name, script)| {
        let path = folder.path().join(name);
        std::fs::write(&path, script).expect("written");
        (name, path)
    });
    let samplings = [
        "1x1",
        "2x1",
        "1x2",
        "2x2",
        "4x1",
        "1x4",
        "4x2",
        "1x1,2x2,2x2",
        "1x1,2x1,2x1",
        "1x1,1x2,1x2",
        "2x2,2x2,2x2",
        "2x2,2x1,2x1",
        "2x2,1x2,2x1",
    ];
    let mut seen = 0;
    for (width, height) in [(50, 40), (33, 17), (7, 9)] {
        let source = picture(3, width, height);
        let mut ppm = format!("P6 {width} {height} 255\n").into_bytes();
        ppm.extend(source.as_raw());
        for (sampling, (name, script)) in samplings
            .iter()
            .flat_map(|sampling| scripts.iter().map(move |it| (sampling, it)))
        {
            for restart in ["0", "1", "3B"] {
                let mut command = Command::new("cjpeg");
                command.args(["-quality", "90", "-sample", sampling, "-restart", restart]);
                if *name != "interleaved" {
                    command.arg("-scans").arg(script);
                }
                // Not all of them can be had: a scan has ten blocks at most.
                let Some(jpeg) = piped(&mut command, &ppm) else {
                    continue;
                };
                let Some(theirs) = piped(&mut Command::new("djpeg"), &jpeg) else {
                    continue;
                };
                let theirs = image::load_from_memory(&theirs).expect("a PPM").into_rgb8();
                let name =
                    format!("{width}x{height}, sampled {sampling}, {name}, restart {restart}");
                let ours = decode_image(Path::new(&name), &jpeg).expect("a sound file");
                assert_near(&name, &ours, &theirs);
                seen += 1;
            }
        }
    }
    if seen == 0 {
        eprintln!("SKIPPED: cjpeg and djpeg are not installed");
    } else {
        assert!(seen > 300, "{seen} files");
    }
}
