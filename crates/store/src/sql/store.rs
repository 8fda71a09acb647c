//! The store on any SQL database: each operation in its own session.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use holdfast_access::ApiToken;
use holdfast_model::{
    AppId, Call, CatalogEntry, Limits, NewRun, Run, RunId, SubscriptionId, Tags, Timestamp,
};

use crate::app_days::{AppDay, Day};
use crate::approvals::{Approval, Asked, Decision};
use crate::audit::AuditEvent;
use crate::breaker::{BreakerRecord, OpenBreaker};
use crate::budget_draw::{BudgetDraw, Drawn};
use crate::chain::ChainRow;
use crate::change::{Change, Committed, Loaded, PastDurations};
use crate::checkpoints::CheckpointStatus;
use crate::error::{Error, Result};
use crate::filter::{ActFilter, CatalogFilter, RunFilter};
use crate::fleet::{Cursor, CursorAdvance, Departure, Enrolled, FleetChange, Planned};
use crate::lanes::{DueLanes, LaneQuota, LeaseTerms, Leased};
use crate::notifications::{Delivery, Notification, NotificationStore, NotifierAdvance, NotifierPlace};
use crate::operations::OperationRecord;
use crate::processes::ProcessStatus;
use crate::requests::{RequestAnswer, RequestKey};
use crate::revisions::{Revision, RevisionHead};
use crate::rules::commit::COMMIT;
use crate::rules::enrolment::Wanted;
use crate::rules::generations::StoredEntry;
use crate::run_rows::{RunPage, RunRow};
use crate::safeguard::Safeguard;
use crate::sql::session::{Database, Session};
use crate::sql::unreadable::{Paged, RunCheck};
use crate::sql::{
    acquire, app_days, approvals, audit, breakers, budgets, catalog, checkpoints, commit, cursors, fleet,
    insert, lanes, listing, load, notifications, operations, processes, requests, revisions, run_rows,
    safeguards, status, subscriptions, tokens, unreadable,
};
use crate::status::AppStatus;
use crate::store::Store;
use crate::subscriptions::{Listing, SubscriptionStatus};
use crate::unreadable::{Removed, RowRemoval, UnreadableRow};

const NOW: &str = "read the store's time";

/// A store in a SQL database.
#[derive(Debug)]
pub struct SqlStore<D> {
    pub(crate) database: D,
}

/// Runs an operation in a session, within the database's time limit.
macro_rules! within {
    ($store:ident.$open:ident($operation:expr), |$session:ident| $work:expr) => {
        D::within($operation, async {
            let mut session = $store.database.$open($operation).await?;
            let $session = &mut session;
            let result = $work.await;
            session.end(result).await
        })
        .await
    };
}

#[async_trait]
impl<D: Database> Store for SqlStore<D> {
    fn notifications(&self) -> &dyn NotificationStore {
        self
    }

    async fn close(&self) {
        self.database.close().await;
    }

    async fn now(&self) -> Result<Timestamp> {
        within!(self.read(NOW), |session| session.now())
    }

    async fn sync_fleet(&self, fleet: &[Enrolled], departed: &[Departure]) -> Result<FleetChange> {
        let wanted = Wanted { fleet, departed };
        within!(self.write(fleet::SYNC), |session| fleet::sync_fleet(session, wanted))
    }

    async fn record_listings(&self, listings: &[Listing]) -> Result<()> {
        within!(self.write_singly(subscriptions::RECORD), |session| subscriptions::record(session, listings))
    }

    async fn subscriptions(&self) -> Result<Vec<SubscriptionStatus>> {
        within!(self.read(subscriptions::STATUS), |session| subscriptions::status(session))
    }

    async fn cursors_due(&self, after: Option<&Cursor>, most: u32) -> Result<Vec<Cursor>> {
        within!(self.read(cursors::DUE), |session| cursors::due(session, after, most))
    }

