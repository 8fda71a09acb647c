//! Checks the store and the broker.

use std::path::Path;

use holdfast_store::{Error, Safeguard, UnreadableRow};

use super::finding::Finding;
use crate::counted;
use crate::egress::Destination;

/// The finding about the store `name`, from the attempt to open it.
///
/// `failure` is why it could not be opened, and the text of that. `file` is the store's file, also where a database is
/// used.
pub fn store(name: &str, file: &Path, failure: Option<(Option<&Error>, String)>) -> Finding {
    match failure {
        None => Finding::ok("store", name, "opens, with this program's schema"),
        Some((error, text)) => Finding::fail("store", name, text, store_cure(error, file)),
    }
}

/// The finding about the store's rows, from the attempt to read them all; `None` where that took too long.
pub fn rows(name: &str, rows: Option<Result<Vec<UnreadableRow>, Error>>) -> Finding {
    match rows {
        None => Finding::warn("rows", name, "were not all read in time", "run `holdfast store check`"),
        Some(Err(error)) => Finding::fail("rows", name, chain(&error), store_cure(None, Path::new(""))),
        Some(Ok(rows)) if rows.is_empty() => Finding::ok("rows", name, "can all be read"),
        Some(Ok(rows)) => {
            let (count, first) = (counted(rows.len(), "row"), &rows[0]);
            Finding::fail(
                "rows",
                name,
                format!("{count} cannot be read and are left out everywhere; the first: {first}"),
                "`holdfast store check` lists them, and `holdfast store remove` removes one",
            )
        }
    }
}

/// The findings about what protects the store from other users of its server.
pub fn safeguards(name: &str, safeguards: Result<Vec<Safeguard>, Error>) -> Vec<Finding> {
    let finding = |safeguard: Safeguard| {
        let Safeguard { name: of, says, cure, is_serious } = safeguard;
        let (about, says) = (name.to_owned(), format!("{of}: {says}"));
        match (cure, is_serious) {
            (None, _) => Finding::ok("database", about, says),
            (Some(cure), true) => Finding::fail("database", about, says, cure),
            (Some(cure), false) => Finding::warn("database", about, says, cure),
        }
    };
    match safeguards {
        Ok(found) => found.into_iter().map(finding).collect(),
        Err(error) => vec![Finding::fail("database", name, chain(&error), store_cure(None, Path::new("")))],
    }
}

fn chain(error: &Error) -> String {
    let source = std::error::Error::source(error).map(|source| format!(": {source}")).unwrap_or_default();
    format!("{error}{source}")
}

/// The finding about the broker, from the attempt to connect to it.
pub fn broker(failure: Option<String>) -> Finding {
    match failure {
        None => Finding::ok("broker", "RabbitMQ", "accepts connections"),
        Some(text) => Finding::fail("broker", "RabbitMQ", text, "check --amqp-url and the broker"),
    }
}

/// The finding about the login to the database or the broker.
pub fn login(server: &Destination) -> Finding {
    let Destination { host, port, purpose, receives, .. } = server;
    Finding::ok("login", purpose.as_str(), format!("{host}:{port} receives {receives}"))
}

/// A store that exists and cannot be read may be the only record of the backups: the advice never replaces it.
fn store_cure(error: Option<&Error>, file: &Path) -> &'static str {
    match error {
        Some(Error::OlderSchema { .. }) => "`holdfast migrate` brings it up to date",
        Some(Error::NewerSchema { .. }) => "use that version of holdfast, or a newer one",
        Some(Error::Open { .. }) if !file.exists() => {
            "`holdfast migrate` creates one; --store or --database-url names another"
        }
        _ => "keep what is there, and restore the store from a copy: see docs/operations.md",
    }
}
