//! Keeps compiled kernels of CUDA from one run to the next: NVRTC takes most of a minute to compile those of
//! a training step.

use std::ffi::c_int;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use cubecl::config::cache::CacheConfig;
use cubecl::config::{CubeClRuntimeConfig, RuntimeConfig};
use cudarc::driver::CudaContext;

/// Kernels of a build that has not been started for this long are deleted.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Lets CubeCL keep the kernels that it compiles for the device, in the user's cache folder. A folder named in
/// `cubecl.toml` takes precedence. If there is no cache folder, or another process uses it, all kernels
/// are compiled again.
///
/// # Panics
///
/// If CubeCL has been used before: it takes its configuration once.
pub(super) fn keep(device: usize) {
    static IN_USE: OnceLock<Option<File>> = OnceLock::new();
    IN_USE.get_or_init(|| {
        let mut config = CubeClRuntimeConfig::from_current_dir().override_from_env();
        if config.compilation.cache.is_some() {
            return None;
        }
        let all = dirs::cache_dir()?.join("huenet").join("cuda-kernels");
        let folder = all.join(name(device)?);
        let lock = take(&folder)?;
        delete_old(&all, &folder);
        config.compilation.cache = Some(CacheConfig::File(folder));
        CubeClRuntimeConfig::set(config);
        Some(lock)
    });
}

/// What the machine code depends on: CubeCL asks only for a kernel's name and settings.
#[expect(unsafe_code, reason = "the version of NVRTC is asked of its C library")]
fn name(device: usize) -> Option<String> {
    let context = CudaContext::new(device).ok()?;
    let (major, minor) = context.compute_capability().ok()?;
    let (mut release, mut update): (c_int, c_int) = (0, 0);
    // SAFETY: it writes two numbers. The library is there, or the device would not have been listed.
    let asked = unsafe { cudarc::nvrtc::sys::nvrtcVersion(&raw mut release, &raw mut update) };
    asked.result().ok()?;
    let built = fs::metadata(std::env::current_exe().ok()?).ok()?;
    let built = built.modified().ok()?;
    let built = built.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(format!(
        "{}-{:x}-sm_{major}{minor}-nvrtc{release}.{update}",
        env!("CARGO_PKG_VERSION"),
        built.as_nanos()
    ))
}

/// Reserves the folder for this process: CubeCL's files cannot have two writers.
fn take(folder: &Path) -> Option<File> {
    fs::create_dir_all(folder).ok()?;
    let lock = File::create(folder.join(".lock")).ok()?;
    lock.try_lock().ok()?;
    Some(lock)
}

/// Deletes the kernels of builds that are not used any more.
fn delete_old(all: &Path, used: &Path) {
    let started = |folder: &PathBuf| fs::metadata(folder.join(".lock"))?.modified();
    let folders = fs::read_dir(all).into_iter().flatten().flatten();
    for folder in folders.map(|entry| entry.path()) {
        let age = started(&folder).map(|time| time.elapsed().unwrap_or_default());
        if folder != used && age.is_ok_and(|age| age > KEPT) {
            // A folder that cannot be deleted does no harm.
            let _ = fs::remove_dir_all(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_process_and_old_ones_go() {
        let all = tempfile::tempdir().unwrap();
        let [used, recent, old] = ["used", "recent", "old"].map(|name| all.path().join(name));
        let lock = take(&used).unwrap();
        assert!(take(&used).is_none());

        take(&recent).unwrap();
        let of_old = take(&old).unwrap();
        let long_ago = SystemTime::now() - 2 * KEPT;
        of_old.set_modified(long_ago).unwrap();
        lock.set_modified(long_ago).unwrap();
        delete_old(all.path(), &used);
        assert!(used.is_dir() && recent.is_dir() && !old.exists());
    }
}
