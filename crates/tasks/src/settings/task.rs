//! The three tasks, and what sets them apart.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::words::word;

/// What the generator is trained to do.
///
/// Names and pairings follow the paper (section 5) and the official code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Task {
    /// Photographs from edge maps: pix2pix folders, content = edges, colour
    /// reference = the photograph of the same pair.
    Edges2photos,
    /// One photograph in the colours of another: content and colour reference are
    /// different images of the same folder.
    ColorTransfer,
    /// Colour from grey: content = the grey version of an image, colour reference =
    /// the image itself.
    Colorization,
}

impl Task {
    /// Every task, in the order of the official script's help.
    pub const ALL: [Self; 3] = [Self::Edges2photos, Self::ColorTransfer, Self::Colorization];

    /// The task's name in settings, flags and files.
    pub fn name(self) -> &'static str {
        word::<Self>(self as usize)
    }

    /// Whether content and reference show the same thing, so that the reference is
    /// the ground truth: the discriminator is then conditional on the content.
    pub fn is_paired(self) -> bool {
        !matches!(self, Self::ColorTransfer)
    }

    /// Whether the content is a photograph, in grey or in colours, and not a map of edges. The output should then
    /// be as smooth as the content.
    pub fn content_is_photograph(self) -> bool {
        !matches!(self, Self::Edges2photos)
    }

    /// The official dataset of the task.
    pub fn default_dataset(self) -> &'static str {
        match self {
            Self::Edges2photos => "edges2shoes",
            Self::Colorization => "summer2winter_yosemite",
            Self::ColorTransfer => "102flowers",
        }
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no task.
#[derive(Debug, thiserror::Error)]
#[error("unknown task `{0}`: the tasks are {names}", names = Task::ALL.map(Task::name).join(", "))]
pub struct UnknownTask(String);

impl FromStr for Task {
    type Err = UnknownTask;

    fn from_str(text: &str) -> Result<Self, UnknownTask> {
        let name = text.replace('-', "_");
        Self::ALL
            .into_iter()
            .find(|task| task.name() == name)
            .ok_or_else(|| UnknownTask(text.to_owned()))
    }
}
