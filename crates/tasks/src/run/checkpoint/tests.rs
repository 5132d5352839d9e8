use std::collections::BTreeMap;
use std::fs;

use super::Checkpoint;
use super::layout::{FILES, FORMAT, MANIFEST, SETTINGS};
use super::manifest::{Manifest, fingerprint};
use crate::run::position::Position;
use crate::settings::{RecipeChoice, Settings, Task};
use crate::step::recipe::Recipe;
use crate::store::error::TaskError;

/// A checkpoint's folder with this text as its settings, and nothing else in its files.
fn folder_with(settings: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let files = FILES.map(|name| {
        let text = if name == SETTINGS { settings } else { "" };
        fs::write(folder.path().join(name), text).unwrap();
        (name.to_owned(), fingerprint(text.as_bytes()))
    });
    let manifest = Manifest {
        format: FORMAT,
        huenet: String::new(),
        position: Position::default(),
        figure: None,
        processes: 1,
        image_names: None,
        files: BTreeMap::from(files),
    };
    let text = serde_json::to_string(&manifest).unwrap();
    fs::write(folder.path().join(MANIFEST), text).unwrap();
    folder
}

/// Whether weights saved with the first settings fit the others.
fn fit(saved: &Settings, wanted: Settings) -> Result<(), String> {
    let folder = folder_with(&saved.to_toml().unwrap());
    let checkpoint = Checkpoint::newest(folder.path()).unwrap();
    let fit = checkpoint.check_configuration(&Recipe::new(wanted).unwrap());
    fit.map_err(|error| error.to_string())
}

#[test]
fn settings_that_name_no_task_are_damaged() {
    let folder = folder_with("");
    let error = Checkpoint::newest(folder.path()).unwrap_err();
    assert!(matches!(error, TaskError::DamagedCheckpoint { .. }));
    assert!(error.to_string().contains(SETTINGS), "{error}");
}

#[test]
fn weights_of_another_colour_space_or_range_do_not_fit() {
    let ours = Settings::of(RecipeChoice::Official, Task::ColorTransfer).on_demo();
    assert_eq!(fit(&ours, ours.clone()), Ok(()));
    let rgb = Settings {
        yuv: false,
        ..ours.clone()
    };
    let narrow = Settings {
        min_val: -0.5,
        ..ours.clone()
    };
    let low = Settings {
        max_val: 0.5,
        ..ours.clone()
    };
    for (wanted, key) in [(rgb.clone(), "yuv"), (narrow, "min_val"), (low, "max_val")] {
        let refused = fit(&ours, wanted).unwrap_err();
        assert!(refused.contains(&format!("{key} is ")), "{refused}");
    }
    // Grey images have neither.
    let grey = |settings: Settings| Settings {
        img_c: 1,
        img_out_c: 1,
        ..settings
    };
    assert_eq!(fit(&grey(ours), grey(rgb)), Ok(()));
}

#[test]
fn the_size_of_images_matters_only_where_the_networks_depend_on_it() {
    let recommended = Settings::recommended(Task::ColorTransfer).on_demo();
    let fits = |settings: &Settings| {
        let sized = |side| Settings {
            img_h: side,
            img_w: side,
            ..settings.clone()
        };
        fit(&sized(128), sized(256))
    };
    assert_eq!(fits(&recommended.clone().painted()), Ok(()));
    // The one ends at the size of the grid, the other counts pixels.
    let official = Settings::official(Task::ColorTransfer).on_demo();
    for settings in [recommended, official] {
        let refused = fits(&settings).unwrap_err();
        assert!(refused.contains("img_h is 128 there"), "{refused}");
    }
}
