//! Formats the files of a fleet, each in one step, so that a crash leaves the old or the new one.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use toml::de::DeTable;

use crate::diagnostics::Diagnostics;
use crate::fleet_file::Invalid;
use crate::format::format;
use crate::source::{Source, Unreadable, ValueSpans};
use crate::{include, parts};

/// A fleet that cannot be formatted.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// A file cannot be read or written.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// A file is no TOML.
    #[error(transparent)]
    Invalid(#[from] Invalid),
}

/// A file of a fleet, and its text as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Formatted {
    /// The file.
    pub path: PathBuf,
    /// The formatted text; `None` where the file has it already.
    pub text: Option<String>,
}

/// Formats the text of each file of a fleet: the fleet file, and those that it includes. Writes nothing.
pub fn formatted(path: &Path) -> Result<Vec<Formatted>, FormatError> {
    include::files(path)?.into_iter().map(one).collect()
}

fn one(path: PathBuf) -> Result<Formatted, FormatError> {
    let source = Source::read(&path)?;
    let (_, syntax) = DeTable::parse_recoverable(&source.text);
    if !syntax.is_empty() {
        return Err(Invalid(Diagnostics::new(&source, ValueSpans::default(), &syntax).finish()).into());
    }
    let text = format(&source.text);
    let is_same = text.parse::<toml::Table>().ok() == source.text.parse::<toml::Table>().ok()
        && parts::is_whole(&text) == parts::is_whole(&source.text);
    if !is_same {
        let what = format!("the fleet file {} would not mean the same", source.name);
        return Err(Unreadable {
            what,
            help: "it is left as it is; please report this file without its secrets",
        }
        .into());
    }
    let is_current = fs::read(&path).is_ok_and(|found| found == text.as_bytes());
    Ok(Formatted { path, text: (!is_current).then_some(text) })
}

impl Formatted {
    /// Replaces the file, with its permissions. Does nothing where the text is there already.
    pub fn write(&self) -> Result<(), Unreadable> {
        let Some(text) = &self.text else { return Ok(()) };
        replace(&self.path, text).map_err(|error| Unreadable {
            what: format!("the fleet file {} cannot be written: {error}", self.path.display()),
            help: "check the permissions of its folder",
        })
    }
}

/// Writes beside the file that a link leads to, and renames.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let path = fs::canonicalize(path)?;
    let new = path.with_extension(format!("{}.new", std::process::id()));
    let written = || -> io::Result<()> {
        let mut file = File::create_new(&new)?;
        let facts = fs::metadata(&path)?;
        file.set_permissions(facts.permissions())?;
        #[cfg(unix)]
        keep_owner(&file, &facts)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, &path)
    };
    written().inspect_err(|_| drop(fs::remove_file(&new)))
}

/// Gives the new file to the owner of the old one, so that who reads it still may.
#[cfg(unix)]
fn keep_owner(file: &File, old: &fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};
    let new = file.metadata()?;
    if (new.uid(), new.gid()) == (old.uid(), old.gid()) {
        return Ok(());
    }
    fchown(file, Some(old.uid()), Some(old.gid()))
}
