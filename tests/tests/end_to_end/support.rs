//! The binary, and small folders of images for it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use burn_autodiff::Autodiff;
use burn_flex::Flex;
use huenet_tasks::{Checkpoint, Gan, Recipe};
use huenet_tests::golden_networks;
use image::{Rgb, RgbImage};
use tempfile::TempDir;

/// Options that make a run small: two levels of tiny networks would be too shallow to
/// have every kind of layer, so five at 32×32 pixels.
pub(crate) const SMALL: &[&str] = &[
    "--img-h",
    "32",
    "--img-w",
    "32",
    "--depth",
    "5",
    "--base-width",
    "2",
    "--bin-num",
    "8",
    "--batch-size",
    "2",
];

/// What a `huenet` with LibTorch sets before it starts itself again: given these, it need not.
pub(crate) const AS_IT_SETS_ITSELF: [(&str, &str); 4] = [
    ("GOMP_SPINCOUNT", "20000"),
    ("MALLOC_MMAP_MAX_", "0"),
    ("MALLOC_TRIM_THRESHOLD_", "100000000000"),
    ("MALLOC_TOP_PAD_", "268435456"),
];

/// The `huenet` binary: the one `HUENET_BIN` names, else the one built beside these tests.
pub(crate) fn huenet() -> Command {
    let binary = std::env::var_os("HUENET_BIN").map_or_else(built, PathBuf::from);
    let mut command = Command::new(binary);
    // Other tests run beside this one, and no result depends on how many threads compute.
    command.env("RAYON_NUM_THREADS", "1");
    command.envs(AS_IT_SETS_ITSELF);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("HUENET_") {
            command.env_remove(name);
        }
    }
    command
}

fn built() -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    // TARGET/PROFILE/deps/TEST
    let profile = test
        .ancestors()
        .nth(2)
        .expect("a test lies in a target folder");
    let binary = profile.join(format!("huenet{}", std::env::consts::EXE_SUFFIX));
    let path = binary.display();
    assert!(
        binary.is_file(),
        "there is no {path}: run `cargo build -p huenet-cli --features ndarray` first"
    );
    binary
}

/// A folder of datasets, and a place for runs, both gone at the end of the test.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder can be made"),
        }
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn run(&self, name: &str) -> PathBuf {
        self.root().join("runs").join(name)
    }

    /// A file below the root, with the folders it needs.
    pub(crate) fn file(&self, path: &str) -> PathBuf {
        let path = self.root().join(path);
        std::fs::create_dir_all(path.parent().expect("a file has a folder")).expect("made");
        path
    }

    pub(crate) fn write(&self, path: &str, bytes: &[u8]) -> PathBuf {
        let path = self.file(path);
        std::fs::write(&path, bytes).expect("written");
        path
    }

    pub(crate) fn image(&self, path: &str, width: u32, height: u32, hue: u32) {
        let path = self.file(path);
        scene(width, height, hue).save(&path).expect("saved");
    }

    /// edges2shoes: pairs side by side.
    pub(crate) fn pairs(&self) -> &Self {
        for number in 1..=4 {
            self.image(
                &format!("edges2shoes/train/{number}_AB.jpg"),
                96,
                48,
                number,
            );
        }
        for number in 1..=2 {
            self.image(
                &format!("edges2shoes/val/{number}_AB.jpg"),
                96,
                48,
                10 + number,
            );
        }
        self
    }

    /// summer2winter_yosemite: names with spaces, as there.
    pub(crate) fn yosemite(&self) -> &Self {
        for (part, count) in [("trainA", 2), ("trainB", 3), ("testA", 1), ("testB", 1)] {
            for number in 0..count {
                let name = format!("summer2winter_yosemite/{part}/2011-05-2{number} 13.jpg");
                self.image(&name, 40, 40, number * 7);
            }
        }
        self
    }

    /// 102flowers: images of several sizes.
    pub(crate) fn flowers(&self) -> &Self {
        for number in 0..8 {
            let name = format!("102flowers/jpg/image_{:05}.jpg", number * 13 + 1);
            self.image(&name, 50 + number, 44, number * 3);
        }
        self
    }

    /// `huenet train` on this place's datasets, small, into this place's output folder.
    pub(crate) fn train(&self, task: &str, name: &str) -> Command {
        let mut command = self.command("train");
        command.args(["--task", task, "--name", name]).args(SMALL);
        command.arg("--dataroot").arg(self.root());
        command
    }

    /// A verb of `huenet` in this place, where runs go to `runs`.
    pub(crate) fn command(&self, verb: &str) -> Command {
        let mut command = huenet();
        command.arg(verb).current_dir(self.root());
        command
    }
}

/// A picture with edges, gradients and a colour of its own.
fn scene(width: u32, height: u32, hue: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let inside = (x as i64 - 20).pow(2) + (y as i64 - 20).pow(2) < 120;
        let base = [(hue * 37) % 256, (hue * 91 + x * 4) % 256, (y * 5) % 256];
        Rgb(base.map(|value| {
            if inside {
                255 - value as u8
            } else {
                value as u8
            }
        }))
    })
}

