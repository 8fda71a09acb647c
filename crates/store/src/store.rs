//! What a store must keep.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use holdfast_model::{
    App, AppId, Call, CatalogEntry, Lane, Limits, NewRun, PolicyName, Priority, Retention, Run, RunEvent,
    RunId, RunKind, StateCode, SubscriptionId, Timestamp, Wakeup,
};
use serde::Serialize;

use crate::{ChainRow, Error, Link};

/// The truth, and the only thing that processes share.
///
/// Invariants that every implementation keeps:
/// - a change of a run is made against the version it was decided on, or not at all;
/// - the row and its audit events are written together;
/// - a policy, an app and a tick make at most one run;
/// - at most one run of an app holds the app; a plan and a storage account are held at most as often as the limits say;
/// - of the runs of an app with the same subject, at most one is unfinished;
/// - a run that has ended is never changed again;
/// - the catalog follows from the events, and is written together with them;
/// - audit events are only ever added, each bound to the one before by a hash;
/// - due times and leases are judged by the store's own clock.
#[async_trait]
pub trait Store: Send + Sync + Debug {
    /// Ends its connections once what is under way is done. Dropping a store loses nothing either.
    async fn close(&self) {}

    /// The store's time.
    async fn now(&self) -> Result<Timestamp, Error>;

    /// Makes the enrolled fleet equal to `fleet`. Cursors of new apps, and cursors made under another fingerprint,
    /// begin at the store's now, so that an edit never fires at once; a cursor whose `next_at` lies beyond the one
    /// given (a wrong clock moved it there) is set back to it. Apps no longer named are marked as removed and lose
    /// their cursor; their runs go on.
    async fn sync_fleet(&self, fleet: &[Enrolled]) -> Result<FleetChange, Error>;

    /// The cursors whose next tick is due, the longest overdue first, with how many backups of the app under that
    /// policy have not ended.
    async fn cursors_due(&self, most: u32) -> Result<Vec<Cursor>, Error>;

    /// Moves cursors and adds their runs, in one transaction. A plan whose cursor has moved since it was read, or is
    /// gone, is left out whole, since another scheduler was faster; a tick that has a run already adds none.
    async fn plan(&self, plans: &[CursorAdvance]) -> Result<Planned, Error>;

    /// Adds a run asked for by hand, or a note. A tick that has a run, and a subject that an unfinished run of the same
    /// app has, are errors.
    async fn add_run(&self, run: &NewRun) -> Result<(), Error>;

    /// Adds runs, and skips those whose tick has one already and those whose subject an unfinished run of the same app
    /// has: any number of processes may add the same. Returns how many were added. One transaction.
    async fn add_runs(&self, runs: &[NewRun]) -> Result<u64, Error>;

    /// The backups that Holdfast knows of, by app, the newest first.
    async fn catalog(&self, filter: &CatalogFilter) -> Result<Vec<CatalogEntry>, Error>;

    /// Takes back what was handed out and not worked off within its lease: it is due again, in a new version, so that
    /// whoever still works on the old one cannot commit. A run in a `Begin` lane lets go of what it holds. Returns how many.
    async fn reclaim(&self) -> Result<u64, Error>;

    /// What there is to hand out. Its cost follows the number of lanes, not of runs.
    async fn due_lanes(&self) -> Result<DueLanes, Error>;

    /// Hands out due runs: from each lane asked at most as many as asked, as the subscription's budget has tokens
    /// (drawn here), and, where the step begins an operation, as the plan, the storage account and the app have room
    /// (held from here on), and never more than `limits.outstanding` at a time. The most urgent first, then the longest
    /// due; asks are served in their order. Each is leased for `lease`. One transaction.
    async fn acquire(
        &self,
        asks: &[LaneQuota],
        limits: &Limits,
        lease: Duration,
    ) -> Result<Vec<Leased>, Error>;

    /// Closes a subscription's budget for a kind of call until a time, because Azure said so. A budget that is
    /// closed for longer already stays so.
    async fn close_budget(
        &self,
        subscription: &SubscriptionId,
        call: Call,
        until: Timestamp,
    ) -> Result<(), Error>;

