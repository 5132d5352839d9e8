//! Finding a dataset of the catalogue by its name.

use super::catalogue::CATALOGUE;
use super::{Dataset, DownloadError};

impl Dataset {
    /// The dataset of the catalogue that `name` means.
    ///
    /// The family may stand before any name (`pix2pix/edges2shoes`). It must if two families publish
    /// the same name (`maps`).
    ///
    /// # Errors
    ///
    /// [`DownloadError::Unknown`] with all names; [`DownloadError::Ambiguous`] with the datasets that the
    /// name could mean.
    ///
    /// # Example
    ///
    /// ```
    /// use huenet_data::download::Dataset;
    ///
    /// assert_eq!(Dataset::find("pix2pix/edges2shoes")?.name, "edges2shoes");
    /// let error = Dataset::find("maps").unwrap_err().to_string();
    /// assert!(error.contains("pix2pix/maps") && error.contains("cyclegan/maps"));
    /// # Ok::<(), huenet_data::download::DownloadError>(())
    /// ```
    pub fn find(name: &str) -> Result<&'static Self, DownloadError> {
        let mut named = CATALOGUE.iter().filter(|set| {
            let (family, bare) = (set.family(), set.bare_name());
            name == set.name
                || name == bare
                || name.strip_prefix(family) == Some(&format!("/{bare}"))
        });
        match (named.next(), named.next()) {
            (Some(set), None) => Ok(set),
            (Some(one), Some(other)) => Err(DownloadError::Ambiguous {
                name: name.to_owned(),
                one: one.name,
                other: other.name,
            }),
            (None, _) => Err(DownloadError::Unknown {
                name: name.to_owned(),
                known: CATALOGUE.iter().map(|set| set.name).collect(),
            }),
        }
    }
}
