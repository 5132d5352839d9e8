//! How layers merge into settings, and what settings say.

use figment::Figment;
use figment::providers::Serialized;
use huenet_models::Prediction;

use super::choices::{DEMO_DATASET, RecipeChoice};
use super::error::SettingsError;
use super::key::Key;
use super::layer::{self, Layer};
use super::table::{KEYS, Settings};
use super::task::Task;

impl Settings {
    /// The weights of the losses that not every run has, in the order of
    /// [`StepLosses::FURTHER`](crate::StepLosses::FURTHER); 0: not in this run.
    pub fn further_loss_weights(&self) -> [f64; 3] {
        let changes_maps = self.prediction == Prediction::LocalMaps;
        let smoothness = if changes_maps {
            self.maps_smoothness
        } else {
            0.0
        };
        [
            self.reconstruction_loss_weight,
            self.ssim_loss_weight,
            smoothness,
        ]
    }

    /// Merges `layers` over the defaults of the task and the recipe they ask for; later layers
    /// win.
    ///
    /// With neither a task nor a data root nor a dataset, the demo is meant: colour
    /// transfer on the built-in dataset. On that dataset the recommended recipe is meant, unless
    /// another is asked for; elsewhere the official one.
    ///
    /// # Errors
    ///
    /// [`SettingsError::Invalid`] if a value is not of its setting's kind.
    pub fn resolve(layers: &[Layer]) -> Result<Self, SettingsError> {
        let given = |name: &str| layers.iter().rev().find_map(|layer| layer.text(name));
        let task = given("task").map(|text| {
            text.parse()
                .map_err(|_| layer::invalid_in(layers, "task", &text))
        });
        let dataset = given("dataset");
        let bare = task.is_none() && dataset.is_none() && given("dataroot").is_none();
        let demo = bare || dataset.as_deref() == Some(DEMO_DATASET);
        let recipe = match given("recipe").as_deref() {
            Some("recommended") => RecipeChoice::Recommended,
            None if demo => RecipeChoice::Recommended,
            // Layers hold only words of a choice.
            _ => RecipeChoice::Official,
        };
        let task = task.transpose()?.unwrap_or(match demo {
            true => Task::ColorTransfer,
            false => Task::Edges2photos,
        });
        let defaults = Self::of(recipe, task);
        let defaults = if demo { defaults.on_demo() } else { defaults };
        merge(&defaults, layers)
    }

    /// Where each setting that [`resolve`](Self::resolve) gives comes from, in the order of
    /// [`KEYS`].
    pub fn origins(&self, layers: &[Layer]) -> Vec<(&'static Key, String)> {
        let mut default = match self.dataset == DEMO_DATASET {
            true => "default of the demo".to_owned(),
            false => format!("default of {}", self.task),
        };
        if self.recipe == RecipeChoice::Recommended {
            default += ", recommended recipe";
        }
        let origin = |key: &'static Key| {
            let given = layers.iter().rev().find_map(|layer| layer.origin_of(key));
            (key, given.unwrap_or_else(|| default.clone()))
        };
        KEYS.iter().map(origin).collect()
    }

    /// The value of a setting, if it has one.
    pub fn value(&self, key: &Key) -> Option<toml::Value> {
        toml::Table::try_from(self).ok()?.remove(key.name)
    }

    /// These settings with those of `layers` over them; later layers win.
    ///
    /// # Errors
    ///
    /// [`SettingsError::Invalid`] if a value is not of its setting's kind.
    pub fn with(&self, layers: &[Layer]) -> Result<Self, SettingsError> {
        merge(self, layers)
    }

    /// These settings without what only training needs, which may be elsewhere or nowhere by now: images and the
    /// run that was begun with.
    pub(crate) fn for_application(&self) -> Self {
        Self {
            dataset: DEMO_DATASET.to_owned(),
            dataroot: None,
            output_dir: Self::official(self.task).output_dir,
            output_pre_dir: None,
            name: None,
            ..self.clone()
        }
    }

    /// The settings as the text of a TOML file, which [`Layer::from_file`] reads.
    ///
    /// # Errors
    ///
    /// [`SettingsError::Unfit`] for what TOML cannot hold: a path that is not valid UTF-8, or a
    /// whole number beyond those of [`i64`].
    pub fn to_toml(&self) -> Result<String, SettingsError> {
        // As a table first: a number that is too large can be written, but not read again.
        let table = toml::Table::try_from(self);
        table.and_then(|_| toml::to_string(self)).map_err(|error| {
            let (key, value) = self.unwritable();
            let limit = i64::MAX;
            let expected = format!(
                "settings are saved as TOML, where a path has to be valid UTF-8 (with that of the \
                 working folder, if it is relative) and a whole number at most {limit}: {error}"
            );
            SettingsError::Unfit {
                key,
                value,
                expected,
            }
        })
    }

    /// The first setting that TOML cannot hold, with its value.
    fn unwritable(&self) -> (&'static str, String) {
        let paths = [
            ("dataroot", self.dataroot.as_ref()),
            ("output_dir", Some(&self.output_dir)),
            ("output_pre_dir", self.output_pre_dir.as_ref()),
        ];
        let path = paths
            .into_iter()
            .filter_map(|(key, path)| Some((key, path?)))
            .find(|(_, path)| path.to_str().is_none());
        if let Some((key, path)) = path {
            return (key, path.display().to_string());
        }
        let values = serde_json::to_value(self).unwrap_or_default();
        let too_large = |key: &Key| {
            let number = values.get(key.name)?.as_u64()?;
            i64::try_from(number).err()?;
            Some((key.name, number.to_string()))
        };
        let found = KEYS.iter().find_map(too_large);
        found.unwrap_or_else(|| ("settings", String::new()))
    }

    /// The settings that are other in `wanted`, with the values they have there.
    pub fn differences(&self, wanted: &Self) -> Vec<(&'static str, String)> {
        let [ours, theirs] =
            [self, wanted].map(|settings| toml::Table::try_from(settings).unwrap_or_default());
        let other = |key: &&Key| ours.get(key.name) != theirs.get(key.name);
        let value = |key: &Key| {
            theirs
                .get(key.name)
                .map_or_else(String::new, toml::Value::to_string)
        };
        KEYS.iter()
            .filter(other)
            .map(|key| (key.name, value(key)))
            .collect()
    }
}

