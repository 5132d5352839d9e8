use super::*;

struct Place(tempfile::TempDir);

impl Place {
    /// A folder with empty files.
    fn with(files: &[&str]) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        for name in files {
            let path = place.at(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        place
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The pairs with their results, below the place; or the error.
    fn plan(
        &self,
        contents: &[&str],
        references: &[&str],
        output: &str,
        all_pairs: bool,
    ) -> Result<Vec<String>, String> {
        let paths =
            |names: &[&str]| -> Vec<PathBuf> { names.iter().map(|name| self.at(name)).collect() };
        let (contents, references) = (paths(contents), paths(references));
        let jobs = Jobs::plan(&contents, &references, Some(&self.at(output)), all_pairs);
        let jobs = jobs.map_err(|error| error.to_string())?;
        jobs.check(&[], &[]).map_err(|error| error.to_string())?;
        let short = |path: &PathBuf| {
            let below = path.strip_prefix(self.0.path()).unwrap();
            below.to_string_lossy().replace('\\', "/")
        };
        let told = jobs.jobs.iter().map(|job| {
            let reference = job.reference.as_ref().map(short).unwrap_or_default();
            format!("{} {reference} {}", short(&job.content), short(&job.output))
        });
        Ok(told.collect())
    }
}

#[test]
fn one_file_goes_into_a_file_or_a_folder() {
    let place = Place::with(&["a.jpg", "b.gif", "r.png", "there/x"]);
    let plan = |content, output| place.plan(&[content], &["r.png"], output, false);
    assert_eq!(plan("a.jpg", "c.png").unwrap(), ["a.jpg r.png c.png"]);
    assert_eq!(plan("a.jpg", "new").unwrap(), ["a.jpg r.png new/a.jpg"]);
    assert_eq!(plan("a.jpg", "v1.0/").unwrap(), ["a.jpg r.png v1.0/a.jpg"]);
    assert_eq!(plan("b.gif", "there").unwrap(), ["b.gif r.png there/b.png"]);
    assert_eq!(
        place.plan(&["a.jpg"], &[], "c.png", false).unwrap(),
        ["a.jpg  c.png"]
    );
}

#[test]
fn references_are_one_for_all_or_of_the_same_name_or_all_of_them() {
    let place = Place::with(&[
        "in/a.jpg",
        "in/b.png",
        "in/notes.txt",
        "refs/b.jpg",
        "refs/c.jpg",
    ]);
    assert_eq!(
        place.plan(&["in"], &["refs/c.jpg"], "out", false).unwrap(),
        [
            "in/a.jpg refs/c.jpg out/a.jpg",
            "in/b.png refs/c.jpg out/b.png"
        ]
    );
    assert_eq!(
        place.plan(&["in"], &["refs"], "out", false).unwrap(),
        ["in/b.png refs/b.jpg out/b.png"]
    );
    assert_eq!(
        place.plan(&["in/a.jpg"], &["refs"], "out", true).unwrap(),
        [
            "in/a.jpg refs/b.jpg out/a-b.jpg",
            "in/a.jpg refs/c.jpg out/a-c.jpg"
        ]
    );
}

#[test]
fn nothing_is_replaced_unawares() {
    let place = Place::with(&["a.jpg", "in/a.jpg", "in/b.jpg", "r.png", "x/r.jpg"]);
    let refused = |contents: &[&str], references: &[&str], output: &str, words: &str| {
        let error = place.plan(contents, references, output, false).unwrap_err();
        assert!(error.contains(words), "{error}");
    };
    refused(
        &["in"],
        &["r.png"],
        "one.png",
        "2 pictures cannot go into one file",
    );
    refused(&["in"], &["r.png"], "in", "would take the place of");
    refused(&["a.jpg"], &["r.png"], "r.png", "would take the place of");
    refused(&["a.jpg", "in/a.jpg"], &["r.png"], "out", "would both be");
    refused(
        &["a.jpg"],
        &["r.png", "x/r.jpg"],
        "out",
        "have the same name",
    );
}

#[test]
fn a_failure_stops_no_other_picture_and_is_named() {
    let place = Place::with(&[
        "in/a.jpg",
        "in/b.jpg",
        "in/c.jpg",
        "out/b.jpg",
        "refs/a.png",
        "refs/b.png",
    ]);
    let jobs = Jobs::plan(
        &[place.at("in")],
        &[place.at("refs")],
        Some(&place.at("out")),
        false,
    );
    let mut made = Vec::new();
    let outcome = jobs.unwrap().each(|job| {
        made.push(stem(&job.content).to_owned());
        Ok(Vec::new())
    });
    assert_eq!(made, ["a"]);
    let error = outcome.unwrap_err().to_string();
    for words in ["2 of 3 pictures", "--overwrite", "c.jpg has no reference"] {
        assert!(error.contains(words), "{words}: {error}");
    }
}
