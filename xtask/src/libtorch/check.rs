//! Checks that programs can be built with a LibTorch, and that it computes.

use std::env;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::library::{self, LibTorch};

/// A product of two matrices whose sum is known.
const PROGRAM: &str = r#"#include <ATen/ATen.h>
#include <cstdio>

int main() {
  at::Tensor product = at::matmul(at::ones({2, 3}), at::full({3, 4}, 2.0));
  double sum = product.sum().item<double>();
  std::printf("%g\n", sum);
  return sum == 48.0 ? 0 : 1;
}
"#;

impl LibTorch {
    /// Builds a program that multiplies two matrices, in the folder `scratch`, and runs it.
    ///
    /// # Errors
    ///
    /// If building or running fails, with the output of the compiler or the program.
    pub(super) fn check(&self, scratch: &Path) -> Result<()> {
        self.check_version()?;
        std::fs::create_dir_all(scratch)
            .with_context(|| format!("cannot write to {}", scratch.display()))?;
        let outcome = self.build_and_run(scratch);
        let _ = std::fs::remove_dir_all(scratch);
        outcome.with_context(|| format!("{} does not work", self.folder.display()))
    }

    fn build_and_run(&self, scratch: &Path) -> Result<()> {
        let (source, program) = (scratch.join("check.cpp"), scratch.join("check"));
        std::fs::write(&source, PROGRAM)
            .with_context(|| format!("cannot write {}", source.display()))?;
        let compiler = env::var_os("CXX").unwrap_or_else(|| "c++".into());
        let mut build = Command::new(&compiler);
        build
            .args(["-std=c++17", "-D_GLIBCXX_USE_CXX11_ABI=1", "-I"])
            .arg(self.include())
            .arg("-I")
            .arg(self.include().join("torch/csrc/api/include"))
            .arg(&source)
            .arg("-o")
            .arg(&program)
            .arg("-L")
            .arg(self.lib())
            .args(["-ltorch_cpu", "-lc10", "-ltorch"]);
        if self.has_cuda() {
            build.args(["-Wl,--no-as-needed", "-ltorch_cuda", "-lc10_cuda"]);
        }
        said(build, "cannot build with it").with_context(|| {
            let compiler = compiler.display();
            format!("building needs a C++ compiler; `{compiler}` was tried (set CXX for another)")
        })?;
        let mut run = Command::new(&program);
        self.prepare(&mut run)?;
        said(run, "cannot compute with it")
    }
}

/// Runs `command` quietly; its output is the error's if it fails.
fn said(mut command: Command, failure: &str) -> Result<()> {
    let program = command.get_program().to_owned();
    let output = command
        .output()
        .with_context(|| format!("cannot start {}", program.display()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last: Vec<&str> = said.lines().rev().take(12).collect();
        let last: Vec<&str> = last.into_iter().rev().collect();
        bail!("{failure} ({}):\n{}", output.status, last.join("\n"));
    }
    Ok(())
}

/// The LibTorch inside the user's Python, if there is one.
pub(super) fn of_python() -> Option<LibTorch> {
    // Found without importing it, which takes seconds.
    const QUESTION: &str = "import importlib.util as u; s = u.find_spec('torch'); \
         print(s.submodule_search_locations[0] if s else '')";
    let output = Command::new(library::python())
        .args(["-c", QUESTION])
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let folder = text.trim_end_matches(['\r', '\n']);
    (output.status.success() && !folder.is_empty()).then(|| LibTorch::at(folder))
}

/// Prints why a LibTorch that was found is not used.
pub(super) fn not_used(source: &str, why: &str) {
    eprintln!("{source}: not used. {why}");
    if source == "LIBTORCH" {
        eprintln!("Unset LIBTORCH afterwards: it comes before what is set up here.");
    }
}

#[cfg(test)]
mod tests {
    use super::super::library::VERSION;
    use super::super::library::tests::Scratch;
    use super::*;

    #[test]
    fn headers_alone_are_not_enough() {
        let folder = Scratch::new("headers");
        let libtorch = LibTorch::at(&folder.0);
        std::fs::write(folder.0.join("build-version"), VERSION).unwrap();
        let error = libtorch.check(&folder.0.join("scratch")).unwrap_err();
        let message = format!("{error:#}");
        assert!(message.contains("does not work"), "{message}");
        assert!(!folder.0.join("scratch").exists());
    }
}
