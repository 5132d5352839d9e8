//! Finds in its tokens what a source file declares, imports and mentions. Tests are left out.

use std::iter::Peekable;
use std::slice::Iter;

use anyhow::{Result, anyhow};
use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// The content of a module.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) children: Vec<Child>,
    pub(super) imports: Vec<Import>,
    /// The paths in its code.
    pub(super) mentions: Vec<Mention>,
}

/// `mod name;` or `mod name { … }`.
#[derive(Debug)]
pub(super) struct Child {
    pub(super) name: String,
    /// The path in `#[path = "…"]`.
    pub(super) path: Option<String>,
    /// The content of its braces.
    pub(super) inline: Option<Found>,
}

/// One name of a `use`.
#[derive(Debug)]
pub(super) struct Import {
    pub(super) path: Vec<String>,
    /// Its name in this module; `*` for all names.
    pub(super) name: String,
    pub(super) public: bool,
    pub(super) line: usize,
}

#[derive(Debug)]
pub(super) struct Mention {
    pub(super) path: Vec<String>,
    pub(super) line: usize,
}

/// Reads the text of a source file.
pub(super) fn scan(text: &str) -> Result<Found> {
    let tokens: TokenStream = text
        .parse()
        .map_err(|error| anyhow!("it is no Rust: {error}"))?;
    let mut found = Found::default();
    walk(tokens, &mut found);
    Ok(found)
}

type Tokens<'a> = Peekable<Iter<'a, TokenTree>>;

fn walk(tokens: TokenStream, found: &mut Found) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut tokens = tokens.iter().peekable();
    let mut attributes = Attributes::default();
    let mut public = false;
    // The keyword or mark before a name, if there is one.
    let mut before = String::new();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(mark) if mark.as_char() == '#' => {
                if is_mark(tokens.peek(), '!') {
                    tokens.next();
                }
                if let Some(TokenTree::Group(group)) = tokens.peek() {
                    attributes.read(group.stream());
                    tokens.next();
                }
                if attributes.of_tests {
                    skip_item(&mut tokens);
                    attributes = Attributes::default();
                }
                continue;
            }
            TokenTree::Punct(mark) => {
                let second = mark.as_char() == ':' && before == ":";
                before = if second {
                    "::".to_owned()
                } else {
                    mark.as_char().to_string()
                };
            }
            TokenTree::Literal(_) => before.clear(),
            TokenTree::Group(group) => {
                if before == "pub" && group.delimiter() == Delimiter::Parenthesis {
                    // After `pub(in …)` the item is still public.
                    continue;
                }
                walk(group.stream(), found);
                before.clear();
            }
            TokenTree::Ident(name) => {
                let name = name.to_string();
                match name.as_str() {
                    "pub" => public = true,
                    "mod" => {
                        child(&mut tokens, attributes.path.take(), found);
                    }
                    "use" if !is_mark(tokens.peek(), '<') => {
                        let mut path = Vec::new();
                        tree(&mut tokens, &mut path, public, found);
                    }
                    _ if [".", "::", "'", "fn"].contains(&before.as_str()) => {}
                    _ => mention(name.clone(), token, &mut tokens, found),
                }
                before = name;
            }
        }
        if before != "pub" {
            public = false;
        }
        attributes = Attributes::default();
    }
}

/// What is read from attributes.
#[derive(Default)]
struct Attributes {
    /// Whether the item exists only in tests.
    of_tests: bool,
    path: Option<String>,
}

impl Attributes {
    fn read(&mut self, attribute: TokenStream) {
        let tokens: Vec<TokenTree> = attribute.into_iter().collect();
        match tokens.as_slice() {
            [TokenTree::Ident(name), TokenTree::Group(condition)] if name == "cfg" => {
                self.of_tests |= needs_test(condition.stream());
            }
            [TokenTree::Ident(name), _, TokenTree::Literal(path)] if name == "path" => {
                self.path = Some(path.to_string().trim_matches('"').to_owned());
            }
            _ => {}
        }
    }
}

/// Whether a condition is `test`, or includes it.
fn needs_test(condition: TokenStream) -> bool {
    let tokens: Vec<TokenTree> = condition.into_iter().collect();
    match tokens.as_slice() {
        [TokenTree::Ident(name), TokenTree::Group(group)] if name == "all" => group
            .stream()
            .into_iter()
            .any(|token| matches!(token, TokenTree::Ident(name) if name == "test")),
        [TokenTree::Ident(name)] => name == "test",
        _ => false,
    }
}

/// Leaves out the item after an attribute.
fn skip_item(tokens: &mut Tokens<'_>) {
    // These items do not end with their braces.
    let mut to_semicolon = false;
    for token in tokens.by_ref() {
        match token {
            TokenTree::Ident(name) if name == "use" || name == "const" || name == "static" => {
                to_semicolon = true;
            }
            TokenTree::Ident(name) if name == "fn" => to_semicolon = false,
            TokenTree::Punct(mark) if mark.as_char() == ';' => return,
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace && !to_semicolon => {
                return;
            }
            _ => {}
        }
    }
}

