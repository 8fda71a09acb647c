//! Several files that make one fleet: those that the fleet file includes, or those of a folder.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use toml::de::{DeTable, DeValue};

use crate::diagnostics::Diagnostics;
use crate::parts;
use crate::section::Section;
use crate::source::{LENGTH_MAX_BYTES, Source, Unreadable};
use crate::wrong_kind::wrong_kind;

/// The most files of a fleet.
const FILES_MAX: usize = 1_000;

const KEY: &str = "include";

const HELP: &str = "patterns are paths below the folder of the fleet file, such as `apps/*.toml`";

/// Reads a fleet file with those that it includes, or a folder, as one text.
pub fn read(path: &Path) -> Result<Source, Unreadable> {
    let (root, patterns) = root(path)?;
    let folder = folder_of(path);
    let mut whole = root;
    let (mut seen, mut lists) = (BTreeSet::new(), lists_of(&whole.text));
    for pattern in &patterns {
        for name in names(&folder, pattern, &whole.name)? {
            if !seen.insert(name.clone()) {
                continue;
            }
            let part = part(&folder, &name, &mut lists)?;
            parts::push(&mut whole.text, &name, &part);
            let too_large = whole.text.len() as u64 > LENGTH_MAX_BYTES || seen.len() > FILES_MAX;
            if too_large {
                let limit = format!(
                    "is larger than {} MiB or {FILES_MAX} files with those that it includes",
                    LENGTH_MAX_BYTES >> 20
                );
                return Err(failed(
                    &whole.name,
                    &limit,
                    "large fleets are found with [[discover]] and not listed",
                ));
            }
        }
    }
    Ok(whole)
}

/// The files of the fleet: the fleet file, if it is no folder, and those that it includes.
pub fn files(path: &Path) -> Result<Vec<PathBuf>, Unreadable> {
    let (root, patterns) = root(path)?;
    let folder = folder_of(path);
    let mut found = if path.is_dir() { Vec::new() } else { vec![path.to_owned()] };
    for pattern in &patterns {
        let names = names(&folder, pattern, &root.name)?.into_iter().map(|name| folder.join(name));
        found.extend(names.filter(|file| !found.contains(file)).collect::<Vec<_>>());
    }
    Ok(found)
}

/// What changes when a file of the fleet changes, comes or goes: its files, and the folders of its patterns.
pub fn looked_at(path: &Path) -> Vec<PathBuf> {
    let folder = folder_of(path);
    let patterns = root(path).map(|(_, patterns)| patterns).unwrap_or_default();
    let mut found = vec![path.to_owned()];
    for pattern in &patterns {
        found.push(folder.join(pattern).parent().unwrap_or(&folder).to_owned());
        found.extend(names(&folder, pattern, "").unwrap_or_default().iter().map(|name| folder.join(name)));
    }
    found
}

/// Checks the key `include`, which [`read`] has followed where there are files.
pub fn check(diagnostics: &mut Diagnostics<'_>, file: &mut Section<'_>) {
    let Some((place, value)) = file.value(KEY) else { return };
    if patterns_of(value).is_none() {
        wrong_kind(diagnostics, &place, "patterns of files, such as [\"apps/*.toml\"]", value);
    } else if !diagnostics.is_whole() {
        let help = "send the whole fleet with `holdfast apply --file`, which reads them";
        diagnostics.error_with_help(&place, "the included files are no part of this text", help);
    }
}

/// The text that the fleet begins with, and the patterns of the files that follow.
fn root(path: &Path) -> Result<(Source, Vec<String>), Unreadable> {
    if path.is_dir() {
        let name = path.join("*.toml").display().to_string();
        return Ok((Source { name, text: "# The files of a folder.\n".into() }, vec!["*.toml".into()]));
    }
    let root = Source::read(path)?;
    // A text from a revision has its files already.
    if parts::is_whole(&root.text) {
        return Ok((root, Vec::new()));
    }
    let (table, _) = DeTable::parse_recoverable(&root.text);
    let patterns =
        table.get_ref().get(KEY).and_then(|value| patterns_of(value.get_ref())).unwrap_or_default();
    Ok((root, patterns))
}

