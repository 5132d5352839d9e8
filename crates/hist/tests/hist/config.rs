//! Configurations come back from files as they were, and bad ones are refused there already.

use burn::config::{Config, config_to_json};
use huenet_hist::{
    Bins, Boundary, Directions, EarthMoversDistanceConfig, EmdKind, HistogramLossConfig,
    JointHistogramConfig, Kernel, SoftHistogramConfig, StructureKind, StructureLossConfig,
};
use rstest::rstest;

fn round_trip<C: Config + PartialEq>(config: &C) {
    let read = C::load_binary(config_to_json(config).as_bytes()).unwrap();
    assert_eq!(&read, config);
}

#[test]
fn configurations_survive_a_file() {
    let bins = Bins::new(36, 0.0, 360.0).unwrap();
    let kernel = Kernel::new(1.5, Boundary::Wrap).unwrap();
    round_trip(&SoftHistogramConfig::new(bins, kernel));
    round_trip(&JointHistogramConfig::new(bins, kernel));
    round_trip(
        &EarthMoversDistanceConfig::new(bins)
            .with_kind(EmdKind::L1)
            .with_cyclic(true),
    );
    round_trip(
        &HistogramLossConfig::new(bins, kernel)
            .with_directions(Some(Directions::spread(12).unwrap())),
    );
    round_trip(&StructureLossConfig::new().with_kind(StructureKind::RelativeMutualInformation));
}

#[rstest]
#[case::kernel(
    r#"{"bins": {"count": 8, "min": 0, "max": 1}, "kernel": {"ratio": -1, "boundary": "wrap"}}"#,
    "kernel width ratio of -1"
)]
#[case::count(
    r#"{"bins": {"count": 1, "min": 0, "max": 1}, "kernel": {"ratio": 2.5}}"#,
    "a histogram of 1 bins"
)]
#[case::range(
    r#"{"bins": {"count": 8, "min": 1, "max": 0}, "kernel": {"ratio": 2.5}}"#,
    "[1, 0]"
)]
#[case::unknown(
    r#"{"bins": {"count": 8, "min": 0, "max": 1, "bins": 9}, "kernel": {"ratio": 2.5}}"#,
    "unknown field `bins`"
)]
fn bad_files_are_refused(#[case] json: &str, #[case] message: &str) {
    let error = SoftHistogramConfig::load_binary(json.as_bytes())
        .unwrap_err()
        .to_string();
    assert!(error.contains(message), "{error}");
}

#[rstest]
#[case(r#"{"count": 2}"#, "2 directions of colour space")]
#[case(r#"{"count": 65}"#, "choose between 3 (the channels) and 64")]
#[case(r#"{"count": 8, "vectors": []}"#, "unknown field `vectors`")]
fn bad_directions_in_files_are_refused(#[case] directions: &str, #[case] message: &str) {
    let json = format!(
        r#"{{"bins": {{"count": 8, "min": 0, "max": 1}}, "kernel": {{"ratio": 2.5}}, "distance": "rms",
            "structure": "conditional_entropy", "directions": {directions}}}"#
    );
    let error = HistogramLossConfig::load_binary(json.as_bytes())
        .unwrap_err()
        .to_string();
    assert!(error.contains(message), "{error}");
}

/// Files from before there were directions.
#[test]
fn a_file_without_directions_means_the_rows_by_themselves() {
    let json = r#"{"bins": {"count": 8, "min": 0, "max": 1}, "kernel": {"ratio": 2.5}, "distance": "rms",
        "structure": "conditional_entropy"}"#;
    let config = HistogramLossConfig::load_binary(json.as_bytes()).unwrap();
    assert_eq!(config.directions, None);
}

#[test]
fn the_default_is_the_official_code() {
    let kernel = Kernel::default();
    assert_eq!(
        (kernel.ratio(), kernel.boundary()),
        (2.5, Boundary::Reflect)
    );
    assert_eq!(
        StructureLossConfig::new().kind,
        StructureKind::ConditionalEntropy
    );
    let emd = EarthMoversDistanceConfig::new(Bins::new(256, -1.0, 1.0).unwrap());
    assert_eq!((emd.kind, emd.cyclic), (EmdKind::Rms, false));
}
