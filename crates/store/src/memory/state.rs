//! The tables, and the indexes that follow from them.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use holdfast_model::{
    AppId, BackupId, Call, CatalogEntry, Lane, PolicyName, Run, RunEvent, RunId, SubscriptionId, Timestamp,
};

use crate::bucket::Bucket;
use crate::catalog::CatalogChange;
use crate::columns::{json, stamp};
use crate::enrolment::AppRow;
use crate::{AuditEvent, Cursor, Link};

/// A run with what handing it out needs.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub run: Run,
    /// Until when it is handed out.
    pub leased_until: Option<Timestamp>,
    /// Whether it holds its app, its plan and its storage account.
    pub occupies_app: bool,
}

/// What waits in one lane: by urgency, then by how long it has been due.
pub(super) type Places = BTreeMap<(i64, Timestamp), BTreeSet<RunId>>;

#[derive(Debug, Default)]
pub(super) struct State {
    pub apps: BTreeMap<AppId, AppRow>,
    pub cursors: BTreeMap<AppId, Cursor>,
    pub audit: Vec<AuditEvent>,
    pub ticks: BTreeSet<(PolicyName, AppId, Timestamp)>,
    /// What unfinished runs are about.
    pub subjects: BTreeSet<(AppId, String)>,
    /// By the app's text, because texts are what the other stores order by.
    pub catalog: BTreeMap<String, BTreeMap<BackupId, CatalogEntry>>,
    budgets: BTreeMap<(SubscriptionId, Call), Bucket>,
    rows: BTreeMap<RunId, Row>,
    by_app: BTreeMap<AppId, BTreeSet<RunId>>,
    /// What waits to be handed out.
    pub lanes: BTreeMap<Lane, Places>,
    pub leases: BTreeSet<(Timestamp, RunId)>,
    /// Which run holds an app.
    pub held: BTreeMap<AppId, RunId>,
}

impl State {
    pub fn row(&self, id: RunId) -> Option<&Row> {
        self.rows.get(&id)
    }

    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.values()
    }

    pub fn rows_of<'a>(&'a self, app: &AppId) -> impl Iterator<Item = &'a Row> {
        self.by_app.get(app).into_iter().flatten().filter_map(|id| self.rows.get(id))
    }

    /// Writes a row and everything that is indexed by it.
    pub fn put(&mut self, row: Row) {
        let id = row.run.id;
        if let Some(old) = self.rows.remove(&id) {
            self.unindex(&old);
        }
        match (row.leased_until, row.run.lane()) {
            (Some(until), _) => {
                self.leases.insert((until, id));
            }
            (None, Some(lane)) => {
                self.lanes.entry(lane).or_default().entry(place(&row.run)).or_default().insert(id);
            }
            (None, None) => {}
        }
        if row.occupies_app {
            self.held.insert(row.run.app.clone(), id);
        }
        self.subjects.extend(subject(&row.run));
        self.by_app.entry(row.run.app.clone()).or_default().insert(id);
        self.rows.insert(id, row);
    }

    fn unindex(&mut self, old: &Row) {
        if let Some(until) = old.leased_until {
            self.leases.remove(&(until, old.run.id));
        }
        if let Some(lane) = old.run.lane()
            && let Some(places) = self.lanes.get_mut(&lane)
        {
            if let Entry::Occupied(mut ids) = places.entry(place(&old.run)) {
                ids.get_mut().remove(&old.run.id);
                if ids.get().is_empty() {
                    ids.remove();
                }
            }
            if places.is_empty() {
                self.lanes.remove(&lane);
            }
        }
        if old.occupies_app {
            self.held.remove(&old.run.app);
        }
        if let Some(subject) = subject(&old.run) {
            self.subjects.remove(&subject);
        }
    }

    /// Brings the catalog up to what happened.
    pub fn change_catalog(&mut self, changes: Vec<CatalogChange>) {
        for change in changes {
            let (app, id) = change.key();
            let entries = self.catalog.entry(app.to_string()).or_default();
            if let Some(entry) = change.apply(entries.remove(&id)) {
                entries.insert(id, entry);
            }
        }
    }

    /// The entries of an app.
    pub fn catalog_of(&self, app: &AppId) -> impl Iterator<Item = &CatalogEntry> {
        self.catalog.get(&app.to_string()).into_iter().flat_map(BTreeMap::values)
    }

    /// Appends what happened to a run, each event bound to the one before.
    pub fn append(&mut self, run: &Run, events: &[RunEvent], at: Timestamp) {
        let at = stamp(at);
        for event in events {
            let last = self.audit.last().map_or_else(Link::origin, |event| event.link.clone());
            let (id, app) = (run.id.to_string(), run.app.to_string());
            let link = last.then(&holdfast_model::format_timestamp(at), &id, &app, &json(event));
            let event = event.clone();
            self.audit.push(AuditEvent { link, at, run_id: run.id, app: run.app.clone(), event });
        }
    }

    pub fn bucket(&mut self, subscription: &SubscriptionId, call: Call, now: Timestamp) -> &mut Bucket {
        self.budgets.entry((subscription.clone(), call)).or_insert_with(|| Bucket::full(now))
    }
}

/// The subject that a run keeps others from while it is unfinished.
pub(super) fn subject(run: &Run) -> Option<(AppId, String)> {
    let subject = run.task.subject().filter(|_| !run.state.is_ended())?;
    Some((run.app.clone(), subject))
}

fn place(run: &Run) -> (i64, Timestamp) {
    (run.priority.rank(), run.due_at)
}
