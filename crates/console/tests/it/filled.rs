//! A store with a fleet and its history, for pages to show.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use holdfast_console::{BackupActions, BackupRequest};
use holdfast_control::views::actions::{BackupPreview, BackupsStarted, LeftOut, Selection, WriteEstimate};
use holdfast_control::views::{FleetReading, matching};
use holdfast_control::{EffectiveValue, Error, FleetPolicies};

use holdfast_model::schedule::{MissReason, MissedTick, Schedule};
use holdfast_model::{
    App, AppId, Attempt, BackupFacts, BackupId, BackupName, Cause, Clock as _, ManualClock, NewBackup,
    NewRun, NewTask, OperatorAction, Outcome, Policy, PolicyName, PolicySnapshot, Run, RunEvent, RunId,
    SasFacts, SasWindow, StorageName, SubscriptionId, Task, Timestamp, Trigger, Verification, Zone,
    parse_timestamp,
};
use holdfast_store::{
    BreakerRecord, Change, Enrolled, Listing, ListingResult, MemoryStore, Observation, Store,
};

/// What a store is filled with.
#[derive(Debug, Clone, Copy)]
pub struct Filling {
    /// The number of apps.
    pub apps: u32,
    /// The number of days of history.
    pub days: u32,
    /// Whether names and texts try to act on a page.
    pub hostile: bool,
}

