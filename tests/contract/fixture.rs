//! A store on a manual clock, and short constructors for the values that the rules use.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use holdfast_model::{
    App, AppId, Attempt, BackupFacts, BackupId, BackupName, Budget, CatalogEntry, Cause, Clock, Lane, Limits,
    ManualClock, NewBackup, NewRun, NewTask, OperatorAction, Outcome, PolicyName, PolicySnapshot, Run,
    RunEvent, RunId, RunKind, RunState, SasFacts, SasWindow, StorageName, Tags, Task, Timestamp, Trigger,
    Verification, parse_timestamp,
};
use holdfast_store::{
    CatalogFilter, Change, Committed, Cursor, CursorAdvance, Day, DayCounts, Departure, Enrolled, LaneQuota,
    LeaseTerms, Leased, MemoryStore, Mode, Observation, PgStore, Planned, RunFilter, SqliteStore, Store,
};
use holdfast_tests::postgres::Database;

pub const LEASE: Duration = Duration::from_mins(1);

pub struct StoreFixture {
    pub store: Arc<dyn Store>,
    pub clock: Arc<ManualClock>,
    rng: Mutex<fastrand::Rng>,
    /// The folder or database of the store, removed with the fixture.
    _guard: Option<Box<dyn Any + Send + Sync>>,
}

/// Leases that last this long.
pub fn terms(lasts: Duration) -> LeaseTerms {
    LeaseTerms { lasts, seed: 7 }
}

impl StoreFixture {
    pub fn memory() -> Self {
        Self::over(None, |clock| Arc::new(MemoryStore::new(clock)))
    }

