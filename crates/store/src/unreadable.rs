//! Rows that cannot be read: named, left out of answers, and removed at a person's request.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex};

use holdfast_model::NewRun;
use serde::Serialize;

/// A row that holds a value which this program cannot read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct UnreadableRow {
    /// Its table.
    pub table: &'static str,
    /// The values of its key.
    pub key: Vec<String>,
    /// The first column that cannot be read.
    pub column: String,
    /// Why.
    pub why: String,
}

impl UnreadableRow {
    /// The values of the key as one text, as [`RowRemoval::key`] takes it.
    pub fn key_text(&self) -> String {
        self.key.join(" ")
    }
}

impl fmt::Display for UnreadableRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, column, why, .. } = self;
        write!(f, "{column} of {} in {table}: {why}", self.key_text())
    }
}

/// A request to remove an unreadable row.
#[derive(Debug, Clone)]
pub struct RowRemoval {
    /// Its table.
    pub table: String,
    /// The values of its key, with spaces between.
    pub key: String,
    /// Why, for the record.
    pub reason: String,
    /// Who asks, for the record.
    pub actor: String,
    /// The operator action that is added to the audit in the same transaction.
    pub action: NewRun,
}

/// The result of a request to remove a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removed {
    /// The row was moved to `set_aside_rows`. This was wrong with it.
    Done(UnreadableRow),
    /// The table has no row with this key.
    Missing,
    /// The row can be read, and stays.
    Readable,
    /// Rows of this table are never removed, or there is no such table.
    Kept,
}

/// The unreadable rows that were logged already: each is logged once.
#[derive(Debug, Clone, Default)]
pub(crate) struct UnreadableLog(Arc<Mutex<BTreeSet<UnreadableRow>>>);

/// Rows that are remembered as logged. Where there are more, they are logged again.
const REMEMBERED: usize = 10_000;

impl UnreadableLog {
    /// The rows that were logged.
    pub fn count(&self) -> u64 {
        self.0.lock().map_or(0, |logged| logged.len() as u64)
    }

    /// Logs a row, unless it was logged already.
    pub fn warn(&self, row: &UnreadableRow) {
        let Ok(mut logged) = self.0.lock() else { return };
        if logged.len() >= REMEMBERED {
            logged.clear();
        }
        if logged.insert(row.clone()) {
            tracing::warn!(
                table = row.table,
                key = row.key_text(),
                column = row.column,
                why = row.why,
                "a row of the store cannot be read and is left out: see `holdfast store check`"
            );
        }
    }
}
