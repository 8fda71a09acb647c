//! All stores give the same answers to the same random sequence of operations.

use std::time::Duration;

use holdfast_model::{
    App, AppId, BackupFacts, BackupId, BackupName, BackupStatus, Budget, Call, Cause, Delete, Drill, Limits,
    NewRun, OperatorAction, Outcome, RefreshReason, RefreshSas, Restore, Run, RunEvent, RunId, SasFacts,
    SasRefresh, StorageName, SubscriptionId, Task, Timestamp, Trigger,
};
use holdfast_store::{
    ActFilter, AuditEvent, CatalogFilter, ChainRow, Change, CursorAdvance, Departure, Enrolled, Error,
    LaneQuota, Link, Listing, ListingResult, RunFilter, RunPlace, Store, verify_chain,
};

use crate::fixture::{
    LEASE, StoreFixture, accepted, app_in, attempt_ended, departure, ended, enrolled, facts, no_limits,
    policy_snapshot, secs, started, window,
};

struct StorePair {
    memory: StoreFixture,
    other: StoreFixture,
    rng: fastrand::Rng,
    /// The operations so far, printed when the answers differ.
    done: Vec<String>,
}

/// Runs an operation on both stores and compares the answers. Error texts may differ, because they name the driver.
macro_rules! both {
    ($pair:ident, $what:expr, |$store:ident| $ask:expr) => {{
        $pair.done.push(format!("{:?}", $what));
        let one = {
            let $store = &$pair.memory.store;
            $ask.await.map_err(drop)
        };
        let other = {
            let $store = &$pair.other.store;
            $ask.await.map_err(drop)
        };
        assert_eq!(one, other, "{:#?}", $pair.done);
        one
    }};
}

/// The places of the newest acts of people.
async fn places_of_acts(store: &dyn Store) -> Result<Vec<i64>, Error> {
    let acts = store.acts(&ActFilter { before: None, most: 20 }).await?;
    Ok(acts.iter().map(|event| event.link.seq).collect())
}

/// The events without what follows from the login that wrote them: its name and the hashes.
async fn audit_of(store: &dyn Store) -> Result<Vec<AuditEvent>, Error> {
    let events = store.audit(0, 100_000).await?;
    let bare = |event: AuditEvent| {
        let link = Link { seq: event.link.seq, ..Link::origin() };
        AuditEvent { link, database_role: String::new(), ..event }
    };
    Ok(events.into_iter().map(bare).collect())
}