    async fn plan(&self, plans: &[CursorAdvance]) -> Result<Planned> {
        within!(self.write(cursors::PLAN), |session| cursors::plan(session, plans))
    }

    async fn add_run(&self, run: &NewRun) -> Result<()> {
        within!(self.write(insert::ADD), |session| insert::add(session, run))
    }

    async fn add_runs(&self, runs: &[NewRun]) -> Result<u64> {
        within!(self.write(insert::ADD_ALL), |session| insert::add_all(session, runs))
    }

    async fn add_runs_once(&self, key: &RequestKey, answer: &str, runs: &[NewRun]) -> Result<RequestAnswer> {
        let request = (key, answer);
        within!(self.write(requests::ADD), |session| requests::add_runs_once(session, request, runs))
    }

    async fn request(&self, key: &RequestKey) -> Result<RequestAnswer> {
        within!(self.read(requests::READ), |session| requests::find(session, key))
    }

    async fn add_token(&self, token: &ApiToken, record: &NewRun) -> Result<bool> {
        within!(self.write(tokens::ADD), |session| tokens::add(session, token, record))
    }

    async fn revoke_token(&self, id: &str, record: &NewRun) -> Result<bool> {
        within!(self.write(tokens::REVOKE), |session| tokens::revoke(session, id, record))
    }

    async fn token(&self, id: &str) -> Result<Option<ApiToken>> {
        within!(self.read(tokens::READ), |session| tokens::find(session, id))
    }

    async fn tokens(&self) -> Result<Vec<ApiToken>> {
        within!(self.read(tokens::READ), |session| tokens::list(session))
    }

    async fn token_used(&self, id: &str, at: Timestamp) -> Result<()> {
        within!(self.write_singly(tokens::USE), |session| tokens::used(session, id, at))
    }

    async fn ask_approval(&self, approval: &Approval, record: &NewRun) -> Result<Asked> {
        within!(self.write(approvals::ASK), |session| approvals::ask(session, approval, record))
    }

    async fn decide_approval(&self, id: RunId, decision: &Decision, new: &[NewRun]) -> Result<bool> {
        within!(self.write(approvals::DECIDE), |session| approvals::decide(session, (id, decision), new))
    }

    async fn approval(&self, id: RunId) -> Result<Option<Approval>> {
        within!(self.read(approvals::READ), |session| approvals::find(session, id))
    }

    async fn approvals(&self, since: Timestamp, most: u32) -> Result<Vec<Approval>> {
        within!(self.read(approvals::READ), |session| approvals::list(session, since, most))
    }

    async fn append_revision(&self, revision: &Revision, record: &NewRun) -> Result<bool> {
        within!(self.write(revisions::APPEND), |session| revisions::append(session, revision, record))
    }

    async fn newest_revision(&self) -> Result<u64> {
        within!(self.read(revisions::READ), |session| revisions::newest(session))
    }

    async fn revision(&self, number: u64) -> Result<Option<Revision>> {
        within!(self.read(revisions::READ), |session| revisions::find(session, number))
    }

    async fn revisions(&self, most: u32) -> Result<Vec<RevisionHead>> {
        within!(self.read(revisions::READ), |session| revisions::list(session, most))
    }

    async fn record_process(&self, process: &ProcessStatus) -> Result<()> {
        within!(self.write(processes::RECORD), |session| processes::record(session, process))
    }

    async fn forget_process(&self, id: RunId) -> Result<()> {
        within!(self.write_singly(processes::RECORD), |session| processes::forget(session, id))
    }

    async fn processes(&self) -> Result<Vec<ProcessStatus>> {
        within!(self.read(processes::READ), |session| processes::list(session))
    }

    async fn record_operation(&self, operation: &OperationRecord) -> Result<()> {
        within!(self.write(operations::RECORD), |session| operations::record(session, operation))
    }

    async fn operation(&self, id: &str) -> Result<Option<OperationRecord>> {
        within!(self.read(operations::READ), |session| operations::find(session, id))
    }

