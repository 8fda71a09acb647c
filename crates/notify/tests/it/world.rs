//! A store in memory with runs that end, and senders that record.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use holdfast_config::{NotifyOn, NotifyRule};
use holdfast_model::{
    App, AppId, Attempt, BackupFacts, BackupId, BackupName, Cause, Clock, ManualClock, NewBackup, NewRun,
    Outcome, PolicyName, PolicySnapshot, Run, RunEvent, RunId, StorageName, Timestamp, Trigger, Verification,
    Zone, parse_timestamp,
};
use holdfast_notify::{
    Deliverer, Look, Notice, Notifier, NotifierHealth, PassResult, SendError, Sending, Wording,
};
use holdfast_storage::{SecretError, SecretRef, Secrets};
use holdfast_store::{Change, Committed, Enrolled, MemoryStore, Notification, Observation, Store};
use secrecy::SecretString;
use tokio::sync::Notify;

pub struct World {
    pub store: Arc<dyn Store>,
    pub clock: Arc<ManualClock>,
    pub bell: Arc<Notify>,
    seed: AtomicU64,
}

pub fn rule(channels: &[&str]) -> NotifyRule {
    NotifyRule {
        channels: channels.iter().map(|name| (*name).to_owned()).collect(),
        policies: Vec::new(),
        tags: Vec::new(),
        on: NotifyOn::USUAL.to_vec(),
        causes: Vec::new(),
        failures: 1,
        successes: 1,
        recovery: true,
        gather: Duration::from_secs(20),
        reminder: None,
        digest: None,
        quiet: Vec::new(),
        zone: Zone::UTC,
    }
}

pub fn app(name: &str) -> App {
    App { policy: Some(PolicyName::new("gold")), ..App::new(AppId::new("s", "g", name, None)) }
}

