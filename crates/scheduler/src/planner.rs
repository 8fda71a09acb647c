//! The planner: ticks become due runs.

use std::sync::Arc;
use std::time::Duration;

use holdfast_model::schedule::{MissReason, MissedTick, TickPlan, TickQuery, plan_ticks};
use holdfast_model::{NewBackup, NewRun, Timestamp, Trigger};
use holdfast_store::{Cursor, CursorAdvance, FleetChange, Planned};
use tokio_util::sync::CancellationToken;

use crate::planning_context::log_failure;
use crate::{Error, FleetSnapshot, PlanningContext};

/// Cursors read and planned in one transaction.
const BATCH: u32 = 500;

/// Default interval between passes. Ticks are whole minutes, so a second late is on time.
const INTERVAL: Duration = Duration::from_secs(1);

/// Interval at which an unchanged fleet is synced again, to set back cursors that a wrong clock moved.
const SYNC_INTERVAL: Duration = Duration::from_hours(1);

/// Turns ticks into runs.
///
/// The next tick follows from the clock and the cursor, never from the result of the last run.
#[derive(Debug)]
pub struct Planner {
    context: PlanningContext,
    interval: Duration,
}

impl Planner {
    /// A planner.
    pub fn new(context: PlanningContext) -> Self {
        Self { interval: context.interval.unwrap_or(INTERVAL), context }
    }

    /// Runs passes until `stop`. A failed pass is logged.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut since_sync = SYNC_INTERVAL;
        while !stop.is_cancelled() {
            if since_sync >= SYNC_INTERVAL || self.context.fleet.has_changed().unwrap_or(false) {
                since_sync = match self.sync().await {
                    Ok(_) => Duration::ZERO,
                    Err(error) => {
                        log_failure("sync the fleet", &error);
                        SYNC_INTERVAL
                    }
                };
            }
            if let Err(error) = self.plan_due().await {
                log_failure("plan due runs", &error);
            }
            // Ends with the interval or with `stop`, whichever comes first.
            let _ = tokio::time::timeout(self.interval, stop.cancelled()).await;
            since_sync += self.interval;
        }
    }

    /// Enrols the present fleet in the store.
    pub async fn sync(&mut self) -> Result<FleetChange, Error> {
        let fleet = Arc::clone(&self.context.fleet.borrow_and_update());
        let now = self.context.store.now().await?;
        let change = self.context.store.sync_fleet(&fleet.enrolled(now)).await?;
        if change != FleetChange::default() {
            let FleetChange { added, changed, removed } = change;
            tracing::info!(added, changed, removed, "fleet synced");
        }
        Ok(change)
    }

    /// Plans every tick that is due now.
    pub async fn plan_due(&mut self) -> Result<Planned, Error> {
        let fleet = self.context.fleet_now();
        let mut total = Planned::default();
        loop {
            let cursors = self.context.store.cursors_due(BATCH).await?;
            let now = self.context.store.now().await?;
            let advances: Vec<CursorAdvance> =
                cursors.iter().filter_map(|cursor| self.advance(&fleet, cursor, now)).collect();
            if advances.is_empty() {
                break;
            }
            let planned = self.context.store.plan(&advances).await?;
            total.runs += planned.runs;
            total.missed += planned.missed;
            total.conflicts += planned.conflicts;
            self.context.due_signal.notify_one();
        }
        if total != Planned::default() {
            let Planned { runs, missed, conflicts } = total;
            tracing::info!(runs, missed, conflicts, "ticks planned");
        }
        Ok(total)
    }

    /// The advance of one cursor; `None` if its schedule is no longer in the fleet, which the next sync corrects.
    fn advance(&mut self, fleet: &FleetSnapshot, cursor: &Cursor, now: Timestamp) -> Option<CursorAdvance> {
        let (app, policy) = fleet.scheduled(&cursor.app)?;
        if policy.name != cursor.policy || policy.schedule.fingerprint() != cursor.fingerprint {
            return None;
        }
        let TickPlan { run, catching_up, missed, through, next } = plan_ticks(TickQuery {
            schedule: &policy.schedule,
            app: &app.id,
            through: cursor.through,
            now,
            catch_up: policy.catch_up,
            overlap: policy.overlap,
            unfinished: cursor.unfinished,
        });
        let (run, missed) = if fleet.unsupported.contains(&app.id) {
            let unsupported = run.map(|tick| MissedTick { tick, reason: MissReason::Unsupported });
            (None, missed.into_iter().chain(unsupported).collect())
        } else {
            (run, missed)
        };
        let missed = missed.iter().map(|missed| {
            NewRun::missed(self.context.new_id(now), app, &policy.policy_snapshot, missed, now)
        });
        let mut runs: Vec<NewRun> = missed.collect();
        runs.extend(run.map(|tick| {
            let trigger = if catching_up { Trigger::CatchUp } else { Trigger::Schedule };
            let backup = NewBackup { tick: Some(tick), trigger, due_at: tick };
            NewRun::backup(self.context.new_id(now), app, &policy.policy_snapshot, backup, now)
        }));
        Some(CursorAdvance { cursor: cursor.clone(), through, next_at: next, runs })
    }
}
