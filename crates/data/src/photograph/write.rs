//! Writes photographs.

use std::io::ErrorKind;
use std::path::Path;

use super::encode::encode;
use super::format::Format;
use super::pixels::{Depth, Photograph};
use crate::{DataError, aside, kinds};

/// How a photograph is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteOptions {
    /// The quality of a JPEG, 1 to 100; values beyond count as the nearest of these. Its chroma is not subsampled.
    /// Other formats lose nothing and have none.
    pub quality: u8,
    /// What made the image, for its metadata: the text `Software` of a PNG, the tag `Software` of a TIFF, of EXIF in a
    /// JPEG or WebP, a comment in a PNM.
    pub description: Option<String>,
}

impl WriteOptions {
    /// The quality of a JPEG where none is chosen.
    pub const QUALITY: u8 = 95;
}

impl Default for WriteOptions {
    fn default() -> Self {
        Self {
            quality: Self::QUALITY,
            description: None,
        }
    }
}

/// What a format could not keep of a photograph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Written {
    /// It has 8 bits a sample, where there were 16.
    pub lost_depth: bool,
    /// Pixels that were transparent are opaque now, in the colours that they had.
    pub lost_alpha: bool,
    /// The description is not in the file.
    pub lost_description: bool,
}

/// The longest description that is written, in bytes. JPEG has room for little more.
const LONGEST: usize = 60_000;

impl Photograph {
    /// The extensions, in lower case, of the formats that are written.
    pub const EXTENSIONS: &[&str] = &kinds::WRITTEN;

    /// Checks, before anything is computed, that a path names a format and stands in a folder.
    ///
    /// # Errors
    ///
    /// [`DataError::OutputFormat`], [`DataError::NoFolder`], and [`DataError::Write`] if the path is a folder.
    pub fn check_output(path: &Path) -> Result<(), DataError> {
        Format::of(path)?;
        let folder = aside::parent(path);
        if !folder.is_dir() {
            return Err(DataError::NoFolder {
                path: path.to_path_buf(),
                folder: folder.to_path_buf(),
            });
        }
        if path.is_dir() {
            return Err(DataError::write(path)(ErrorKind::IsADirectory.into()));
        }
        Ok(())
    }

    /// Writes the photograph as PNG, JPEG, TIFF, WebP, BMP or PNM: what the path's extension says.
    ///
    /// PNG, TIFF and PNM keep 16 bits a sample. PNG, TIFF and WebP keep alpha. WebP is written without loss. The file
    /// is written aside and renamed when it is complete. A file that is there is replaced then.
    ///
    /// # Errors
    ///
    /// Those of [`check_output`](Self::check_output), [`DataError::OutputSides`] and [`DataError::Write`].
    pub fn write(&self, path: &Path, options: &WriteOptions) -> Result<Written, DataError> {
        Self::check_output(path)?;
        let format = Format::of(path)?;
        let max = format.longest_side();
        if self.width.max(self.height) > max {
            return Err(DataError::OutputSides {
                path: path.to_path_buf(),
                width: self.width,
                height: self.height,
                max,
            });
        }
        // Zero ends a text.
        let text = options.description.as_ref();
        let text = text.map(|text| text.replace('\0', " "));
        let kept = text.as_deref();
        let kept = kept.filter(|text| format != Format::Bmp && text.len() <= LONGEST);

        let written = aside::replace(path, |file| {
            encode(self, format, options.quality, kept, file)
        });
        written.map_err(DataError::write(path))?;
        Ok(Written {
            lost_depth: self.depth() == Depth::Sixteen && !format.is_deep(),
            lost_alpha: !format.has_alpha() && self.is_transparent(),
            lost_description: text.is_some() && kept.is_none(),
        })
    }
}