/// What a name or a text tries: markup, an attribute's end, right-to-left text, a terminal's escape.
pub const HOSTILE: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u{202e}gpj.exe\u{1b}[2J";

/// A store at a moment, on a clock that stands.
pub struct Filled {
    pub store: Arc<dyn Store>,
    pub clock: Arc<ManualClock>,
    rng: fastrand::Rng,
}

const NAMES: [&str; 12] = [
    "checkout",
    "payroll",
    "intranet",
    "orders-api",
    "shop",
    "wiki",
    "media",
    "booking",
    "portal",
    "search",
    "billing",
    "crm",
];
const POLICIES: [(&str, u64); 4] = [("gold", 26), ("silver", 26), ("bronze", 50), ("legacy", 26)];

/// When the history ends.
fn end() -> Timestamp {
    parse_timestamp("2026-11-29T07:42:10Z").unwrap()
}

impl Filled {
    /// A store in memory whose history ends at 07:42 UTC.
    pub async fn new(filling: Filling) -> Self {
        let clock = Self::clock(filling);
        let store = Arc::new(MemoryStore::new(Arc::clone(&clock) as _));
        Self::over(filling, store, clock).await
    }

    /// The clock of a store that is to be filled.
    pub fn clock(filling: Filling) -> Arc<ManualClock> {
        let history = Duration::from_hours(24 * u64::from(filling.days)) + Duration::from_hours(6);
        Arc::new(ManualClock::new(end() - history))
    }

    /// The same in this store, which has that clock.
    pub async fn over(filling: Filling, store: Arc<dyn Store>, clock: Arc<ManualClock>) -> Self {
        let end = end();
        let mut filled = Self { store, clock, rng: fastrand::Rng::with_seed(4) };
        let apps: Vec<App> = (0..filling.apps).map(|number| app(number, filling.hostile)).collect();
        let enrolled: Vec<Enrolled> = apps.iter().map(|app| enrol(app, end)).collect();
        filled.store.sync_fleet(&enrolled, &[]).await.unwrap();
        for day in 0..filling.days {
            let at =
                end - Duration::from_hours(24 * u64::from(filling.days - day)) + Duration::from_hours(18);
            filled.clock.advance((at - filled.clock.now()).to_std().unwrap());
            filled.night(&apps, filling, filling.days - 1 - day).await;
        }
        filled.clock.advance((end - filled.clock.now()).to_std().unwrap());
        filled.today(&apps, filling).await;
        filled
    }

    /// One night: a run of each app.
    async fn night(&mut self, apps: &[App], filling: Filling, before: u32) {
        let now = self.clock.now();
        let runs: Vec<NewRun> = apps
            .iter()
            .enumerate()
            .filter(|(index, _)| index % 97 != 40)
            .map(|(_, app)| self.scheduled(app, now))
            .collect();
        self.store.add_runs(&runs).await.unwrap();
        let mut changes = Vec::new();
        for (index, new) in runs.iter().enumerate().filter(|(_, new)| new.run.ended_at.is_none()) {
            changes.push(self.ending(&new.run, (index, before), filling.hostile));
        }
        self.store.commit_all(&changes).await.unwrap();
    }

    fn scheduled(&mut self, app: &App, now: Timestamp) -> NewRun {
        let id = RunId::new(now, &mut self.rng);
        if self.rng.u32(0..400) == 0 {
            let missed = MissedTick { tick: now, reason: MissReason::Overlap };
            return NewRun::missed(id, app, &snapshot(), &missed, now);
        }
        let backup = NewBackup { tick: Some(now), trigger: Trigger::Schedule, due_at: now };
        NewRun::backup(id, app, &snapshot(), backup, now)
    }

    fn ending(&mut self, run: &Run, (index, before): (usize, u32), hostile: bool) -> Change {
        let now = self.clock.now();
        let bad_days = (17..19).contains(&before);
        let fails = match index % 61 {
            7 => before < 2,
            11 => before < 1,
            _ => self.rng.u32(0..1_000) < if bad_days { 160 } else { 12 },
        };
        let partial = index % 53 == 5 && before < 1 || self.rng.u32(0..100) == 0;
        let grown = f64::from(30_u32.saturating_sub(before.min(30))) * 0.01;
        let base = 60_000_000 + 37_000_000 * i64::try_from(index % 97).unwrap();
        #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a made-up size")]
        let size = (base as f64 * (1.0 + grown + self.rng.f64() * 0.05)) as i64;
        let took = Duration::from_secs(120 + self.rng.u64(0..500));
        let backup = BackupFacts {
            id: BackupId(400_000 + i64::from(before) * 1_000 + i64::try_from(index).unwrap()),
            blob: format!("{}-{}.zip", run.app.site(), now.format("%Y%m%d")),
            size_bytes: size,
            accepted_at: now,
            finished_at: Some(now + took),
            databases: Vec::new(),
        };
        let mut events = started(run, now, &mut self.rng);
        let causes = [
            (Cause::StorageRefused, "The storage refused the SAS: key of account bkpweu01 was rotated."),
            (Cause::TimedOut, "TimedOut: the backup took longer than Azure allows."),
            (Cause::TooLarge, "The website and its database exceed 10 GB."),
        ];
        if fails {
            let (cause, said) = causes[if bad_days { 0 } else { index % 3 }];
            let detail = if hostile { HOSTILE.to_owned() } else { said.to_owned() };
            events.push(RunEvent::AttemptEnded {
                number: 1,
                status: None,
                cause,
                detail,
                backup: None,
                retry_at: None,
            });
            events.push(RunEvent::Ended {
                outcome: Outcome::Failed,
                cause: Some(cause),
                backup: None,
                verification: None,
            });
        } else if partial {
            events
                .push(RunEvent::PartiallyCompleted { backup: backup.clone(), log: "skipped 3 files".into() });
            events.push(RunEvent::Ended {
                outcome: Outcome::Partial,
                cause: Some(Cause::PartiallySucceeded),
                backup: Some(backup),
                verification: Some(Verification::Verified),
            });
        } else {
            events.push(RunEvent::Completed { backup: Some(backup.clone()), detail: None });
            events.push(RunEvent::Ended {
                outcome: Outcome::Succeeded,
                cause: None,
                backup: Some(backup),
                verification: Some(Verification::Verified),
            });
        }
        change(run, events, now)
    }

    /// What is under way, what people did, and what does not answer.
    async fn today(&mut self, apps: &[App], filling: Filling) {
        let now = self.clock.now();
        let text = |said: &str| if filling.hostile { HOSTILE.to_owned() } else { said.to_owned() };
        for app in apps.iter().skip(20).take(9) {
            let asked = NewTask {
                task: Task::Backup { databases: Vec::new() },
                trigger: Trigger::Manual,
                actor: Some(text("oncall-weu").into()),
            };
            let new = NewRun::task(RunId::new(now, &mut self.rng), app, &snapshot(), asked, now);
            self.store.add_run(&new).await.unwrap();
            let events = started(&new.run, now, &mut self.rng);
            self.store.commit(&change(&new.run, events, now)).await.unwrap();
        }
        for (app, action) in apps.iter().zip([
            OperatorAction::Held { backup: BackupId(458_165), blob: None, reason: text("audit 2026-11") },
            OperatorAction::Released { backup: BackupId(458_165), reason: text("audit done") },
        ]) {
            let id = RunId::new(now, &mut self.rng);
            let actor = text("compliance").into();
            let new = NewRun::operator_action(id, app, &snapshot(), action, actor, now);
            self.store.add_run(&new).await.unwrap();
        }
        let listed = |name: &str, result| Listing {
            subscription: SubscriptionId::new(name),
            asked_at: now - Duration::from_secs(90),
            next_at: now + Duration::from_secs(210),
            result,
        };
        let listings = [
            listed(
                "5f2e8a70-prod-weu",
                ListingResult::Listed { apps: u64::from(filling.apps), left_out: Vec::new() },
            ),
            listed(
                "9b1c4411-prod-neu",
                ListingResult::Failed { error: text("503: the service is unavailable") },
            ),
        ];
        self.store.record_listings(&listings).await.unwrap();
        let breaker = BreakerRecord {
            kind: "storage_account".into(),
            name: text("bkpweu01"),
            at: now - Duration::from_mins(7),
            until: Some(now + Duration::from_secs(20)),
        };
        self.store.record_breaker(&breaker).await.unwrap();
    }
}

/// The policies of the apps, due at 02:00 over four hours.
pub fn policies() -> FleetPolicies {
    let schedule = Schedule {
        crontab: "0 2 * * *".parse().unwrap(),
        timezone: Zone::bundled("Europe/Paris").unwrap(),
        spread: Duration::from_hours(4),
    };
    let policy = |(name, _): &(&str, u64)| {
        let name = PolicyName::new(*name);
        (name.clone(), Policy::new(name, schedule.clone(), snapshot()))
    };
    let by_name: BTreeMap<PolicyName, Policy> = POLICIES.iter().map(policy).collect();
    let value = |key: &'static str, value: &str, line: Option<usize>| EffectiveValue {
        key: key.into(),
        value: value.to_owned(),
        section: line.map(|_| "defaults".to_owned()),
        file: None,
        line,
    };
    let values = vec![value("schedule", "\"0 2 * * *\"", Some(12)), value("overlap", "\"skip\"", None)];
    let effective = by_name.keys().map(|name| (name.clone(), values.clone())).collect();
    FleetPolicies { by_name, effective }
}

