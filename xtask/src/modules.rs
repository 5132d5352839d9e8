//! `cargo xtask modules`: checks that no modules of a crate import from each other in a circle, nor folders of
//! modules, and that those of `huenet-tasks` import only from their own folder and those before it.
//!
//! A module imports from another if it names something of it, in a `use` or by a path in its code. A parent that
//! only re-exports a name of a child (`pub use child::Name`) does not import from it. A module that imports this
//! name from the parent imports from the child. Tests do not count.

mod graph;
mod scan;

use anyhow::Result;

use crate::tools;
use graph::{Edge, Graph, Name};

/// A crate that is checked.
struct Crate {
    /// Its root file.
    root: &'static str,
    /// Its folders, if they have an order: each imports only from itself and those before it.
    floors: &'static [&'static str],
}

/// The crates that are checked.
const CRATES: &[Crate] = &[
    unordered("crates/hist/src/lib.rs"),
    unordered("crates/models/src/lib.rs"),
    unordered("crates/data/src/lib.rs"),
    Crate {
        root: "crates/tasks/src/lib.rs",
        floors: &[
            "settings", "store", "group", "transfer", "step", "refine", "measure", "run", "apply",
            "view", "train", "compare",
        ],
    },
    unordered("crates/cli/src/main.rs"),
    unordered("tests/src/lib.rs"),
    unordered("xtask/src/main.rs"),
];

/// A crate whose folders have no order.
const fn unordered(root: &'static str) -> Crate {
    Crate { root, floors: &[] }
}

/// Checks all crates, and prints the imports that are not allowed.
pub(crate) fn check() -> Result<u8> {
    let mut faults = Vec::new();
    let workspace = tools::workspace();
    for each in CRATES {
        let graph = Graph::read(&workspace.join(each.root), &workspace)?;
        faults.extend(circles(&graph));
        faults.extend(wrong_floors(&graph, each.floors));
    }
    for fault in &faults {
        eprintln!("{fault}");
    }
    Ok(u8::from(!faults.is_empty()))
}

/// Each circle and its imports.
fn circles(graph: &Graph) -> Vec<String> {
    let told = graph.circles().into_iter().map(|circle| {
        let names: Vec<String> = circle.names.iter().map(shown).collect();
        let imports = circle.imports.into_iter();
        let imports: String = imports.map(|edge| format!("\n  {}", told(edge))).collect();
        format!("these modules form a circle: {}{imports}", names.join(", "))
    });
    told.collect()
}

/// The imports from a later folder, and the modules that are in none of the folders.
fn wrong_floors(graph: &Graph, floors: &[&str]) -> Vec<String> {
    if floors.is_empty() {
        return Vec::new();
    }
    // The root re-exports from all folders, so it comes after them.
    let floor = |name: &Name| match name.first() {
        Some(folder) => floors.iter().position(|known| known == folder),
        None => Some(floors.len()),
    };
    let order = floors.join(" ← ");
    let lost = graph.names().filter(|name| floor(name).is_none());
    let lost = lost.map(|name| format!("{} is in none of the folders {order}", shown(name)));
    let upward = graph.edges.iter();
    let upward = upward.filter(|edge| floor(&edge.to) > floor(&edge.from));
    lost.chain(upward.map(|edge| format!("this import goes up ({order}): {}", told(edge))))
        .collect()
}

fn told(edge: &Edge) -> String {
    let file = edge.file.display();
    format!(
        "{file}:{}: {} imports from {}",
        edge.line,
        shown(&edge.from),
        shown(&edge.to)
    )
}

