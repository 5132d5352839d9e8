//! Finds which module of a crate imports from which.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::scan::{Found, scan};

/// Names of modules, from the crate's root on. The root itself has an empty list.
pub(super) type Name = Vec<String>;

/// An import of a module by another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Edge {
    pub(super) from: Name,
    pub(super) to: Name,
    pub(super) file: PathBuf,
    pub(super) line: usize,
}

/// The modules of a crate that have files, and their imports.
#[derive(Debug, Default)]
pub(super) struct Graph {
    modules: BTreeMap<Name, Module>,
    pub(super) edges: BTreeSet<Edge>,
}

#[derive(Debug)]
struct Module {
    file: PathBuf,
    /// The module of the file. It is another one for a module in braces.
    owner: Name,
    found: Found,
}

impl Graph {
    /// The graph of the crate whose root is the file `root`. Paths of files are relative to `workspace`.
    pub(super) fn read(root: &Path, workspace: &Path) -> Result<Self> {
        let mut graph = Self::default();
        let folder = root.parent().unwrap_or(Path::new(".")).to_owned();
        graph.add_file(Vec::new(), root, &folder)?;
        graph.connect(workspace);
        Ok(graph)
    }

    /// All modules that have files of their own.
    pub(super) fn names(&self) -> impl Iterator<Item = &Name> {
        let own = self.modules.iter();
        own.filter(|(name, module)| **name == module.owner)
            .map(|(name, _)| name)
    }

    fn add_file(&mut self, name: Name, file: &Path, below: &Path) -> Result<()> {
        let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
        let found = scan(&text).with_context(|| file.display().to_string())?;
        self.add(name.clone(), found, name, file, below)
    }

    /// Adds a module; the files of its children lie in `below`.
    fn add(
        &mut self,
        name: Name,
        mut found: Found,
        owner: Name,
        file: &Path,
        below: &Path,
    ) -> Result<()> {
        for child in &mut found.children {
            let child_name = [name.as_slice(), std::slice::from_ref(&child.name)].concat();
            let inside = below.join(&child.name);
            if let Some(inline) = child.inline.take() {
                self.add(child_name, inline, owner.clone(), file, &inside)?;
                continue;
            }
            let beside = file.parent().unwrap_or(below);
            let candidates = match &child.path {
                Some(path) => vec![beside.join(path)],
                None => vec![inside.with_extension("rs"), inside.join("mod.rs")],
            };
            let found = candidates.iter().find(|path| path.is_file());
            let path =
                found.with_context(|| format!("{} is not there", candidates[0].display()))?;
            self.add_file(child_name, path, &inside)?;
        }
        let file = file.to_owned();
        self.modules.insert(name, Module { file, owner, found });
        Ok(())
    }

    fn connect(&mut self, workspace: &Path) {
        // The first import of each pair of modules stands for all.
        let mut edges: BTreeMap<(Name, Name), Edge> = BTreeMap::new();
        for (name, module) in &self.modules {
            let mut edge = |to: Option<Name>, line| {
                let to = to.and_then(|to| self.modules.get(&to));
                let Some(to) = to.filter(|to| to.owner != module.owner) else {
                    return;
                };
                let pair = (module.owner.clone(), to.owner.clone());
                let file = module.file.strip_prefix(workspace);
                let edge = Edge {
                    from: module.owner.clone(),
                    to: to.owner.clone(),
                    file: file.unwrap_or(&module.file).to_owned(),
                    line,
                };
                edges
                    .entry(pair)
                    .and_modify(|known| known.line = known.line.min(line))
                    .or_insert(edge);
            };
            for import in &module.found.imports {
                let path = import.path.strip_suffix(&["*".to_owned()]);
                let to = self.resolve(name, path.unwrap_or(&import.path), 0);
                // A parent that re-exports a name of a child does not use it.
                let shows = import.public && to.as_ref().is_some_and(|to| to.starts_with(name));
                if !shows {
                    edge(to, import.line);
                }
            }
            for mention in &module.found.mentions {
                edge(self.resolve(name, &mention.path, 0), mention.line);
            }
        }
        self.edges = edges.into_values().collect();
    }