/// Backs up apps by the store alone: an app with a run under way is left out, one in no policy cannot be backed up.
pub struct Backups(pub Arc<dyn Store>);

#[async_trait]
impl BackupActions for Backups {
    fn preview(&self, reading: &FleetReading, selection: &Selection) -> Result<BackupPreview, Error> {
        let apps = match selection {
            Selection::Apps(ids) => reading.apps.iter().filter(|status| ids.contains(&status.app)).collect(),
            Selection::Matching { query, .. } => matching(reading, query),
        };
        let mut preview = BackupPreview { selected: apps.len(), ..BackupPreview::default() };
        for status in apps {
            let app = status.app.clone();
            match (&status.policy, &status.running) {
                (None, _) => preview.left_out.push(LeftOut { app, why: "it is in no policy".into() }),
                (_, Some(_)) => preview.under_way.push(app),
                _ => preview.starts.push(app),
            }
        }
        let writes = u64::try_from(preview.starts.len()).unwrap();
        let subscription = SubscriptionId::new("5f2e8a70-prod-weu");
        preview.writes = vec![WriteEstimate { subscription, writes, at_once: 200, takes_s: Some(0) }];
        Ok(preview)
    }

    async fn back_up(&self, reading: &FleetReading, request: BackupRequest) -> Result<BackupsStarted, Error> {
        let BackupPreview { starts, under_way, left_out, .. } = self.preview(reading, &request.selection)?;
        let seed =
            request.key.bytes().fold(7_u64, |seed, byte| seed.wrapping_mul(31).wrapping_add(byte.into()));
        let mut rng = fastrand::Rng::with_seed(seed);
        let now = self.0.now().await?;
        let mut run = |id: &AppId| {
            let app = App { policy: Some(PolicyName::new("gold")), ..App::new(id.clone()) };
            let task = Task::Backup { databases: Vec::new() };
            let asked = NewTask { task, trigger: Trigger::Manual, actor: Some(request.actor.clone()) };
            NewRun::task(RunId::new(now, &mut rng), &app, &snapshot(), asked, now)
        };
        let runs: Vec<NewRun> = starts.iter().map(&mut run).collect();
        let ids = runs.iter().map(|new| new.run.id).collect();
        let started = BackupsStarted { runs: ids, under_way, left_out, is_repeated: false };
        match &request.request {
            Some(key) => {
                let answer = serde_json::to_string(&started).unwrap();
                self.0.add_runs_once(key, &answer, &runs).await?;
            }
            None => drop(self.0.add_runs(&runs).await?),
        }
        Ok(started)
    }
}

