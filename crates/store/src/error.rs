//! What can go wrong with a store, each named for the operation, with the way out in words.

use std::path::PathBuf;

/// A store could not do what it was asked. The transaction was rolled back: nothing is half-written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file or server could not be opened.
    #[error("failed to open the store {place}: {why}")]
    Open {
        /// The file, or the server without its password.
        place: String,
        /// What is wrong and what to do about it.
        why: String,
        /// The driver's words.
        #[source]
        source: Option<sqlx::Error>,
    },
    /// Another process works on the same file.
    #[error(
        "another holdfast process is using {0}; stop it first, or give this one a store of its own with --store"
    )]
    InUse(PathBuf),
    /// The schema is newer than this program.
    #[error(
        "the store {place} was written by a newer holdfast (schema {found}, this program knows {known}); use that version or a newer one. Nothing was changed"
    )]
    NewerSchema {
        /// The file or server.
        place: String,
        /// Its newest migration.
        found: i64,
        /// The newest that this program has.
        known: i64,
    },
    /// The schema is older than this program, and the store was opened for reading alone.
    #[error(
        "the store {place} has an older schema ({found}, this program needs {known}); run `holdfast migrate` first"
    )]
    OlderSchema {
        /// The file or server.
        place: String,
        /// Its newest migration.
        found: i64,
        /// The newest that this program has.
        known: i64,
    },
    /// The disk is full.
    #[error("failed to {operation}: the disk is full; free some space, everything already committed is safe")]
    Full {
        /// What was being done.
        operation: &'static str,
        /// The driver's words.
        #[source]
        source: sqlx::Error,
    },
    /// The file or folder may not be written, or the server takes no writes.
    #[error(
        "failed to {operation}: the store may only be read; check the permissions of the file and its folder, or whether the server is a standby"
    )]
    ReadOnly {
        /// What was being done.
        operation: &'static str,
        /// The driver's words.
        #[source]
        source: sqlx::Error,
    },
    /// The driver failed.
    #[error("failed to {operation}")]
    Driver {
        /// What was being done.
        operation: &'static str,
        /// The driver's words.
        #[source]
        source: sqlx::Error,
    },
    /// A row holds what no version of this program writes.
    #[error("failed to {operation}: a row cannot be read: {what}")]
    Inconsistent {
        /// What was being done.
        operation: &'static str,
        /// Which row, and what is wrong with it.
        what: String,
    },
}