    /// The module in which the item is that `path` names in the module `at`; `None` for items of other crates.
    fn resolve(&self, at: &Name, path: &[String], depth: usize) -> Option<Name> {
        let (first, rest) = path.split_first()?;
        let (mut module, mut rest) = match first.as_str() {
            "crate" => (Vec::new(), rest),
            "self" => (at.clone(), rest),
            "super" => (parent(at), rest),
            _ => {
                let known = self.child(at, first).is_some() || self.import(at, first).is_some();
                (known.then(|| at.clone())?, path)
            }
        };
        while let Some((next, after)) = rest.split_first() {
            if next == "super" {
                module = parent(&module);
            } else if let Some(child) = self.child(&module, next) {
                module = child;
            } else if let Some(shown) = self.import(&module, next).filter(|_| depth < 16) {
                let whole = [shown, after].concat();
                // An item of another crate counts as one of the module that re-exports it.
                return Some(self.resolve(&module, &whole, depth + 1).unwrap_or(module));
            } else {
                break;
            }
            rest = after;
        }
        Some(module)
    }

    fn child(&self, module: &Name, name: &str) -> Option<Name> {
        let child = [module.as_slice(), &[name.to_owned()]].concat();
        self.modules.contains_key(&child).then_some(child)
    }

    /// The path by which `module` imports what it calls `name`.
    fn import(&self, module: &Name, name: &str) -> Option<&[String]> {
        let imports = self.modules.get(module)?.found.imports.iter();
        let mut named = imports.filter(|import| import.name == name);
        // `use name;` and the crate `name` lead to no other module.
        named.find_map(|import| (import.path != [name]).then_some(import.path.as_slice()))
    }

    /// The circles. At each module those of its children are sought, where a child stands for itself and all
    /// modules below it, and beside them stands the module's own file. So a circle of files is found where their
    /// paths part, and a circle of folders even if no files form one.
    pub(super) fn circles(&self) -> Vec<Circle<'_>> {
        let mut circles = Vec::new();
        for top in self.names() {
            let node = |name: &'_ Name| name[..name.len().min(top.len() + 1)].to_vec();
            let inside = |edge: &&Edge| edge.from.starts_with(top) && edge.to.starts_with(top);
            let mut imports: BTreeMap<(Name, Name), Vec<&Edge>> = BTreeMap::new();
            for edge in self.edges.iter().filter(inside) {
                let pair = (node(&edge.from), node(&edge.to));
                imports.entry(pair).or_default().push(edge);
            }
            imports.retain(|(from, to), _| from != to);
            for names in circles_of(imports.keys()) {
                let within = imports.iter();
                let within = within.filter(|((a, b), _)| names.contains(a) && names.contains(b));
                let imports = within.flat_map(|(_, edges)| edges).copied().collect();
                circles.push(Circle { names, imports });
            }
        }
        circles
    }
}

/// Modules that all import from each other, directly or through others; each with those below it.
pub(super) struct Circle<'a> {
    pub(super) names: BTreeSet<Name>,
    pub(super) imports: Vec<&'a Edge>,
}

/// The sets of nodes that reach each other along `edges`.
fn circles_of<'a>(edges: impl Iterator<Item = &'a (Name, Name)>) -> Vec<BTreeSet<Name>> {
    let mut targets: BTreeMap<&Name, BTreeSet<&Name>> = BTreeMap::new();
    for (from, to) in edges {
        targets.entry(from).or_default().insert(to);
    }
    let reached = |start: &Name| {
        let mut reached: BTreeSet<&Name> = BTreeSet::new();
        let mut open: Vec<&Name> = targets.get(start).into_iter().flatten().copied().collect();
        while let Some(next) = open.pop() {
            if reached.insert(next) {
                open.extend(targets.get(next).into_iter().flatten());
            }
        }
        reached
    };
    let all: BTreeMap<&Name, BTreeSet<&Name>> =
        targets.keys().map(|name| (*name, reached(name))).collect();
    let mut circles: Vec<BTreeSet<Name>> = Vec::new();
    for (name, ahead) in all.iter().filter(|(name, ahead)| ahead.contains(*name)) {
        if circles.iter().any(|circle| circle.contains(*name)) {
            continue;
        }
        let back = |other: &&&Name| all.get(*other).is_some_and(|it| it.contains(name));
        circles.push(
            ahead
                .iter()
                .filter(back)
                .map(|name| (*name).clone())
                .collect(),
        );
    }
    circles
}

/// The parent of a module. That of the root is the root itself.
fn parent(name: &Name) -> Name {
    name[..name.len().saturating_sub(1)].to_vec()
}
