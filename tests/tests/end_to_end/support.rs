//! The binary, and small folders of images for it.

use std::path::{Path, PathBuf};

use assert_cmd::Command;
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

/// The `huenet` binary: the one `HUENET_BIN` names, else the one built beside these tests.
pub(crate) fn huenet() -> Command {
    let binary = std::env::var_os("HUENET_BIN").map_or_else(built, PathBuf::from);
    let mut command = Command::new(binary);
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
        self.root().join("output").join(name)
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

    /// A verb of `huenet` with this place's output folder.
    pub(crate) fn command(&self, verb: &str) -> Command {
        let mut command = huenet();
        command
            .arg(verb)
            .current_dir(self.root())
            .arg("--output-dir")
            .arg("output");
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