impl World {
    pub fn new() -> Self {
        let clock = Arc::new(ManualClock::new(parse_timestamp("2027-01-10T12:00:00Z").unwrap()));
        let store = Arc::new(MemoryStore::new(Arc::clone(&clock) as Arc<dyn Clock>));
        Self { store, clock, bell: Arc::default(), seed: AtomicU64::new(1) }
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn rng(&self) -> fastrand::Rng {
        fastrand::Rng::with_seed(self.seed.fetch_add(1, Ordering::Relaxed))
    }

    pub fn notifier(&self, rule: NotifyRule) -> Notifier {
        self.notifier_with(rule, NotifierHealth::default())
    }

    pub fn notifier_with(&self, rule: NotifyRule, health: NotifierHealth) -> Notifier {
        let rules = BTreeMap::from([("oncall".to_owned(), rule)]);
        Notifier::new(Arc::clone(&self.store), rules, Arc::clone(&self.bell), health)
    }

    pub fn deliverer(&self, channel: &str, sender: impl Sending + 'static) -> Deliverer {
        let (store, bell) = (Arc::clone(&self.store), Arc::clone(&self.bell));
        Deliverer::new(store, channel.to_owned(), Box::new(sender), bell, self.rng())
    }

    /// Passes until there is nothing to do; returns how many notifications were added.
    pub async fn passes(&self, notifier: &Notifier) -> usize {
        let mut all = 0;
        loop {
            match notifier.pass().await.unwrap() {
                PassResult::Idle => return all,
                PassResult::Advanced { added, .. } => all += added,
                PassResult::Overtaken => {}
            }
        }
    }

    pub async fn list(&self) -> Vec<Notification> {
        let all = self.store.notifications().list(Timestamp::UNIX_EPOCH, 10_000).await;
        all.unwrap()
    }

    /// An app that comes into the fleet with these tags.
    pub async fn enrol(&self, name: &str, tags: &[(&str, &str)]) {
        let enrolled = Enrolled {
            app: App { tags: tags.iter().copied().collect(), ..app(name) },
            recovery_point_objective: None,
            retention: None,
            partial_is_good: false,
            schedule: None,
            observation: Observation::default(),
        };
        self.store.sync_fleet(&[enrolled], &[]).await.unwrap();
    }

    /// A backup run that ends as exhausted.
    pub async fn fails(&self, name: &str, cause: Cause) {
        let run = self.planned(name).await;
        self.commit(run, vec![ended(Outcome::Exhausted, Some(cause), None)]).await;
    }

    /// A backup run that succeeds.
    pub async fn succeeds(&self, name: &str) {
        let (run, at) = (self.planned(name).await, self.now());
        let name = BackupName::of_attempt(&run.app, run.id, 1, &mut self.rng());
        let attempt = Attempt {
            number: 1,
            name,
            begun_at: at,
            sas: "0a1b2c3d4e5f".into(),
            sas_expiry: None,
            restored_before: None,
        };
        let backup = BackupFacts {
            id: BackupId(7),
            blob: "b.zip".into(),
            size_bytes: 1,
            accepted_at: at,
            finished_at: Some(at),
            databases: Vec::new(),
        };
        let events = vec![
            RunEvent::AttemptStarted { attempt, sas: None },
            RunEvent::Accepted { backup: BackupId(7), accepted_at: at, request_id: None },
            RunEvent::Completed { backup: Some(backup.clone()), detail: None },
            ended(Outcome::Succeeded, None, Some(backup)),
        ];
        self.commit(run, events).await;
    }

    async fn planned(&self, name: &str) -> Run {
        let (now, snapshot) = (self.now(), PolicySnapshot::new(StorageName::new("weu"), "acct"));
        let backup = NewBackup { tick: None, trigger: Trigger::Manual, due_at: now };
        let new = NewRun::backup(RunId::new(now, &mut self.rng()), &app(name), &snapshot, backup, now);
        self.store.add_run(&new).await.unwrap();
        new.run
    }

    async fn commit(&self, run: Run, events: Vec<RunEvent>) {
        let (from, at) = (run.version, self.now());
        let run = events.iter().fold(run, |run, event| run.after(event, at).unwrap());
        let committed = self.store.commit(&Change { from, run, events, at }).await.unwrap();
        assert!(matches!(committed, Committed::Done(_)));
    }
}

fn ended(outcome: Outcome, cause: Option<Cause>, backup: Option<BackupFacts>) -> RunEvent {
    let verification = backup.as_ref().map(|_| Verification::Verified);
    RunEvent::Ended { outcome, cause, backup, verification }
}

/// Records what it is given, and answers as it is told.
#[derive(Clone, Default)]
pub struct Recorder {
    pub sent: Arc<Mutex<Vec<(String, Notice)>>>,
    pub answer: Arc<Mutex<Option<SendError>>>,
}

impl Recorder {
    pub fn titles(&self) -> Vec<String> {
        let sent = self.sent.lock().unwrap();
        sent.iter().map(|(_, notice)| Wording::of(notice, &Look::default()).title).collect()
    }

    pub fn ids(&self) -> Vec<String> {
        self.sent.lock().unwrap().iter().map(|(id, _)| id.clone()).collect()
    }
}

#[async_trait]
impl Sending for Recorder {
    async fn send(&self, id: &str, notice: &Notice) -> Result<(), SendError> {
        self.sent.lock().unwrap().push((id.to_owned(), notice.clone()));
        self.answer.lock().unwrap().clone().map_or(Ok(()), Err)
    }
}

/// Receives, and never answers: its process is killed before it can write down that it sent.
#[derive(Clone, Default)]
pub struct Hanging {
    pub received: Recorder,
    pub has_received: Arc<Notify>,
}

#[async_trait]
impl Sending for Hanging {
    async fn send(&self, id: &str, notice: &Notice) -> Result<(), SendError> {
        self.received.send(id, notice).await?;
        self.has_received.notify_one();
        std::future::pending().await
    }
}

/// Secrets by the names of variables, which are set in no environment.
#[derive(Default)]
pub struct KnownSecrets(pub BTreeMap<String, String>);

impl KnownSecrets {
    pub fn of(pairs: &[(&str, &str)]) -> Arc<Self> {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Arc::new(Self(pairs.iter().map(own).collect()))
    }
}

impl fmt::Debug for KnownSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KnownSecrets")
    }
}

#[async_trait]
impl Secrets for KnownSecrets {
    async fn read(&self, reference: &SecretRef) -> Result<SecretString, SecretError> {
        let SecretRef::Env(name) = reference else { return Err(SecretError::Empty(reference.clone())) };
        let known = self.0.get(name).map(|text| SecretString::from(text.as_str()));
        known.ok_or_else(|| SecretError::ReadEnv(reference.clone()))
    }
}
