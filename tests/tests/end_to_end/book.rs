//! The pages of the repository: what they tell a reader to type works, and their links lead somewhere.
//! (Their Rust is compiled by the documentation's tests, see the library of this crate.)

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rstest::rstest;

use crate::support::{Place, SMALL, huenet};

/// The repository.
fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("it is in the workspace").to_owned()
}

/// Every page: those of the repository, of the book and of the crates.
fn pages() -> Vec<PathBuf> {
    let folders = ["", "docs", "docs/lab", "docs/images", "tests/golden"].map(String::from);
    let crates = std::fs::read_dir(root().join("crates")).expect("there are crates");
    let crates = crates.map(|entry| {
        let name = entry.expect("it can be read").file_name();
        format!("crates/{}", name.to_string_lossy())
    });
    let mut pages: Vec<PathBuf> = folders
        .into_iter()
        .chain(crates)
        .filter_map(|folder| std::fs::read_dir(root().join(folder)).ok())
        .flatten()
        .map(|entry| entry.expect("it can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    pages.sort();
    assert!(pages.len() > 20, "{pages:?}");
    pages
}

fn read(page: &Path) -> String {
    let text = std::fs::read_to_string(page);
    text.unwrap_or_else(|error| panic!("{}: {error}", page.display()))
        .replace("\r\n", "\n")
}

/// The fenced blocks of a page: what stands behind the opening fence, and the text.
fn blocks(page: &str) -> Vec<(&str, String)> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(kind) = line.trim_start().strip_prefix("```") {
            let text = lines.by_ref().take_while(|line| line.trim() != "```");
            blocks.push((kind, text.collect::<Vec<_>>().join("\n")));
        }
    }
    blocks
}

/// The commands of a shell block, as words: continued lines joined, comments dropped, quotes not needed so far.
fn commands(block: &str) -> Vec<Vec<String>> {
    block
        .replace("\\\n", " ")
        .lines()
        .map(|line| line.split(" #").next().unwrap_or_default())
        .map(|line| line.split_whitespace().map(str::to_owned).collect())
        .filter(|words: &Vec<String>| !words.is_empty())
        .collect()
}

/// The arguments of `huenet`, if this is a command of it, by itself, in several processes, or through `cargo xtask`.
fn arguments(command: &[String]) -> Option<&[String]> {
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["huenet", ..] => Some(&command[1..]),
        ["cargo", "xtask", "huenet", ..] => Some(&command[3..]),
        // How many processes train together is xtask's to know.
        ["cargo", "xtask", "train", .., "--processes", _] => Some(&command[2..command.len() - 2]),
        ["cargo", "xtask", "train" | "download", ..] => Some(&command[2..]),
        ["mpirun", "-n", _, "huenet", ..] => Some(&command[4..]),
        _ => None,
    }
}

/// Every `huenet` in a shell block of a page, and every verb of `cargo xtask`, is one that there is: `--help` behind
/// a command's own options shows them to the parser and does nothing else. Commands that another test runs need no
/// such look.
#[test]
fn every_command_of_a_page_is_one_that_there_is() {
    let xtask = read(&root().join("xtask/src/main.rs"));
    let (mut ran, mut checked) = (0, BTreeSet::new());
    for page in pages() {
        let text = read(&page);
        let shell = blocks(&text).into_iter().filter(|(kind, _)| is_shell(kind));
        let commands = shell.flat_map(|(kind, block)| {
            let commands = commands(&block).into_iter();
            commands.map(move |command| (kind, command))
        });
        for (kind, command) in commands {
            let line = format!("{}: {}", page.display(), command.join(" "));
            if let Some(arguments) = arguments(&command) {
                if kind == "sh" && is_run(&page) {
                    ran += 1;
                    continue;
                }
                if !checked.insert(arguments.to_vec()) {
                    continue;
                }
                let output = huenet().args(arguments).arg("--help").output().unwrap();
                let error = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{line}\n{error}");
            } else if command.starts_with(&["cargo".into(), "xtask".into()]) {
                let verb = command.get(2).unwrap_or_else(|| panic!("no verb: {line}"));
                assert!(xtask.contains(&format!("\"{verb}\" =>")), "{line}");
            }
        }
    }
    let found = ran + checked.len();
    assert!(found > 60, "only {found} commands were found");
}

/// Whether `the_commands_of_a_page_work_one_after_another` has a case of this page.
fn is_run(page: &Path) -> bool {
    let name = page.strip_prefix(root()).unwrap_or(page).to_string_lossy();
    let case = format!("#[case(\"{}\")]", name.replace('\\', "/"));
    include_str!("book.rs").contains(&case)
}

fn is_shell(kind: &str) -> bool {
    kind == "sh" || kind == "sh,no_run"
}

