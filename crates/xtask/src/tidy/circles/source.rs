//! The modules, imports and paths that one file names, without its tests.

use crate::tidy::code::{self, is_name};

/// What a file names.
#[derive(Debug, Default, PartialEq)]
pub struct Source {
    /// Modules declared in files of their own.
    pub modules: Vec<String>,
    pub imports: Vec<Import>,
    /// Paths in the code, as written.
    pub paths: Vec<Vec<String>>,
}

/// One name of a `use`.
#[derive(Debug, PartialEq)]
pub struct Import {
    /// The name in this file; `*` for a glob.
    pub name: String,
    pub path: Vec<String>,
    pub is_public: bool,
}

/// Words before a name that is defined there, or belongs to the value before it.
const NOT_BEFORE_A_PATH: [&str; 9] = [".", "::", "fn", "struct", "enum", "trait", "type", "const", "static"];

impl Source {
    pub fn parse(text: &str) -> Self {
        let code = code::only(text);
        let tokens = without_tests(&tokens(&code));
        let mut source = Self::default();
        let mut at = 0;
        while at < tokens.len() {
            let before = if at > 0 { tokens[at - 1] } else { "" };
            match tokens[at..] {
                ["mod", name, ";", ..] => {
                    source.modules.push(name.to_owned());
                    at += 3;
                }
                ["use", ..] => {
                    at += 1;
                    let is_public = before == "pub" || before == ")";
                    import(&tokens, &mut at, &[], is_public, &mut source.imports);
                }
                [name, ..] if is_word(name) && !NOT_BEFORE_A_PATH.contains(&before) => {
                    source.paths.push(path(&tokens, &mut at));
                }
                _ => at += 1,
            }
        }
        source
    }
}

/// Reads one tree of a `use` and adds the names in it.
fn import(tokens: &[&str], at: &mut usize, prefix: &[String], is_public: bool, imports: &mut Vec<Import>) {
    let mut whole = prefix.to_vec();
    whole.extend(path(tokens, at));
    match tokens[*at..] {
        ["{", ..] => {
            *at += 1;
            while let Some(token) = tokens.get(*at) {
                match *token {
                    "}" => break,
                    "," => *at += 1,
                    _ => import(tokens, at, &whole, is_public, imports),
                }
            }
            *at += 1;
        }
        ["*", ..] => {
            *at += 1;
            imports.push(Import { name: "*".to_owned(), path: whole, is_public });
        }
        ["as", name, ..] => {
            *at += 2;
            imports.push(Import { name: name.to_owned(), path: whole, is_public });
        }
        _ => {
            // `a::{self, B}` names `a`.
            whole.pop_if(|last| last == "self" && !prefix.is_empty());
            let name = whole.last().cloned().unwrap_or_default();
            imports.push(Import { name, path: whole, is_public });
        }
    }
}

/// Reads words joined by `::`, and moves at least one token on.
fn path(tokens: &[&str], at: &mut usize) -> Vec<String> {
    let mut words = Vec::new();
    loop {
        match tokens[*at..] {
            ["::", ..] => *at += 1,
            [word, ..] if is_word(word) && (words.is_empty() || tokens[*at - 1] == "::") => {
                words.push(word.to_owned());
                *at += 1;
            }
            _ => break,
        }
    }
    words
}

fn is_word(token: &str) -> bool {
    token.starts_with(is_name)
}

/// Words, `::`, and all other characters one by one. Expects code without comments and literals.
fn tokens(code: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match rest.find(|character| !is_name(character)) {
            Some(0) if rest.starts_with("::") => 2,
            Some(0) => first.len_utf8(),
            Some(length) => length,
            None => rest.len(),
        };
        tokens.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    tokens
}

/// Leaves out every item behind `#[cfg(test)]`, up to its `;` or its closing brace.
fn without_tests<'a>(tokens: &[&'a str]) -> Vec<&'a str> {
    const MARK: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if !tokens[at..].starts_with(&MARK) {
            kept.push(tokens[at]);
            at += 1;
            continue;
        }
        at += MARK.len();
        let mut depth = 0_usize;
        while at < tokens.len() {
            match tokens[at] {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth = depth.saturating_sub(1),
                _ => {}
            }
            at += 1;
            if depth == 0 && matches!(tokens[at - 1], ";" | "}") {
                break;
            }
        }
    }
    kept
}
