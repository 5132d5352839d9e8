//! The Python of the tests that compare with other programs' packages: the one that `HUENET_FIGURES_PYTHON` names, or
//! `python3`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// A Python that has these modules; if there is none, says that a test was skipped, and which packages it needs.
pub(crate) fn with(modules: &str, packages: &str) -> Option<PathBuf> {
    let named = std::env::var_os("HUENET_FIGURES_PYTHON").map(PathBuf::from);
    let python = named.unwrap_or_else(|| PathBuf::from("python3"));
    let mut import = Command::new(&python);
    import.args(["-c", &format!("import {modules}")]);
    let found = import.output().is_ok_and(|output| output.status.success());
    if !found {
        // Not through the test's captured output: whoever runs the tests should see it.
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: no python3 with the packages {packages}; name one in HUENET_FIGURES_PYTHON"
        );
    }
    found.then_some(python)
}

/// What a script prints, as JSON, when it gets `job` as its input.
pub(crate) fn run(python: &Path, script: &str, job: &Value) -> Value {
    let mut process = Command::new(python)
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = process.stdin.take().unwrap();
    input.write_all(job.to_string().as_bytes()).unwrap();
    drop(input);
    let output = process.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {errors}"))
}
