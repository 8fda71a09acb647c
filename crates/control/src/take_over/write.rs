//! Writes a new fleet file.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use holdfast_config::{Invalid, Severity, check_text};
use holdfast_model::Timestamp;

use crate::error::{Context as _, Error, ErrorKind};

const ELSEWHERE: &str = "name another file with --fleet PATH, or print the text with --print";

/// An error where the file exists already.
pub fn check_new(path: &Path) -> Result<(), Error> {
    if path.exists() { Err(exists(path)) } else { Ok(()) }
}

/// Writes the text into a new file, if it is a valid fleet file. A file that exists is never overwritten.
pub fn write_new(path: &Path, text: &str, now: Timestamp) -> Result<(), Error> {
    let name = path.display();
    let checked = check_text(&name.to_string(), text, now);
    if checked.fleet.is_none() {
        let errors = checked.problems.into_iter().filter(|problem| problem.severity == Severity::Error);
        return Err(Invalid(errors.collect()))
            .context("nothing was written: the fleet file would be invalid");
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(|error| {
        if error.kind() == std::io::ErrorKind::AlreadyExists {
            return exists(path);
        }
        Error::new(ErrorKind::Invalid, format!("failed to create {name}: {error}")).help(ELSEWHERE)
    })?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(|error| {
        // Half a fleet file is worse than none; the next attempt tells if it stayed.
        let _ = std::fs::remove_file(path);
        Error::new(ErrorKind::Invalid, format!("failed to write {name}: {error}"))
    })
}

fn exists(path: &Path) -> Error {
    let what = format!("{} exists already, and is not overwritten", path.display());
    Error::new(ErrorKind::Conflict, what).help(ELSEWHERE)
}
