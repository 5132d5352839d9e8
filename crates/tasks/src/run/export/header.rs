//! What exported files say of themselves.

use huenet_data::ColourSpace;
use huenet_models::{MAPS_GRID, Prediction};

use crate::run::checkpoint::Checkpoint;
use crate::run::folder::RunFolder;
use crate::settings::word;
use crate::step::recipe::Recipe;
use crate::store::error::TaskError;

/// The name under which a file's header has the settings that networks and images depend on.
pub(in crate::run) const SETTINGS_ENTRY: &str = "settings";

/// A name, and what the file has under it.
pub(super) type Entry = (&'static str, String);

/// What every file says.
fn common(checkpoint: &Checkpoint) -> Result<Vec<Entry>, TaskError> {
    // The file may go to others, to whom folders say nothing.
    let settings = checkpoint.settings().for_application();
    Ok(vec![
        ("huenet", env!("CARGO_PKG_VERSION").to_owned()),
        ("task", checkpoint.settings().task.name().to_owned()),
        ("step", checkpoint.position().step.to_string()),
        (SETTINGS_ENTRY, settings.to_toml()?),
    ])
}

/// What a file of weights says.
pub(super) fn of_weights(checkpoint: &Checkpoint) -> Result<Vec<Entry>, TaskError> {
    let mut entries = common(checkpoint)?;
    // What Python's readers look for.
    entries.push(("format", "pt".to_owned()));
    Ok(entries)
}

/// What a model says: also what images it takes.
pub(super) fn of_model(checkpoint: &Checkpoint, recipe: &Recipe) -> Result<Vec<Entry>, TaskError> {
    let settings = recipe.settings();
    let run = RunFolder::of(checkpoint.folder());
    let name = run.file_name().unwrap_or(run.as_os_str()).to_string_lossy();
    let mut entries = common(checkpoint)?;
    entries.extend([
        ("model", name.into_owned()),
        ("recipe", settings.recipe.name().to_owned()),
        (
            "colours",
            word::<ColourSpace>(recipe.colour() as usize).to_owned(),
        ),
        ("values", values(recipe.colour()).to_owned()),
        ("height", settings.img_h.to_string()),
        ("width", settings.img_w.to_string()),
        ("multiple", (1_u64 << settings.depth).to_string()),
    ]);
    if settings.prediction == Prediction::LocalMaps {
        let grid = MAPS_GRID.map(|length| length.to_string());
        entries.push(("grid", grid.join(" ")));
    }
    Ok(entries)
}

/// What an image's channels hold.
fn values(space: ColourSpace) -> &'static str {
    match space {
        ColourSpace::Yuv => {
            "2Y - 1 in [-1, 1], 2U in [-0.872, 0.872], 2V in [-1.23, 1.23], of R, G and B in [0, 1]"
        }
        ColourSpace::Rgb => "2R - 1, 2G - 1, 2B - 1 in [-1, 1], of R, G and B in [0, 1]",
        ColourSpace::Grey => {
            "2Y - 1 in [-1, 1], Y = 0.2989 R + 0.587 G + 0.114 B, of R, G and B in [0, 1]"
        }
    }
}
