//! Errors of a store, named for the operation that failed.

use std::path::PathBuf;

use crate::unreadable::UnreadableRow;

/// The result of a store's operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An operation of a store failed. Its transaction was rolled back, so nothing is half-written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file or server could not be opened.
    #[error("failed to open the store {place}: {why}")]
    Open {
        /// The file, or the server without its password.
        place: String,
        /// What is wrong and what to do about it.
        why: String,
        /// The driver's error.
        #[source]
        source: Option<sqlx::Error>,
    },
    /// Another process owns the file.
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
    /// The schema is older than this program, and this mode does not migrate it.
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
        /// The operation that failed.
        operation: &'static str,
        /// The driver's error.
        #[source]
        source: sqlx::Error,
    },
    /// The file or folder is read-only, or the server accepts no writes.
    #[error(
        "failed to {operation}: the store may only be read; check the permissions of the file and its folder, or whether the server is a standby"
    )]
    ReadOnly {
        /// The operation that failed.
        operation: &'static str,
        /// The driver's error.
        #[source]
        source: sqlx::Error,
    },
    /// The driver failed.
    #[error("failed to {operation}")]
    Driver {
        /// The operation that failed.
        operation: &'static str,
        /// The driver's error.
        #[source]
        source: sqlx::Error,
    },
    /// A row that the operation depends on holds a value that this program never writes.
    #[error(
        "failed to {operation}: a row cannot be read: {row}; `holdfast store check` lists such rows, and `holdfast store remove` removes one"
    )]
    Unreadable {
        /// The operation that failed.
        operation: &'static str,
        /// Which row, and what is wrong with it.
        row: UnreadableRow,
    },
    /// A rule of the store was broken.
    #[error("failed to {operation}: {what}")]
    Inconsistent {
        /// The operation that failed.
        operation: &'static str,
        /// What is wrong.
        what: String,
    },
}