fn app(number: u32, hostile: bool) -> App {
    let index = usize::try_from(number).unwrap();
    let mut name = NAMES[index % NAMES.len()].to_owned();
    if index >= NAMES.len() {
        name = format!("{name}-{:04}", index / NAMES.len());
    }
    if hostile {
        name = format!("{name}{HOSTILE}");
    }
    let subscription = if number.is_multiple_of(3) { "9b1c4411-prod-neu" } else { "5f2e8a70-prod-weu" };
    let group = format!("rg-{}", ["web", "shop", "hr", "media", "data"][index % 5]);
    let slot = number.is_multiple_of(9).then_some("staging");
    let id = AppId::new(subscription, &group, &name, slot);
    let policy = (index % 31 != 30).then(|| PolicyName::new(POLICIES[index % 4].0));
    let team = if hostile { HOSTILE } else { ["web", "shop", "hr", "media", "data"][index % 5] };
    let tags = [("Team", team), ("env", if slot.is_some() { "test" } else { "prod" })].into_iter().collect();
    App { policy, tags, ..App::new(id) }
}

fn enrol(app: &App, end: Timestamp) -> Enrolled {
    let hours =
        POLICIES.iter().find(|(name, _)| app.policy.as_ref().is_some_and(|policy| policy.as_str() == *name));
    let minutes = u64::try_from(app.id.site().len() * 37 % 600).unwrap();
    Enrolled {
        app: app.clone(),
        recovery_point_objective: hours.map(|(_, hours)| Duration::from_hours(*hours)),
        retention: None,
        partial_is_good: false,
        schedule: app
            .policy
            .as_ref()
            .map(|_| ("f".to_owned(), end + Duration::from_hours(15) + Duration::from_mins(minutes))),
        observation: Observation::default(),
    }
}

fn snapshot() -> PolicySnapshot {
    PolicySnapshot::new(StorageName::new("weu"), "bkpweu01")
}

fn started(run: &Run, now: Timestamp, rng: &mut fastrand::Rng) -> Vec<RunEvent> {
    let window = SasWindow { start: None, expiry: Some(now + Duration::from_hours(648)) };
    let attempt = Attempt {
        number: 1,
        name: BackupName::of_attempt(&run.app, run.id, 1, rng),
        begun_at: now,
        sas: "0a1b2c3d4e5f".into(),
        sas_expiry: window.expiry,
        restored_before: None,
    };
    let sas = Some(SasFacts { fingerprint: "0a1b2c3d4e5f".into(), window });
    let request_id = Some("0b1f1c62-8d0e-4b1a-9a77-2c0e8a3d5f10".to_owned());
    vec![
        RunEvent::AttemptStarted { attempt, sas },
        RunEvent::Accepted { backup: BackupId(458_165), accepted_at: now, request_id },
    ]
}

fn change(run: &Run, events: Vec<RunEvent>, at: Timestamp) -> Change {
    let after = events.iter().fold(run.clone(), |run, event| run.after(event, at).unwrap());
    Change { from: run.version, run: after, events, at }
}
