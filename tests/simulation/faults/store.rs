//! A store whose calls may fail, and whose caller may crash.

use std::sync::Arc;

use async_trait::async_trait;
use holdfast_model::{Call, CatalogEntry, Lane, Limits, NewRun, Run, RunId, SubscriptionId, Timestamp};
use holdfast_store::{
    ActFilter, ApiToken, AppDay, AppStatus, Approval, Asked, AuditEvent, BreakerRecord, BudgetDraw,
    CatalogFilter, Change, CheckpointStatus, Committed, Cursor, CursorAdvance, Day, Decision, Departure,
    Drawn, DueLanes, Enrolled, FleetChange, LaneQuota, LeaseTerms, Leased, Listing, Loaded,
    NotificationStore, OpenBreaker, OperationRecord, Planned, ProcessStatus, RequestAnswer, RequestKey,
    Revision, RevisionHead, RunFilter, RunPage, RunRow, Store, SubscriptionStatus,
};

use super::injector::{FaultCounts, Faulty};

impl FaultCounts {
    /// Records the metered leases for the checker of budgets.
    async fn record_leased(
        &self,
        store: &dyn Store,
        all_leased: &[Leased],
    ) -> Result<(), holdfast_store::Error> {
        for leased in all_leased {
            let Some(loaded) = store.load(leased.wakeup.run_id).await? else { continue };
            if let Some((subscription, call)) = loaded.run.lane().as_ref().and_then(Lane::cost) {
                self.leases.lock().unwrap().push((loaded.now, subscription.clone(), call));
            }
        }
        Ok(())
    }
}

macro_rules! faulty_store {
    ($($name:ident($($arg:ident: $type:ty),*) -> $result:ty;)*) => {
        #[async_trait]
        impl Store for Faulty<Arc<dyn Store>> {
            fn notifications(&self) -> &dyn NotificationStore {
                self.inner.notifications()
            }

            async fn acquire(
                &self,
                asks: &[LaneQuota],
                limits: &Limits,
                terms: LeaseTerms,
            ) -> Result<Vec<Leased>, holdfast_store::Error> {
                self.around(async {
                    self.injector.store_fails("acquire")?;
                    let leased = self.inner.acquire(asks, limits, terms).await?;
                    self.injector.fault_counts.record_leased(&*self.inner, &leased).await?;
                    Ok(leased)
                })
                .await
            }

            $(async fn $name(&self, $($arg: $type),*) -> Result<$result, holdfast_store::Error> {
                self.around(async {
                    self.injector.store_fails(stringify!($name))?;
                    self.inner.$name($($arg),*).await
                })
                .await
            })*
        }
    };
}

faulty_store! {
    now() -> Timestamp;
    sync_fleet(fleet: &[Enrolled], departed: &[Departure]) -> FleetChange;
    record_listings(listings: &[Listing]) -> ();
    subscriptions() -> Vec<SubscriptionStatus>;
    cursors_due(after: Option<&Cursor>, most: u32) -> Vec<Cursor>;
    plan(plans: &[CursorAdvance]) -> Planned;
    add_run(run: &NewRun) -> ();
    add_runs(runs: &[NewRun]) -> u64;
    add_runs_once(key: &RequestKey, answer: &str, runs: &[NewRun]) -> RequestAnswer;
    request(key: &RequestKey) -> RequestAnswer;
    add_token(token: &ApiToken, record: &NewRun) -> bool;
    revoke_token(id: &str, record: &NewRun) -> bool;
    token(id: &str) -> Option<ApiToken>;
    tokens() -> Vec<ApiToken>;
    token_used(id: &str, at: Timestamp) -> ();
    ask_approval(approval: &Approval, record: &NewRun) -> Asked;
    decide_approval(id: RunId, decision: &Decision, new: &[NewRun]) -> bool;
    approval(id: RunId) -> Option<Approval>;
    approvals(since: Timestamp, most: u32) -> Vec<Approval>;
    append_revision(revision: &Revision, record: &NewRun) -> bool;
    newest_revision() -> u64;
    revision(number: u64) -> Option<Revision>;
    revisions(most: u32) -> Vec<RevisionHead>;
    record_process(process: &ProcessStatus) -> ();
    forget_process(id: RunId) -> ();
    processes() -> Vec<ProcessStatus>;
    record_operation(operation: &OperationRecord) -> ();
    operation(id: &str) -> Option<OperationRecord>;
    catalog(filter: &CatalogFilter) -> Vec<CatalogEntry>;
    reclaim() -> u64;
    due_lanes() -> DueLanes;
    close_budget(subscription: &SubscriptionId, call: Call, until: Timestamp) -> ();
    draw_budget(draw: &BudgetDraw) -> Drawn;
    open_budgets(subscription: &SubscriptionId, record: &NewRun) -> u64;
    record_breaker(breaker: &BreakerRecord) -> ();
    open_breakers() -> Vec<OpenBreaker>;
    load(id: RunId) -> Option<Loaded>;
    commit_all(changes: &[Change]) -> Vec<Committed>;
    runs(filter: &RunFilter) -> Vec<Run>;
    run_page(after: Option<RunId>, most: u32) -> RunPage;
    run_rows(ids: &[RunId]) -> Vec<RunRow>;
    status() -> Vec<AppStatus>;
    past_durations() -> std::collections::BTreeMap<holdfast_model::AppId, holdfast_store::PastDurations>;
    app_days(since: Day, app: Option<&holdfast_model::AppId>) -> Vec<AppDay>;
    acts(filter: &ActFilter) -> Vec<AuditEvent>;
    last_event() -> Option<AuditEvent>;
    record_checkpoints(all: &[CheckpointStatus]) -> ();
    checkpoints() -> Vec<CheckpointStatus>;
    events(run: RunId) -> Vec<AuditEvent>;
    audit(after: i64, most: u32) -> Vec<AuditEvent>;
}
