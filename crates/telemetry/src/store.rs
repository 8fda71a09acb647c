//! The store, watched: what is committed is counted, and a run's end ends its trace.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use holdfast_model::{
    AppId, Call, CatalogEntry, DepartureReason, Limits, NewRun, Run, RunId, SubscriptionId, Timestamp,
};
use holdfast_store::{
    ActFilter, ApiToken, AppDay, AppStatus, Approval, Asked, AuditEvent, BreakerRecord, BudgetDraw,
    CatalogFilter, ChainRow, Change, CheckpointStatus, Committed, Cursor, CursorAdvance, Day, Decision,
    Departure, Drawn, DueLanes, Enrolled, Error, FleetChange, LaneQuota, LeaseTerms, Leased, Listing,
    ListingResult, Loaded, NotificationStore, OpenBreaker, OperationRecord, PastDurations, Planned,
    ProcessStatus, Removed, RequestAnswer, RequestKey, Revision, RevisionHead, RowRemoval, RunFilter,
    RunPage, RunRow, Safeguard, Store, SubscriptionStatus, UnreadableRow,
};
use opentelemetry::KeyValue;
use opentelemetry_sdk::trace::SdkTracer;

use crate::instruments::Instruments;
use crate::loop_health::LoopHealth;
use crate::run_log::{Line, lines, missed_lines, recorded_line};
use crate::whole_run::seconds_between;

/// Hands everything on. What it counts it counts after the commit, so that what did not happen is not counted.
#[derive(Debug)]
pub struct WatchedStore {
    pub inner: Arc<dyn Store>,
    pub instruments: Arc<Instruments>,
    pub planner: Arc<LoopHealth>,
    pub dispatcher: Arc<LoopHealth>,
    /// Writes runs' first spans; `None` where traces go nowhere.
    pub tracer: Option<SdkTracer>,
    /// Whether each start and end of a run is a line of the log.
    pub logs_runs: bool,
}

impl WatchedStore {
    fn committed(&self, change: &Change) {
        for event in &change.events {
            self.wrote(event.name(), 1);
            self.happened(&change.run, event, change.at);
        }
        if self.logs_runs {
            lines(change).iter().for_each(Line::write);
        }
    }

    /// Writes the lines of added runs. `count` is how many of them were added: when it is not all of them, the store
    /// knows which, because it has no other run of their ids.
    async fn log_added(&self, added: Vec<&NewRun>, count: u64) {
        let is_all = u64::try_from(added.len()).is_ok_and(|all| all == count);
        if !self.logs_runs || count == 0 {
            return;
        }
        let mut known = Vec::new();
        for new in added {
            if is_all || matches!(self.inner.load(new.run.id).await, Ok(Some(_))) {
                known.push(new);
            }
        }
        let recorded = known.iter().filter_map(|new| recorded_line(new));
        missed_lines(known.iter().copied()).into_iter().chain(recorded).for_each(|line| line.write());
    }
}

#[async_trait]
impl Store for WatchedStore {
    fn notifications(&self) -> &dyn NotificationStore {
        self
    }

    async fn close(&self) {
        self.inner.close().await;
    }

    async fn now(&self) -> Result<Timestamp, Error> {
        self.inner.now().await
    }

    async fn sync_fleet(&self, fleet: &[Enrolled], departed: &[Departure]) -> Result<FleetChange, Error> {
        let change = self.inner.sync_fleet(fleet, departed).await?;
        let FleetChange { removed, not_found, .. } = change;
        let left = [
            (DepartureReason::NotFound, not_found),
            (DepartureReason::NotInFleetFile, removed.saturating_sub(not_found)),
        ];
        for (reason, count) in left.into_iter().filter(|(_, count)| *count > 0) {
            self.instruments.apps_removed.add(count, &[KeyValue::new("reason", reason.as_str())]);
            self.wrote("action_recorded", count);
        }
        Ok(change)
    }

    async fn record_listings(&self, listings: &[Listing]) -> Result<(), Error> {
        for listing in listings {
            let is_unanswered = matches!(listing.result, ListingResult::Failed { .. });
            let subscription = KeyValue::new("subscription", listing.subscription.as_str().to_owned());
            self.instruments.subscription_unanswered.record(u64::from(is_unanswered), &[subscription]);
        }
        self.inner.record_listings(listings).await
    }

    async fn subscriptions(&self) -> Result<Vec<SubscriptionStatus>, Error> {
        self.inner.subscriptions().await
    }

    async fn cursors_due(&self, after: Option<&Cursor>, most: u32) -> Result<Vec<Cursor>, Error> {
        let due = self.inner.cursors_due(after, most).await?;
        self.planner.looked(after.is_none() && due.is_empty());
        Ok(due)
    }

