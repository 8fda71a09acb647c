//! The section `[audit]`: signed checkpoints of the audit, and where they are written.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use holdfast_model::StorageName;
use holdfast_storage::SecretRef;

use crate::diagnostics::{Diagnostics, Located};
use crate::nearest::did_you_mean;
use crate::section::Section;
use crate::storage::Storages;

/// Default interval between two checkpoints.
const EVERY: Duration = Duration::from_hours(1);

/// Shortest interval between two checkpoints.
const EVERY_MIN: Duration = Duration::from_secs(1);

/// The name in checkpoints of a fleet without one.
const NAME: &str = "holdfast";

/// The key of the reference to the signing key, by which its location is known.
pub const KEY: &str = "audit.checkpoint.key";

/// Signed checkpoints of the audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoints {
    /// The interval between two checkpoints.
    pub every: Duration,
    /// Where each is written.
    pub to: Vec<CheckpointDestination>,
    /// The Ed25519 key that signs them.
    pub key: SecretRef,
    /// The name of the fleet in them.
    pub name: String,
}

/// A place that checkpoints are written to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum CheckpointDestination {
    /// The standard output of the process.
    Stdout,
    /// A file that is appended to.
    File(PathBuf),
    /// The container of a storage: a blob for each checkpoint.
    Storage(StorageName),
}

impl CheckpointDestination {
    /// The storage, where it is one.
    pub fn storage(&self) -> Option<&StorageName> {
        if let Self::Storage(name) = self { Some(name) } else { None }
    }
}

impl fmt::Display for CheckpointDestination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdout => f.write_str("stdout"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Storage(name) => write!(f, "storage:{name}"),
        }
    }
}

/// A text that is no destination of checkpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected `storage:NAME` for a section [storage.NAME], `file:PATH` or `stdout`")]
pub struct InvalidDestination;

impl FromStr for CheckpointDestination {
    type Err = InvalidDestination;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            None if text == "stdout" => Ok(Self::Stdout),
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(PathBuf::from(path))),
            Some(("storage", name)) if !name.is_empty() => Ok(Self::Storage(StorageName::new(name))),
            _ => Err(InvalidDestination),
        }
    }
}

/// Whether a text can be a fleet's name in checkpoints. It also begins the names of blobs.
fn is_name(text: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (1..=64).contains(&text.len()) && text.chars().all(is_allowed) && !text.starts_with('.')
}

/// Reads the section `[audit]`.
pub fn checkpoints(
    diagnostics: &mut Diagnostics<'_>,
    file: &mut Section<'_>,
    storages: &Storages,
) -> Option<Checkpoints> {
    let mut audit = file.section(diagnostics, "audit", "a table with `checkpoint`")?;
    let expected = "a table such as { every = \"1h\", to = [\"storage:audit\"], key = \"file:PATH\" }";
    let table = audit.section(diagnostics, "checkpoint", expected);
    audit.finish(diagnostics);
    let mut table = table?;
    let every = table.duration(diagnostics, "every", EVERY_MIN).map_or(EVERY, |found| found.value);
    let to = destinations(diagnostics, &mut table, storages);
    let key = table.secret(diagnostics, "key");
    let name = name(diagnostics, &mut table);
    table.finish(diagnostics);
    Some(Checkpoints { every, to: to?, key: key?, name })
}

fn name(diagnostics: &mut Diagnostics<'_>, table: &mut Section<'_>) -> String {
    let expected = "1 to 64 letters, digits, `-`, `_` and `.`, such as \"contoso-production\"";
    let Some(Located { value, place }) = table.text(diagnostics, "name", expected) else {
        return NAME.to_owned();
    };
    if !is_name(value) {
        diagnostics.error(&place, format_args!("`{}`: expected {expected}, found \"{value}\"", place.key));
    }
    value.to_owned()
}

fn destinations(
    diagnostics: &mut Diagnostics<'_>,
    table: &mut Section<'_>,
    storages: &Storages,
) -> Option<Vec<CheckpointDestination>> {
    let expected =
        "a list such as [\"storage:audit\", \"file:/var/log/holdfast/checkpoints.jsonl\", \"stdout\"]";
    if !table.require(diagnostics, "to", expected) {
        return None;
    }
    let mut found = BTreeSet::new();
    let texts = table.texts(diagnostics, "to", expected);
    for Located { value, place } in &texts {
        let mut wrong = |what: String| diagnostics.error(place, format_args!("`{}`: {what}", place.key));
        match value.parse() {
            Err(error) => wrong(format!("{error}, found \"{value}\"")),
            Ok(CheckpointDestination::Storage(name)) if !storages.contains_key(&name) => {
                let near = did_you_mean(name.as_str(), storages.keys().map(StorageName::as_str));
                wrong(format!("there is no section [storage.{name}]{near}"));
            }
            Ok(destination) if found.contains(&destination) => {
                wrong(format!("\"{value}\" is there twice"));
            }
            Ok(destination) => {
                found.insert(destination);
            }
        }
    }
    if texts.is_empty() {
        let place = table.place.clone();
        diagnostics.error(&place, format_args!("`{}.to`: expected {expected}, found none", place.key));
    }
    Some(found.into_iter().collect())
}
