//! `cargo xtask pictures`: makes the pictures of the front page and the book again, with `huenet` itself.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::chores::huenet;
use crate::tools::{target_folder, workspace};

/// Pairs of content and colour reference, among the photographs.
type Pairs = [(&'static str, &'static str); 3];

/// For colours of another photograph.
const TRANSFERRED: Pairs = [("lake", "street"), ("tea", "street"), ("cat", "lake")];

/// For grey photographs that get their own colours back.
const COLOURED: Pairs = [
    ("cat-grey", "cat"),
    ("lake-grey", "lake"),
    ("coffee-grey", "coffee"),
];

/// For drawings that get the colours of what has their outline.
const DRAWN: Pairs = [
    ("boot", "boot-colours"),
    ("pump", "pump-colours"),
    ("sneaker", "sneaker-colours"),
];

/// The methods of `huenet transfer`, and the pair that shows how they differ.
const METHODS: [&str; 7] = [
    "local-maps",
    "lut",
    "reinhard",
    "monge-kantorovich",
    "histogram-matching",
    "matched-monge-kantorovich",
    "iterative-distribution-transfer",
];
const BY_EACH: (&str, &str) = ("tea", "street");

/// Makes all pictures. That of drawings needs a run of edges2photos: `--edges RUN`.
pub(crate) fn pictures(arguments: &[OsString]) -> Result<u8> {
    let edges = match arguments {
        [] => None,
        [flag, run] if flag == "--edges" => Some(run),
        _ => bail!("`cargo xtask pictures` takes nothing but --edges RUN"),
    };
    let images = workspace().join("docs/images");
    let words = |words: &[&str]| words.iter().map(OsString::from).collect();
    sheet(&images, "transfer", TRANSFERRED, words(&["transfer"]))?;
    sheet(
        &images,
        "color_transfer",
        TRANSFERRED,
        words(&["translate"]),
    )?;
    let colorization = words(&["translate", "--task", "colorization"]);
    sheet(&images, "colorization", COLOURED, colorization)?;
    if let Some(run) = edges {
        let translate = vec!["translate".into(), "--run".into(), run.clone()];
        sheet(&images, "edges2photos", DRAWN, translate)?;
    }
    methods(&images)?;
    Ok(0)
}

/// A contact sheet of what `huenet` with these arguments makes of `pairs`.
fn sheet(images: &Path, name: &str, pairs: Pairs, arguments: Vec<OsString>) -> Result<()> {
    let aside = target_folder()?.join("pictures").join(name);
    let [contents, references, results] =
        ["contents", "references", "results"].map(|part| aside.join(part));
    if aside.exists() {
        fs::remove_dir_all(&aside).with_context(|| format!("cannot empty {}", aside.display()))?;
    }
    // Each content gets the reference of its own name.
    for (number, (content, reference)) in pairs.iter().enumerate() {
        for (folder, photograph) in [(&contents, content), (&references, reference)] {
            fs::create_dir_all(folder)
                .with_context(|| format!("cannot make {}", folder.display()))?;
            let from = photograph_of(images, photograph)?;
            let extension = from.extension().unwrap_or_default();
            let to = folder.join(number.to_string()).with_extension(extension);
            fs::copy(&from, &to).with_context(|| format!("cannot copy {}", from.display()))?;
        }
    }
    let sheet = images.join(name).with_extension("jpg");
    let paths = [
        ("--content", contents),
        ("--reference", references),
        ("--output", results),
        ("--sheet", sheet),
    ];
    made(arguments, paths)
}

/// The file of a photograph or a drawing.
fn photograph_of(images: &Path, name: &str) -> Result<PathBuf> {
    let original = images.join("originals").join(name);
    let file = |extension| original.with_extension(extension);
    let file = ["jpg", "png"].map(file).into_iter().find(|it| it.exists());
    file.with_context(|| format!("there is no {name} in docs/images/originals"))
}

/// One photograph by each method.
fn methods(images: &Path) -> Result<()> {
    let folder = images.join("methods");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let (content, reference) = BY_EACH;
    for method in METHODS {
        let arguments = [
            "transfer",
            "--no-metadata",
            "--quality",
            "75",
            "--method",
            method,
        ];
        let paths = [
            ("--content", photograph_of(images, content)?),
            ("--reference", photograph_of(images, reference)?),
            ("--output", folder.join(method).with_extension("jpg")),
        ];
        made(arguments.map(OsString::from).to_vec(), paths)?;
    }
    Ok(())
}

/// Runs `huenet` with these arguments and the flags that name paths. What is there already is replaced.
fn made<const N: usize>(mut arguments: Vec<OsString>, paths: [(&str, PathBuf); N]) -> Result<()> {
    arguments.push("--overwrite".into());
    for (flag, path) in paths {
        arguments.extend([flag.into(), path.into()]);
    }
    match huenet(&arguments)? {
        0 => Ok(()),
        code => bail!("huenet ended with {code}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_picture_has_its_originals() {
        let images = workspace().join("docs/images");
        let all = [TRANSFERRED, COLOURED, DRAWN].concat();
        for (content, reference) in all.into_iter().chain([BY_EACH]) {
            for name in [content, reference] {
                photograph_of(&images, name).unwrap();
            }
        }
    }

    #[test]
    fn other_arguments_are_refused() {
        for arguments in [&["--edges"][..], &["--edge", "run"], &["run"]] {
            let arguments: Vec<_> = arguments.iter().map(OsString::from).collect();
            assert!(pictures(&arguments).is_err());
        }
    }
}
