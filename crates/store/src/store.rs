//! What a store must keep.

use async_trait::async_trait;
use holdfast_access::ApiToken;
use holdfast_model::{AppId, Call, CatalogEntry, Limits, NewRun, Run, RunId, SubscriptionId, Timestamp};
use std::collections::BTreeMap;
use std::fmt::Debug;

use crate::app_days::{AppDay, Day};
use crate::approvals::{Approval, Asked, Decision};
use crate::audit::AuditEvent;
use crate::breaker::{BreakerRecord, OpenBreaker};
use crate::budget_draw::{BudgetDraw, Drawn};
use crate::chain::ChainRow;
use crate::change::{Change, Committed, Loaded, PastDurations};
use crate::checkpoints::CheckpointStatus;
use crate::error::Result;
use crate::filter::{ActFilter, CatalogFilter, RunFilter};
use crate::fleet::{Cursor, CursorAdvance, Departure, Enrolled, FleetChange, Planned};
use crate::lanes::{DueLanes, LaneQuota, LeaseTerms, Leased};
use crate::notifications::NotificationStore;
use crate::operations::OperationRecord;
use crate::processes::ProcessStatus;
use crate::requests::{RequestAnswer, RequestKey};
use crate::revisions::{Revision, RevisionHead};
use crate::run_rows::{RunPage, RunRow};
use crate::safeguard::Safeguard;
use crate::status::AppStatus;
use crate::subscriptions::{Listing, SubscriptionStatus};
use crate::unreadable::{Removed, RowRemoval, UnreadableRow};

/// The truth, and the only thing that processes share.
///
/// Every implementation keeps these invariants:
/// - a change of a run applies only to the version it was decided on;
/// - a row and its audit events are written together;
/// - a policy, an app and a tick make at most one run;
/// - at most one run occupies an app; a plan and a storage account have at most as many runs as the limits allow;
/// - of the runs of an app with the same subject, at most one is unfinished;
/// - a run that has ended never changes again;
/// - the catalog follows from the events and is written together with them;
/// - audit events are append-only, and a hash binds each to the one before;
/// - due times and leases are compared with the store's own clock.
#[async_trait]
pub trait Store: Send + Sync + Debug {
    /// Its notifications.
    fn notifications(&self) -> &dyn NotificationStore;

    /// Closes the connections once running operations are done. Dropping a store without closing it loses nothing.
    async fn close(&self) {}

    /// The store's time.
    async fn now(&self) -> Result<Timestamp>;

    /// Enrols the apps of `fleet`, and ends the enrolment of those that `departed`.
    ///
    /// An app in neither stays as it is: a list of Azure that leaves an app out proves nothing. What was observed before
    /// the row was written is ignored, so that schedulers with lists of different age do not undo each other.
    /// Cursors of new apps, and cursors with another fingerprint, start at the store's now, so that an edit never
    /// makes a tick due at once. A cursor whose `next_at` lies beyond the given one (a wrong clock moved it there) is
    /// set back. A new app whose list came late starts at the time from which ticks are owed. Apps that departed are
    /// marked as removed, lose their cursor, and get a record in the audit; their runs go on.
    async fn sync_fleet(&self, fleet: &[Enrolled], departed: &[Departure]) -> Result<FleetChange>;

    /// Records requests for the lists of subscriptions. A request older than the recorded one changes nothing.
    async fn record_listings(&self, listings: &[Listing]) -> Result<()>;

    /// The status of every subscription that was listed or has a closed budget, by id.
    async fn subscriptions(&self) -> Result<Vec<SubscriptionStatus>>;

    /// Cursors whose next tick is due, the longest overdue first, with the app's unfinished backups: at most `most` of
    /// those that follow `after` in that order.
    async fn cursors_due(&self, after: Option<&Cursor>, most: u32) -> Result<Vec<Cursor>>;

    /// Advances cursors and adds their runs, in one transaction.
    ///
    /// An advance is skipped whole when its cursor was moved or removed since it was read: another scheduler was
    /// faster. A tick that already has a run adds none.
    async fn plan(&self, plans: &[CursorAdvance]) -> Result<Planned>;

    /// Adds a run that a person asked for, or an operator action. Fails when its tick already has a run, or another
    /// unfinished run of the app has its subject.
    async fn add_run(&self, run: &NewRun) -> Result<()>;

    /// Adds runs and returns how many, in one transaction. Skips runs whose tick already has one, and runs whose
    /// subject another unfinished run of the app has, so that any number of processes may add the same runs.
    async fn add_runs(&self, runs: &[NewRun]) -> Result<u64>;

    /// Adds runs and the answer to their request in one transaction, unless the principal sent a request with this key in
    /// the last 24 hours. Then it adds nothing, and returns what is known of that request. Fails when a run is left out.
    async fn add_runs_once(&self, key: &RequestKey, answer: &str, runs: &[NewRun]) -> Result<RequestAnswer>;

    /// What is known of a request.
    async fn request(&self, key: &RequestKey) -> Result<RequestAnswer>;