    async fn plan(&self, plans: &[CursorAdvance]) -> Result<Planned, Error> {
        let planned = self.inner.plan(plans).await;
        self.planner.did(planned.is_ok());
        let planned = planned?;
        for (result, count) in
            [("run", planned.runs), ("missed", planned.missed), ("conflicts", planned.conflicts)]
        {
            self.instruments.ticks.add(count, &[KeyValue::new("result", result)]);
        }
        self.wrote("planned", planned.runs);
        self.wrote("missed", planned.missed);
        let missed = plans.iter().flat_map(|plan| &plan.runs).filter(|new| new.run.state.is_ended());
        self.log_added(missed.collect(), planned.missed).await;
        Ok(planned)
    }

    async fn open_budgets(&self, subscription: &SubscriptionId, record: &NewRun) -> Result<u64, Error> {
        self.inner.open_budgets(subscription, record).await
    }

    async fn add_run(&self, run: &NewRun) -> Result<(), Error> {
        self.inner.add_run(run).await?;
        self.wrote(run.event.name(), 1);
        self.log_added(vec![run], 1).await;
        Ok(())
    }

    async fn add_runs(&self, runs: &[NewRun]) -> Result<u64, Error> {
        let added = self.inner.add_runs(runs).await?;
        self.wrote("planned", added);
        self.log_added(runs.iter().collect(), added).await;
        Ok(added)
    }

    async fn add_runs_once(
        &self,
        key: &RequestKey,
        answer: &str,
        runs: &[NewRun],
    ) -> Result<RequestAnswer, Error> {
        let known = self.inner.add_runs_once(key, answer, runs).await?;
        if known == RequestAnswer::New {
            let added = u64::try_from(runs.len()).unwrap_or(u64::MAX);
            self.wrote("planned", added);
            self.log_added(runs.iter().collect(), added).await;
        }
        Ok(known)
    }

    async fn request(&self, key: &RequestKey) -> Result<RequestAnswer, Error> {
        self.inner.request(key).await
    }

    async fn add_token(&self, token: &ApiToken, record: &NewRun) -> Result<bool, Error> {
        self.inner.add_token(token, record).await
    }

    async fn revoke_token(&self, id: &str, record: &NewRun) -> Result<bool, Error> {
        self.inner.revoke_token(id, record).await
    }

    async fn token(&self, id: &str) -> Result<Option<ApiToken>, Error> {
        self.inner.token(id).await
    }

    async fn tokens(&self) -> Result<Vec<ApiToken>, Error> {
        self.inner.tokens().await
    }

    async fn token_used(&self, id: &str, at: Timestamp) -> Result<(), Error> {
        self.inner.token_used(id, at).await
    }

    async fn ask_approval(&self, approval: &Approval, record: &NewRun) -> Result<Asked, Error> {
        self.inner.ask_approval(approval, record).await
    }

    async fn decide_approval(&self, id: RunId, decision: &Decision, new: &[NewRun]) -> Result<bool, Error> {
        let decided = self.inner.decide_approval(id, decision, new).await?;
        if decided {
            let runs = new.get(1..).unwrap_or_default();
            let added = u64::try_from(runs.len()).unwrap_or(u64::MAX);
            self.wrote("planned", added);
            self.log_added(runs.iter().collect(), added).await;
        }
        Ok(decided)
    }

    async fn approval(&self, id: RunId) -> Result<Option<Approval>, Error> {
        self.inner.approval(id).await
    }

    async fn approvals(&self, since: Timestamp, most: u32) -> Result<Vec<Approval>, Error> {
        self.inner.approvals(since, most).await
    }

    async fn append_revision(&self, revision: &Revision, record: &NewRun) -> Result<bool, Error> {
        let appended = self.inner.append_revision(revision, record).await?;
        if appended {
            self.wrote(record.event.name(), 1);
        }
        Ok(appended)
    }

    async fn newest_revision(&self) -> Result<u64, Error> {
        self.inner.newest_revision().await
    }

    async fn revision(&self, number: u64) -> Result<Option<Revision>, Error> {
        self.inner.revision(number).await
    }

    async fn revisions(&self, most: u32) -> Result<Vec<RevisionHead>, Error> {
        self.inner.revisions(most).await
    }

    async fn record_process(&self, process: &ProcessStatus) -> Result<(), Error> {
        self.instruments.revision.number.record(process.revision.unwrap_or(0), &[]);
        let is_refused = u64::from(process.revision_error.is_some());
        self.instruments.revision.refused.record(is_refused, &[]);
        self.inner.record_process(process).await
    }

    async fn forget_process(&self, id: RunId) -> Result<(), Error> {
        self.inner.forget_process(id).await
    }

    async fn processes(&self) -> Result<Vec<ProcessStatus>, Error> {
        self.inner.processes().await
    }

    async fn record_operation(&self, operation: &OperationRecord) -> Result<(), Error> {
        self.inner.record_operation(operation).await
    }

    async fn operation(&self, id: &str) -> Result<Option<OperationRecord>, Error> {
        self.inner.operation(id).await
    }

    async fn catalog(&self, filter: &CatalogFilter) -> Result<Vec<CatalogEntry>, Error> {
        self.inner.catalog(filter).await
    }

    async fn reclaim(&self) -> Result<u64, Error> {
        let reclaimed = self.inner.reclaim().await?;
        self.instruments.leases_reclaimed.add(reclaimed, &[]);
        Ok(reclaimed)
    }

