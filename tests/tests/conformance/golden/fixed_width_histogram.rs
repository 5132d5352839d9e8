//! The hard histogram that the generator is told: TensorFlow's `histogram_fixed_width`, exactly.

use huenet_data::{ColourSpace, CountBins, ImageSize, Preprocessing, ResizeFilter, RgbImage};
use huenet_tests::golden::{Golden, scalar};
use serde_json::Value;

fn bins(case: &Value) -> CountBins {
    let bins = scalar(&case["bin_num"]) as usize;
    CountBins::new(bins, scalar(&case["min_val"]), scalar(&case["max_val"])).expect("valid bins")
}

fn tensor(golden: &Golden, case: &Value, name: &str) -> Option<Vec<f64>> {
    case["tensors"][name].as_str().map(|name| golden.f64s(name))
}

fn counts(values: Vec<f64>) -> Vec<u32> {
    values.into_iter().map(|count| count as u32).collect()
}

#[test]
fn each_value_is_counted_in_its_bin() {
    let golden = Golden::open("fixed_width_histogram");
    let mut checked = 0;
    for case in golden.cases() {
        let Some(values) = tensor(&golden, case, "values") else {
            continue;
        };
        let bins = bins(case);
        let values: Vec<f32> = values.into_iter().map(|value| value as f32).collect();
        if let Some(index) = tensor(&golden, case, "bin_index") {
            assert_eq!(index.len(), values.len(), "{}", case["name"]);
            for (&value, index) in values.iter().zip(index) {
                assert_eq!(
                    bins.index(value),
                    index as usize,
                    "{} {value:?}",
                    case["name"]
                );
            }
            checked += 1;
        }
        if let Some(expected) = tensor(&golden, case, "counts") {
            assert_eq!(bins.count(&values), counts(expected), "{}", case["name"]);
            checked += 1;
        }
    }
    assert!(checked > 0, "no case has values");
}

#[test]
fn images_are_counted_channel_by_channel() {
    let golden = Golden::open("fixed_width_histogram");
    let mut checked = 0;
    for case in golden.cases() {
        let Some(bytes) = tensor(&golden, case, "rgb_u8") else {
            continue;
        };
        let name = case["tensors"]["rgb_u8"].as_str().expect("a tensor's name");
        let [height, width, 3] = golden.shape(name)[..] else {
            panic!("{name} is no RGB image")
        };
        let bytes = bytes.into_iter().map(|byte| byte as u8).collect();
        let image = RgbImage::from_raw(width as u32, height as u32, bytes).expect("all bytes");
        let preprocessing = Preprocessing {
            size: ImageSize::new(height, width).expect("valid size"),
            resize: ResizeFilter::Nearest,
            colour: ColourSpace::Yuv,
            jitter: false,
            counts: bins(case),
        };
        let encoded = ColourSpace::Yuv.encode(&image).expect("valid size");
        let expected = tensor(&golden, case, "counts").expect("counts");
        assert_eq!(
            preprocessing.count(&encoded),
            counts(expected),
            "{}",
            case["name"]
        );
        checked += 1;
    }
    assert!(checked > 0, "no case has an image");
}
