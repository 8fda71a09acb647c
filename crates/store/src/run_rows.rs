//! Rows of runs as a verification reads them.

use holdfast_model::{Run, RunId};

/// A row of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRow {
    /// The run.
    pub run: Run,
    /// Columns that contradict the run's state. SQL views and statements read them.
    pub odd_columns: Vec<&'static str>,
}

/// Rows of runs, by id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunPage {
    /// The rows that can be read.
    pub rows: Vec<RunRow>,
    /// The last id of the page; `None` after the last page.
    pub last: Option<RunId>,
}
