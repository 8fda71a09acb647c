//! Errors of a store, named for the operation that failed.

use std::path::PathBuf;

use holdfast_model::NoPassword;

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
    /// A connection was needed, and there is no password to open it.
    #[error("failed to {operation}: no login to the database: {why}")]
    Login {
        /// The operation that failed.
        operation: &'static str,
        /// Why there is no password.
        why: NoPassword,
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
    /// The transaction that several changes were committed in failed, and all of them with it.
    #[error(transparent)]
    OfGroup(std::sync::Arc<Error>),
}

impl Error {
    /// Whether the server ended the operation because a lock or a statement took too long.
    pub(crate) fn is_timeout(&self) -> bool {
        let Self::Driver { source: sqlx::Error::Database(error), .. } = self else { return false };
        error.code().is_some_and(|code| ["55P03", "57014"].contains(&&*code))
    }

    /// Whether the store could not be reached or did not answer, so that another operation would fail as well.
    pub(crate) fn is_outage(&self) -> bool {
        let Self::Driver { source, .. } = self else {
            return matches!(self, Self::Open { .. } | Self::Login { .. });
        };
        match source {
            // Connections that end (class 08), a server that stops or starts (57P), and too many connections (53).
            sqlx::Error::Database(error) => error.code().is_some_and(|code| {
                code.len() == 5 && ["08", "57P", "53"].iter().any(|class| code.starts_with(class))
            }),
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => true,
            _ => false,
        }
    }
}
