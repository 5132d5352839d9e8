//! How long a run is, and how its learning rates fall.

use super::Recipe;

/// The rates of the two optimisers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LearningRates {
    /// The generator's.
    pub generator: f64,
    /// The discriminator's.
    pub discriminator: f64,
}

impl Recipe {
    /// How many epochs there are, those with falling learning rates included.
    pub fn epochs(&self) -> u64 {
        let s = self.settings();
        (s.epochs as u64).saturating_add(s.epochs_decay as u64)
    }

    /// How many steps a run is to do: those of all epochs, or `max_steps` if these are fewer.
    pub fn planned_steps(&self, steps_per_epoch: u64) -> u64 {
        let all = steps_per_epoch.saturating_mul(self.epochs());
        match self.settings().max_steps as u64 {
            0 => all,
            limit => all.min(limit),
        }
    }

    /// The learning rates in an epoch, from 0: constant for `epochs`, then falling linearly to
    /// 1/(`epochs_decay` + 1) of that in the last, as the CycleGAN authors' code has it.
    pub fn learning_rates(&self, epoch: u64) -> LearningRates {
        let s = self.settings();
        let fallen = (epoch + 1)
            .saturating_sub(s.epochs as u64)
            .min(s.epochs_decay as u64);
        let factor = 1.0 - fallen as f64 / (s.epochs_decay as f64 + 1.0);
        LearningRates {
            generator: s.gen_lr * factor,
            discriminator: s.dis_lr * factor,
        }
    }

    /// The learning rates of a step, from 0, of a run of so many `planned` steps: those of its
    /// epoch; over the last `decay_share` of the steps they fall linearly, to 0 after the last.
    pub fn learning_rates_at(&self, epoch: u64, step: u64, planned: u64) -> LearningRates {
        let rates = self.learning_rates(epoch);
        let share = self.settings().decay_share;
        if share == 0.0 {
            return rates;
        }
        let left = planned.saturating_sub(step) as f64;
        let factor = (left / (planned as f64 * share)).min(1.0);
        LearningRates {
            generator: rates.generator * factor,
            discriminator: rates.discriminator * factor,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Settings, Task};

    #[test]
    fn learning_rates_are_constant_and_then_fall_in_equal_steps_towards_nothing() {
        let recipe = |epochs, epochs_decay| {
            Recipe::new(Settings {
                epochs,
                epochs_decay,
                gen_lr: 0.4,
                dis_lr: 4.0,
                ..Settings::official(Task::ColorTransfer).on_demo()
            })
            .unwrap()
        };
        let falling = recipe(2, 3);
        assert_eq!(falling.epochs(), 5);
        for (epoch, expected) in [0.4, 0.4, 0.3, 0.2, 0.1, 0.1].into_iter().enumerate() {
            let rates = falling.learning_rates(epoch as u64);
            assert!((rates.generator - expected).abs() < 1e-12, "{rates:?}");
            assert!(
                (rates.discriminator - 10.0 * expected).abs() < 1e-12,
                "{rates:?}"
            );
        }
        assert_eq!(recipe(2, 0).learning_rates(7).generator, 0.4);
    }

    #[test]
    fn over_a_share_of_the_steps_they_fall_to_nothing() {
        let recipe = |max_steps| {
            Recipe::new(Settings {
                epochs: 2,
                max_steps,
                decay_share: 0.5,
                gen_lr: 0.4,
                ..Settings::official(Task::ColorTransfer).on_demo()
            })
            .unwrap()
        };
        assert_eq!(recipe(0).planned_steps(4), 8);
        assert_eq!(recipe(5).planned_steps(4), 5);
        assert_eq!(recipe(9).planned_steps(4), 8);
        let rates = (0..10).map(|step| recipe(0).learning_rates_at(0, step, 8).generator);
        let expected = [0.4, 0.4, 0.4, 0.4, 0.4, 0.3, 0.2, 0.1, 0.0, 0.0];
        for (rate, expected) in rates.zip(expected) {
            assert!((rate - expected).abs() < 1e-12, "{rate} {expected}");
        }
    }
}
