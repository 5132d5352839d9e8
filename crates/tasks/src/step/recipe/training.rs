//! Checks the settings of losses and training that the official script does not have.

use huenet_models::Prediction;

use crate::settings::{GanLoss, Settings, SettingsError, Task};

/// Checks their ranges, and that they fit together.
pub(super) fn check(s: &Settings) -> Result<(), SettingsError> {
    let weights = [
        ("reconstruction_loss_weight", s.reconstruction_loss_weight),
        ("ssim_loss_weight", s.ssim_loss_weight),
        ("maps_smoothness", s.maps_smoothness),
    ];
    for (key, weight) in weights {
        if !(weight.is_finite() && weight >= 0.0) {
            let expected = "a loss weight is a finite number, 0 or more";
            return Err(SettingsError::unfit(key, weight, expected));
        }
    }
    if s.prediction == Prediction::LocalMaps && s.task == Task::Edges2photos {
        let expected = format!(
            "local maps change the colours of a photograph, and the content of {} is a drawing: choose another \
             prediction, or another task",
            s.task
        );
        return Err(SettingsError::unfit("prediction", "local_maps", expected));
    }
    let weight = s.reconstruction_loss_weight;
    if weight > 0.0 && !s.task.is_paired() {
        let expected = format!(
            "{} has no ground truth to compare the output with: set reconstruction_loss_weight to 0",
            s.task
        );
        return Err(SettingsError::unfit(
            "reconstruction_loss_weight",
            weight,
            expected,
        ));
    }
    if s.label_smoothing > 0.0 && s.gan_loss != GanLoss::CrossEntropy {
        let expected = "label smoothing works only with gan_loss cross_entropy: set label_smoothing to 0, or \
                        choose that loss";
        return Err(SettingsError::unfit(
            "label_smoothing",
            s.label_smoothing,
            expected,
        ));
    }
    if !(s.dis_batch_share > 0.0 && s.dis_batch_share <= 1.0) {
        let expected = "it is a share of the batch, above 0 and up to 1";
        return Err(SettingsError::unfit(
            "dis_batch_share",
            format!("{:?}", s.dis_batch_share),
            expected,
        ));
    }
    if !(0.0..1.0).contains(&s.average_decay) {
        let expected = "it is at least 0, for no average, and below 1";
        return Err(SettingsError::unfit(
            "average_decay",
            format!("{:?}", s.average_decay),
            expected,
        ));
    }
    if !(0.0..=1.0).contains(&s.decay_share) {
        let expected = "it is a share of the steps, 0 to 1";
        return Err(SettingsError::unfit(
            "decay_share",
            format!("{:?}", s.decay_share),
            expected,
        ));
    }
    if s.decay_share > 0.0 && s.epochs_decay > 0 {
        let expected = format!(
            "the learning rates already fall over the {} epochs of epochs_decay: set one of the two to 0",
            s.epochs_decay
        );
        return Err(SettingsError::unfit("decay_share", s.decay_share, expected));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use huenet_models::{Conditioning, Prediction};
    use rstest::rstest;

    use crate::settings::{GanLoss, Settings, Task};
    use crate::step::recipe::Recipe;

    #[rstest]
    #[case("reconstruction_loss_weight = -1", Task::Colorization, |s: &mut Settings| s.reconstruction_loss_weight = -1.0)]
    #[case("reconstruction_loss_weight = 20", Task::ColorTransfer, |s: &mut Settings| s.reconstruction_loss_weight = 20.0)]
    #[case("ssim_loss_weight = NaN", Task::Colorization, |s: &mut Settings| s.ssim_loss_weight = f64::NAN)]
    #[case("maps_smoothness = inf", Task::Colorization, |s: &mut Settings| s.maps_smoothness = f64::INFINITY)]
    #[case("prediction = local_maps", Task::Edges2photos, |s: &mut Settings| s.prediction = Prediction::LocalMaps)]
    #[case("img_c = 1", Task::ColorTransfer, |s: &mut Settings| {
        s.prediction = Prediction::LocalMaps;
        (s.img_c, s.img_out_c) = (1, 1);
    })]
    #[case("label_smoothing = 0.1", Task::Colorization, |s: &mut Settings| {
        s.label_smoothing = 0.1;
        s.gan_loss = GanLoss::Hinge;
    })]
    #[case("conditioning = counts", Task::Colorization, |s: &mut Settings| s.prediction = Prediction::Palette)]
    #[case("matched_content = false", Task::Colorization, |s: &mut Settings| {
        s.prediction = Prediction::Blend;
        s.conditioning = Conditioning::Modulation;
    })]
    #[case("dis_batch_share = 0.0", Task::Colorization, |s: &mut Settings| s.dis_batch_share = 0.0)]
    #[case("dis_batch_share = 1.5", Task::Colorization, |s: &mut Settings| s.dis_batch_share = 1.5)]
    #[case("average_decay = 1.0", Task::Colorization, |s: &mut Settings| s.average_decay = 1.0)]
    #[case("decay_share = 1.5", Task::Colorization, |s: &mut Settings| s.decay_share = 1.5)]
    #[case("decay_share = 0.5", Task::Colorization, |s: &mut Settings| {
        s.decay_share = 0.5;
        s.epochs_decay = 1;
    })]
    #[case("colour_directions = 2", Task::Colorization, |s: &mut Settings| s.colour_directions = 2)]
    #[case("colour_directions = 65", Task::Colorization, |s: &mut Settings| s.colour_directions = 65)]
    #[case("colour_directions = 4", Task::ColorTransfer, |s: &mut Settings| {
        s.colour_directions = 4;
        s.img_c = 1;
        s.img_out_c = 1;
    })]
    fn what_does_not_go_is_named(
        #[case] named: &str,
        #[case] task: Task,
        #[case] change: fn(&mut Settings),
    ) {
        let mut settings = Settings::official(task).on_demo();
        change(&mut settings);
        let message = Recipe::new(settings).unwrap_err().to_string();
        assert!(message.starts_with(named), "{message}");
    }
}
