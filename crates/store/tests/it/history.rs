//! A store in which something of everything has happened, on a clock that stands at the machine's time, because the
//! views ask the database for it.

use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use holdfast_model::schedule::{MissReason, MissedTick};
use holdfast_model::{
    App, AppId, Attempt, BackupFacts, BackupId, BackupName, BackupStatus, Cause, Clock, ManualClock,
    NewBackup, NewRun, Outcome, PolicyName, PolicySnapshot, RefreshReason, Retention, Run, RunEvent, RunId,
    SasFacts, SasRefresh, SasWindow, StorageName, SystemClock, Timestamp, Trigger, Verification,
};
use holdfast_store::{Change, Committed, Enrolled, Mode, Observation, SqliteStore, Store};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, SqliteConnection};

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// What happens in a store, whichever it is.
pub struct History<S> {
    pub store: S,
    pub clock: Arc<ManualClock>,
    rng: fastrand::Rng,
}

/// An SQLite store with the history.
pub struct Fixture {
    history: History<SqliteStore>,
    pub path: PathBuf,
    _folder: tempfile::TempDir,
}

impl Fixture {
    pub async fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let clock = machine_clock();
        let store = SqliteStore::open(&path, clock.clone(), Mode::Own).await.unwrap();
        Self { history: History::of(store, clock), path, _folder: folder }
    }

    pub async fn with_backups() -> Self {
        let mut this = Self::empty().await;
        this.backups().await;
        this
    }

    /// With runs of every kind, and notes.
    pub async fn with_every_kind() -> Self {
        let mut this = Self::with_backups().await;
        this.tasks_and_actions().await;
        this
    }

    /// A second pair of hands on the file.
    pub async fn raw(&self) -> SqliteConnection {
        SqliteConnectOptions::new().filename(&self.path).connect().await.unwrap()
    }
}

impl Deref for Fixture {
    type Target = History<SqliteStore>;

    fn deref(&self) -> &Self::Target {
        &self.history
    }
}

impl DerefMut for Fixture {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.history
    }
}

/// A clock that stands at the machine's time.
pub fn machine_clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(SystemClock::default().now()))
}

impl<S: Store> History<S> {
    pub fn of(store: S, clock: Arc<ManualClock>) -> Self {
        Self { store, clock, rng: fastrand::Rng::with_seed(5) }
    }

    /// 40 days: good backups of `shop`, one too many for its retention; a partial one and failures of `blog`; a
    /// missed tick, a throttle and a new SAS; and `stray`, which is in no policy.
    pub async fn backups(&mut self) {
        let now = self.clock.now();
        self.clock.set(now - DAY * 40);
        self.store.sync_fleet(&fleet(), &[]).await.unwrap();
        for (id, age) in [(1, 39), (4, 35), (5, 2)] {
            self.clock.set(now - DAY * age);
            self.good(id, 400_000_000 + i64::from(age)).await;
        }
        self.clock.set(now - DAY);
        self.bad().await;
        let missed = MissedTick { tick: self.clock.now() - HOUR, reason: MissReason::Overlap };
        let missed = NewRun::missed(
            self.id(),
            &app("blog", Some("gold")),
            &policy_snapshot(),
            &missed,
            self.clock.now(),
        );
        self.store.add_run(&missed).await.unwrap();
        self.clock.set(now);
    }

    pub fn id(&mut self) -> RunId {
        RunId::new(self.clock.now(), &mut self.rng)
    }

    pub async fn add(&mut self, name: &str) -> Run {
        let now = self.clock.now();
        let app = app(name, Some("gold"));
        let new = NewRun::backup(
            self.id(),
            &app,
            &policy_snapshot(),
            NewBackup { tick: Some(now), trigger: Trigger::Schedule, due_at: now },
            now,
        );
        self.store.add_run(&new).await.unwrap();
        new.run
    }

    pub async fn happen(&self, run: Run, events: Vec<RunEvent>) -> Run {
        let (from, at) = (run.version, self.clock.now());
        let run = events.iter().fold(run, |run, event| run.after(event, at).unwrap());
        let change = Change { from, run: run.clone(), events, at };
        assert_eq!(self.store.commit(&change).await.unwrap(), Committed::Done(from + 1));
        Run { version: from + 1, ..run }
    }

