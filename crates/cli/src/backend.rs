//! The concrete backends, each behind the cargo feature of its name.

use std::path::{Path, PathBuf};

use huenet_tasks::{Checkpoint, Job, Observer, Report, TaskError};

/// The backends compiled in.
pub(crate) const COMPILED_IN: &[&str] = &[
    #[cfg(feature = "flex")]
    "flex",
    #[cfg(feature = "ndarray")]
    "ndarray",
    #[cfg(feature = "tch")]
    "tch",
];

/// A backend that this build of huenet lacks.
#[derive(Debug, thiserror::Error)]
#[error(
    "this huenet was built without the backend `{name}` (it has {}); \
     `cargo xtask train --backend {name}` builds one with it",
    COMPILED_IN.join(", ")
)]
pub(crate) struct NotCompiledIn {
    name: String,
}

/// Refuses a backend that is not compiled in, before anything is read or written.
pub(crate) fn check(name: &str) -> Result<(), NotCompiledIn> {
    match COMPILED_IN.contains(&name) {
        true => Ok(()),
        false => Err(NotCompiledIn {
            name: name.to_owned(),
        }),
    }
}

/// Sets how many threads compute; 0 leaves the choice to the machine.
pub(crate) fn set_threads(count: usize) {
    if count > 0 {
        // Fails only if the pool already exists, and nothing has computed yet.
        let _ = rayon::ThreadPoolBuilder::new()
            .num_threads(count)
            .build_global();
        #[cfg(feature = "tch")]
        tch::set_num_threads(i32::try_from(count).unwrap_or(i32::MAX));
    }
}

/// Trains on the backend that the job's settings name.
pub(crate) fn train(job: Job, observer: &mut dyn Observer) -> anyhow::Result<Report> {
    let name = job.recipe().settings().backend.clone();
    let outcome: Result<Report, TaskError> = match name.as_str() {
        #[cfg(feature = "flex")]
        "flex" => on::<burn_flex::Flex>(job, observer),
        #[cfg(feature = "ndarray")]
        "ndarray" => on::<burn_ndarray::NdArray<f32>>(job, observer),
        #[cfg(feature = "tch")]
        "tch" => on::<burn_tch::LibTorch<f32>>(job, observer),
        _ => return Err(NotCompiledIn { name }.into()),
    };
    Ok(outcome?)
}

/// Writes the networks of a checkpoint as safetensors files; gives the files.
pub(crate) fn export(checkpoint: &Checkpoint, folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    #[cfg(feature = "flex")]
    type Any = burn_flex::Flex;
    #[cfg(all(feature = "ndarray", not(feature = "flex")))]
    type Any = burn_ndarray::NdArray<f32>;
    #[cfg(all(feature = "tch", not(any(feature = "flex", feature = "ndarray"))))]
    type Any = burn_tch::LibTorch<f32>;
    #[cfg(any(feature = "flex", feature = "ndarray", feature = "tch"))]
    return Ok(huenet_tasks::export::<Any>(
        checkpoint,
        folder,
        &Default::default(),
    )?);
    #[cfg(not(any(feature = "flex", feature = "ndarray", feature = "tch")))]
    {
        let (_, _) = (checkpoint, folder);
        let name = "flex".to_owned();
        Err(NotCompiledIn { name }.into())
    }
}

#[cfg(any(feature = "flex", feature = "ndarray", feature = "tch"))]
fn on<B: huenet_hist::HistogramBackend>(
    job: Job,
    observer: &mut dyn Observer,
) -> Result<Report, TaskError> {
    huenet_tasks::train::<burn_autodiff::Autodiff<B>>(job, &B::Device::default(), observer)
}