/// The same of the rows of the chain, which holds.
async fn chain_of(store: &dyn Store) -> Result<Vec<ChainRow>, Error> {
    let rows = store.chain(0, 100_000).await?;
    verify_chain(&rows, Link::origin()).unwrap();
    let bare = |row: ChainRow| {
        let link = Link { seq: row.link.seq, ..Link::origin() };
        ChainRow { link, database_role: String::new(), ..row }
    };
    Ok(rows.into_iter().map(bare).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_random_life_is_the_same_in_memory_and_in_sqlite() {
    for seed in 0..6 {
        live(seed, StoreFixture::sqlite().await).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_random_life_is_the_same_in_memory_and_in_postgres() {
    for seed in 0..6 {
        let Some(postgres) = StoreFixture::postgres().await else { return };
        live(seed, postgres).await;
    }
}

async fn live(seed: u64, other: StoreFixture) {
    let memory = StoreFixture::memory();
    let mut pair = StorePair { memory, other, rng: fastrand::Rng::with_seed(seed), done: Vec::new() };
    for _ in 0..250 {
        pair.step().await;
    }
    pair.compare().await;
    let runs = pair.memory.store.runs(&RunFilter::default()).await.unwrap();
    assert!(runs.iter().any(|run| run.state.is_ended()) && runs.iter().any(|run| !run.state.is_ended()));
}

impl StorePair {
    async fn step(&mut self) {
        match self.rng.u8(..22) {
            0..4 => self.pass_time(),
            4 => self.sync().await,
            5..7 => self.plan().await,
            7..9 => self.add().await,
            9..13 => self.acquire().await,
            13..18 => self.commit().await,
            18 => self.add_many().await,
            19 => {
                both!(self, "reclaim", |store| store.reclaim()).unwrap();
            }
            _ => self.close_budget().await,
        }
        if self.rng.u8(..10) == 0 {
            self.compare().await;
        }
    }

    /// Moves both clocks, in one of twelve cases backwards.
    fn pass_time(&mut self) {
        let by = Duration::from_millis(self.rng.u64(..90_000));
        let now = self.memory.now();
        let then = if self.rng.u8(..12) == 0 { now - by } else { now + by };
        self.memory.clock.set(then);
        self.other.clock.set(then);
        self.done.push(format!("now {then}"));
    }

    fn app(&mut self) -> App {
        let n = self.rng.u8(..8);
        let mut app = app_in(&format!("s{}", n % 2), &format!("/p/{}", n % 3), &format!("app{n}"));
        app.paused = self.rng.u8(..10) == 0;
        app.tags = (0..self.rng.u8(..3)).map(|n| (format!("tag{n}"), self.rng.u8(..2).to_string())).collect();
        app
    }

    async fn sync(&mut self) {
        let mut fleet: Vec<Enrolled> = Vec::new();
        for _ in 0..self.rng.u8(..8) {
            let app = self.app();
            let next = self.memory.now() + secs(self.rng.u64(1..200));
            let fingerprint = ["daily", "hourly"][self.rng.usize(..2)];
            let schedule = Some((fingerprint, next)).filter(|_| !app.paused);
            let partial_is_good = self.rng.bool();
            fleet.push(Enrolled { partial_is_good, ..enrolled(&app, schedule) });
        }
        for enrolled in &mut fleet {
            if self.rng.bool() {
                enrolled.observation.observed_at = Some(self.around_now());
                enrolled.observation.missing_since = self.rng.bool().then(|| self.around_now());
            }
        }
        let gone: Vec<App> = (0..self.rng.u8(..3)).map(|_| self.app()).collect();
        let departed: Vec<Departure> =
            gone.iter().map(|app| departure(app, self.around_now(), self.memory.id())).collect();
        both!(self, ("sync", &fleet, &departed), |store| store.sync_fleet(&fleet, &departed)).unwrap();
        let listing = self.listing();
        both!(self, ("listing", &listing), |store| store.record_listings(std::slice::from_ref(&listing)))
            .unwrap();
        both!(self, "subscriptions", |store| store.subscriptions()).unwrap();
    }

    /// A time within a minute of now.
    fn around_now(&mut self) -> Timestamp {
        self.memory.now() + secs(60) - secs(self.rng.u64(..120))
    }

    fn listing(&mut self) -> Listing {
        let asked_at = self.around_now();
        let listed = ListingResult::Listed { apps: self.rng.u64(..9), left_out: vec!["\"odd\"".into()] };
        let failed = ListingResult::Failed { error: "azure answered 429".into() };
        let result = if self.rng.bool() { listed } else { failed };
        let subscription = SubscriptionId::new(&format!("s{}", self.rng.u8(..2)));
        Listing { subscription, asked_at, next_at: asked_at + secs(60), result }
    }

    fn new_run(&mut self, app: &App) -> NewRun {
        // Both stores get the same ids.
        let tick = self.memory.now() + secs(self.rng.u64(..120));
        if self.rng.bool() { self.memory.manual(app) } else { self.memory.scheduled(app, tick) }
    }

    async fn plan(&mut self) {
        let most = self.rng.u32(..9);
        let due = both!(self, ("cursors_due", most), |store| store.cursors_due(None, most)).unwrap();
        let after = due.first().cloned();
        both!(self, ("cursors_due", &after), |store| store.cursors_due(after.as_ref(), most)).unwrap();
        let mut plans = Vec::new();
        for mut cursor in due {
            let app = App { policy: Some(cursor.policy.clone()), ..app_in("s0", "/p/1", "any") };
            let app = App { id: cursor.app.clone(), ..app };
            if self.rng.u8(..8) == 0 {
                cursor.fingerprint.push('x');
            }
            let through = self.memory.now();
            let next_at = Some(through + secs(self.rng.u64(1..300))).filter(|_| self.rng.u8(..8) > 0);
            let runs = (0..self.rng.u8(..3)).map(|_| self.new_run(&app)).collect();
            plans.push(CursorAdvance { cursor, through, next_at, runs });
        }
        both!(self, ("plan", &plans), |store| store.plan(&plans)).unwrap();
    }

    async fn add(&mut self) {
        let app = self.app();
        let new = self.new_run(&app);
        let _ = both!(self, ("add", &new), |store| store.add_run(&new));
    }

    async fn add_many(&mut self) {
        let new: Vec<NewRun> = (0..self.rng.u8(1..5)).map(|_| self.any_kind()).collect();
        let _ = both!(self, ("add_runs", &new), |store| store.add_runs(&new));
        let note = self.note();
        let _ = both!(self, ("note", &note), |store| store.add_run(&note));
    }

    fn any_kind(&mut self) -> NewRun {
        let (app, source) = (self.app(), self.app().id);
        // Few backup numbers, so that several runs concern the same backup.
        let backup = BackupId(self.rng.i64(..6));
        let blob = "hf-shop.zip".to_owned();
        let task = match self.rng.u8(..6) {
            0 | 1 => Task::Delete(Delete { backup, blob, allow_last: self.rng.bool(), rule: None }),
            2 => Task::RefreshSas(RefreshSas { backup, reason: RefreshReason::KeptBackup, old: None }),
            3 => Task::Drill(Drill { restore: restore(source, backup), probe: None }),
            4 => Task::CheckCatalog { schedule: None, databases: Vec::new() },
            _ => return self.new_run(&app),
        };
        self.memory.task_run(&app, task, Trigger::Policy)
    }

    fn note(&mut self) -> NewRun {
        let (app, backup, now) = (self.app(), BackupId(self.rng.i64(..6)), self.memory.now());
        let (reason, detail) = ("so".to_owned(), "no".to_owned());
        let facts = BackupFacts { id: backup, ..facts(9, now, now) };
        let note = match self.rng.u8(..7) {
            0 => OperatorAction::Held { blob: None, backup, reason },
            1 => OperatorAction::Released { backup, reason },
            2 => OperatorAction::Verified { backup, size_bytes: Some(9).filter(|_| self.rng.bool()) },
            3 => OperatorAction::Lost { backup, detail },
            4 => OperatorAction::Revealed { backup },
            5 => OperatorAction::Drift { found: None, drift: vec![reason] },
            _ => OperatorAction::TakenOver { backup: facts, storage: StorageName::new("weu") },
        };
        NewRun::operator_action(self.memory.id(), &app, &policy_snapshot(), note, "bob".into(), now)
    }

    async fn acquire(&mut self) {
        let due = both!(self, "due_lanes", |store| store.due_lanes()).unwrap();
        let lanes = due.lanes.into_iter();
        let quotas: Vec<LaneQuota> =
            lanes.map(|due| LaneQuota { lane: due.lane, most: self.rng.u32(..4) }).collect();
        let budget = Budget { capacity: 3.0, per_second: 0.1 };
        let per_plan = self.rng.u32(1..4);
        let limits =
            Limits { reads: budget, writes: budget, per_plan, per_account: 5, outstanding: 6, ..no_limits() };
        both!(self, ("acquire", &quotas), |store| store.acquire(
            &quotas,
            &limits,
            crate::fixture::terms(LEASE)
        ))
        .unwrap();
    }

    async fn commit(&mut self) {
        let runs = self.memory.store.runs(&RunFilter::default()).await.unwrap();
        let Some(run) = self.rng.choice(runs.iter()) else { return };
        let loaded = both!(self, ("load", run.id), |store| store.load(run.id)).unwrap().unwrap();
        let choices = choices(&loaded.run, &self.memory);
        let legal: Vec<RunEvent> =
            choices.into_iter().filter(|event| run.state.next(event).is_ok()).collect();
        let events: Vec<RunEvent> = self.rng.choice(legal).into_iter().collect();
        let mut change: Change = self.memory.change(loaded.run, events);
        change.from -= i64::from(self.rng.u8(..10) == 0);
        change.run.due_at = self.memory.now() + Duration::from_micros(self.rng.u64(..60_000_000));
        let _ = both!(self, ("commit", &change), |store| store.commit(&change));
    }

    async fn close_budget(&mut self) {
        let subscription = SubscriptionId::new(["s0", "s1"][self.rng.usize(..2)]);
        let call = [Call::Read, Call::Write][self.rng.usize(..2)];
        let until = self.memory.now() + secs(self.rng.u64(..60));
        both!(self, ("close", &subscription), |store| store.close_budget(&subscription, call, until))
            .unwrap();
    }

    async fn compare(&mut self) {
        both!(self, "status", |store| store.status()).unwrap();
        both!(self, "runs", |store| store.runs(&RunFilter::default())).unwrap();
        for with_removed in [false, true] {
            let after = Some(self.app().id).filter(|_| self.rng.bool());
            let app = Some(self.app().id).filter(|_| self.rng.u8(..3) == 0);
            let page = CatalogFilter {
                app,
                after,
                with_removed,
                most_apps: self.rng.u32(..4),
                ..CatalogFilter::default()
            };
            let apps = (0..2).map(|_| self.app().id).collect();
            let some = CatalogFilter { apps, with_removed, ..CatalogFilter::default() };
            for filter in [page, some] {
                both!(self, ("catalog", &filter), |store| store.catalog(&filter)).unwrap();
            }
        }
        both!(self, "due_lanes", |store| store.due_lanes()).unwrap();
        let since = self.memory.now().date_naive();
        both!(self, "app_days", |store| store.app_days(since, None)).unwrap();
        let (most, after) = (3, self.memory.now() - secs(60));
        let after = Some(RunPlace { created_at: after, id: RunId::LAST });
        let trigger = Some(Trigger::Manual);
        let lists = [
            RunFilter { after, most, ..RunFilter::default() },
            RunFilter { outcomes: [Outcome::Failed, Outcome::Missed].into(), after, ..RunFilter::default() },
            RunFilter { trigger, most, ..RunFilter::default() },
        ];
        for filter in lists {
            both!(self, ("runs", &filter), |store| store.runs(&filter)).unwrap();
        }
        both!(self, "acts", |store| places_of_acts(&**store)).unwrap();
        let audit = both!(self, "audit", |store| audit_of(&**store)).unwrap();
        let chain = both!(self, "chain", |store| chain_of(&**store)).unwrap();
        assert_eq!(audit.len(), chain.len());
    }
}

fn restore(source: AppId, backup: BackupId) -> Restore {
    Restore {
        source,
        backup: Some(backup),
        blob: "hf-shop.zip".into(),
        new_in_plan: None,
        databases: Vec::new(),
        ignore_databases: false,
        ignore_conflicting_host_names: false,
    }
}

fn choices(run: &Run, fixture: &StoreFixture) -> Vec<RunEvent> {
    let now = fixture.now();
    let finer = now + Duration::from_nanos(1_234_567_890);
    let id = BackupId(now.timestamp_millis() % 6);
    let backup = BackupFacts { id, ..facts(now.timestamp_millis() % 1_000, finer, finer) };
    let new = SasFacts { fingerprint: "feed".into(), window: window(finer) };
    let (storage, reason) = (StorageName::new("weu"), RefreshReason::BeforeDelete);
    let refresh = SasRefresh { storage, container: "c".into(), reason, old: None, new, backup: Some(id) };
    let name = BackupName::of_attempt(&run.app, run.id, 1, &mut fastrand::Rng::with_seed(1));
    let blob = || "hf-shop.zip".to_owned();
    vec![
        started(run, now),
        accepted(now),
        RunEvent::AnswerLost { detail: "reset".into() },
        RunEvent::Absent { looked_at: now },
        RunEvent::StatusSeen { status: BackupStatus::InProgress },
        RunEvent::Completed { backup: Some(backup.clone()), detail: None },
        attempt_ended(run.state.next_attempt(), Cause::Skipped),
        RunEvent::Deferred { cause: Cause::Busy, detail: String::new(), until: now },
        ended(Outcome::Succeeded, Some(backup.clone())),
        ended(Outcome::Partial, Some(backup)),
        ended(Outcome::Failed, None),
        RunEvent::Completed { backup: None, detail: None },
        RunEvent::SasRefreshed { refresh },
        RunEvent::OrphanFound { number: 1, backup: id, name },
        RunEvent::BackupLost { backup: id, blob: blob(), detail: "gone".into(), deletion: None },
        RunEvent::BackupFoundAgain { backup: id, blob: blob() },
        RunEvent::BackupVerified { backup: id, blob: blob(), size_bytes: 9 },
        RunEvent::LateBackupFound {
            backup: facts(9, finer, finer),
            run: run.id,
            storage: StorageName::new("weu"),
            good: true,
            verified: true,
        },
        RunEvent::ScheduleCompared { found: None, drift: vec!["enabled".into()] },
    ]
}
