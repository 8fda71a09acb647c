//! The planner: cursors whose tick has come become due runs.

use std::sync::Arc;
use std::time::Duration;

use holdfast_model::schedule::{Due, due};
use holdfast_model::{NewBackup, NewRun, RunId, Timestamp, Trigger};
use holdfast_store::{Cursor, CursorAdvance, FleetChange, Planned, Store};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::{Error, Fleet};

/// Cursors read and planned in one transaction.
const BATCH: u32 = 500;

/// How often cursors are looked at, unless told otherwise. Ticks are whole minutes, so a second late is on time.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How often the fleet is synced again though nobody changed it, to set back cursors that a wrong clock moved.
const SYNC_EVERY: Duration = Duration::from_hours(1);

/// Turns ticks into runs.
///
/// The next tick comes from the clock and the cursor, never from how the last run went.
#[derive(Debug)]
pub struct Planner {
    store: Arc<dyn Store>,
    fleet: watch::Receiver<Arc<Fleet>>,
    rng: fastrand::Rng,
    /// Rung when something became due, so that the dispatcher need not wait for its next look.
    bell: Arc<Notify>,
    look_every: Duration,
}

impl Planner {
    /// A planner for the fleet as `fleet` shows it from time to time. `rng` makes the ids of runs.
    pub fn new(
        store: Arc<dyn Store>,
        fleet: watch::Receiver<Arc<Fleet>>,
        rng: fastrand::Rng,
        bell: Arc<Notify>,
    ) -> Self {
        Self { store, fleet, rng, bell, look_every: LOOK_EVERY }
    }

    /// Looks at cursors this often.
    #[must_use]
    pub fn looking_every(mut self, look_every: Duration) -> Self {
        self.look_every = look_every;
        self
    }

    /// Plans until `stop`. A pass that fails is logged, and the next one makes up for it.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut since_sync = SYNC_EVERY;
        while !stop.is_cancelled() {
            if since_sync >= SYNC_EVERY || self.fleet.has_changed().unwrap_or(false) {
                since_sync = match self.sync().await {
                    Ok(_) => Duration::ZERO,
                    Err(error) => {
                        report("sync the fleet", &error);
                        SYNC_EVERY
                    }
                };
            }
            if let Err(error) = self.plan_due().await {
                report("plan due runs", &error);
            }
            // Whichever comes first; that time passed is the usual case.
            let _ = tokio::time::timeout(self.look_every, stop.cancelled()).await;
            since_sync += self.look_every;
        }
    }

    /// Enrols the fleet as it is now.
    pub async fn sync(&mut self) -> Result<FleetChange, Error> {
        let fleet = Arc::clone(&self.fleet.borrow_and_update());
        let now = self.store.now().await?;
        let change = self.store.sync_fleet(&fleet.enrolled(now)).await?;
        if change != FleetChange::default() {
            tracing::info!(
                added = change.added,
                changed = change.changed,
                removed = change.removed,
                "fleet synced"
            );
        }
        Ok(change)
    }

    /// Plans everything that is due now.
    pub async fn plan_due(&mut self) -> Result<Planned, Error> {
        let fleet = Arc::clone(&self.fleet.borrow());
        let mut total = Planned::default();
        loop {
            let cursors = self.store.cursors_due(BATCH).await?;
            let now = self.store.now().await?;
            let plans: Vec<CursorAdvance> =
                cursors.iter().filter_map(|cursor| self.consider(&fleet, cursor, now)).collect();
            if plans.is_empty() {
                break;
            }
            let planned = self.store.plan(&plans).await?;
            total.runs += planned.runs;
            total.missed += planned.missed;
            total.conflicts += planned.conflicts;
            self.bell.notify_one();
        }
        if total != Planned::default() {
            tracing::info!(
                runs = total.runs,
                missed = total.missed,
                conflicts = total.conflicts,
                "ticks planned"
            );
        }
        Ok(total)
    }

    /// The plan for one cursor; `None` when the fleet no longer knows its schedule: the next sync sees to it.
    fn consider(&mut self, fleet: &Fleet, cursor: &Cursor, now: Timestamp) -> Option<CursorAdvance> {
        let (app, policy) = fleet.scheduled(&cursor.app)?;
        if policy.name != cursor.policy || policy.schedule.fingerprint() != cursor.fingerprint {
            return None;
        }
        let overlap = (policy.overlap, cursor.unfinished);
        let found: Due = due(&policy.schedule, &app.id, cursor.through, now, policy.catch_up, overlap);
        let missed = found.missed.iter().map(|missed| {
            let id = RunId::new(now, &mut self.rng);
            NewRun::missed(id, app, &policy.policy_snapshot, missed, now)
        });
        let mut runs: Vec<NewRun> = missed.collect();
        runs.extend(found.run.map(|tick| {
            let trigger = if found.catching_up { Trigger::CatchUp } else { Trigger::Schedule };
            let id = RunId::new(now, &mut self.rng);
            let backup = NewBackup { tick: Some(tick), trigger, due_at: tick };
            NewRun::backup(id, app, &policy.policy_snapshot, backup, now)
        }));
        Some(CursorAdvance { cursor: cursor.clone(), through: found.through, next_at: found.next, runs })
    }
}

fn report(what: &'static str, error: &Error) {
    tracing::error!(error = error as &dyn std::error::Error, "failed to {what}; trying again");
}
