//! A LibTorch, and the folder that records which one is in use.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::tools::workspace;

/// The release that torch-sys 0.22 is written for.
pub(crate) const VERSION: &str = "2.9.0";

/// How to get it, for error messages.
pub(super) const FIX: &str = "`cargo xtask setup-libtorch` makes one available";

/// Where a program looks for dynamic libraries.
const LIBRARY_PATH: &str = match () {
    () if cfg!(target_os = "macos") => "DYLD_LIBRARY_PATH",
    () if cfg!(windows) => "PATH",
    () => "LD_LIBRARY_PATH",
};

/// A folder in the layout that torch-sys expects: `include/` and `lib/`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LibTorch {
    pub(super) folder: PathBuf,
}

impl LibTorch {
    pub(crate) fn at(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    pub(super) fn lib(&self) -> PathBuf {
        self.folder.join("lib")
    }

    pub(super) fn include(&self) -> PathBuf {
        self.folder.join("include")
    }

    /// Its version, from its headers or else from its file `build-version`.
    ///
    /// # Errors
    ///
    /// If it has neither: then it is no LibTorch.
    pub(super) fn version(&self) -> Result<String> {
        let header = self
            .include()
            .join("torch/csrc/api/include/torch/version.h");
        if let Ok(text) = std::fs::read_to_string(header)
            && let Some(version) = version_in(&text)
        {
            return Ok(version);
        }
        let text = std::fs::read_to_string(self.folder.join("build-version"));
        let text = text.with_context(|| {
            let folder = self.folder.display();
            format!("{folder} is no LibTorch: it has no include/torch/…/version.h")
        })?;
        Ok(plain(&text).to_owned())
    }

    /// Checks that it is the release that is needed.
    ///
    /// # Errors
    ///
    /// If it is another one. The message names both versions.
    pub(super) fn check_version(&self) -> Result<()> {
        let version = self.version()?;
        if version != VERSION {
            let folder = self.folder.display();
            bail!("{folder} is LibTorch {version}; huenet needs {VERSION}");
        }
        Ok(())
    }

    pub(super) fn has_cuda(&self) -> bool {
        ["libtorch_cuda.so", "torch_cuda.dll"]
            .iter()
            .any(|name| self.lib().join(name).exists())
    }

    /// Lets `command`, and programs that it starts, build and run with this LibTorch.
    pub(super) fn prepare(&self, command: &mut Command) -> Result<()> {
        command.env("LIBTORCH", &self.folder);
        add_libraries(command, self.lib())
    }
}

/// Lets `command` find the dynamic libraries in `folder`, before others.
pub(crate) fn add_libraries(command: &mut Command, folder: PathBuf) -> Result<()> {
    let set = command.get_envs().find(|(name, _)| *name == LIBRARY_PATH);
    let set = set.and_then(|(_, value)| value.map(OsString::from));
    let others = set
        .or_else(|| env::var_os(LIBRARY_PATH))
        .unwrap_or_default();
    let others = env::split_paths(&others).filter(|path| !path.as_os_str().is_empty());
    let joined = env::join_paths(std::iter::once(folder.clone()).chain(others))
        .with_context(|| format!("{} cannot be part of a search path", folder.display()))?;
    command.env(LIBRARY_PATH, joined);
    Ok(())
}

/// The LibTorch that the user names.
pub(super) fn named() -> Option<LibTorch> {
    let folder = env::var_os("LIBTORCH").filter(|folder| !folder.is_empty())?;
    Some(LibTorch::at(folder))
}

/// A folder of the workspace that git ignores. It holds what is installed, and records which
/// LibTorch is in use. It is not below `target/`, so `cargo clean` keeps it.
pub(super) struct Store {
    pub(super) folder: PathBuf,
}

impl Store {
    pub(super) fn of_workspace() -> Self {
        Self {
            folder: workspace().join(".libtorch"),
        }
    }

    /// The file that names the folder in use.
    pub(super) fn record_file(&self) -> PathBuf {
        self.folder.join("in-use")
    }

    /// The LibTorch that was recorded as in use. It may have been removed since.
    pub(super) fn recorded(&self) -> Option<LibTorch> {
        let text = std::fs::read_to_string(self.record_file()).ok()?;
        // A path inside the store is relative, so that the workspace can be moved.
        Some(LibTorch::at(self.folder.join(text.trim_end())))
    }

