//! The formats that photographs are written in.

use std::path::Path;

use crate::DataError;

/// A format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Png,
    Jpeg,
    Tiff,
    /// Without loss.
    WebP,
    Bmp,
    Pnm,
}

impl Format {
    /// The format that the extension of a path names. [`crate::kinds::WRITTEN`] lists the extensions.
    pub(super) fn of(path: &Path) -> Result<Self, DataError> {
        let extension = path.extension().and_then(|extension| extension.to_str());
        match extension.map(str::to_ascii_lowercase).as_deref() {
            Some("png") => Ok(Self::Png),
            Some("jpg" | "jpeg") => Ok(Self::Jpeg),
            Some("tif" | "tiff") => Ok(Self::Tiff),
            Some("webp") => Ok(Self::WebP),
            Some("bmp") => Ok(Self::Bmp),
            Some("ppm" | "pnm") => Ok(Self::Pnm),
            _ => Err(DataError::OutputFormat {
                path: path.to_path_buf(),
            }),
        }
    }

    /// Whether samples may have 16 bits.
    pub(super) fn is_deep(self) -> bool {
        matches!(self, Self::Png | Self::Tiff | Self::Pnm)
    }

    /// Whether there may be an alpha channel.
    pub(super) fn has_alpha(self) -> bool {
        matches!(self, Self::Png | Self::Tiff | Self::WebP)
    }

    /// The most pixels on a side.
    pub(super) fn longest_side(self) -> usize {
        match self {
            Self::Jpeg => u16::MAX.into(),
            Self::WebP => 1 << 14,
            Self::Png | Self::Tiff | Self::Bmp | Self::Pnm => i32::MAX as usize,
        }
    }
}