    /// Adds an API token with the operator action `record`, in one transaction. Returns false, and adds nothing, where a
    /// token that is not revoked has its name.
    async fn add_token(&self, token: &ApiToken, record: &NewRun) -> Result<bool>;

    /// Revokes the API token with this id, with the operator action `record`, in one transaction. Returns false, and
    /// changes nothing, where there is none or it is revoked.
    async fn revoke_token(&self, id: &str, record: &NewRun) -> Result<bool>;

    /// The API token with this id, also a revoked or expired one.
    async fn token(&self, id: &str) -> Result<Option<ApiToken>>;

    /// All API tokens, by creation.
    async fn tokens(&self) -> Result<Vec<ApiToken>>;

    /// Records a use of an API token, unless one of the last ten minutes is recorded.
    async fn token_used(&self, id: &str, at: Timestamp) -> Result<()>;

    /// Adds a request that a second person confirms, with the operator action `record`, in one transaction. Where one that asks for
    /// the same waits already, it adds nothing and returns that one.
    async fn ask_approval(&self, approval: &Approval, record: &NewRun) -> Result<Asked>;

    /// Writes the decision about a request that waits, with `new`, in one transaction: the operator action that records it, then the
    /// runs that it starts. Returns false, and changes nothing, where there is none, it is decided or it has expired. Fails when a run
    /// is left out.
    async fn decide_approval(&self, id: RunId, decision: &Decision, new: &[NewRun]) -> Result<bool>;

    /// The request with this id.
    async fn approval(&self, id: RunId) -> Result<Option<Approval>>;

    /// At most `most` requests that were made after a time, the newest first.
    async fn approvals(&self, since: Timestamp, most: u32) -> Result<Vec<Approval>>;

    /// Appends a revision of the fleet with the operator action `record`, in one transaction. Returns false, and appends nothing,
    /// unless its number follows that of the newest one. The store writes its own time.
    async fn append_revision(&self, revision: &Revision, record: &NewRun) -> Result<bool>;

    /// The number of the newest revision; 0 before the first one.
    async fn newest_revision(&self) -> Result<u64>;

    /// The revision with this number.
    async fn revision(&self, number: u64) -> Result<Option<Revision>>;

    /// At most `most` revisions without their texts, the newest first.
    async fn revisions(&self, most: u32) -> Result<Vec<RevisionHead>>;

    /// Records how a process is, in place of what was recorded before. The store writes its own time.
    async fn record_process(&self, process: &ProcessStatus) -> Result<()>;

    /// Forgets a process that stops.
    async fn forget_process(&self, id: RunId) -> Result<()>;

    /// The processes that were recorded within [`ProcessStatus::KEPT`], by start.
    async fn processes(&self) -> Result<Vec<ProcessStatus>>;

    /// Records how work of a console in the background is, in place of what was recorded before. What has a result stays as it is.
    async fn record_operation(&self, operation: &OperationRecord) -> Result<()>;

    /// The operation with this id, until [`OperationRecord::KEPT`] after its process last wrote.
    async fn operation(&self, id: &str) -> Result<Option<OperationRecord>>;

    /// Known backups, by app, newest first.
    async fn catalog(&self, filter: &CatalogFilter) -> Result<Vec<CatalogEntry>>;

    /// Ends the leases that have lapsed and returns how many.
    ///
    /// Each run is due again in a new version, so that a worker that still has the old one cannot commit. A run in a
    /// `Begin` lane no longer occupies its app.
    async fn reclaim(&self) -> Result<u64>;

    /// The lanes with due runs. Its cost follows the number of lanes, not of runs.
    async fn due_lanes(&self) -> Result<DueLanes>;

    /// Leases due runs, in one transaction. Each lease has a random number, which is in its wake-up.
    ///
    /// Each lane gives at most its quota, as far as the subscription's budget has tokens (which are drawn), and, where
    /// the step begins an operation, as far as the plan, the storage account and the app have room (which the run
    /// occupies from here on). At most `limits.outstanding` runs are leased at a time. Quotas are served in their
    /// order; the answer has the most urgent first, then the longest due.
    async fn acquire(&self, quotas: &[LaneQuota], limits: &Limits, terms: LeaseTerms) -> Result<Vec<Leased>>;

    /// Closes a subscription's budget for a kind of call until a time, because Azure throttled it. A budget that is
    /// closed for longer stays closed for longer.
    async fn close_budget(&self, subscription: &SubscriptionId, call: Call, until: Timestamp) -> Result<()>;

    /// Draws tokens for the calls of a command, in one transaction.
    ///
    /// Only the upper half of a budget can be drawn this way: the lower half stays for runs.
    async fn draw_budget(&self, draw: &BudgetDraw) -> Result<Drawn>;

    /// Opens the closed budgets of a subscription and returns how many were closed. Where any was, the operator action
    /// `record` is added in the same transaction.
    async fn open_budgets(&self, subscription: &SubscriptionId, record: &NewRun) -> Result<u64>;

    /// Records that a part of Azure does not answer a worker, or answers again.
    async fn record_breaker(&self, breaker: &BreakerRecord) -> Result<()>;