/// `layers` over `defaults`; later layers win.
fn merge(defaults: &Settings, layers: &[Layer]) -> Result<Settings, SettingsError> {
    let start = Figment::from(Serialized::defaults(defaults));
    let merged = layers
        .iter()
        .fold(start, |figment, layer| figment.merge(layer));
    merged.extract().map_err(|error| {
        // Layers hold only known names and values of the right kind, so what is left
        // is a number beyond its type.
        let name = error.path.first().cloned().unwrap_or_default();
        layer::invalid_in(layers, &name, &error.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(unix)]
    use std::os::unix::ffi::OsStringExt;
    #[cfg(unix)]
    use std::path::PathBuf;

    #[test]
    fn what_cannot_be_saved_is_refused_by_name() {
        let refused = |settings: Settings, key: &str| {
            let error = crate::Recipe::new(settings).unwrap_err().to_string();
            assert!(error.contains(&format!("{key} = ")), "{error}");
        };
        let settings = Settings {
            seed: u64::MAX,
            ..Settings::demo(Task::ColorTransfer)
        };
        refused(settings, "seed");
        #[cfg(unix)]
        {
            let bytes = vec![b'/', 0xff];
            let path = PathBuf::from(std::ffi::OsString::from_vec(bytes));
            let ours = || Settings::demo(Task::ColorTransfer);
            let dataroot = Some(path.clone());
            refused(Settings { dataroot, ..ours() }, "dataroot");
            let output_pre_dir = Some(path.clone());
            refused(
                Settings {
                    output_pre_dir,
                    ..ours()
                },
                "output_pre_dir",
            );
        }
    }

    #[test]
    fn the_words_for_tasks_are_the_tasks() {
        let names = Task::ALL.map(Task::name);
        let expected = format!("one of {}", names.join(", "));
        assert_eq!(Key::find("task").unwrap().kind.expected(), expected);
    }

    #[test]
    fn every_value_of_a_setting_is_of_its_kind() {
        for task in Task::ALL {
            for recipe in [RecipeChoice::Official, RecipeChoice::Recommended] {
                let settings = Settings::of(recipe, task);
                let text = settings.to_toml().unwrap();
                let layer = Layer::from_toml("settings.toml".as_ref(), &text).unwrap();
                assert_eq!(Settings::resolve(&[layer]).unwrap(), settings);
            }
        }
    }

    #[test]
    fn nothing_given_means_the_demo_and_a_data_root_the_official_default_task() {
        let demo = Settings::resolve(&[]).unwrap();
        assert_eq!(
            (demo.task, demo.dataset.as_str()),
            (Task::ColorTransfer, DEMO_DATASET)
        );
        let root = Layer::from_flags([("dataroot", "somewhere")]).unwrap();
        let official = Settings::resolve(&[root]).unwrap();
        assert_eq!(
            (official.task, official.dataset.as_str()),
            (Task::Edges2photos, "edges2shoes")
        );
    }
}
