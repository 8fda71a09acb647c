//! Runs of the whole fleet, the newest first.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_model::{AppId, Cause, Outcome, RunId, RunKind, Timestamp, Trigger};
use serde::Serialize;

use crate::runs::RunView;
use crate::views::end_forecast::EndForecast;

/// Which runs a page shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActivityQuery {
    /// Only this app.
    pub app: Option<AppId>,
    /// Only this kind.
    pub kind: Option<RunKind>,
    /// Only runs that ended in one of these ways; empty for all.
    pub outcomes: BTreeSet<Outcome>,
    /// Only runs with this cause.
    pub cause: Option<Cause>,
    /// Only runs that this planned.
    pub trigger: Option<Trigger>,
    /// Only runs that have not ended.
    pub unfinished: bool,
    /// The cursor of the page: opaque.
    pub after: Option<String>,
}

/// One page of runs.
#[derive(Debug, Serialize)]
pub struct ActivityPage {
    /// The store's time.
    pub as_of: Timestamp,
    /// The runs, the newest first.
    pub rows: Vec<RunView>,
    /// When those of them that are under way will probably end, where the past of their apps says.
    pub ends: BTreeMap<RunId, EndForecast>,
    /// The causes of these runs, the most frequent first.
    pub causes: Vec<CauseCount>,
    /// The cursor of the next page; `None` on the last.
    pub next: Option<String>,
}

/// How many runs of a page have a cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CauseCount {
    /// The cause.
    pub cause: Cause,
    /// The cause for people.
    pub label: String,
    /// What to do about it.
    pub advice: String,
    /// The number of runs.
    pub runs: u64,
}