fn child(tokens: &mut Tokens<'_>, path: Option<String>, found: &mut Found) {
    let Some(TokenTree::Ident(name)) = tokens.next() else {
        return;
    };
    let inline = match tokens.next() {
        Some(TokenTree::Group(group)) => {
            let mut inner = Found::default();
            walk(group.stream(), &mut inner);
            Some(inner)
        }
        _ => None,
    };
    found.children.push(Child {
        name: name.to_string(),
        path,
        inline,
    });
}

/// A tree of imports below `path`, up to its end.
fn tree(tokens: &mut Tokens<'_>, path: &mut Vec<String>, public: bool, found: &mut Found) {
    let depth = path.len();
    let mut line = 0;
    let mut alias = None;
    let mut whole = true;
    let end = |path: &mut Vec<String>, line, alias: Option<String>, found: &mut Found| {
        if path.len() > depth {
            let mut path = path.clone();
            let mut name = path.last().cloned().unwrap_or_default();
            if name == "self" && path.len() > 1 {
                path.pop();
                name = path.last().cloned().unwrap_or_default();
            }
            found.imports.push(Import {
                name: alias.unwrap_or(name),
                path,
                public,
                line,
            });
        }
    };
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(name) if name == "as" => {
                alias = tokens.next().map(ToString::to_string);
            }
            TokenTree::Ident(name) => {
                line = name.span().start().line;
                path.push(name.to_string());
            }
            TokenTree::Group(group) => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                let mut inner = inner.iter().peekable();
                while inner.peek().is_some() {
                    tree(&mut inner, &mut path.clone(), public, found);
                }
                whole = false;
            }
            TokenTree::Punct(mark) => match mark.as_char() {
                '*' => {
                    line = mark.span().start().line;
                    path.push("*".to_owned());
                }
                ',' | ';' => break,
                _ => {}
            },
            TokenTree::Literal(_) => {}
        }
    }
    if whole {
        end(path, line, alias, found);
    }
    path.truncate(depth);
}

/// A path that begins with `name`. A single word in lower case counts as a variable, unless it is called.
fn mention(name: String, token: &TokenTree, tokens: &mut Tokens<'_>, found: &mut Found) {
    let line = token.span().start().line;
    let mut path = vec![name];
    loop {
        let mut ahead = tokens.clone();
        let separated = matches!(ahead.next(), Some(TokenTree::Punct(mark))
            if mark.as_char() == ':' && mark.spacing() == Spacing::Joint)
            && is_mark(ahead.next().as_ref(), ':');
        let Some(TokenTree::Ident(next)) = ahead.next().filter(|_| separated) else {
            break;
        };
        path.push(next.to_string());
        *tokens = ahead;
    }
    let called = matches!(tokens.peek(), Some(TokenTree::Group(group))
        if group.delimiter() == Delimiter::Parenthesis);
    let upper = path[0].starts_with(|letter: char| letter.is_ascii_uppercase());
    if path.len() > 1 || called || upper {
        found.mentions.push(Mention { path, line });
    }
}

fn is_mark(token: Option<&&TokenTree>, mark: char) -> bool {
    matches!(token, Some(TokenTree::Punct(found)) if found.as_char() == mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn imports(text: &str) -> Vec<String> {
        let found = scan(text).unwrap();
        let shown = |import: &Import| {
            let public = if import.public { "pub " } else { "" };
            format!("{public}{} as {}", import.path.join("::"), import.name)
        };
        found.imports.iter().map(shown).collect()
    }

    #[test]
    fn every_name_of_a_use_is_found() {
        let text =
            "pub(crate) use crate::a::{self, b::C, d::{E as F, g}}; use super::*; pub use h::I;";
        let expected = [
            "pub crate::a as a",
            "pub crate::a::b::C as C",
            "pub crate::a::d::E as F",
            "pub crate::a::d::g as g",
            "super::* as *",
            "pub h::I as I",
        ];
        assert_eq!(imports(text), expected);
    }

    #[test]
    fn tests_texts_and_comments_are_left_out() {
        let text = r#"
            //! [crate::not::Here]
            #[cfg(test)]
            use crate::not::{Here, There};
            #[cfg(all(test, unix))]
            mod tests { use crate::not::Here; }
            #[cfg(test)]
            #[path = "far.rs"]
            mod far;
            #[cfg(not(test))]
            use crate::seen::A;
            fn f() -> impl Iterator + use<> { println!("crate::not::Here {}", crate::seen::B) }
        "#;
        assert_eq!(imports(text), ["crate::seen::A as A"]);
        let found = scan(text).unwrap();
        assert!(found.children.is_empty());
        let paths = found.mentions.iter().map(|it| it.path.join("::"));
        assert!(
            paths
                .filter(|path| path.contains("crate"))
                .eq(["crate::seen::B"])
        );
        assert_eq!(found.mentions.last().unwrap().line, 12);
    }
}
