//! The log of a failed backup: which reason it names, and how it is shortened. Pure.
//!
//! Sources: the table of errors in MicrosoftDocs/azure-docs, `articles/app-service/manage-backup.md`; storage's status in
//! parentheses (hashicorp/terraform-provider-azurerm #16295, Azure/azure-cli #15240); the messages of SQL Server, MySQL,
//! PostgreSQL and Blob Storage that Azure passes on.

use std::ops::Range;

/// The most characters of a log that are kept.
const CHARS_MAX: usize = 4_000;

/// The characters kept around the reason, where it is in the part that is left out.
const AROUND: usize = 200;

const LOGIN: &str = "correct the user and the password in the database's connection string";
const ADMIN: &str = "name a user who may administer the database in its connection string";
const SERVER: &str = "correct the server in the database's connection string, and let the app's outbound addresses through \
     the server's firewall";
const DATABASE: &str = "correct the database's name in its connection string";
const TLS: &str = "Azure cannot back up MySQL and PostgreSQL over TLS: take the database out of the fleet file and use its \
     own backups";
const EXPORT: &str =
    "Azure cannot export the database: take it out of the fleet file and use its own backups";
const CONNECTION: &str = "correct the database's connection string";

/// What a database's message in a log calls for. The first entry that a log contains decides. All in lower case.
const DATABASE_REASONS: [(&str, &str); 27] = [
    ("ssl connection is required", TLS),
    ("ssl/tls required", TLS),
    ("require_secure_transport", TLS),
    ("is not able to access the database", ADMIN),
    ("create database copy of", ADMIN),
    ("could not create database copy", ADMIN),
    ("create database permission denied", ADMIN),
    ("unknown database", DATABASE),
    ("login failed for user", LOGIN),
    ("access denied for user", LOGIN),
    ("password authentication failed", LOGIN),
    ("is not allowed to access the server", SERVER),
    ("no pg_hba.conf entry", SERVER),
    ("is not allowed to connect to this mysql server", SERVER),
    ("a network-related or instance-specific error", SERVER),
    ("could not open a connection to sql server", SERVER),
    ("unable to connect to any of the specified mysql hosts", SERVER),
    ("can't connect to mysql server", SERVER),
    ("could not connect to server", SERVER),
    ("cannot open server", CONNECTION),
    ("cannot open database", CONNECTION),
    ("the login failed", LOGIN),
    ("unsupported elements were found in the schema", EXPORT),
    ("format of the initialization string", CONNECTION),
    ("keyword not supported", CONNECTION),
    ("error occurred while connecting to the database", CONNECTION),
    ("authentication to host", LOGIN),
];

/// Azure's size limits.
const SIZE_REASONS: [&str; 3] = ["gb limit for backups", "mb limit for backups", "database size exceeds"];

/// Storage failed by itself: another SAS does not help.
const STORAGE_DOWN: &str = "storage access failed. the remote server returned an error: (5";

/// Storage refused what it was given: another SAS may help.
const STORAGE_REASONS: [&str; 19] = [
    "storage access failed",
    "cannotresolvestorageaccount",
    "missing mandatory parameters for valid shared access signature",
    "the remote server returned an error: (400)",
    "the remote server returned an error: (401)",
    "the remote server returned an error: (403)",
    "the remote server returned an error: (404)",
    "the remote server returned an error: (409)",
    "the remote server returned an error: (412)",
    "the remote name could not be resolved",
    "server failed to authenticate the request",
    "this request is not authorized to perform this operation",
    "the specified container does not exist",
    "the specified container is being deleted",
    "the specified account is disabled",
    "key based authentication is not permitted",
    "public access is not permitted on this storage account",
    "there is currently a lease on the",
    "signature not valid in the specified time frame",
];

/// The kind of reason that a log names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogReason {
    /// Storage refused the SAS, the container or the account.
    Storage,
    /// A database refused the connection or the export.
    Database,
    /// The app or a database is too large.
    Size,
    /// None that is known.
    Unknown,
}

/// A reason that a log names: what it means, and where it is.
struct Reason {
    kind: LogReason,
    cure: Option<&'static str>,
    place: Range<usize>,
}

/// Finds the reason in a failed backup's log, which must be whole or come from [`shorten_log`].
///
/// A size limit comes first, because neither another SAS nor another connection string helps. A database comes before
/// storage, because a new SAS alone would repeat its refusal.
pub fn classify_log(log: &str) -> LogReason {
    reason(log).map_or(LogReason::Unknown, |reason| reason.kind)
}

/// What to do about the reason in a failed backup's log, where Holdfast cannot help by itself.
pub fn cure_in_log(log: &str) -> Option<&'static str> {
    reason(log)?.cure
}

/// Shortens a log to 4,000 characters, not counting the note in place of what is left out.
///
/// Both ends and the reason stay, so that [`classify_log`] answers the same as for the whole log.
pub fn shorten_log(log: &str) -> String {
    let chars = log.chars().count();
    if chars <= CHARS_MAX {
        return log.to_owned();
    }
    let half = CHARS_MAX / 2;
    let head = byte_at(log, half);
    let tail = byte_at(log, chars - half);
    let named = reason(log).map(|reason| reason.place).filter(|place| place.end > head && place.start < tail);
    let quoted = named.map(|place| {
        let (from, to) = (back(log, place.start, AROUND), forth(log, place.end, AROUND));
        format!(", among them: {}", &log[from..to])
    });
    let note = format!("\n[{} characters left out{}]\n", chars - CHARS_MAX, quoted.unwrap_or_default());
    [&log[..head], &note, &log[tail..]].concat()
}

fn reason(log: &str) -> Option<Reason> {
    // ASCII alone, so that places in the copy are places in the log.
    let lower = log.to_ascii_lowercase();
    let find = |phrase: &str| lower.find(phrase).map(|at| at..at + phrase.len());
    let first = |phrases: &[&str], kind| {
        let place = phrases.iter().find_map(|phrase| find(phrase))?;
        Some(Reason { kind, cure: None, place })
    };
    let of_database = || {
        let found = |(phrase, cure): &(&str, &'static str)| Some((find(phrase)?, *cure));
        let (place, cure) = DATABASE_REASONS.iter().find_map(found)?;
        Some(Reason { kind: LogReason::Database, cure: Some(cure), place })
    };
    first(&SIZE_REASONS, LogReason::Size)
        .or_else(of_database)
        .or_else(|| first(&[STORAGE_DOWN], LogReason::Unknown))
        .or_else(|| first(&STORAGE_REASONS, LogReason::Storage))
}

/// The place of the character with this number.
fn byte_at(text: &str, number: usize) -> usize {
    text.char_indices().nth(number).map_or(text.len(), |(at, _)| at)
}

fn back(text: &str, from: usize, chars: usize) -> usize {
    text[..from].char_indices().rev().take(chars).last().map_or(from, |(at, _)| at)
}

fn forth(text: &str, from: usize, chars: usize) -> usize {
    text[from..].char_indices().nth(chars).map_or(text.len(), |(at, _)| from + at)
}

#[cfg(test)]
mod tests;