    /// Puts `libtorch` into use.
    pub(super) fn record(&self, libtorch: &LibTorch) -> Result<()> {
        let folder = &libtorch.folder;
        let text = folder.strip_prefix(&self.folder).unwrap_or(folder);
        let text = text.to_str().with_context(|| {
            let folder = folder.display();
            format!("{folder} cannot be used: its name is not Unicode")
        })?;
        let (aside, place) = (self.folder.join("in-use.new"), self.record_file());
        std::fs::write(&aside, format!("{text}\n"))
            .and_then(|()| std::fs::rename(&aside, &place))
            .with_context(|| format!("cannot write {}", place.display()))
    }
}

/// The version that the header `version.h` defines.
fn version_in(header: &str) -> Option<String> {
    let part = |name: &str| {
        header.lines().find_map(|line| {
            let value = line.trim().strip_prefix("#define")?.trim_start();
            let value = value.strip_prefix(name)?;
            value.starts_with(' ').then(|| value.trim().to_owned())
        })
    };
    let numbers = ["MAJOR", "MINOR", "PATCH"].map(|name| part(&format!("TORCH_VERSION_{name}")));
    match numbers {
        [Some(major), Some(minor), Some(patch)] => Some(format!("{major}.{minor}.{patch}")),
        _ => None,
    }
}

/// `2.9.0+cu128` to `2.9.0`.
fn plain(version: &str) -> &str {
    let version = version.trim();
    version.split_once('+').map_or(version, |(plain, _)| plain)
}

/// The Python that a user means.
pub(crate) fn python() -> OsString {
    match env::var_os("VIRTUAL_ENV") {
        _ if cfg!(windows) => "python.exe".into(),
        Some(_) => "python".into(),
        None => "python3".into(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::path::Path;

    use super::*;

    const HEADER: &str = "#pragma once\n\
        /// Indicates the major version of LibTorch.\n#define TORCH_VERSION_MAJOR 2\n\
        #define TORCH_VERSION_MINOR 8\n#define TORCH_VERSION_PATCH 1\n\
        #define TORCH_VERSION_ABI_TAG 0\n#define TORCH_VERSION \"2.8.1\"\n";

    fn with_header(folder: &Path) -> LibTorch {
        let headers = folder.join("include/torch/csrc/api/include/torch");
        std::fs::create_dir_all(&headers).unwrap();
        std::fs::write(headers.join("version.h"), HEADER).unwrap();
        LibTorch::at(folder)
    }

    #[test]
    fn another_version_is_named_with_the_one_that_is_needed() {
        let folder = Scratch::new("version");
        let libtorch = with_header(&folder.0);
        let message = libtorch.check_version().unwrap_err().to_string();
        assert!(
            message.ends_with("is LibTorch 2.8.1; huenet needs 2.9.0"),
            "{message}"
        );
    }

    #[test]
    fn a_folder_without_headers_goes_by_its_build_version() {
        let folder = Scratch::new("build-version");
        let libtorch = LibTorch::at(&folder.0);
        let message = libtorch.check_version().unwrap_err().to_string();
        assert!(message.contains("is no LibTorch"), "{message}");
        std::fs::write(folder.0.join("build-version"), "2.9.0+cpu\n").unwrap();
        libtorch.check_version().unwrap();
    }

    #[test]
    fn what_is_in_use_survives_a_move_of_the_workspace() {
        let scratch = Scratch::new("record");
        let store = Store {
            folder: scratch.0.join("before"),
        };
        std::fs::create_dir_all(&store.folder).unwrap();
        assert_eq!(store.recorded(), None);
        store
            .record(&LibTorch::at(store.folder.join("2.9.0-cpu")))
            .unwrap();
        let moved = Store {
            folder: scratch.0.join("after"),
        };
        std::fs::rename(&store.folder, &moved.folder).unwrap();
        let own = LibTorch::at(moved.folder.join("2.9.0-cpu"));
        assert_eq!(moved.recorded(), Some(own));

        let elsewhere = LibTorch::at(scratch.0.join("elsewhere"));
        moved.record(&elsewhere).unwrap();
        assert_eq!(moved.recorded(), Some(elsewhere));
    }

    #[test]
    fn a_command_finds_the_headers_and_the_libraries() {
        let mut command = Command::new("true");
        LibTorch::at("/some/libtorch")
            .prepare(&mut command)
            .unwrap();
        let value = |name: &str| {
            let mut all = command.get_envs();
            all.find_map(|(key, value)| (key == name).then(|| value.unwrap().to_owned()))
        };
        assert_eq!(value("LIBTORCH"), Some("/some/libtorch".into()));
        let first = env::split_paths(&value(LIBRARY_PATH).unwrap()).next();
        assert_eq!(first, Some(PathBuf::from("/some/libtorch/lib")));
    }

    /// A folder that goes when the test does.
    pub(crate) struct Scratch(pub(crate) PathBuf);

    impl Scratch {
        pub(crate) fn new(name: &str) -> Self {
            let name = format!("huenet-xtask-{name}-{}", std::process::id());
            let folder = env::temp_dir().join(name);
            std::fs::create_dir_all(&folder).unwrap();
            Self(folder)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}
