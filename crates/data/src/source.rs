use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use ::image::RgbImage;
use serde::{Deserialize, Serialize};

use crate::DataError;
use crate::decode::{MAX_FILE_BYTES, decode_image, read_bounded};

/// Identifies the content of a file: its length in bytes and their CRC-32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint(u64, u32);

impl Fingerprint {
    /// The identity of a file that holds `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(bytes.len() as u64, crc32fast::hash(bytes))
    }
}

/// Where an image comes from: a file, or memory. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ImageSource {
    origin: Arc<Origin>,
    label: Option<u16>,
}

enum Origin {
    File {
        path: PathBuf,
        /// What it has to hold: the content at the first reading.
        held: OnceLock<Fingerprint>,
    },
    Memory {
        name: String,
        image: RgbImage,
    },
}

impl ImageSource {
    /// The image in a file, which is read again each time.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self {
            origin: Arc::new(Origin::File {
                path: path.into(),
                held: OnceLock::new(),
            }),
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
            Origin::File { path, .. } => path
                .file_name()
                .unwrap_or(path.as_os_str())
                .to_string_lossy(),
            Origin::Memory { name, .. } => name.into(),
        }
    }

    /// The file's path, if the image comes from one.
    pub fn path(&self) -> Option<&Path> {
        match &*self.origin {
            Origin::File { path, .. } => Some(path),
            Origin::Memory { .. } => None,
        }
    }

    /// The number of the image's class, if it is known (Flowers-102: 1 to 102).
    pub fn label(&self) -> Option<u16> {
        self.label
    }

    /// The content that the file had at the first reading, or has to have; `None` if neither is known, and
    /// for an image in memory.
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        match &*self.origin {
            Origin::File { held, .. } => held.get().copied(),
            Origin::Memory { .. } => None,
        }
    }

    /// From now on this source and its clones refuse a file with other content. If the file was read
    /// already, the content at that reading counts.
    pub fn expect(&self, fingerprint: Fingerprint) {
        if let Origin::File { held, .. } = &*self.origin {
            let _ = held.set(fingerprint);
        }
    }

    /// The image as 8-bit RGB.
    ///
    /// # Errors
    ///
    /// Those of [`read_image`](crate::read_image) for a file, and [`DataError::Changed`] if it is
    /// not the file that was read first, or that is [expected](Self::expect); none for an image in
    /// memory.
    pub fn load(&self) -> Result<Cow<'_, RgbImage>, DataError> {
        match &*self.origin {
            Origin::File { path, held } => {
                let bytes = read_bounded(path, MAX_FILE_BYTES)?;
                // Before decoding: for a changed file that was cut short, this is the more useful error.
                let image = decode_image(path, &bytes)?;
                let now = Fingerprint::of(&bytes);
                match *held.get_or_init(|| now) == now {
                    true => Ok(Cow::Owned(image)),
                    false => Err(DataError::Changed { path: path.clone() }),
                }
            }
            Origin::Memory { image, .. } => Ok(Cow::Borrowed(image)),
        }
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, .. } => path.fmt(f),
            // The name, not thousands of pixels.
            Self::Memory { name, .. } => name.fmt(f),
        }
    }
}
