//! How a group divides a batch.

use crate::group::members::Group;
use crate::settings::{Settings, SettingsError};

/// What a member of a group has of a batch: of its images those number `rank`, `rank + size`, `rank + 2·size`, …
///
/// So the first images of a batch, from which the discriminator learns if it learns from a share, are divided like
/// all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Share {
    pub(crate) rank: usize,
    pub(crate) size: usize,
}

impl Share {
    /// The share of a member.
    pub(crate) fn of(group: &dyn Group) -> Self {
        Self {
            rank: group.rank(),
            size: group.size(),
        }
    }

    /// How many of the first `images` images the member has.
    pub(crate) fn count(self, images: usize) -> usize {
        images.saturating_sub(self.rank).div_ceil(self.size)
    }

    /// The member's ones of several things, such as batches: in the order of [`Share`].
    pub(crate) fn of_each<I: Iterator>(self, all: I) -> impl Iterator<Item = I::Item> {
        all.skip(self.rank).step_by(self.size)
    }

    /// By what a mean over the member's own images is multiplied, so that the sum over the group is the mean over all
    /// `images`.
    pub(crate) fn weight(self, images: usize) -> f32 {
        self.count(images) as f32 / images as f32
    }

    /// Puts together what all members have of the first `images` images, `each` values an image, as
    /// [`Group::gather`] gives it: images in their order in the batch.
    pub(crate) fn assembled(self, images: usize, each: usize, gathered: &[f32]) -> Vec<f32> {
        let most = images.div_ceil(self.size);
        let mut all = Vec::with_capacity(images * each);
        for image in 0..images {
            let at = (image % self.size) * most + image / self.size;
            all.extend_from_slice(&gathered[at * each..(at + 1) * each]);
        }
        all
    }
}

/// Whether a group of so many processes can train with these settings as one process does.
///
/// # Errors
///
/// [`SettingsError::Unfit`] if the batch cannot be divided evenly.
pub fn check(settings: &Settings, size: usize) -> Result<(), SettingsError> {
    if size == 1 {
        return Ok(());
    }
    let batch = settings.batch_size;
    if !batch.is_multiple_of(size) {
        let fitting: Vec<String> = (1..=batch)
            .filter(|processes| batch.is_multiple_of(*processes))
            .map(|processes| processes.to_string())
            .collect();
        let expected = format!(
            "{size} processes divide each batch evenly: choose a multiple of {size}; or, for batches of {batch}, a \
             number of processes among {}",
            fitting.join(", ")
        );
        return Err(SettingsError::unfit("batch_size", batch, expected));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Task;

    #[test]
    fn shares_have_every_image_once_and_weights_sum_to_one() {
        for size in 1..6 {
            for images in 1..12 {
                let shares = (0..size).map(|rank| Share { rank, size });
                assert_eq!(
                    shares
                        .clone()
                        .map(|share| share.count(images))
                        .sum::<usize>(),
                    images
                );
                let weights: f32 = shares.clone().map(|share| share.weight(images)).sum();
                assert!((weights - 1.0).abs() < 1e-6);
                // Each image has two values, its number and the negative of it.
                let most = images.div_ceil(size);
                let gathered: Vec<f32> = shares
                    .flat_map(|share| {
                        let own = (share.rank..images).step_by(size);
                        let mut own: Vec<f32> = own
                            .flat_map(|image| [image as f32, -(image as f32)])
                            .collect();
                        own.resize(2 * most, f32::NAN);
                        own
                    })
                    .collect();
                let expected: Vec<f32> = (0..images)
                    .flat_map(|image| [image as f32, -(image as f32)])
                    .collect();
                let share = Share { rank: 0, size };
                assert_eq!(share.assembled(images, 2, &gathered), expected);
            }
        }
    }

    #[test]
    fn what_cannot_be_divided_is_refused_with_what_can() {
        let settings = Settings {
            batch_size: 6,
            ..Settings::demo(Task::ColorTransfer)
        };
        assert!(check(&settings, 3).is_ok());
        let told = check(&settings, 4).unwrap_err().to_string();
        assert!(
            told.contains("multiple of 4") && told.contains("1, 2, 3, 6"),
            "{told}"
        );
    }
}
