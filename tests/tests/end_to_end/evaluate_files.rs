//! What `huenet evaluate` writes beside its table: every image, and a page.

use std::path::Path;

use predicates::prelude::*;
use predicates::str::contains;

use crate::support::Place;

fn evaluated(place: &Place, more: &[&str]) -> assert_cmd::assert::Assert {
    let mut command = place.command("evaluate");
    command.args(["--run", "run"]).args(more).assert()
}

fn trained() -> Place {
    let place = Place::new();
    place.flowers();
    let mut command = place.train("color_transfer", "run");
    command.args(["--max-steps", "3"]).assert().success();
    place
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().file_name();
    let mut names: Vec<String> = entries
        .map(|entry| name(entry).into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn every_image_is_written_with_a_name_that_says_what_it_is() {
    let place = trained();
    let json = ["--json", "figures.json", "--outputs", "made/images"];
    evaluated(&place, &json)
        .success()
        .stderr(contains("outputs        made/images"));
    let text = std::fs::read_to_string(place.root().join("figures.json")).unwrap();
    let figures: serde_json::Value = serde_json::from_str(&text).unwrap();
    let methods = figures["methods"].as_array().unwrap();
    let pairs = methods[0]["pairs"].as_array().unwrap();
    assert!(!pairs.is_empty());

    let folder = place.root().join("made/images");
    let mut expected = Vec::new();
    for (number, pair) in (1..).zip(pairs) {
        for shown in ["content", "reference"] {
            let file = Path::new(pair[shown].as_str().unwrap());
            let stem = file.file_stem().unwrap().to_str().unwrap();
            expected.push(format!("{number:04}-{shown}-{stem}.png"));
        }
        let methods = methods.iter().map(|it| it["method"].as_str().unwrap());
        expected.extend(methods.map(|method| format!("{number:04}-{method}.png")));
    }
    expected.sort();
    assert_eq!(names(&folder), expected);

    let read = |name: &str| image::open(folder.join(name)).unwrap().to_rgb8();
    let content = expected
        .iter()
        .find(|name| name.starts_with("0001-content"));
    let content = read(content.unwrap());
    assert!(read("0001-nothing.png") == content);
    let reference = expected
        .iter()
        .find(|name| name.starts_with("0001-reference"));
    let reference = read(reference.unwrap());
    assert!(content != reference);
    assert_eq!(content.dimensions(), reference.dimensions());
    // An image is what its name says: the methods that match colours come near the reference's.
    let mean = |image: &image::RgbImage| {
        let sum: u64 = image.iter().map(|value| u64::from(*value)).sum();
        sum as f64 / image.len() as f64
    };
    assert!((mean(&read("0001-monge_kantorovich.png")) - mean(&reference)).abs() < 10.0);
}

#[test]
fn files_that_are_there_stay_unless_they_are_to_be_replaced() {
    let place = trained();
    let arguments = ["--images", "1", "--outputs", "made"];
    let there = place.write("made/0001-reinhard.png", b"mine");
    evaluated(&place, &arguments)
        .code(1)
        .stdout("")
        .stderr(contains("0001-reinhard.png already exists").and(contains("--overwrite")));
    assert_eq!(std::fs::read(&there).unwrap(), b"mine");
    assert_eq!(names(&place.root().join("made")).len(), 1);

    let mut replacing = arguments.to_vec();
    replacing.push("--overwrite");
    evaluated(&place, &replacing).success();
    assert!(image::open(there).is_ok());

    evaluated(&place, &["--overwrite"])
        .code(2)
        .stderr(contains("--outputs"));
}

#[test]
fn a_folder_that_cannot_be_made_is_named_before_anything_is_measured() {
    let place = trained();
    place.write("file", b"");
    evaluated(&place, &["--outputs", "file/images"])
        .code(1)
        .stdout("")
        .stderr(contains("cannot write into file/images").and(contains("--outputs")));
}

#[test]
fn the_page_shows_the_table_and_the_sheet_without_any_other_file() {
    let place = trained();
    let table = evaluated(&place, &["--html", "page.html"]).success();
    let table = String::from_utf8_lossy(&table.get_output().stdout).into_owned();
    let page = std::fs::read_to_string(place.root().join("page.html")).unwrap();
    assert!(page.contains("<h1>run</h1>"));
    let row = table
        .lines()
        .find(|line| line.starts_with("| Reinhard |"))
        .unwrap();
    // `mean [low, high]` in the one is `mean<span>[low, high]</span>` in the other.
    for cell in row.split(" | ").skip(1) {
        let cell = cell.trim_end_matches(" |");
        let cell = match cell.split_once(" [") {
            Some((mean, interval)) => format!("<td>{mean}<span>[{interval}</span></td>"),
            None => format!("<td>{cell}</td>"),
        };
        assert!(page.contains(&cell), "{cell}");
    }
    assert!(page.contains("data:image/jpeg;base64,"));
    assert!(!page.contains("://"), "it loads nothing");

    evaluated(&place, &["--html", "102flowers"])
        .code(1)
        .stdout("")
        .stderr(contains("cannot write 102flowers: ").and(contains("--html")));
}