    /// The parts of Azure that do not answer, by kind and name.
    async fn open_breakers(&self) -> Result<Vec<OpenBreaker>>;

    /// A run with what its next step needs; `None` when there is no such run.
    async fn load(&self, id: RunId) -> Result<Option<Loaded>>;

    /// What [`load`](Self::load) returns for each id, in the same order. Fails when one of them cannot be read.
    async fn load_all(&self, ids: &[RunId]) -> Result<Vec<Option<Loaded>>> {
        let mut loaded = Vec::with_capacity(ids.len());
        for id in ids {
            loaded.push(self.load(*id).await?);
        }
        Ok(loaded)
    }

    /// Writes a change: the row in its next version without its lease, and the events.
    ///
    /// Of the given run the state, failure counts, due time and end are written; all else stays as it was created. The
    /// change is [`Committed::Stale`], and nothing is written, when
    /// - the row has another version than the one the change was decided on, or has ended;
    /// - its events do not lead from the row to its state, because the store lost the row that it was decided on;
    /// - it begins to delete a backup that is held, or the last one of its app ([`Loaded::is_last`]) without
    ///   [`allow_last`](holdfast_model::Delete::allow_last);
    /// - it begins to delete what an unfinished restore or drill reads, or to read what is being deleted.
    ///
    /// Beginning on an app that another run occupies is an error.
    async fn commit(&self, change: &Change) -> Result<Committed> {
        let committed = self.commit_all(std::slice::from_ref(change)).await?;
        Ok(committed.first().copied().unwrap_or(Committed::Stale))
    }

    /// Writes changes of different runs in one transaction, each as [`commit`](Self::commit) would, and returns their
    /// results in the same order. A second change of a run is stale. An error means that none is written.
    async fn commit_all(&self, changes: &[Change]) -> Result<Vec<Committed>>;

    /// Runs, newest first.
    async fn runs(&self, filter: &RunFilter) -> Result<Vec<Run>>;

    /// All rows that cannot be read. Every other operation leaves such rows out, logs each once, and goes on; an
    /// operation that depends on one of them fails with [`Error::Unreadable`](crate::Error::Unreadable).
    async fn unreadable_rows(&self) -> Result<Vec<UnreadableRow>> {
        Ok(Vec::new())
    }

    /// What protects the store from other users of its server; nothing for a store that has none.
    async fn safeguards(&self) -> Result<Vec<Safeguard>> {
        Ok(Vec::new())
    }

    /// The rows that could not be read since the store was opened, each counted once.
    fn unreadable_seen(&self) -> u64 {
        0
    }

    /// Moves a row that cannot be read out of its table, with an operator action, in one transaction. The whole row
    /// stays in `set_aside_rows`. Audit events are never removed.
    async fn remove_unreadable(&self, _removal: &RowRemoval) -> Result<Removed> {
        Ok(Removed::Missing)
    }

    /// At most `most` rows of runs after an id, by id, for a verification.
    async fn run_page(&self, after: Option<RunId>, most: u32) -> Result<RunPage>;

    /// The rows of runs with these ids, for a verification. Those that cannot be read are left out.
    async fn run_rows(&self, ids: &[RunId]) -> Result<Vec<RunRow>>;

    /// The status of every app that is or was enrolled, by name.
    async fn status(&self) -> Result<Vec<AppStatus>>;

    /// How long the last good backups of each enrolled app took. Apps without one are left out.
    async fn past_durations(&self) -> Result<BTreeMap<AppId, PastDurations>>;

    /// The daily roll-up of backup runs from a UTC day on, of every app or of one, by app and day. It follows from the runs.
    async fn app_days(&self, since: Day, app: Option<&AppId>) -> Result<Vec<AppDay>>;

    /// The audit events of one run, oldest first.
    async fn events(&self, run: RunId) -> Result<Vec<AuditEvent>>;

    /// The events that people caused, the newest first: requests of runs, and operator actions other than those of the
    /// sync of the fleet file.
    async fn acts(&self, filter: &ActFilter) -> Result<Vec<AuditEvent>>;

    /// The last event of the audit; `None` while it is empty.
    async fn last_event(&self) -> Result<Option<AuditEvent>>;

    /// Records how the writing of checkpoints of the audit fares, in place of what was recorded before.
    async fn record_checkpoints(&self, checkpoints: &[CheckpointStatus]) -> Result<()>;

    /// How the writing of checkpoints of the audit fares, by destination; empty where none are written.
    async fn checkpoints(&self) -> Result<Vec<CheckpointStatus>>;

    /// At most `most` audit events after a sequence number, oldest first.
    async fn audit(&self, after: i64, most: u32) -> Result<Vec<AuditEvent>>;

    /// The same events as stored, for [`verify_chain`](crate::verify_chain).
    ///
    /// A store that keeps texts returns those, so that every change of a text shows and no row is unreadable.
    async fn chain(&self, after: i64, most: u32) -> Result<Vec<ChainRow>> {
        Ok(self.audit(after, most).await?.iter().map(ChainRow::of).collect())
    }
}
