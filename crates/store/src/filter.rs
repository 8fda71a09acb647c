//! Which rows a reader asks for.

use std::collections::BTreeSet;

use holdfast_model::{AppId, Cause, Outcome, RunId, RunKind, StateCode, Timestamp, Trigger};

/// Which catalog entries to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CatalogFilter {
    /// Only this app.
    pub app: Option<AppId>,
    /// Only these apps, which are not read in pages; empty for all.
    pub apps: BTreeSet<AppId>,
    /// Only apps after this one, for reading in pages.
    pub after: Option<AppId>,
    /// Includes backups that are no longer there.
    pub with_removed: bool,
    /// The greatest number of apps; 0 for all. Each app comes whole.
    pub most_apps: u32,
}

/// Which runs to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Only this app.
    pub app: Option<AppId>,
    /// Only this state.
    pub state: Option<StateCode>,
    /// Only this kind.
    pub kind: Option<RunKind>,
    /// Only runs that have not ended.
    pub unfinished: bool,
    /// Only runs that ended in one of these ways; empty for all.
    pub outcomes: BTreeSet<Outcome>,
    /// Only runs that ended with this cause.
    pub cause: Option<Cause>,
    /// Only runs that this planned.
    pub trigger: Option<Trigger>,
    /// Only runs that come after this one, for reading in pages.
    pub after: Option<RunPlace>,
    /// The greatest number of runs; 0 for all.
    pub most: u32,
}

/// The place of a run in the order of lists, which have the newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunPlace {
    /// When it was planned.
    pub created_at: Timestamp,
    /// Its id.
    pub id: RunId,
}

/// Which of the events that people caused to read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ActFilter {
    /// Only events before this one.
    pub before: Option<i64>,
    /// The greatest number of events.
    pub most: u32,
}