    /// A good backup of `shop`.
    async fn good(&mut self, id: i64, size_bytes: i64) {
        let run = self.add("shop").await;
        let new = SasFacts { fingerprint: "0a1b2c3d4e5f".into(), window: window(self.clock.now()) };
        let refresh = SasRefresh {
            storage: StorageName::new("weu"),
            container: "https://acct.blob.core.windows.net/backups".into(),
            reason: RefreshReason::First,
            old: None,
            new,
            backup: None,
        };
        self.clock.advance(Duration::from_secs(42));
        let run =
            self.happen(run.clone(), vec![RunEvent::SasRefreshed { refresh }, self.started(&run)]).await;
        let accepted_at = self.clock.now();
        let run = self.happen(run, vec![self.accepted(id)]).await;
        self.clock.advance(Duration::from_mins(5));
        let backup = self.facts(id, size_bytes, accepted_at);
        let run =
            self.happen(run, vec![RunEvent::Completed { backup: Some(backup.clone()), detail: None }]).await;
        let verification = Some(Verification::Verified);
        let over =
            RunEvent::Ended { outcome: Outcome::Succeeded, cause: None, backup: Some(backup), verification };
        self.happen(run, vec![over]).await;
    }

    /// A run of `blog`: throttled, then timed out, then partial, and given up.
    async fn bad(&mut self) {
        let run = self.add("blog").await;
        let until = self.clock.now() + Duration::from_secs(17);
        let detail = "429, Retry-After: 17".to_owned();
        let run = self.happen(run, vec![RunEvent::Deferred { cause: Cause::Throttled, detail, until }]).await;
        let run = self.happen(run.clone(), vec![self.started(&run)]).await;
        let run = self.happen(run, vec![self.accepted(2)]).await;
        let timed_out = self.over(1, BackupStatus::TimedOut, Cause::TimedOut, None);
        let run = self.happen(run, vec![timed_out]).await;
        let run = self.happen(run.clone(), vec![self.started(&run)]).await;
        let run = self.happen(run, vec![self.accepted(3)]).await;
        let partial = Some(self.facts(3, 90_000_000, self.clock.now()));
        let cause = Cause::PartiallySucceeded;
        let over = self.over(2, BackupStatus::PartiallySucceeded, cause, partial.clone());
        let ended = RunEvent::Ended {
            outcome: Outcome::Failed,
            cause: Some(cause),
            backup: None,
            verification: None,
        };
        self.happen(run, vec![over, ended]).await;
    }

    pub fn started(&self, run: &Run) -> RunEvent {
        let (number, now) = (run.state.next_attempt(), self.clock.now());
        let name = BackupName::of_attempt(&run.app, run.id, number, &mut fastrand::Rng::with_seed(1));
        let sas = SasFacts { fingerprint: "0a1b2c3d4e5f".into(), window: window(now) };
        let attempt = Attempt {
            number,
            name,
            begun_at: now,
            sas: sas.fingerprint.clone(),
            sas_expiry: sas.window.expiry,
            restored_before: None,
        };
        RunEvent::AttemptStarted { attempt, sas: Some(sas) }
    }

    pub fn accepted(&self, id: i64) -> RunEvent {
        RunEvent::Accepted { backup: BackupId(id), accepted_at: self.clock.now(), request_id: None }
    }

    fn over(&self, number: u32, status: BackupStatus, cause: Cause, backup: Option<BackupFacts>) -> RunEvent {
        let retry_at = Some(self.clock.now());
        RunEvent::AttemptEnded {
            number,
            status: Some(status),
            cause,
            detail: String::new(),
            backup,
            retry_at,
        }
    }

    fn facts(&self, id: i64, size_bytes: i64, accepted_at: Timestamp) -> BackupFacts {
        let finished_at = Some(self.clock.now());
        BackupFacts {
            id: BackupId(id),
            blob: format!("hf-{id}.zip"),
            size_bytes,
            accepted_at,
            finished_at,
            databases: Vec::new(),
        }
    }
}

pub fn window(now: Timestamp) -> SasWindow {
    SasWindow { start: Some(now), expiry: Some(now + HOUR * 48) }
}

pub fn app(name: &str, policy: Option<&str>) -> App {
    App {
        policy: policy.map(PolicyName::new),
        plan: Some("/plans/p1".into()),
        tags: [("team", name)].into_iter().collect(),
        ..App::new(AppId::new("0b1f6471-1bf0-4dda-aec3-111122223333", "shops", name, None))
    }
}

fn enrolled(name: &str, policy: Option<&str>) -> Enrolled {
    Enrolled {
        app: app(name, policy),
        recovery_point_objective: Some(HOUR * 26),
        retention: Some(Retention::new(30, 1)),
        partial_is_good: false,
        schedule: None,
        observation: Observation::default(),
    }
}

/// Three apps, one of them in no policy.
pub fn fleet() -> [Enrolled; 3] {
    let stray = Enrolled { recovery_point_objective: None, ..enrolled("stray", None) };
    [enrolled("shop", Some("gold")), enrolled("blog", Some("gold")), stray]
}

pub fn policy_snapshot() -> PolicySnapshot {
    PolicySnapshot::new(StorageName::new("weu"), "acct")
}
