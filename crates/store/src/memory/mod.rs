//! The store in memory, which simulations and tests run on.

mod access;
mod approvals;
mod lanes;
mod notifications;
mod reading;
mod revisions;
mod state;
mod writing;

use std::collections::BTreeMap;

use async_trait::async_trait;
use holdfast_access::ApiToken;
use holdfast_model::{
    AppId, Call, CatalogEntry, Clock, Limits, NewRun, Run, RunId, SubscriptionId, Timestamp,
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::app_days::{AppDay, Day};
use crate::approvals::{Approval, Asked, Decision};
use crate::audit::AuditEvent;
use crate::breaker::{BreakerRecord, OpenBreaker};
use crate::budget_draw::{BudgetDraw, Drawn};
use crate::change::{Change, Committed, Loaded, PastDurations};
use crate::checkpoints::CheckpointStatus;
use crate::columns::stamp;
use crate::error::Result;
use crate::filter::{ActFilter, CatalogFilter, RunFilter};
use crate::fleet::{Cursor, CursorAdvance, Departure, Enrolled, FleetChange, Planned};
use crate::lanes::{DueLanes, LaneQuota, LeaseTerms, Leased};
use crate::memory::state::State;
use crate::notifications::NotificationStore;
use crate::operations::OperationRecord;
use crate::processes::ProcessStatus;
use crate::requests::{RequestAnswer, RequestKey};
use crate::revisions::{Revision, RevisionHead};
use crate::rules::acts::is_act;
use crate::rules::enrolment::Wanted;
use crate::run_rows::{RunPage, RunRow};
use crate::status::AppStatus;
use crate::store::Store;
use crate::subscriptions::{Listing, SubscriptionStatus};

/// A store that loses everything when it is dropped, and otherwise behaves as the others do.
#[derive(Debug)]
pub struct MemoryStore {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

impl MemoryStore {
    /// An empty store whose time is `clock`'s.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Mutex::default() }
    }

    /// A copy of everything that is committed now.
    pub fn copy(&self) -> MemoryCopy {
        MemoryCopy(self.state().clone())
    }

    /// Goes back to a copy and loses what was committed since, as a failover to an asynchronous replica does.
    pub fn go_back_to(&self, copy: MemoryCopy) {
        *self.state() = copy.0;
    }

    fn time(&self) -> Timestamp {
        stamp(self.clock.now())
    }

    /// The state. Every change is decided before it is applied, so a panic leaves a consistent one.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Everything that a memory store had committed at one moment.
#[derive(Debug)]
pub struct MemoryCopy(State);

#[async_trait]
impl Store for MemoryStore {
    fn notifications(&self) -> &dyn NotificationStore {
        self
    }

    async fn now(&self) -> Result<Timestamp> {
        Ok(self.time())
    }

    async fn sync_fleet(&self, fleet: &[Enrolled], departed: &[Departure]) -> Result<FleetChange> {
        self.state().sync_fleet(Wanted { fleet, departed }, self.time())
    }

    async fn record_listings(&self, listings: &[Listing]) -> Result<()> {
        self.state().record_listings(listings, self.time());
        Ok(())
    }

    async fn subscriptions(&self) -> Result<Vec<SubscriptionStatus>> {
        Ok(self.state().subscriptions(self.time()))
    }

    async fn cursors_due(&self, after: Option<&Cursor>, most: u32) -> Result<Vec<Cursor>> {
        Ok(self.state().cursors_due(after, most, self.time()))
    }

    async fn plan(&self, plans: &[CursorAdvance]) -> Result<Planned> {
        self.state().plan(plans, self.time())
    }

    async fn add_run(&self, run: &NewRun) -> Result<()> {
        self.state().add_run(run, self.time())
    }

    async fn add_runs(&self, runs: &[NewRun]) -> Result<u64> {
        self.state().add_runs(runs, self.time())
    }

    async fn add_runs_once(&self, key: &RequestKey, answer: &str, runs: &[NewRun]) -> Result<RequestAnswer> {
        self.state().add_runs_once((key, answer), runs, self.time())
    }

    async fn request(&self, key: &RequestKey) -> Result<RequestAnswer> {
        Ok(self.state().request(key, self.time()))
    }

    async fn add_token(&self, token: &ApiToken, record: &NewRun) -> Result<bool> {
        self.state().add_token(token, record, self.time())
    }

    async fn revoke_token(&self, id: &str, record: &NewRun) -> Result<bool> {
        self.state().revoke_token(id, record, self.time())
    }

    async fn token(&self, id: &str) -> Result<Option<ApiToken>> {
        Ok(self.state().tokens.get(id).cloned())
    }

    async fn tokens(&self) -> Result<Vec<ApiToken>> {
        Ok(self.state().tokens())
    }

    async fn token_used(&self, id: &str, at: Timestamp) -> Result<()> {
        self.state().token_used(id, at);
        Ok(())
    }

    async fn ask_approval(&self, approval: &Approval, record: &NewRun) -> Result<Asked> {
        self.state().ask_approval(approval, record, self.time())
    }

    async fn decide_approval(&self, id: RunId, decision: &Decision, new: &[NewRun]) -> Result<bool> {
        self.state().decide_approval((id, decision), new, self.time())
    }

    async fn approval(&self, id: RunId) -> Result<Option<Approval>> {
        Ok(self.state().approvals.get(&id).cloned())
    }

    async fn approvals(&self, since: Timestamp, most: u32) -> Result<Vec<Approval>> {
        Ok(self.state().approvals_since(since, most))
    }

    async fn append_revision(&self, revision: &Revision, record: &NewRun) -> Result<bool> {
        self.state().append_revision(revision, record, self.time())
    }

    async fn newest_revision(&self) -> Result<u64> {
        Ok(self.state().newest_revision())
    }

    async fn revision(&self, number: u64) -> Result<Option<Revision>> {
        Ok(self.state().revisions.get(&number).cloned())
    }

    async fn revisions(&self, most: u32) -> Result<Vec<RevisionHead>> {
        let state = self.state();
        let newest = state.revisions.values().rev().take(most as usize);
        Ok(newest.map(|revision| revision.head.clone()).collect())
    }

    async fn record_process(&self, process: &ProcessStatus) -> Result<()> {
        self.state().record_process(process, self.time());
        Ok(())
    }

    async fn forget_process(&self, id: RunId) -> Result<()> {
        self.state().processes.remove(&id);
        Ok(())
    }

    async fn processes(&self) -> Result<Vec<ProcessStatus>> {
        Ok(self.state().processes(self.time()))
    }

    async fn record_operation(&self, operation: &OperationRecord) -> Result<()> {
        self.state().record_operation(operation, self.time());
        Ok(())
    }

    async fn operation(&self, id: &str) -> Result<Option<OperationRecord>> {
        let since = self.time() - OperationRecord::KEPT;
        Ok(self.state().operations.get(id).filter(|operation| operation.seen_at > since).cloned())
    }

    async fn catalog(&self, filter: &CatalogFilter) -> Result<Vec<CatalogEntry>> {
        Ok(self.state().catalog(filter))
    }

    async fn reclaim(&self) -> Result<u64> {
        Ok(self.state().reclaim(self.time()))
    }

    async fn due_lanes(&self) -> Result<DueLanes> {
        Ok(self.state().due_lanes(self.time()))
    }

    async fn acquire(&self, quotas: &[LaneQuota], limits: &Limits, terms: LeaseTerms) -> Result<Vec<Leased>> {
        Ok(self.state().acquire(quotas, limits, terms, self.time()))
    }

    async fn close_budget(&self, subscription: &SubscriptionId, call: Call, until: Timestamp) -> Result<()> {
        self.state().bucket(subscription, call, self.time()).close(stamp(until));
        Ok(())
    }

    async fn draw_budget(&self, draw: &BudgetDraw) -> Result<Drawn> {
        let (now, mut state) = (self.time(), self.state());
        let bucket = state.bucket(&draw.subscription, draw.call, now);
        let (drawn, left) = bucket.draw_spare(draw.budget, now, draw.most);
        *bucket = left.unwrap_or(*bucket);
        Ok(drawn)
    }

    async fn open_budgets(&self, subscription: &SubscriptionId, record: &NewRun) -> Result<u64> {
        self.state().open_budgets(subscription, record, self.time())
    }

    async fn record_breaker(&self, breaker: &BreakerRecord) -> Result<()> {
        self.state().record_breaker(breaker);
        Ok(())
    }

    async fn open_breakers(&self) -> Result<Vec<OpenBreaker>> {
        Ok(self.state().open_breakers(self.time()))
    }

    async fn load(&self, id: RunId) -> Result<Option<Loaded>> {
        Ok(self.state().load(id, self.time()))
    }

    async fn commit_all(&self, changes: &[Change]) -> Result<Vec<Committed>> {
        self.state().commit(changes)
    }

    async fn runs(&self, filter: &RunFilter) -> Result<Vec<Run>> {
        Ok(self.state().runs(filter))
    }

    async fn run_page(&self, after: Option<RunId>, most: u32) -> Result<RunPage> {
        Ok(self.state().run_page(after, most))
    }

    async fn run_rows(&self, ids: &[RunId]) -> Result<Vec<RunRow>> {
        let state = self.state();
        let row = |id: &RunId| Some(RunRow { run: state.row(*id)?.run.clone(), odd_columns: Vec::new() });
        Ok(ids.iter().filter_map(row).collect())
    }

    async fn status(&self) -> Result<Vec<AppStatus>> {
        Ok(self.state().status(self.time()))
    }

    async fn past_durations(&self) -> Result<BTreeMap<AppId, PastDurations>> {
        Ok(self.state().past_durations())
    }

    async fn app_days(&self, since: Day, app: Option<&AppId>) -> Result<Vec<AppDay>> {
        Ok(self.state().app_days(since, app))
    }

    async fn events(&self, run: RunId) -> Result<Vec<AuditEvent>> {
        Ok(self.state().events(run))
    }

    async fn acts(&self, filter: &ActFilter) -> Result<Vec<AuditEvent>> {
        let state = self.state();
        let newest = state.audit().iter().rev().filter(|event| is_act(&event.event));
        let before = newest.filter(|event| filter.before.is_none_or(|before| event.link.seq < before));
        Ok(before.take(filter.most as usize).cloned().collect())
    }

    async fn last_event(&self) -> Result<Option<AuditEvent>> {
        Ok(self.state().audit().last().cloned())
    }

    async fn record_checkpoints(&self, checkpoints: &[CheckpointStatus]) -> Result<()> {
        self.state().checkpoints = checkpoints.to_vec();
        Ok(())
    }

    async fn checkpoints(&self) -> Result<Vec<CheckpointStatus>> {
        Ok(self.state().checkpoints.clone())
    }

    async fn audit(&self, after: i64, most: u32) -> Result<Vec<AuditEvent>> {
        // Sequence numbers count from 1 without gaps, so they are places in the list.
        let skip = usize::try_from(after).unwrap_or(0);
        Ok(self.state().audit().iter().skip(skip).take(most as usize).cloned().collect())
    }
}
