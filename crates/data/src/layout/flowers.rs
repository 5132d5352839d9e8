//! Oxford Flowers-102 (Nilsback and Zisserman, ICVGIP 2008).

use std::collections::BTreeMap;
use std::path::Path;

use super::folder;
use crate::mat::{MatError, MatFile};
use crate::{Collection, DataError, ImageSource, Split};

const LABELS: &str = "imagelabels.mat";
const SPLIT: &str = "setid.mat";

pub(super) fn open(root: &Path, split: Split) -> Result<Collection, DataError> {
    let images = labelled(root, folder::images(&root.join("jpg"))?)?;
    let name = root.display().to_string();
    match split {
        Split::NinetyTen { seed } => Ok(Collection::ninety_ten(name, images, seed)),
        Split::Official => official(root, name, &images),
    }
}

/// The images with their classes. Entry n of the file, from 1, is the class of `image_<n>.jpg`.
fn labelled(root: &Path, images: Vec<ImageSource>) -> Result<Vec<ImageSource>, DataError> {
    let path = root.join(LABELS);
    if !path.is_file() {
        return Ok(images);
    }
    let labels = numbers::<u16>(&path, &MatFile::read(&path)?, "labels")?;
    let label = |image: ImageSource| {
        let index = number(&image).and_then(|number| number.checked_sub(1));
        match index.and_then(|index| labels.get(index as usize)) {
            Some(&label) => image.with_label(label),
            None => image,
        }
    };
    Ok(images.into_iter().map(label).collect())
}

fn official(root: &Path, name: String, images: &[ImageSource]) -> Result<Collection, DataError> {
    let path = root.join(SPLIT);
    if !path.is_file() {
        return Err(folder::not_found(&path, "the authors' split"));
    }
    let file = MatFile::read(&path)?;
    let by_number: BTreeMap<u32, &ImageSource> = images
        .iter()
        .filter_map(|image| Some((number(image)?, image)))
        .collect();
    let mut missing = 0;
    let mut part = |variables: &[&str]| -> Result<Vec<ImageSource>, DataError> {
        let mut part = Vec::new();
        for variable in variables {
            for number in numbers::<u32>(&path, &file, variable)? {
                match by_number.get(&number) {
                    Some(&image) => part.push(image.clone()),
                    None => missing += 1,
                }
            }
        }
        Ok(part)
    };
    let (train, held_out) = (part(&["trnid"])?, part(&["valid", "tstid"])?);
    Ok(Collection::from_sources(name, train, held_out)
        .with_missing(missing)
        .with_hint("none of the images that setid.mat names for this part is in jpg/"))
}

/// XXXXX of `image_XXXXX.jpg`.
fn number(image: &ImageSource) -> Option<u32> {
    image
        .path()?
        .file_stem()?
        .to_str()?
        .strip_prefix("image_")?
        .parse()
        .ok()
}

/// A variable that must hold whole numbers of a type.
fn numbers<T: TryFrom<u32>>(path: &Path, file: &MatFile, name: &str) -> Result<Vec<T>, DataError> {
    let fail = |source| DataError::Mat {
        path: path.to_path_buf(),
        source,
    };
    let values = file.get(name).ok_or_else(|| {
        let found = file.names().map(str::to_owned).collect();
        fail(MatError::NoVariable {
            name: name.to_owned(),
            found,
        })
    })?;
    let whole = |&value: &f64| {
        let whole = if value.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&value) {
            T::try_from(value as u32).ok()
        } else {
            None
        };
        whole.ok_or_else(|| {
            fail(MatError::NotWhole {
                name: name.to_owned(),
                value,
            })
        })
    };
    values.iter().map(whole).collect()
}
