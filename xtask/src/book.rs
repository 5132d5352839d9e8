//! `cargo xtask book`: the pages of the repository as a book.
//!
//! Links between pages are relative to their places in the repository. To keep every link working, the book is made
//! from a copy of the pages in the same folders: first those of `docs`, then those that are not about use.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::tools::{run, workspace};

/// The first page of the book: the front page of the repository.
const FRONT: &str = "README.md";

/// Other pages outside of `docs`, under their titles.
const REPOSITORY: [(&str, &str); 9] = [
    ("Benchmarks", "BENCHMARKS.md"),
    ("Architecture", "ARCHITECTURE.md"),
    ("Contributing", "CONTRIBUTING.md"),
    ("Changelog", "CHANGELOG.md"),
    ("huenet-hist", "crates/hist/README.md"),
    ("huenet-models", "crates/models/README.md"),
    ("huenet-data", "crates/data/README.md"),
    ("huenet-tasks", "crates/tasks/README.md"),
    ("huenet-cli", "crates/cli/README.md"),
];

/// Builds the book into `target/book`.
pub(crate) fn book() -> Result<u8> {
    let installed = Command::new("mdbook")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    if installed.is_err() {
        bail!("mdBook is not installed: `cargo install mdbook --locked` installs it");
    }
    let (workspace, sources) = (workspace(), workspace().join("target/book-sources"));
    if sources.exists() {
        fs::remove_dir_all(&sources).with_context(|| sources.display().to_string())?;
    }
    copy_folder(&workspace.join("docs"), &sources.join("docs"))?;
    for page in REPOSITORY
        .map(|(_, page)| page)
        .into_iter()
        .chain([FRONT, "CITATION.cff"])
    {
        copy(&workspace.join(page), &sources.join(page))?;
    }
    let summary = fs::read_to_string(workspace.join("docs/SUMMARY.md"))?;
    fs::write(sources.join("SUMMARY.md"), with_repository(&summary))?;
    let settings = fs::read_to_string(workspace.join("docs/book.toml"))?;
    fs::write(
        sources.join("book.toml"),
        settings.replace("../target/book", "../book"),
    )?;
    let code = run(Command::new("mdbook").arg("build").arg(&sources))?;
    if code == 0 {
        let page = workspace.join("target/book/index.html");
        println!("{}", page.display());
    }
    Ok(code)
}

/// The book's list of pages, seen from the folder above, and the repository's other pages.
fn with_repository(summary: &str) -> String {
    let pages = REPOSITORY.map(|(title, page)| format!("- [{title}]({page})\n"));
    let summary = summary.replace("](", "](docs/");
    let summary = summary.replacen('[', &format!("[Front page]({FRONT})\n["), 1);
    format!("{}\n# The repository\n\n{}", summary, pages.concat())
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &to)?;
        } else {
            copy(&entry.path(), &to)?;
        }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let folder = to.parent().context("a file has a folder")?;
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    fs::copy(from, to).with_context(|| from.display().to_string())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_leads_to_the_copies() {
        let summary = with_repository("# Summary\n\n[HueNet](README.md)\n- [A](lab/a.md)\n");
        let opening = "[Front page](README.md)\n[HueNet](docs/README.md)";
        assert!(summary.contains(opening), "{summary}");
        assert!(summary.contains("- [A](docs/lab/a.md)"), "{summary}");
        assert!(
            summary.contains("- [Benchmarks](BENCHMARKS.md)"),
            "{summary}"
        );
    }
}