/// The shell blocks of a page run one after another, on small images and for few steps, unless they say `no_run`.
/// A page's TOML is `my.toml`, its CSV `pairs.csv`.
#[rstest]
#[case("README.md")]
#[case("crates/cli/README.md")]
#[case("docs/getting-started.md")]
#[case("docs/datasets.md")]
#[case("docs/training.md")]
#[case("docs/resuming.md")]
#[case("docs/recipes.md")]
#[case("docs/measuring.md")]
#[case("docs/backends.md")]
#[case("docs/export.md")]
#[case("docs/applying.md")]
#[case("docs/models.md")]
#[case("docs/transfer.md")]
fn the_commands_of_a_page_work_one_after_another(#[case] page: &str) {
    let place = readers_place();
    let text = read(&root().join(page));
    let mut ran = 0;
    for (kind, block) in blocks(&text) {
        match kind {
            "toml" => _ = place.write("my.toml", block.as_bytes()),
            "csv" => _ = place.write("pairs.csv", block.as_bytes()),
            _ => {}
        }
    }
    for (kind, block) in blocks(&text) {
        for command in commands(&block).iter().filter(|_| kind == "sh") {
            let Some(arguments) = arguments(command) else {
                continue;
            };
            let mut huenet = huenet();
            huenet.current_dir(place.root()).args(arguments);
            huenet.args(small(arguments));
            let output = huenet.output().unwrap();
            let error = String::from_utf8_lossy(&output.stderr);
            assert!(
                output.status.success(),
                "{page}: {}\n{error}",
                command.join(" ")
            );
            ran += 1;
        }
    }
    assert!(ran > 0, "{page} has no command to run");
}

/// What a command takes so that it ends soon; of an option that is given twice the last counts.
fn small(arguments: &[String]) -> Vec<&'static str> {
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    match arguments[0].as_str() {
        "train" if has("--resume") => vec!["--max-steps", "3"],
        "train" => [SMALL, &["--max-steps", "2"]].concat(),
        "doctor" => SMALL.to_vec(),
        _ => Vec::new(),
    }
}

/// What the pages take for granted: datasets, and a folder of photographs.
fn readers_place() -> Place {
    let place = Place::new();
    place.pairs().yosemite().flowers();
    for number in 0..10 {
        place.image(&format!("photos/{number}.png"), 40, 40, number);
    }
    let datasets = place.root().join("datasets");
    std::fs::create_dir(&datasets).unwrap();
    for name in ["edges2shoes", "summer2winter_yosemite", "102flowers"] {
        std::fs::rename(place.root().join(name), datasets.join(name)).unwrap();
    }
    for number in 1..=4 {
        let name = format!("datasets/edges2handbags/train/{number}_AB.jpg");
        place.image(&name, 96, 48, number);
        let name = format!("datasets/edges2handbags/val/{number}_AB.jpg");
        place.image(&name, 96, 48, 7 + number);
    }
    place
}

/// Links in text, pictures included: what stands in the parentheses.
fn links(page: &str) -> Vec<String> {
    let mut shown = String::new();
    let mut in_block = false;
    for line in page.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        } else if !in_block {
            shown += line;
            shown.push('\n');
        }
    }
    let after = shown.split("](").skip(1);
    after
        .filter_map(|rest| rest.split_once(')'))
        .map(|(link, _)| link.to_owned())
        .collect()
}

/// The anchors that a forge makes of a page's headings.
fn anchors(page: &str) -> BTreeSet<String> {
    let headings = page.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|heading| {
            let heading = heading.trim_start_matches('#').trim().to_lowercase();
            let kept = heading.chars().filter_map(|letter| match letter {
                ' ' => Some('-'),
                letter if letter.is_alphanumeric() || "-_".contains(letter) => Some(letter),
                _ => None,
            });
            kept.collect()
        })
        .collect()
}

#[test]
fn every_link_between_pages_leads_to_what_it_names() {
    let mut checked = 0;
    for page in pages() {
        for link in links(&read(&page)) {
            if link.contains("://") {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = match path {
                "" => page.clone(),
                path => page.parent().expect("a page has a folder").join(path),
            };
            let named = format!("{}: ({link})", page.display());
            assert!(target.exists(), "{named} leads nowhere");
            if !anchor.is_empty() {
                assert!(anchors(&read(&target)).contains(anchor), "{named}");
            }
            checked += 1;
        }
    }
    assert!(checked > 60, "only {checked} links were found");
}

#[test]
fn the_book_lists_every_page_of_its_folder() {
    let docs = root().join("docs");
    let summary = links(&read(&docs.join("SUMMARY.md")));
    for page in pages() {
        let Ok(name) = page.strip_prefix(&docs) else {
            continue;
        };
        let name = name.to_string_lossy().replace('\\', "/");
        if name != "SUMMARY.md" && !name.starts_with("images/") {
            assert!(summary.contains(&name), "SUMMARY.md has no {name}");
        }
    }
}

#[test]
fn the_front_page_is_short() {
    let lines = read(&root().join("README.md")).lines().count();
    assert!(lines <= 150, "README.md has {lines} lines");
}
