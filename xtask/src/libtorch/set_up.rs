//! `cargo xtask setup-libtorch`.

use std::ffi::OsString;
use std::fs::{File, TryLockError};

use anyhow::{Context, Result};

use super::check::{not_used, of_python};
use super::install;
use super::library::{LibTorch, Store, VERSION, named};

/// Makes LibTorch available: one that is there and works, or otherwise one from the package index.
pub(crate) fn set_up(arguments: &[OsString]) -> Result<u8> {
    let (mut cuda, mut force) = (false, false);
    for argument in arguments {
        match argument.to_str() {
            Some("--cuda") => cuda = true,
            Some("--force") => force = true,
            _ => {
                let argument = argument.display();
                eprintln!("error: setup-libtorch takes --cuda and --force, not `{argument}`");
                return Ok(2);
            }
        }
    }
    let store = Store::of_workspace();
    let _lock = lock(&store)?;
    let present = (!force).then(|| present(&store, cuda)).flatten();
    let libtorch = match present {
        Some(libtorch) => libtorch,
        None => install::install(&store, cuda)?,
    };
    store.record(&libtorch)?;
    println!("LibTorch {VERSION} is ready: {}", libtorch.folder.display());
    if !libtorch.has_cuda() && cfg!(target_os = "linux") {
        println!(
            "It computes on the CPU; `cargo xtask setup-libtorch --cuda` gets one for NVIDIA GPUs."
        );
    }
    println!("`cargo xtask train --backend tch` trains with it.");
    Ok(0)
}

/// A LibTorch that is there and works.
fn present(store: &Store, cuda: bool) -> Option<LibTorch> {
    let candidates = [
        ("LIBTORCH", named()),
        ("what was set up before", store.recorded()),
        ("Python's torch", of_python()),
    ];
    let scratch = store.folder.join("check");
    candidates.into_iter().find_map(|(source, libtorch)| {
        let libtorch = libtorch?;
        if cuda && !libtorch.has_cuda() {
            not_used(source, "It has no CUDA.");
            return None;
        }
        let folder = libtorch.folder.display();
        println!("{source}: {folder}. Checking it: building and running a matrix product.");
        match libtorch.check(&scratch) {
            Ok(()) => Some(libtorch),
            Err(error) => {
                not_used(source, &format!("{error:#}"));
                None
            }
        }
    })
}

/// Lets only one set-up run at a time.
fn lock(store: &Store) -> Result<File> {
    std::fs::create_dir_all(&store.folder)
        .with_context(|| format!("cannot create {}", store.folder.display()))?;
    let path = store.folder.join("lock");
    let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::WouldBlock) => eprintln!("Another set-up is under way; waiting for it."),
        Err(TryLockError::Error(error)) => {
            return Err(error).with_context(|| format!("cannot lock {}", path.display()));
        }
    }
    file.lock()
        .with_context(|| format!("cannot lock {}", path.display()))?;
    Ok(file)
}