    pub async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = clock();
        let store =
            SqliteStore::open(&folder.path().join("store.db"), clock.clone(), Mode::Own).await.unwrap();
        Self { clock, ..Self::over(Some(Box::new(folder)), |_| Arc::new(store)) }
    }

    /// A store on the PostgreSQL of the tests. `None` when tests run without servers.
    pub async fn postgres() -> Option<Self> {
        let database = Database::new().await?;
        let clock = clock();
        let store = PgStore::connect(&database.url(), Mode::Own).await.unwrap().with_clock(clock.clone());
        Some(Self { clock, ..Self::over(Some(Box::new(database)), |_| Arc::new(store)) })
    }

    fn over(
        guard: Option<Box<dyn Any + Send + Sync>>,
        store: impl FnOnce(Arc<ManualClock>) -> Arc<dyn Store>,
    ) -> Self {
        let clock = clock();
        Self {
            store: store(clock.clone()),
            clock,
            rng: Mutex::new(fastrand::Rng::with_seed(1)),
            _guard: guard,
        }
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn advance(&self, seconds: u64) {
        self.clock.advance(secs(seconds));
    }

    pub fn id(&self) -> RunId {
        RunId::new(self.now(), &mut self.rng.lock().unwrap())
    }

    /// A manual backup run of `app`, due now.
    pub fn manual(&self, app: &App) -> NewRun {
        NewRun::backup(
            self.id(),
            app,
            &policy_snapshot(),
            NewBackup { tick: None, trigger: Trigger::Manual, due_at: self.now() },
            self.now(),
        )
    }

    /// A scheduled backup run of `app`, due at `tick`.
    pub fn scheduled(&self, app: &App, tick: Timestamp) -> NewRun {
        NewRun::backup(
            self.id(),
            app,
            &policy_snapshot(),
            NewBackup { tick: Some(tick), trigger: Trigger::Schedule, due_at: tick },
            self.now(),
        )
    }

    /// A run of `task`, due now.
    pub fn task_run(&self, app: &App, task: Task, trigger: Trigger) -> NewRun {
        NewRun::task(
            self.id(),
            app,
            &policy_snapshot(),
            NewTask { task, trigger, actor: Some("alice".into()) },
            self.now(),
        )
    }

    /// Adds a manual run of `task` to the store.
    pub async fn add_task(&self, app: &App, task: Task) -> Run {
        self.add(self.task_run(app, task, Trigger::Manual)).await
    }

    /// Whatever a rule did, the rows are those that the events lead to.
    pub async fn rows_follow_from_events(&self) {
        let differences = holdfast_store::row_differences(&*self.store).await.unwrap();
        assert_eq!(differences, [""; 0]);
        self.days_follow_from_runs().await;
    }

    /// The daily roll-up counts each backup run that ended, on its day.
    async fn days_follow_from_runs(&self) {
        let mut counts: BTreeMap<(AppId, Day), DayCounts> = BTreeMap::new();
        for run in self.store.runs(&RunFilter::default()).await.unwrap() {
            let RunState::Ended { outcome, .. } = run.state else { continue };
            if run.task.kind() != RunKind::Backup || outcome == Outcome::Cancelled {
                continue;
            }
            let at = if outcome == Outcome::Missed { run.tick.unwrap() } else { run.ended_at.unwrap() };
            let is_good = outcome == Outcome::Partial && run.policy_snapshot.partial_is_good;
            counts.entry((run.app, at.date_naive())).or_default().add(DayCounts {
                good: u32::from(is_good || outcome == Outcome::Succeeded),
                partial: u32::from(outcome == Outcome::Partial && !is_good),
                failed: u32::from(matches!(outcome, Outcome::Failed | Outcome::Exhausted)),
                missed: u32::from(outcome == Outcome::Missed),
            });
        }
        let days = self.store.app_days(Timestamp::UNIX_EPOCH.date_naive(), None).await.unwrap();
        let days: BTreeMap<_, _> = days.into_iter().map(|day| ((day.app, day.day), day.counts)).collect();
        assert_eq!(days, counts);
    }

    /// Adds an operator action to the store.
    pub async fn add_action(&self, app: &App, action: OperatorAction) -> Run {
        self.add(NewRun::operator_action(
            self.id(),
            app,
            &policy_snapshot(),
            action,
            "bob".into(),
            self.now(),
        ))
        .await
    }

    pub async fn catalog(&self, filter: &CatalogFilter) -> Vec<CatalogEntry> {
        self.store.catalog(filter).await.unwrap()
    }

    pub async fn add(&self, new: NewRun) -> Run {
        self.store.add_run(&new).await.unwrap();
        new.run
    }

    /// Adds a manual backup run of `app`, due now, to the store.
    pub async fn add_manual(&self, app: &App) -> Run {
        self.add(self.manual(app)).await
    }

    pub async fn read(&self, id: RunId) -> Run {
        self.store.load(id).await.unwrap().unwrap().run
    }

    pub async fn acquire(&self, quotas: &[LaneQuota], limits: &Limits) -> Vec<Leased> {
        self.store.acquire(quotas, limits, terms(LEASE)).await.unwrap()
    }

    /// Acquires at most `most` runs from the lane of `run`.
    pub async fn acquire_beside(&self, run: &Run, most: u32, limits: &Limits) -> Vec<RunId> {
        let ask = LaneQuota { lane: run.lane().unwrap(), most };
        self.acquire(&[ask], limits).await.iter().map(|taken| taken.wakeup.run_id).collect()
    }

    /// Commits `events` on the current row of the run.
    pub async fn commit_events(&self, id: RunId, events: Vec<RunEvent>) -> Run {
        let change = self.change(self.read(id).await, events);
        let committed = self.store.commit(&change).await.unwrap();
        assert_eq!(committed, Committed::Done(change.from + 1));
        self.read(id).await
    }

    /// The change that applies `events` to `run`.
    pub fn change(&self, run: Run, events: Vec<RunEvent>) -> Change {
        let (from, at) = (run.version, self.now());
        let run = events.iter().fold(run, |run, event| run.after(event, at).unwrap());
        Change { from, run, events, at }
    }

    /// Runs a backup of `app` to its successful end, `seconds` after Azure accepted it.
    pub async fn complete_backup(&self, app: &App, size_bytes: i64, seconds: u64) -> Run {
        let run = self.add_manual(app).await;
        self.commit_events(run.id, vec![started(&run, self.now())]).await;
        self.commit_events(run.id, vec![accepted(self.now())]).await;
        let accepted_at = self.now();
        self.advance(seconds);
        let backup = facts(size_bytes, accepted_at, self.now());
        self.commit_events(run.id, vec![RunEvent::Completed { backup: Some(backup.clone()), detail: None }])
            .await;
        self.commit_events(run.id, vec![ended(Outcome::Succeeded, Some(backup))]).await
    }

    pub async fn sync(&self, fleet: &[Enrolled]) -> holdfast_store::FleetChange {
        self.store.sync_fleet(fleet, &[]).await.unwrap()
    }

    /// Ends the enrolment of `app`, whose proof was asked for at `observed_at`.
    pub async fn depart(&self, app: &App, observed_at: Timestamp) -> holdfast_store::FleetChange {
        let departed = departure(app, observed_at, self.id());
        self.store.sync_fleet(&[], &[departed]).await.unwrap()
    }

    pub async fn cursors_due(&self) -> Vec<Cursor> {
        self.store.cursors_due(None, 1_000).await.unwrap()
    }

    pub async fn plan(&self, plan: CursorAdvance) -> Planned {
        self.store.plan(&[plan]).await.unwrap()
    }
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(parse_timestamp("2026-03-02T02:00:00Z").unwrap()))
}

