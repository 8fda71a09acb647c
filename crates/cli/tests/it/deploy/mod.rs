//! Holds the files in `deploy/` and the pages for operators against the program: no container engine runs here.

mod compose;
mod image;
mod operations;
mod unit;
mod watching;

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::command::Place;

/// A path in the repository.
fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The words of letters, digits and `_` that start with the prefix.
fn words<'t>(text: &'t str, prefix: &str) -> BTreeSet<&'t str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with(prefix)).collect()
}

/// The rest of every line that starts with the key, without spaces around it.
fn values<'t>(text: &'t str, key: &str) -> Vec<&'t str> {
    text.lines().filter_map(|line| line.trim().strip_prefix(key)).map(str::trim).collect()
}

/// The help for a command line, with the options of all commands. Fails if the program does not know its words or values.
fn help(words: &str) -> String {
    let ended = Place::new().run(&format!("{words} --help"));
    assert_eq!(ended.code, 0, "holdfast {words}: {}", ended.err);
    format!("{}{}", ended.out, Place::new().run("help global").out)
}

/// Fails if the command does not read the variable.
fn assert_reads(words: &str, variable: &str) {
    let help = help(words);
    let reads = help.contains(&format!("[env: {variable}=")) || help.contains(&format!("[env: {variable}]"));
    assert!(reads, "`holdfast {words}` does not read {variable}");
}