    /// A run, with what the step needs to know beside it; `None` when there is no such run.
    async fn load(&self, id: RunId) -> Result<Option<Loaded>, Error>;

    /// Writes a change: the new row with its version raised by one, its lease ended, and the events. Nothing is
    /// written when the row's version is not the one the change was decided on. Of the row its state, failure counts, due time
    /// and end are taken; what the run was made with stays. Beginning an app that another run holds is an error. Beginning
    /// to delete a backup that came to be held since the run was loaded is stale, and so is beginning to
    /// delete the last one of its app ([`Loaded::is_last`]), unless the deletion says that even that may go. So is beginning to delete what a restore or a drill that has not ended reads, and beginning one of
    /// what is being deleted.
    async fn commit(&self, change: &Change) -> Result<Committed, Error>;

    /// Runs, the newest first.
    async fn runs(&self, filter: &RunFilter) -> Result<Vec<Run>, Error>;

    /// Every app that is enrolled or was, by name, with how it stands.
    async fn status(&self) -> Result<Vec<AppStatus>, Error>;

    /// The audit events of one run, oldest first.
    async fn events(&self, run: RunId) -> Result<Vec<AuditEvent>, Error>;

    /// Audit events after a sequence number, oldest first.
    async fn audit(&self, after: i64, most: u32) -> Result<Vec<AuditEvent>, Error>;

    /// The same events as they are stored, for [`crate::verify_chain`]. A store that keeps texts gives the texts,
    /// so that no change of theirs goes unseen, and none keeps the rows from being read.
    async fn chain(&self, after: i64, most: u32) -> Result<Vec<ChainRow>, Error> {
        Ok(self.audit(after, most).await?.iter().map(ChainRow::of).collect())
    }
}

/// An app as the fleet file enrols it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolled {
    /// The app and its policy.
    pub app: App,
    /// The greatest age of its latest good backup.
    pub recovery_point_objective: Option<Duration>,
    /// How long its backups are owed.
    pub retention: Option<Retention>,
    /// Whether partial backups count as good.
    pub partial_is_good: bool,
    /// The schedule's fingerprint and its first tick after now; `None` for an app in no policy or paused.
    pub schedule: Option<(String, Timestamp)>,
}

/// What a sync of the fleet changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct FleetChange {
    /// Apps that were not there.
    pub added: u64,
    /// Apps whose policy, plan or schedule changed.
    pub changed: u64,
    /// Apps no longer named.
    pub removed: u64,
}

/// How far an app's schedule has been considered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The app.
    pub app: AppId,
    /// The policy.
    pub policy: PolicyName,
    /// The schedule's fingerprint when the cursor was made.
    pub fingerprint: String,
    /// Every tick up to here has been considered.
    pub through: Timestamp,
    /// The first tick after it.
    pub next_at: Timestamp,
    /// Backups of the app under this policy that have not ended.
    pub unfinished: u64,
}

/// A cursor's move and the runs it makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CursorAdvance {
    /// The cursor as it was read.
    pub cursor: Cursor,
    /// Where it moves to.
    pub through: Timestamp,
    /// The first tick after it; `None` when the schedule has no further time: the cursor is removed.
    pub next_at: Option<Timestamp>,
    /// The runs: at most one to do, and those that are missed.
    pub runs: Vec<NewRun>,
}

/// What planning wrote.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Planned {
    /// Runs to do.
    pub runs: u64,
    /// Ticks recorded as missed.
    pub missed: u64,
    /// Plans left out because another scheduler was faster.
    pub conflicts: u64,
}

/// What there is to hand out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DueLanes {
    /// The store's time.
    pub now: Timestamp,
    /// Runs handed out and not worked off.
    pub outstanding: u32,
    /// The lanes in which something is due.
    pub lanes: Vec<DueLane>,
    /// When next something becomes due or a lease passes, after now.
    pub next_at: Option<Timestamp>,
}

