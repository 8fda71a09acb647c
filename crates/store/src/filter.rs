//! Which rows a reader asks for.

use holdfast_model::{AppId, RunKind, StateCode};

/// Which catalog entries to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CatalogFilter {
    /// Only this app.
    pub app: Option<AppId>,
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
    /// The greatest number of runs; 0 for all.
    pub most: u32,
}
