//! Checks the official script's settings, and those that have no part in training.

use std::path::{Component, Path};

use crate::settings::{LATEST, NonFinite, Settings, SettingsError, Task};

/// More threads than any machine that this runs on has cores.
const MAX_THREADS: usize = 1024;

/// More memory for images, in MiB, than any such machine has: 1 TiB.
const MAX_CACHE_MIB: usize = 1 << 20;

/// More generated images than any such machine has memory for.
const MAX_IMAGE_POOL: usize = 1 << 16;

/// What file systems take, in bytes.
const MAX_NAME: usize = 255;

/// What is kept on the device meanwhile is little, but a run should be seen to go on.
const MAX_LOG_EVERY: usize = 10_000;

/// Checks their ranges.
pub(super) fn check(s: &Settings) -> Result<(), SettingsError> {
    let counts = [
        ("epochs", s.epochs),
        ("cp_freq", s.cp_freq),
        ("log_every", s.log_every),
    ];
    for (key, value) in counts {
        if value == 0 {
            return Err(SettingsError::unfit(key, value, "it must be at least 1"));
        }
    }
    if let Some(name) = &s.name {
        check_name(name)?;
    }
    if s.threads > MAX_THREADS {
        let expected = format!("at most {MAX_THREADS}, or 0 for all the machine has");
        return Err(SettingsError::unfit("threads", s.threads, expected));
    }
    if s.cache_mib > MAX_CACHE_MIB {
        let expected = format!("at most {MAX_CACHE_MIB} MiB, or 0 for none");
        return Err(SettingsError::unfit("cache_mib", s.cache_mib, expected));
    }
    let rates = [("gen_lr", s.gen_lr), ("dis_lr", s.dis_lr)];
    for (key, value) in rates {
        if !(value.is_finite() && value > 0.0) {
            return Err(SettingsError::unfit(
                key,
                value,
                "a learning rate is a finite number above 0",
            ));
        }
    }
    for (key, value) in [("gen_beta_1", s.gen_beta_1), ("dis_beta_1", s.dis_beta_1)] {
        if !(0.0..1.0).contains(&value) {
            return Err(SettingsError::unfit(
                key,
                format!("{value:?}"),
                "Adam's beta 1 is at least 0 and below 1",
            ));
        }
    }
    let weights = [
        ("gan_loss_weight", s.gan_loss_weight),
        ("mi_loss_weight", s.mi_loss_weight),
        ("hist_loss_weight", s.hist_loss_weight),
    ];
    for (key, value) in weights {
        if !(value.is_finite() && value >= 0.0) {
            return Err(SettingsError::unfit(
                key,
                value,
                "a loss weight is a finite number, 0 or more",
            ));
        }
    }
    if !(s.clip_gradients.is_finite() && s.clip_gradients >= 0.0) {
        let expected = "the largest norm is a finite number above 0, or 0 for no limit";
        return Err(SettingsError::unfit(
            "clip_gradients",
            s.clip_gradients,
            expected,
        ));
    }
    if !(0.0..1.0).contains(&s.label_smoothing) {
        let expected = "it is at least 0 and below 1";
        return Err(SettingsError::unfit(
            "label_smoothing",
            format!("{:?}", s.label_smoothing),
            expected,
        ));
    }
    if s.log_every > 1 && s.non_finite == NonFinite::Skip {
        let expected = "non_finite skip needs the losses of each step at once: set log_every to 1, or non_finite to stop";
        return Err(SettingsError::unfit("log_every", s.log_every, expected));
    }
    if s.log_every > MAX_LOG_EVERY {
        let expected = format!("at most {MAX_LOG_EVERY} steps");
        return Err(SettingsError::unfit("log_every", s.log_every, expected));
    }
    if s.image_pool > MAX_IMAGE_POOL {
        let expected = format!("at most {MAX_IMAGE_POOL} images, or 0 for none");
        return Err(SettingsError::unfit("image_pool", s.image_pool, expected));
    }
    if s.img_c != 1 && s.img_c != 3 {
        return Err(SettingsError::unfit(
            "img_c",
            s.img_c,
            "images have 3 channels, or 1 for grey",
        ));
    }
    if s.img_out_c != s.img_c {
        let fix = format!(
            "it must equal img_c, {}: the histogram losses compare channel with channel",
            s.img_c
        );
        return Err(SettingsError::unfit("img_out_c", s.img_out_c, fix));
    }
    if s.img_c == 1 && s.task == Task::Colorization {
        return Err(SettingsError::unfit(
            "img_c",
            1,
            "colorization makes colours: images need 3 channels",
        ));
    }
    Ok(())
}

/// Refuses names that no folder can have, or that would be taken for something else.
fn check_name(name: &str) -> Result<(), SettingsError> {
    let mut parts = Path::new(name).components();
    let plain = matches!(
        (parts.next(), parts.next()),
        (Some(Component::Normal(_)), None)
    );
    let expected = if name == LATEST {
        "that name stands for the run that was started last".to_owned()
    } else if !plain || name.chars().any(char::is_control) {
        "give the name of one folder, not a path".to_owned()
    } else if name.len() > MAX_NAME {
        format!("the name of a folder has at most {MAX_NAME} bytes")
    } else {
        return Ok(());
    };
    Err(SettingsError::unfit("name", name, expected))
}