    async fn catalog(&self, filter: &CatalogFilter) -> Result<Vec<CatalogEntry>> {
        within!(self.read(catalog::CATALOG), |session| catalog::list(session, filter))
    }

    async fn reclaim(&self) -> Result<u64> {
        within!(self.write_singly(lanes::RECLAIM), |session| lanes::reclaim(session))
    }

    async fn due_lanes(&self) -> Result<DueLanes> {
        within!(self.read_own(lanes::DUE_LANES), |session| lanes::due_lanes(session))
    }

    async fn acquire(&self, quotas: &[LaneQuota], limits: &Limits, terms: LeaseTerms) -> Result<Vec<Leased>> {
        within!(self.write(acquire::ACQUIRE), |session| acquire::acquire(session, quotas, limits, terms))
    }

    async fn close_budget(&self, subscription: &SubscriptionId, call: Call, until: Timestamp) -> Result<()> {
        within!(self.write_singly(budgets::CLOSE), |session| budgets::close(
            session,
            subscription,
            call,
            until
        ))
    }

    async fn draw_budget(&self, draw: &BudgetDraw) -> Result<Drawn> {
        within!(self.write(budgets::DRAW), |session| budgets::draw(session, draw))
    }

    async fn open_budgets(&self, subscription: &SubscriptionId, record: &NewRun) -> Result<u64> {
        within!(self.write(budgets::OPEN), |session| budgets::open(session, subscription, record))
    }

    async fn record_breaker(&self, breaker: &BreakerRecord) -> Result<()> {
        within!(self.write_singly(breakers::RECORD), |session| breakers::record(session, breaker))
    }

    async fn open_breakers(&self) -> Result<Vec<OpenBreaker>> {
        within!(self.read(breakers::OPEN), |session| breakers::open(session))
    }

    async fn load(&self, id: RunId) -> Result<Option<Loaded>> {
        let loaded = within!(self.read_own(load::LOAD), |session| load::load(session, id));
        if let Err(Error::Unreadable { row, .. }) = &loaded {
            self.database.log().warn(row);
            within!(self.write_singly(load::LOAD), |session| load::put_off(session, id))?;
        }
        loaded
    }

    async fn load_all(&self, ids: &[RunId]) -> Result<Vec<Option<Loaded>>> {
        within!(self.read_own(load::LOAD_ALL), |session| load::load_all(session, ids))
    }

    async fn commit_all(&self, changes: &[Change]) -> Result<Vec<Committed>> {
        if changes.iter().all(|change| change.events.is_empty()) {
            within!(self.write_singly(COMMIT), |session| commit::commit(session, changes))
        } else {
            within!(self.write(COMMIT), |session| commit::commit(session, changes))
        }
    }

    async fn runs(&self, filter: &RunFilter) -> Result<Vec<Run>> {
        within!(self.read(listing::LIST), |session| listing::list(session, filter))
    }

    async fn unreadable_rows(&self) -> Result<Vec<UnreadableRow>> {
        let mut found =
            within!(self.read(unreadable::CHECK), |session| unreadable::of_small_tables(session))?;
        check::<_, RunCheck>(self, &mut found).await?;
        check::<_, StoredEntry>(self, &mut found).await?;
        check::<_, AuditEvent>(self, &mut found).await?;
        Ok(found)
    }

    async fn safeguards(&self) -> Result<Vec<Safeguard>> {
        within!(self.read(safeguards::SAFEGUARDS), |session| safeguards::list(session))
    }

    fn unreadable_seen(&self) -> u64 {
        self.database.log().count()
    }

    async fn remove_unreadable(&self, removal: &RowRemoval) -> Result<Removed> {
        within!(self.write(unreadable::REMOVE), |session| unreadable::remove(session, removal))
    }