    async fn due_lanes(&self) -> Result<DueLanes, Error> {
        let board = self.inner.due_lanes().await?;
        self.dispatcher.looked(board.lanes.is_empty());
        let longest = board.lanes.iter().map(|lane| lane.due_at).min();
        let oldest = longest.map_or(0.0, |due_at| seconds_between(due_at, board.now));
        self.instruments.lanes_due.record(u64::try_from(board.lanes.len()).unwrap_or(u64::MAX), &[]);
        self.instruments.oldest_due.record(oldest, &[]);
        self.instruments.outstanding.record(u64::from(board.outstanding), &[]);
        Ok(board)
    }

    async fn acquire(
        &self,
        asks: &[LaneQuota],
        limits: &Limits,
        terms: LeaseTerms,
    ) -> Result<Vec<Leased>, Error> {
        let taken = self.inner.acquire(asks, limits, terms).await;
        match &taken {
            Err(_) => self.dispatcher.did(false),
            Ok(taken) if taken.is_empty() => self.dispatcher.did(true),
            // Whether these can be handed on shows when they are published.
            Ok(taken) => self.instruments.dispatched.add(u64::try_from(taken.len()).unwrap_or(u64::MAX), &[]),
        }
        taken
    }

    async fn close_budget(
        &self,
        subscription: &SubscriptionId,
        call: Call,
        until: Timestamp,
    ) -> Result<(), Error> {
        self.inner.close_budget(subscription, call, until).await?;
        self.instruments.budgets_closed.add(1, &[KeyValue::new("call", call.as_str())]);
        Ok(())
    }

    async fn draw_budget(&self, draw: &BudgetDraw) -> Result<Drawn, Error> {
        self.inner.draw_budget(draw).await
    }

    async fn record_breaker(&self, breaker: &BreakerRecord) -> Result<(), Error> {
        self.inner.record_breaker(breaker).await
    }

    async fn open_breakers(&self) -> Result<Vec<OpenBreaker>, Error> {
        self.inner.open_breakers().await
    }

    async fn load(&self, id: RunId) -> Result<Option<Loaded>, Error> {
        self.inner.load(id).await
    }

    async fn load_all(&self, ids: &[RunId]) -> Result<Vec<Option<Loaded>>, Error> {
        self.inner.load_all(ids).await
    }

    async fn commit_all(&self, changes: &[Change]) -> Result<Vec<Committed>, Error> {
        let committed = self.inner.commit_all(changes).await?;
        for (change, committed) in changes.iter().zip(&committed) {
            if matches!(committed, Committed::Done(_)) {
                self.committed(change);
            }
        }
        Ok(committed)
    }

    async fn runs(&self, filter: &RunFilter) -> Result<Vec<Run>, Error> {
        self.inner.runs(filter).await
    }

    async fn unreadable_rows(&self) -> Result<Vec<UnreadableRow>, Error> {
        self.inner.unreadable_rows().await
    }

    async fn safeguards(&self) -> Result<Vec<Safeguard>, Error> {
        self.inner.safeguards().await
    }

    fn unreadable_seen(&self) -> u64 {
        self.inner.unreadable_seen()
    }

    async fn remove_unreadable(&self, removal: &RowRemoval) -> Result<Removed, Error> {
        self.inner.remove_unreadable(removal).await
    }

    async fn run_page(&self, after: Option<RunId>, most: u32) -> Result<RunPage, Error> {
        self.inner.run_page(after, most).await
    }

    async fn run_rows(&self, ids: &[RunId]) -> Result<Vec<RunRow>, Error> {
        self.inner.run_rows(ids).await
    }

    async fn status(&self) -> Result<Vec<AppStatus>, Error> {
        self.inner.status().await
    }

    async fn past_durations(&self) -> Result<BTreeMap<AppId, PastDurations>, Error> {
        self.inner.past_durations().await
    }

    async fn app_days(&self, since: Day, app: Option<&AppId>) -> Result<Vec<AppDay>, Error> {
        self.inner.app_days(since, app).await
    }

    async fn acts(&self, filter: &ActFilter) -> Result<Vec<AuditEvent>, Error> {
        self.inner.acts(filter).await
    }

    async fn last_event(&self) -> Result<Option<AuditEvent>, Error> {
        self.inner.last_event().await
    }

    async fn record_checkpoints(&self, all: &[CheckpointStatus]) -> Result<(), Error> {
        self.inner.record_checkpoints(all).await
    }

    async fn checkpoints(&self) -> Result<Vec<CheckpointStatus>, Error> {
        self.inner.checkpoints().await
    }

    async fn events(&self, run: RunId) -> Result<Vec<AuditEvent>, Error> {
        self.inner.events(run).await
    }

    async fn audit(&self, after: i64, most: u32) -> Result<Vec<AuditEvent>, Error> {
        self.inner.audit(after, most).await
    }

    async fn chain(&self, after: i64, most: u32) -> Result<Vec<ChainRow>, Error> {
        self.inner.chain(after, most).await
    }
}