/// A lane in which something is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueLane {
    /// The lane.
    pub lane: Lane,
    /// The most urgent priority that is due in it.
    pub priority: Priority,
    /// Since when the longest due of that priority has been due.
    pub due_at: Timestamp,
}

/// How many runs of a lane to hand out at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneQuota {
    /// The lane.
    pub lane: Lane,
    /// At most so many.
    pub most: u32,
}

/// A run handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leased {
    /// What its message says.
    pub wakeup: Wakeup,
    /// How urgent it is.
    pub priority: Priority,
}

/// A run with what its next step needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The run.
    pub run: Run,
    /// The store's time.
    pub now: Timestamp,
    /// How long the app's last good backup took, from acceptance to its end; told to a run for a backup alone.
    pub typical: Option<Duration>,
    /// The size of the app's last good backup; told to a run for a backup alone.
    pub last_good_bytes: Option<i64>,
    /// The backup that the run is about ([`holdfast_model::Task::backup`]), as the catalog has it.
    pub subject: Option<CatalogEntry>,
    /// Whether the backup that the run deletes is the last good one of its app, or where there is none the last partial
    /// one: nothing that stands in for it is there and stays. Told to a deletion alone.
    pub is_last: bool,
}

/// A change of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The version it was decided on.
    pub from: i64,
    /// The row as it is to be; its own version is not looked at.
    pub run: Run,
    /// What happened, oldest first; none where only the due time moves.
    pub events: Vec<RunEvent>,
    /// When.
    pub at: Timestamp,
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Committed {
    /// It is written; the row's version is now this.
    Done(i64),
    /// The row has moved on, or is gone; nothing was written.
    Stale,
}

/// Which of the catalog to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CatalogFilter {
    /// Of this app alone.
    pub app: Option<AppId>,
    /// Apps after this one alone, for reading page by page.
    pub after: Option<AppId>,
    /// Also what is no longer there.
    pub with_removed: bool,
    /// At most so many apps; 0 for all. Each app comes whole.
    pub most_apps: u32,
}

/// Which runs to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Of this app alone.
    pub app: Option<AppId>,
    /// In this state alone.
    pub state: Option<StateCode>,
    /// Of this kind alone.
    pub kind: Option<RunKind>,
    /// Those alone that have not ended.
    pub unfinished: bool,
    /// At most so many; 0 for all.
    pub most: u32,
}

/// How an app stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AppStatus {
    /// The app.
    pub app: AppId,
    /// Its policy.
    pub policy: Option<PolicyName>,
    /// No longer named in the fleet file.
    pub removed: bool,
    /// When its next tick is due.
    pub next_tick: Option<Timestamp>,
    /// What its unfinished backup, restore or drill is doing.
    pub running: Option<Running>,
    /// Its last run for a backup that ended and was not missed.
    pub last: Option<LastRun>,
    /// When its latest good backup that is still there was accepted by Azure: the point in time it can be brought back
    /// to. What is good is told by the catalog.
    pub last_good_at: Option<Timestamp>,
    /// Past its recovery point objective, counted from the store's now. An app that was never backed up is given its
    /// first span from its enrolment.
    pub past_objective: bool,
}

/// An app's run that has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Running {
    /// What it does.
    pub kind: RunKind,
    /// How far it is.
    pub state: StateCode,
}

/// An app's last run that ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LastRun {
    /// The run.
    pub run_id: RunId,
    /// Its outcome.
    pub outcome: holdfast_model::Outcome,
    /// Its cause.
    pub cause: Option<holdfast_model::Cause>,
    /// When it ended.
    pub ended_at: Timestamp,
}

/// One row of the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditEvent {
    /// Its place in the chain, and its bond to the one before.
    #[serde(flatten)]
    pub link: Link,
    /// When it happened.
    pub at: Timestamp,
    /// To which run.
    pub run_id: RunId,
    /// To which app.
    pub app: AppId,
    /// What.
    #[serde(flatten)]
    pub event: RunEvent,
}
