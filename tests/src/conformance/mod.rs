//! What every backend has to pass: the official numbers, the dense formulas, and training steps
//! like those of the default backend.
//!
//! ```text
//! huenet_tests::conformance!(flex, burn_flex::Flex);
//! ```
//!
//! makes a module of tests for one backend, in single precision on its default device. With
//! `, but no official training steps` it leaves out those: full steps of networks that a slow backend
//! takes minutes for. With `, adding in another order, logarithms to N bits` gradients may differ more: those of full
//! steps as [`Arithmetic`](crate::parity::Arithmetic) says, and those of histograms by what logarithms of numbers
//! near 1 are off by, 2⁻ᴺ.

pub mod histograms;
pub mod steps;

/// Tests in a module of the given name, for the backend of the given type.
#[macro_export]
macro_rules! conformance {
    ($name:ident, $backend:ty) => {
        $crate::conformance! { @with_steps $name, $backend, Single, 0.0 }
    };
    ($name:ident, $backend:ty, adding in another order, logarithms to $bits:literal bits) => {
        $crate::conformance! { @with_steps $name, $backend, Reordered, 2.0_f64.powi(-$bits) }
    };
    ($name:ident, $backend:ty, but no official training steps) => {
        $crate::conformance! { @module $name, $backend, 0.0, }
    };
    (@with_steps $name:ident, $backend:ty, $arithmetic:ident, $logarithm:expr) => {
        $crate::conformance! {
            @module $name, $backend, $logarithm,
            #[test]
            fn official_training_steps() {
                parity::train_step::three_steps::<Tracked>(parity::Arithmetic::$arithmetic);
            }
        }
    };
    (@module $name:ident, $backend:ty, $logarithm:expr, $($more:item)*) => {
        mod $name {
            type Plain = $backend;
            type Tracked = ::burn_autodiff::Autodiff<Plain>;

            use ::burn::tensor::DType::F32;
            use $crate::conformance::{histograms, steps};
            use $crate::parity::{self, histogram::OnePass};

            #[test]
            fn official_histograms() {
                let logarithm = $logarithm;
                parity::histogram::agrees::<Tracked>(OnePass { logarithm }, F32);
            }

            #[test]
            fn official_losses() {
                parity::losses::agrees::<Tracked>(F32);
            }

            #[test]
            fn official_generator() {
                parity::models::generator_output::<Plain>();
                parity::models::generator_layers::<Plain>();
            }

            #[test]
            fn official_discriminators() {
                parity::models::discriminator_logits::<Plain>();
            }

            #[test]
            fn official_running_statistics() {
                parity::models::running_statistics::<Plain>();
            }

            $($more)*

            #[test]
            fn histograms_are_those_of_the_dense_formulas() {
                histograms::agree::<Plain>();
            }

            #[test]
            fn histograms_along_directions_are_those_of_the_dense_formulas() {
                histograms::agree_along_directions::<Plain>();
            }

            #[test]
            fn steps_of_each_task_are_those_of_flex() {
                steps::agree::<Plain>();
            }

            #[test]
            fn outputs_are_those_of_flex() {
                steps::outputs_agree::<Plain>();
            }
        }
    };
}