pub fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// An app of subscription `s1`, in plan `/p/1`, under policy `gold`.
pub fn app(name: &str) -> App {
    app_in("s1", "/p/1", name)
}

pub fn app_in(subscription: &str, plan: &str, name: &str) -> App {
    App {
        id: AppId::new(subscription, "group", name, None),
        policy: Some(PolicyName::new("gold")),
        plan: Some(plan.to_owned()),
        databases: Vec::new(),
        tags: Tags::default(),
        paused: false,
    }
}

pub fn policy_snapshot() -> PolicySnapshot {
    PolicySnapshot::new(StorageName::new("weu"), "acct")
}

/// A departure of `app` because Azure no longer has it.
pub fn departure(app: &App, observed_at: Timestamp, id: RunId) -> Departure {
    let reason = holdfast_model::DepartureReason::NotFound;
    let action = OperatorAction::LeftFleet { reason, detail: "azure answered 404 twice".into() };
    let record = NewRun::operator_action(id, app, &policy_snapshot(), action, "holdfast".into(), observed_at);
    Departure { app: app.id.clone(), reason, observed_at, record }
}

/// An enrolled app. `schedule` is the fingerprint of its schedule and its next tick.
pub fn enrolled(app: &App, schedule: Option<(&str, Timestamp)>) -> Enrolled {
    Enrolled {
        app: app.clone(),
        recovery_point_objective: Some(secs(26 * 3_600)),
        retention: Some(holdfast_model::Retention::new(30, 1)),
        partial_is_good: false,
        schedule: schedule.map(|(fingerprint, next)| (fingerprint.to_owned(), next)),
        observation: Observation::default(),
    }
}

/// Limits too high for any test to reach.
pub fn no_limits() -> Limits {
    let budget = Budget { capacity: 1_000_000.0, per_second: 0.0 };
    let most = 1_000_000;
    Limits {
        reads: budget,
        writes: budget,
        deletes: budget,
        per_plan: most,
        per_account: most,
        outstanding: most,
    }
}

pub fn poll_lane(subscription: &str) -> Lane {
    Lane::Poll { subscription: holdfast_model::SubscriptionId::new(subscription) }
}

pub fn started(run: &Run, at: Timestamp) -> RunEvent {
    let sas = Some(SasFacts { fingerprint: "0a1b2c3d4e5f".into(), window: window(at) });
    RunEvent::AttemptStarted { attempt: attempt(run, at, "0a1b2c3d4e5f"), sas }
}

/// The next attempt of `run`. `sas` is the fingerprint of its SAS.
pub fn attempt(run: &Run, at: Timestamp, sas: &str) -> Attempt {
    let number = run.state.next_attempt();
    let name = BackupName::of_attempt(&run.app, run.id, number, &mut fastrand::Rng::with_seed(1));
    Attempt {
        number,
        name,
        begun_at: at,
        sas: sas.to_owned(),
        sas_expiry: window(at).expiry,
        restored_before: None,
    }
}

/// The validity of a SAS minted at `at`.
pub fn window(at: Timestamp) -> SasWindow {
    SasWindow { start: None, expiry: Some(at + secs(48 * 3_600)) }
}

pub fn accepted(at: Timestamp) -> RunEvent {
    RunEvent::Accepted { backup: BackupId(7), accepted_at: at, request_id: Some("9f".into()) }
}

pub fn facts(size_bytes: i64, accepted_at: Timestamp, finished_at: Timestamp) -> BackupFacts {
    BackupFacts {
        id: BackupId(7),
        blob: "hf-shop.zip".into(),
        size_bytes,
        accepted_at,
        finished_at: Some(finished_at),
        databases: Vec::new(),
    }
}

pub fn attempt_ended(number: u32, cause: Cause) -> RunEvent {
    let detail = "it's \"odd\": \u{0}\u{1f4be}\n".to_owned();
    RunEvent::AttemptEnded { number, status: None, cause, detail, backup: None, retry_at: None }
}

pub fn ended(outcome: Outcome, backup: Option<BackupFacts>) -> RunEvent {
    let verification = backup.as_ref().map(|_| Verification::Verified);
    let cause = (outcome != Outcome::Succeeded).then_some(Cause::AzureFailed);
    RunEvent::Ended { outcome, cause, backup, verification }
}