/// `huenet train --resume`, in this place, of the run or checkpoint at `path`.
pub(crate) fn resume(place: &Place, path: &str) -> Command {
    let mut command = huenet();
    command
        .current_dir(place.root())
        .args(["train", "--resume", path]);
    command
}

/// The steps a run has written.
pub(crate) fn metrics(run: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(run.join("metrics.jsonl")).expect("a run has metrics");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("a line is JSON"))
        .collect()
}

/// The losses of each step, without the times.
pub(crate) fn losses(run: &Path) -> Vec<[f64; 5]> {
    metrics(run)
        .iter()
        .map(|step| LOSSES.map(|name| step[name].as_f64().expect(name)))
        .collect()
}

pub(crate) const LOSSES: [&str; 5] = [
    "gen_total_loss",
    "gen_gan_loss",
    "gen_mi_loss",
    "gen_hist_loss",
    "disc_loss",
];

/// `command` in `place`, for processes that a test does things to while they run.
pub(crate) fn process(place: &Place, command: &Command) -> std::process::Command {
    let mut process = surroundings(place, command, command.get_program());
    process.args(command.get_args());
    process
}

/// `program`, which is to start `command`, in `place` and with the environment of `command`.
pub(crate) fn surroundings(
    place: &Place,
    command: &Command,
    program: impl AsRef<std::ffi::OsStr>,
) -> std::process::Command {
    let mut process = std::process::Command::new(program);
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => process.env(name, value),
            None => process.env_remove(name),
        };
    }
    process.current_dir(place.root());
    process
}

/// Waits until `done` gives something, which it soon should.
pub(crate) fn wait_for<T>(what: &str, mut done: impl FnMut() -> Option<T>) -> T {
    let start = std::time::Instant::now();
    while start.elapsed().as_secs() < 120 {
        if let Some(found) = done() {
            return found;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    panic!("waited in vain for {what}");
}

/// The names in a folder, sorted; none if there is no such folder.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// The validations of a run, without the time they took.
pub(crate) fn validations(run: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(run.join("validation.jsonl")).unwrap_or_default();
    let without_time = |line: &str| {
        let mut value: serde_json::Value = serde_json::from_str(line).expect("a line is JSON");
        value
            .as_object_mut()
            .expect("an object")
            .remove("seconds")
            .expect("a time");
        value
    };
    text.lines().map(without_time).collect()
}

/// The data in a run's report.
pub(crate) fn page_data(run: &Path) -> serde_json::Value {
    let page = std::fs::read_to_string(run.join("report.html")).expect("a run has a report");
    let start = "<script type=\"application/json\" id=\"data\">";
    let (_, rest) = page.split_once(start).expect("it has data");
    let (data, _) = rest.split_once("</script>").expect("they end");
    serde_json::from_str(data).expect("they are JSON")
}

/// Equal losses at every step, equal validations, weights and pictures, and the same in the
/// report's curves.
pub(crate) fn assert_same_run(place: &Place, one: &str, other: &str) {
    let (one, other) = (&place.run(one), &place.run(other));
    assert!(weights(one) == weights(other), "the weights differ");
    assert_eq!(losses(one), losses(other));
    assert_eq!(validations(one), validations(other));
    let last = |run: &Path| std::fs::read(run.join("samples/last.png")).expect("drawn");
    assert!(last(one) == last(other), "the pictures differ");
    let shown = |run: &Path| {
        let data = page_data(run);
        ["losses", "validation", "grids", "distributions"].map(|part| data[part].clone())
    };
    assert!(shown(one) == shown(other), "the reports differ");
}

/// The weights that a run began with, unless it began with those of another.
pub(crate) fn fresh_weights(run: &Path) -> BTreeMap<String, Vec<f64>> {
    let checkpoint = Checkpoint::newest(run).expect("a run has a checkpoint");
    let recipe = Recipe::new(checkpoint.settings().clone()).expect("its settings are valid");
    all_weights(&Gan::new(&recipe, &Default::default()))
}

/// The weights and running statistics in a run's newest checkpoint, by name.
pub(crate) fn weights(run: &Path) -> BTreeMap<String, Vec<f64>> {
    type B = Autodiff<Flex>;
    let checkpoint = Checkpoint::newest(run).expect("a run has a checkpoint");
    let recipe = Recipe::new(checkpoint.settings().clone()).expect("its settings are valid");
    let device = Default::default();
    let fresh = Gan::<B>::new(&recipe, &device);
    let gan = checkpoint.restore(&recipe, fresh, &device);
    all_weights(&gan.expect("it is sound"))
}

fn all_weights(gan: &Gan<Autodiff<Flex>>) -> BTreeMap<String, Vec<f64>> {
    let mut all = golden_networks::weights(golden_networks::GENERATOR, &gan.generator);
    let discriminator = golden_networks::CONDITIONAL;
    all.extend(golden_networks::weights(discriminator, &gan.discriminator));
    all
}