    async fn run_page(&self, after: Option<RunId>, most: u32) -> Result<RunPage> {
        within!(self.read(run_rows::READ), |session| run_rows::page(session, after, most))
    }

    async fn run_rows(&self, ids: &[RunId]) -> Result<Vec<RunRow>> {
        within!(self.read(run_rows::READ), |session| run_rows::of(session, ids))
    }

    async fn status(&self) -> Result<Vec<AppStatus>> {
        within!(self.read(status::STATUS), |session| status::status(session))
    }

    async fn past_durations(&self) -> Result<BTreeMap<AppId, PastDurations>> {
        within!(self.read(load::PAST_DURATIONS), |session| load::past_durations(session))
    }

    async fn app_days(&self, since: Day, app: Option<&AppId>) -> Result<Vec<AppDay>> {
        within!(self.read(app_days::READ), |session| app_days::list(session, since, app))
    }

    async fn events(&self, run: RunId) -> Result<Vec<AuditEvent>> {
        within!(self.read(audit::READ), |session| audit::of_run(session, run))
    }

    async fn acts(&self, filter: &ActFilter) -> Result<Vec<AuditEvent>> {
        within!(self.read(audit::READ), |session| audit::acts(session, filter))
    }

    async fn last_event(&self) -> Result<Option<AuditEvent>> {
        within!(self.read(audit::READ), |session| audit::last(session))
    }

    async fn record_checkpoints(&self, all: &[CheckpointStatus]) -> Result<()> {
        within!(self.write(checkpoints::RECORD), |session| checkpoints::record(session, all))
    }

    async fn checkpoints(&self) -> Result<Vec<CheckpointStatus>> {
        within!(self.read(checkpoints::READ), |session| checkpoints::list(session))
    }

    async fn audit(&self, after: i64, most: u32) -> Result<Vec<AuditEvent>> {
        within!(self.read(audit::READ), |session| audit::after(session, after, most))
    }

    async fn chain(&self, after: i64, most: u32) -> Result<Vec<ChainRow>> {
        within!(self.read(audit::READ), |session| audit::after(session, after, most))
    }
}

#[async_trait]
impl<D: Database> NotificationStore for SqlStore<D> {
    async fn notifier(&self) -> Result<Option<NotifierPlace>> {
        within!(self.read(notifications::PLACE), |session| notifications::place(session))
    }

    async fn advance_notifier(&self, advance: &NotifierAdvance) -> Result<bool> {
        within!(self.write(notifications::ADVANCE), |session| notifications::advance(session, advance))
    }

    async fn lease_notifications(
        &self,
        channel: &str,
        most: u32,
        lasts: Duration,
    ) -> Result<Vec<Notification>> {
        let asked = (channel, most);
        within!(self.write(notifications::LEASE), |session| notifications::lease(session, asked, lasts))
    }

    async fn settle_notification(
        &self,
        notification: &Notification,
        delivery: &Delivery,
        record: Option<&NewRun>,
    ) -> Result<bool> {
        let settled = (notification.id.as_str(), delivery);
        within!(self.write(notifications::SETTLE), |session| notifications::settle(session, settled, record))
    }

    async fn app_tags(&self, apps: &BTreeSet<AppId>) -> Result<BTreeMap<AppId, Tags>> {
        within!(self.read(notifications::APP_TAGS), |session| notifications::app_tags(session, apps))
    }

    async fn list(&self, since: Timestamp, most: u32) -> Result<Vec<Notification>> {
        within!(self.read(notifications::READ), |session| notifications::list(session, since, most))
    }
}

/// Adds the unreadable rows of a large table to `found`, page by page.
async fn check<D: Database, T: Paged>(store: &SqlStore<D>, found: &mut Vec<UnreadableRow>) -> Result<()> {
    let mut after = None;
    loop {
        after = within!(store.read(unreadable::CHECK), |session| unreadable::of_page::<T>(
            session, after, found
        ))?;
        if after.is_none() {
            return Ok(());
        }
    }
}