fn shown(name: &Name) -> String {
    [&["crate".to_owned()], name.as_slice()].concat().join("::")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of a crate of these files.
    fn faults(files: &[(&str, &str)], floors: &[&str]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let graph = Graph::read(&folder.path().join("lib.rs"), folder.path()).unwrap();
        [circles(&graph), wrong_floors(&graph, floors)].concat()
    }

    #[test]
    fn a_circle_is_told_with_its_imports() {
        let files = [
            ("lib.rs", "mod a;\nmod b;\nmod c;\npub use c::C;"),
            ("a.rs", "\nuse crate::b::B;"),
            ("b.rs", "use std::fmt;\nfn f() { super::C::new() }"),
            ("c.rs", "use super::a as other;\npub struct C;"),
        ];
        let expected = "these modules form a circle: crate::a, crate::b, crate::c\n  \
                        a.rs:2: crate::a imports from crate::b\n  \
                        b.rs:2: crate::b imports from crate::c\n  \
                        c.rs:1: crate::c imports from crate::a";
        assert_eq!(faults(&files, &[]), [expected]);
    }

    #[test]
    fn a_parent_may_show_what_a_child_has_but_not_use_it() {
        let shown = "mod child;\npub use child::C;\npub struct P;";
        let used = format!("{shown}\nfn f() -> C {{ todo!() }}");
        let called = format!("{shown}\nfn f() {{ child::f() }}");
        for (parent, count) in [(shown, 0), (&used, 1), (&called, 1)] {
            let files = [
                ("lib.rs", "mod a;"),
                ("a/mod.rs", parent),
                ("a/child.rs", "use super::P;"),
            ];
            assert_eq!(faults(&files, &[]).len(), count, "{parent}");
        }
    }

    #[test]
    fn siblings_are_told_apart_by_what_their_parent_shows() {
        let files = [
            ("lib.rs", "mod a;"),
            ("a/mod.rs", "mod one;\nmod two;\npub(crate) use one::One;"),
            ("a/one.rs", "pub struct One;"),
            (
                "a/two.rs",
                "use super::One;\nmod inner { use super::super::One; }",
            ),
        ];
        assert!(faults(&files, &[]).is_empty());
        let files = [
            files[0],
            files[1],
            ("a/one.rs", "use super::two;"),
            files[3],
        ];
        assert_eq!(faults(&files, &[]).len(), 1);
    }

    #[test]
    fn folders_form_a_circle_although_their_files_do_not() {
        let files = [
            ("lib.rs", "mod a;\nmod b;"),
            ("a/mod.rs", "mod one;\nmod two;"),
            ("a/one.rs", "use crate::b::B;"),
            ("a/two.rs", "pub struct Two;"),
            ("b.rs", "use crate::a::two::Two;"),
        ];
        let expected = "these modules form a circle: crate::a, crate::b\n  \
                        a/one.rs:1: crate::a::one imports from crate::b\n  \
                        b.rs:1: crate::b imports from crate::a::two";
        assert_eq!(faults(&files, &[]), [expected]);
    }

    #[test]
    fn a_parent_and_its_children_form_a_circle_although_no_child_does_alone() {
        let files = [
            ("lib.rs", "mod a;"),
            ("a/mod.rs", "mod one;\nmod two;\nfn f() { two::g() }"),
            ("a/one.rs", "use super::f;"),
            ("a/two.rs", ""),
        ];
        assert!(faults(&files, &[]).is_empty());
        let below = [
            files[0],
            files[1],
            files[2],
            ("a/two.rs", "use super::one::One;"),
        ];
        assert_eq!(faults(&below, &[]).len(), 1);
    }

    #[test]
    fn an_import_from_a_floor_above_is_told() {
        let files = [
            (
                "lib.rs",
                "mod low;\nmod high;\nmod attic;\npub use high::High;",
            ),
            (
                "low.rs",
                "fn f(x: crate::High) {}\n#[cfg(test)]\nuse crate::high::Low;",
            ),
            ("high.rs", "use crate::low;"),
            ("attic.rs", ""),
        ];
        let found = faults(&files, &["low", "high"]);
        assert_eq!(found[0].lines().count(), 3, "{found:?}");
        assert_eq!(
            found[1..],
            [
                "crate::attic is in none of the folders low ← high",
                "this import goes up (low ← high): low.rs:1: crate::low imports from crate::high"
            ]
        );
    }
}