fn folder_of(path: &Path) -> PathBuf {
    let folder = if path.is_dir() { Some(path) } else { path.parent() };
    folder.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}

fn patterns_of(value: &DeValue<'_>) -> Option<Vec<String>> {
    let patterns = value.as_array()?.iter().map(|item| item.get_ref().as_str().map(str::to_owned));
    patterns.collect::<Option<Vec<_>>>().filter(|patterns| !patterns.is_empty())
}

/// The names of the files that match, sorted, as paths from the folder.
fn names(folder: &Path, pattern: &str, root: &str) -> Result<Vec<String>, Unreadable> {
    let refused = |why: &str| failed(root, &format!("includes `{}`, {why}", pattern.escape_debug()), HELP);
    let path = Path::new(pattern);
    let is_below = path.components().all(|part| matches!(part, Component::Normal(_)));
    let (parent, last) = pattern.rsplit_once('/').unwrap_or(("", pattern));
    if !is_below || last.is_empty() {
        return Err(refused("which is no path below its folder"));
    }
    if parent.contains('*') {
        return Err(refused("which has a `*` in the name of a folder"));
    }
    let listed = fs::read_dir(folder.join(parent))
        .map_err(|error| refused(&format!("but the folder cannot be read: {error}")))?;
    let mut names: Vec<String> = listed
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| matches(last, name) && !name.contains(char::is_control))
        .filter(|name| last == name || !folder.join(parent).join(name).is_dir())
        .map(|name| if parent.is_empty() { name } else { format!("{parent}/{name}") })
        .collect();
    names.sort();
    if names.is_empty() {
        return Err(refused("which no file matches"));
    }
    Ok(names)
}

/// The text of an included file, which holds whole sections.
fn part(folder: &Path, name: &str, lists: &mut BTreeSet<String>) -> Result<String, Unreadable> {
    let path = folder.join(name);
    let target = |path: &Path| fs::canonicalize(path).ok();
    let leaves = target(&path).zip(target(folder)).is_some_and(|(to, folder)| !to.starts_with(folder));
    if leaves {
        return Err(failed(&path.display().to_string(), "is a link that leaves the folder", HELP));
    }
    let Source { name, text } = Source::read(&path)?;
    let mut lines =
        text.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with('#'));
    if lines.next().is_some_and(|first| !first.starts_with('[')) {
        let help = "move the keys before its first section, such as `include`, to the fleet file itself";
        return Err(failed(&name, "is included and does not begin with a section, such as [[app]]", help));
    }
    if parts::is_whole(&text) {
        return Err(failed(
            &name,
            "is included and has included files itself",
            "include those files one by one",
        ));
    }
    let (table, _) = DeTable::parse_recoverable(&text);
    let tables = table.get_ref().iter().filter(|(_, value)| value.get_ref().is_table());
    // TOML would take such a section for a part of the last entry of the file before.
    if let Some(key) = tables.map(|(key, _)| key.get_ref()).find(|key| lists.contains(key.as_ref())) {
        let what = format!("has a section of `{key}` before its first [[{key}]]");
        return Err(failed(&name, &what, "move the section to the file with its entry"));
    }
    lists.extend(lists_of(&text));
    Ok(text)
}

/// The keys of a text that are lists of sections, such as `app`.
fn lists_of(text: &str) -> BTreeSet<String> {
    let (table, _) = DeTable::parse_recoverable(text);
    let lists = table.get_ref().iter().filter(|(_, value)| value.get_ref().is_array());
    lists.map(|(key, _)| key.get_ref().to_string()).collect()
}

/// Whether a name matches a pattern, in which `*` stands for any text; a name with a dot at its start matches only itself.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut left) = name.strip_prefix(start).filter(|_| !name.starts_with('.')) else { return false };
    let mut pieces: Vec<&str> = rest.split('*').collect();
    let end = pieces.pop().unwrap_or_default();
    for piece in pieces {
        let Some((_, after)) = left.split_once(piece) else { return false };
        left = after;
    }
    left.ends_with(end)
}

fn failed(name: &str, what: &str, help: &'static str) -> Unreadable {
    Unreadable { what: format!("the fleet file {name} {what}"), help }
}

#[cfg(test)]
mod tests;
