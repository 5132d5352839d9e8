//! RGB to the networks' channels and back, as the official loader and sample writer do it.

use huenet_data::colour::{grey, rgb_to_yuv, to_byte, yuv_to_rgb};
use huenet_data::{ColourSpace, ImageSize, RgbImage};
use huenet_tests::golden::Golden;
use serde_json::Value;

/// How far the published f32 code is from its own f64 version, in these files: at most 5e-7.
const AGAINST_F64: f64 = 1e-6;

/// The pixels of a case's tensor, if the case has it.
fn pixels(golden: &Golden, case: &Value, tensor: &str) -> Option<Vec<[f64; 3]>> {
    let values = golden.f64s(case["tensors"][tensor].as_str()?);
    Some(values.as_chunks().0.to_vec())
}

/// Converts each pixel of `input` and compares the result with the two precisions of `expected`:
/// equal to the published f32 code, near its f64 version. Returns whether the case has both.
fn check(
    golden: &Golden,
    case: &Value,
    [input, expected]: [&str; 2],
    convert: impl Fn([f32; 3]) -> [f32; 3],
) -> bool {
    let name = &case["name"];
    let Some(input) = pixels(golden, case, input) else {
        return false;
    };
    let Some(single) = pixels(golden, case, &format!("{expected}.f32")) else {
        return false;
    };
    let double = pixels(golden, case, &format!("{expected}.f64"));
    assert_eq!(input.len(), single.len(), "{name} {expected}");
    for (i, (pixel, single)) in input.iter().zip(&single).enumerate() {
        let actual = convert(pixel.map(|x| x as f32)).map(f64::from);
        assert_eq!(actual, *single, "{name} {expected} of {pixel:?}");
        let Some(double) = double.as_ref().map(|double| double[i]) else {
            continue;
        };
        for (actual, double) in actual.iter().zip(double) {
            assert!(
                (actual - double).abs() < AGAINST_F64,
                "{name} {expected} of {pixel:?}"
            );
        }
    }
    true
}

/// Runs a check on all cases; at least one must have its tensors.
fn on_some_case(check: impl Fn(&Golden, &Value) -> bool) {
    let golden = Golden::open("color");
    let checked = golden
        .cases()
        .iter()
        .filter(|case| check(&golden, case))
        .count();
    assert!(checked > 0, "no case has the tensors of this check");
}

#[test]
fn rgb_to_scaled_yuv() {
    on_some_case(|golden, case| check(golden, case, ["rgb255", "yuv"], rgb_to_yuv));
}

#[test]
fn scaled_yuv_to_rgb() {
    on_some_case(|golden, case| check(golden, case, ["yuv", "rgb_pm1"], yuv_to_rgb));
}

#[test]
fn there_and_back() {
    on_some_case(|golden, case| {
        let there_and_back = |rgb| yuv_to_rgb(rgb_to_yuv(rgb));
        check(
            golden,
            case,
            ["rgb255", "roundtrip_rgb_pm1"],
            there_and_back,
        )
    });
}

#[test]
fn rgb_without_yuv() {
    on_some_case(|golden, case| {
        let convert = |rgb| ColourSpace::Rgb.encode_pixel(rgb);
        check(golden, case, ["rgb255", "nonyuv_pm1"], convert)
    });
}

#[test]
fn yuv_of_grey() {
    on_some_case(|golden, case| {
        check(golden, case, ["rgb255", "gray3_yuv"], |rgb| {
            rgb_to_yuv([grey(rgb); 3])
        })
    });
}

#[test]
fn grey_of_rgb() {
    on_some_case(|golden, case| {
        let Some(rgb) = pixels(golden, case, "rgb255") else {
            return false;
        };
        let Some(expected) = case["tensors"]["gray255.f32"].as_str() else {
            return false;
        };
        let expected = golden.f64s(expected);
        assert_eq!(rgb.len(), expected.len());
        for (rgb, expected) in rgb.iter().zip(expected) {
            let rgb = rgb.map(|x| x as f32);
            assert_eq!(f64::from(grey(rgb)), expected, "{rgb:?}");
            let plane = ColourSpace::Grey.encode_pixel(rgb)[0];
            assert!(
                (f64::from(plane) - (expected / 127.5 - 1.0)).abs() < AGAINST_F64,
                "{rgb:?}"
            );
        }
        true
    });
}

#[test]
fn the_bytes_that_are_saved() {
    on_some_case(|golden, case| {
        let Some(yuv) = pixels(golden, case, "yuv").or_else(|| pixels(golden, case, "yuv.f32"))
        else {
            return false;
        };
        let Some(saved) = pixels(golden, case, "saved_u8") else {
            return false;
        };
        let saved: Vec<[u8; 3]> = saved
            .iter()
            .map(|pixel| pixel.map(|byte| byte as u8))
            .collect();
        let yuv: Vec<[f32; 3]> = yuv.iter().map(|pixel| pixel.map(|x| x as f32)).collect();
        let bytes: Vec<[u8; 3]> = yuv
            .iter()
            .map(|&yuv| yuv_to_rgb(yuv).map(to_byte))
            .collect();
        assert_eq!(bytes, saved, "{}", case["name"]);

        // The same through whole images: planes in, a picture out.
        let planes: Vec<f32> = (0..3)
            .flat_map(|c| yuv.iter().map(move |yuv| yuv[c]))
            .collect();
        let size = ImageSize::new(1, yuv.len()).expect("a row of pixels");
        let image = ColourSpace::Yuv
            .decode(&planes, size)
            .expect("three planes");
        assert_eq!(image.as_raw(), &saved.concat(), "{}", case["name"]);
        true
    });
}

#[test]
fn whole_images_are_encoded_pixel_by_pixel() {
    on_some_case(|golden, case| {
        let Some(rgb) = pixels(golden, case, "rgb255") else {
            return false;
        };
        let Some(yuv) = pixels(golden, case, "yuv.f32") else {
            return false;
        };
        if rgb.iter().flatten().any(|x| x.fract() != 0.0) {
            return false;
        }
        let bytes = rgb.iter().flatten().map(|&x| x as u8).collect();
        let image = RgbImage::from_raw(rgb.len() as u32, 1, bytes).expect("a row of pixels");
        let encoded = ColourSpace::Yuv.encode(&image).expect("a valid size");
        for (c, plane) in encoded.planes().chunks_exact(rgb.len()).enumerate() {
            let expected = yuv.iter().map(|yuv| yuv[c] as f32);
            assert!(
                plane.iter().copied().eq(expected),
                "{} channel {c}",
                case["name"]
            );
        }
        true
    });
}
