//! Nearest-neighbour resizing: `tf.image.resize(…, NEAREST_NEIGHBOR)`, index for index.

use huenet_data::resize::{nearest, nearest_indices};
use huenet_data::{ImageSize, RgbImage};
use huenet_tests::golden::Golden;

#[test]
fn every_index_agrees() {
    let golden = Golden::open("resize_nearest");
    let mut checked = 0;
    for case in golden.cases() {
        let Some(index) = case["tensors"]["index"].as_str() else {
            continue;
        };
        let size = |name: &str| case[name].as_u64().expect("a size") as usize;
        let expected: Vec<usize> = golden.f64s(index).into_iter().map(|i| i as usize).collect();
        assert_eq!(
            nearest_indices(size("in"), size("out")),
            expected,
            "{}",
            case["name"]
        );
        checked += 1;
    }
    assert!(checked > 0, "no case has an index map");
}

#[test]
fn images_agree() {
    let golden = Golden::open("resize_nearest");
    let mut checked = 0;
    for case in golden.cases() {
        let Some(input) = case["tensors"]["input"].as_str() else {
            continue;
        };
        let output = case["tensors"]["output"]
            .as_str()
            .expect("an output for the input");
        let [input, output] = [input, output].map(|name| {
            let [height, width, 3] = golden.shape(name)[..] else {
                panic!("{name} is no image")
            };
            let bytes = golden
                .f64s(name)
                .into_iter()
                .map(|byte| byte as u8)
                .collect();
            RgbImage::from_raw(width as u32, height as u32, bytes).expect("all bytes")
        });
        let size = ImageSize::new(output.height() as usize, output.width() as usize);
        assert_eq!(
            nearest(&input, size.expect("valid")),
            output,
            "{}",
            case["name"]
        );
        checked += 1;
    }
    assert!(checked > 0, "no case has an image");
}
