use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::image::RgbImage;

use crate::{DataError, read_image};

/// Where an image comes from: a file, or memory. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ImageSource {
    origin: Arc<Origin>,
    label: Option<u16>,
}

enum Origin {
    File(PathBuf),
    Memory { name: String, image: RgbImage },
}

impl ImageSource {
    /// The image in a file, which is read anew each time.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self {
            origin: Arc::new(Origin::File(path.into())),
            label: None,
        }
    }

    /// An image in memory, with a name to show.
    pub fn memory(name: impl Into<String>, image: RgbImage) -> Self {
        Self {
            origin: Arc::new(Origin::Memory {
                name: name.into(),
                image,
            }),
            label: None,
        }
    }

    /// The same image with the number of its class.
    #[must_use]
    pub fn with_label(mut self, label: u16) -> Self {
        self.label = Some(label);
        self
    }

    /// The name to show: the file's name without its folder, or the image's own.
    pub fn name(&self) -> Cow<'_, str> {
        match &*self.origin {
            Origin::File(path) => path
                .file_name()
                .unwrap_or(path.as_os_str())
                .to_string_lossy(),
            Origin::Memory { name, .. } => name.into(),
        }
    }

    /// The file's path, if the image comes from one.
    pub fn path(&self) -> Option<&Path> {
        match &*self.origin {
            Origin::File(path) => Some(path),
            Origin::Memory { .. } => None,
        }
    }

    /// The number of the image's class, if it is known (Flowers-102: 1 to 102).
    pub fn label(&self) -> Option<u16> {
        self.label
    }

    /// The image as 8-bit RGB.
    ///
    /// # Errors
    ///
    /// Those of [`read_image`] for a file; none for an image in memory.
    pub fn load(&self) -> Result<Cow<'_, RgbImage>, DataError> {
        match &*self.origin {
            Origin::File(path) => read_image(path).map(Cow::Owned),
            Origin::Memory { image, .. } => Ok(Cow::Borrowed(image)),
        }
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.fmt(f),
            // The name, not thousands of pixels.
            Self::Memory { name, .. } => name.fmt(f),
        }
    }
}
