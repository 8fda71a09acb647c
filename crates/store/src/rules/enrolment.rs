//! Sync: the difference between the enrolled fleet and the fleet file.

use std::collections::BTreeMap;
use std::time::Duration;

use holdfast_model::{App, AppId, Timestamp};

use crate::fleet::{Cursor, Enrolled, FleetChange};

/// An enrolled app as a store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AppRow {
    /// As the fleet file names it, without the schedule, which is in the cursor.
    pub enrolled: Enrolled,
    /// When it was enrolled.
    pub enrolled_at: Timestamp,
    /// When the fleet file stopped naming it.
    pub removed_at: Option<Timestamp>,
}

/// What a sync writes.
#[derive(Debug, Default)]
pub(crate) struct Sync {
    /// Apps to insert or overwrite.
    pub apps: Vec<AppRow>,
    /// Cursors to insert or overwrite.
    pub cursors: Vec<Cursor>,
    /// Apps whose cursors to delete.
    pub dropped: Vec<AppId>,
    /// The counts.
    pub change: FleetChange,
}

/// The difference, given the apps and cursors in the store.
pub(crate) fn sync(
    apps: &BTreeMap<AppId, AppRow>,
    cursors: &BTreeMap<AppId, Cursor>,
    fleet: &[Enrolled],
    now: Timestamp,
) -> Sync {
    let named: BTreeMap<&AppId, &Enrolled> =
        fleet.iter().map(|enrolled| (&enrolled.app.id, enrolled)).collect();
    let mut sync = Sync::default();
    for (id, enrolled) in &named {
        let old = apps.get(*id).filter(|row| row.removed_at.is_none());
        let rescheduled = sync.reschedule(enrolled, cursors.get(*id), now);
        let row = AppRow {
            enrolled: kept(enrolled),
            enrolled_at: old.map_or(now, |row| row.enrolled_at),
            removed_at: None,
        };
        match old {
            None => sync.change.added += 1,
            Some(old) if rescheduled || *old != row => sync.change.changed += 1,
            Some(_) => {}
        }
        if old != Some(&row) {
            sync.apps.push(row);
        }
    }
    for (id, row) in apps.iter().filter(|(id, row)| row.removed_at.is_none() && !named.contains_key(id)) {
        sync.apps.push(AppRow { removed_at: Some(now), ..row.clone() });
        sync.change.removed += 1;
        sync.dropped.extend(cursors.contains_key(id).then(|| id.clone()));
    }
    sync
}

/// An enrolment as rows hold it: the cursor has its schedule, runs have its databases, and objectives are whole seconds.
fn kept(enrolled: &Enrolled) -> Enrolled {
    let objective =
        enrolled.recovery_point_objective.map(|objective| Duration::from_secs(objective.as_secs()));
    let app = App { databases: Vec::new(), ..enrolled.app.clone() };
    Enrolled { app, schedule: None, recovery_point_objective: objective, ..enrolled.clone() }
}

impl Sync {
    /// Adds what to do with an app's cursor; true when its schedule changed.
    fn reschedule(&mut self, enrolled: &Enrolled, old: Option<&Cursor>, now: Timestamp) -> bool {
        let app = &enrolled.app.id;
        let (Some(policy), Some((fingerprint, next_at))) = (&enrolled.app.policy, &enrolled.schedule) else {
            self.dropped.extend(old.map(|_| app.clone()));
            return old.is_some();
        };
        let next_at = crate::columns::stamp(*next_at);
        let same = old.filter(|old| old.policy == *policy && old.fingerprint == *fingerprint);
        let through = match same {
            Some(old) if old.next_at <= next_at => return false,
            // A wrong clock moved it ahead. What it considered before now stays considered.
            Some(old) => old.through.min(now),
            None => now,
        };
        self.cursors.push(Cursor {
            app: app.clone(),
            policy: policy.clone(),
            fingerprint: fingerprint.clone(),
            through,
            next_at,
            unfinished: 0,
        });
        same.is_none()
    }
}
