//! The recipes: what every setting is unless it is given.

use std::path::PathBuf;

use huenet_data::ResizeFilter;
use huenet_models::{Conditioning, LastLayer, Normalization, Prediction};

use super::backends::DEFAULT_BACKEND;
use super::choices::{
    DEMO_DATASET, GanLoss, NonFinite, RecipeChoice, SampleMode, SplitChoice, StructureReference,
};
use super::table::Settings;
use super::task::Task;

impl Settings {
    /// The official defaults of `task`.
    pub fn official(task: Task) -> Self {
        let (epochs, cp_freq, hist_loss_weight) = match task {
            Task::Edges2photos => (15, 5, 100.0),
            Task::Colorization => (200, 20, 20.0),
            Task::ColorTransfer => (100, 10, 100.0),
        };
        Self {
            task,
            recipe: RecipeChoice::Official,
            dataroot: None,
            dataset: task.default_dataset().to_owned(),
            output_dir: PathBuf::from("runs"),
            name: None,
            output_pre_dir: None,
            img_h: 256,
            img_w: 256,
            img_c: 3,
            img_out_c: 3,
            resize: ResizeFilter::Nearest,
            yuv: true,
            a2b: task == Task::Colorization,
            jitter: task != Task::Edges2photos,
            buffer_size: 400,
            split: SplitChoice::NinetyTen,
            workers: 1,
            cache_mib: 0,
            base_width: 64,
            depth: 8,
            conditioning: Conditioning::Counts,
            matched_content: false,
            prediction: Prediction::Image,
            displayable: false,
            last_layer: LastLayer::Transposed,
            normalization: Normalization::Batch,
            dis_normalization: Normalization::Batch,
            sync_batch_norm: true,
            dropout: true,
            bin_num: 256,
            kernel_width_ratio: 2.5,
            min_val: -1.0,
            max_val: 1.0,
            gan_loss_weight: 1.0,
            mi_loss_weight: 1.0,
            hist_loss_weight,
            colour_directions: 3,
            structure_reference: StructureReference::Content,
            gan_loss: GanLoss::CrossEntropy,
            reconstruction_loss_weight: 0.0,
            ssim_loss_weight: 0.0,
            maps_smoothness: 30.0,
            gen_lr: 2e-4,
            gen_beta_1: 0.5,
            dis_lr: 2e-4,
            dis_beta_1: 0.5,
            batch_size: 4,
            dis_batch_share: 1.0,
            epochs,
            epochs_decay: 0,
            decay_share: 0.0,
            max_steps: 0,
            clip_gradients: 0.0,
            label_smoothing: 0.0,
            image_pool: 0,
            average_decay: 0.0,
            non_finite: NonFinite::Stop,
            log_every: 1,
            cp_freq,
            save_every_steps: 0,
            save_every_minutes: 10,
            keep_checkpoints: 3,
            sample_mode: SampleMode::Batch,
            held_out_images: 200,
            validation_images: 64,
            tensorboard: true,
            backend: DEFAULT_BACKEND.to_owned(),
            device: None,
            threads: 0,
            seed: 0,
        }
    }

    /// The recommended defaults of `task`: what differs from the official ones.
    pub fn recommended(task: Task) -> Self {
        let (gan_loss_weight, hist_loss_weight, reconstruction_loss_weight) = match task {
            Task::Edges2photos => (0.3, 30.0, 100.0),
            Task::Colorization => (0.05, 20.0, 40.0),
            Task::ColorTransfer => (0.2, 240.0, 0.0),
        };
        let (prediction, colour_directions, ssim_loss_weight) = match task {
            Task::Edges2photos => (Prediction::Palette, 3, 0.0),
            Task::Colorization => (Prediction::LocalMaps, 12, 0.0),
            Task::ColorTransfer => (Prediction::LocalMaps, 12, 30.0),
        };
        Self {
            recipe: RecipeChoice::Recommended,
            resize: ResizeFilter::Bilinear,
            conditioning: Conditioning::Modulation,
            matched_content: true,
            prediction,
            displayable: true,
            last_layer: LastLayer::Resize,
            normalization: Normalization::Group,
            dis_normalization: Normalization::Group,
            dropout: false,
            gan_loss: GanLoss::Hinge,
            gen_lr: 1e-3,
            dis_lr: 1e-4,
            dis_batch_share: 0.25,
            gan_loss_weight,
            reconstruction_loss_weight,
            ssim_loss_weight,
            hist_loss_weight,
            colour_directions,
            average_decay: 0.995,
            decay_share: 0.5,
            sample_mode: SampleMode::Running,
            ..Self::official(task)
        }
    }

    /// With a generator that paints images, if it changes local maps.
    #[cfg(test)]
    pub(crate) fn painted(self) -> Self {
        let prediction = match (self.prediction, self.task) {
            (Prediction::LocalMaps, Task::ColorTransfer) => Prediction::Blend,
            (Prediction::LocalMaps, _) => Prediction::Palette,
            (other, _) => other,
        };
        Self {
            prediction,
            colour_directions: 3,
            ..self
        }
    }

    /// The defaults of a recipe for `task`.
    pub fn of(recipe: RecipeChoice, task: Task) -> Self {
        match recipe {
            RecipeChoice::Official => Self::official(task),
            RecipeChoice::Recommended => Self::recommended(task),
        }
    }

    /// The recommended defaults on the built-in dataset.
    pub fn demo(task: Task) -> Self {
        Self::recommended(task).on_demo()
    }

    /// These settings on the built-in dataset: small enough for minutes on a CPU.
    pub fn on_demo(self) -> Self {
        Self {
            dataset: DEMO_DATASET.to_owned(),
            img_h: 64,
            img_w: 64,
            base_width: 16,
            depth: 6,
            epochs: 120,
            cp_freq: 40,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Layer;

    #[test]
    fn defaults_are_the_official_table() {
        let row = |task| {
            let s = Settings::official(task);
            (
                s.batch_size,
                s.epochs,
                s.cp_freq,
                s.buffer_size,
                s.a2b,
                s.jitter,
                s.hist_loss_weight,
            )
        };
        assert_eq!(row(Task::Colorization), (4, 200, 20, 400, true, true, 20.0));
        assert_eq!(
            row(Task::ColorTransfer),
            (4, 100, 10, 400, false, true, 100.0)
        );
        assert_eq!(
            row(Task::Edges2photos),
            (4, 15, 5, 400, false, false, 100.0)
        );
    }

    #[test]
    fn a_recipe_is_what_is_not_given() {
        let layer = |pairs: &[(&str, &str)]| Layer::from_flags(pairs.iter().copied()).unwrap();
        let given = [
            ("recipe", "recommended"),
            ("task", "colorization"),
            ("gen-lr", "0.1"),
        ];
        let settings = Settings::resolve(&[layer(&given)]).unwrap();
        let expected = Settings {
            gen_lr: 0.1,
            ..Settings::recommended(Task::Colorization)
        };
        assert_eq!(settings, expected);
        let demo = Settings::resolve(&[layer(&given[..1])]).unwrap();
        assert_eq!(demo, Settings::recommended(Task::ColorTransfer).on_demo());
        let official = Settings::resolve(&[layer(&[("task", "colorization")])]).unwrap();
        assert_eq!(official, Settings::official(Task::Colorization));
    }

    #[test]
    fn recommended_settings_are_valid() {
        for task in Task::ALL {
            let settings = Settings::recommended(task).on_demo();
            assert!(crate::Recipe::new(settings).is_ok(), "{task}");
        }
    }
}
