//! A store with a manual clock, a fleet, and a queue that can fail.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use holdfast_model::schedule::Schedule;
use holdfast_model::{
    App, AppId, Attempt, BackupName, Limits, ManualClock, NewBackup, NewRun, OperatorAction, Policy,
    PolicyName, PolicySnapshot, Run, RunEvent, RunId, SasFacts, SasWindow, StorageName, Task, Timestamp,
    Trigger, Wakeup, parse_timestamp,
};
use holdfast_queue::{Delivery, Message, Queue};
use holdfast_scheduler::{Dispatcher, FleetSnapshot, MaintenancePlanner, Planner, PlanningContext};
use holdfast_store::{Change, Committed, MemoryStore, RunFilter, Store};
use tokio::sync::{Notify, watch};

/// The lease of a step.
pub const LEASE: Duration = Duration::from_mins(1);

/// A time on the day of these tests.
pub fn at(time: &str) -> Timestamp {
    parse_timestamp(&format!("2026-11-23T{time}:00Z")).unwrap()
}

pub fn app_id(name: &str) -> AppId {
    AppId::new("sub", "group", name, None)
}

/// An app under the policy `gold`, in a separate plan.
pub fn app(id: AppId) -> App {
    let plan = Some(format!("/plans/{}", id.site()));
    App { policy: Some(PolicyName::new("gold")), plan, ..App::new(id) }
}

/// Hourly, with two hours to catch up.
pub fn gold() -> Policy {
    let snapshot = PolicySnapshot::new(StorageName::new("weu"), "acct");
    let policy = Policy::new(PolicyName::new("gold"), schedule("0 * * * *"), snapshot);
    Policy { catch_up: Duration::from_hours(2), ..policy }
}

pub fn schedule(crontab: &str) -> Schedule {
    Schedule {
        crontab: crontab.parse().unwrap(),
        timezone: holdfast_model::Zone::UTC,
        spread: Duration::ZERO,
    }
}

pub fn fleet(apps: impl IntoIterator<Item = App>, policy: Policy) -> FleetSnapshot {
    let apps = apps.into_iter().map(|app| (app.id.clone(), app)).collect();
    let policies = [(policy.name.clone(), policy)].into();
    FleetSnapshot { apps, policies, ..FleetSnapshot::default() }
}

/// A queue that records messages, or refuses them.
#[derive(Debug, Default)]
pub struct FakeQueue {
    pub messages: Mutex<Vec<Message>>,
    pub broken: AtomicBool,
}

#[async_trait]
impl Queue for FakeQueue {
    async fn publish(&self, messages: &[Message]) -> Result<(), holdfast_queue::Error> {
        if self.broken.load(Ordering::Relaxed) {
            return Err(holdfast_queue::Error::Publish { count: messages.len(), why: "no broker".into() });
        }
        self.messages.lock().unwrap().extend_from_slice(messages);
        Ok(())
    }

    async fn receive(&self) -> Result<Delivery, holdfast_queue::Error> {
        std::future::pending().await
    }
}

/// A store, a queue and a clock.
pub struct World {
    pub clock: Arc<ManualClock>,
    pub store: Arc<MemoryStore>,
    pub queue: Arc<FakeQueue>,
    pub due_signal: Arc<Notify>,
    rng: Mutex<fastrand::Rng>,
}

impl World {
    pub fn at(time: &str) -> Self {
        let clock = Arc::new(ManualClock::new(at(time)));
        let store = Arc::new(MemoryStore::new(clock.clone()));
        let rng = Mutex::new(fastrand::Rng::with_seed(5));
        Self { clock, store, queue: Arc::default(), due_signal: Arc::default(), rng }
    }

    fn context(&self, fleet: FleetSnapshot) -> (PlanningContext, watch::Sender<Arc<FleetSnapshot>>) {
        let (sender, fleet) = watch::channel(Arc::new(fleet));
        let (store, due_signal) = (self.store.clone(), self.due_signal.clone());
        let rng = self.rng.lock().unwrap().fork();
        (PlanningContext { store, fleet, rng, due_signal, interval: None }, sender)
    }

    /// A planner, and the sender that changes its fleet.
    pub fn planner(&self, fleet: FleetSnapshot) -> (Planner, watch::Sender<Arc<FleetSnapshot>>) {
        let (context, sender) = self.context(fleet);
        (Planner::new(context), sender)
    }

    /// A maintenance planner, and the sender that changes its fleet.
    pub fn maintenance(
        &self,
        fleet: FleetSnapshot,
    ) -> (MaintenancePlanner, watch::Sender<Arc<FleetSnapshot>>) {
        let (context, sender) = self.context(fleet);
        (MaintenancePlanner::new(context), sender)
    }

    /// A new run id.
    pub async fn run_id(&self) -> RunId {
        RunId::new(self.store.now().await.unwrap(), &mut self.rng.lock().unwrap())
    }

    pub fn dispatcher(&self, limits: Limits) -> Dispatcher {
        Dispatcher::new(
            self.store.clone(),
            self.queue.clone(),
            limits,
            LEASE,
            self.due_signal.clone(),
            fastrand::Rng::with_seed(5),
        )
    }

    /// A run that is due now.
    pub fn new_run(&self, app: &App, trigger: Trigger, due_at: Timestamp) -> NewRun {
        let id = RunId::new(due_at, &mut self.rng.lock().unwrap());
        NewRun::backup(id, app, &gold().policy_snapshot, NewBackup { tick: None, trigger, due_at }, due_at)
    }

    pub async fn add(&self, app: &App, trigger: Trigger) -> RunId {
        let new = self.new_run(app, trigger, self.store.now().await.unwrap());
        self.store.add_run(&new).await.unwrap();
        new.run.id
    }

    /// Records what a person does about an app.
    pub async fn act(&self, app: &AppId, action: OperatorAction) {
        let (id, now) = (self.run_id().await, self.store.now().await.unwrap());
        let app = App::new(app.clone());
        let record = NewRun::operator_action(id, &app, &gold().policy_snapshot, action, "ann".into(), now);
        self.store.add_run(&record).await.unwrap();
    }

    /// The messages published since the last call.
    pub fn messages(&self) -> Vec<Message> {
        std::mem::take(&mut *self.queue.messages.lock().unwrap())
    }

    pub fn wakeups(&self) -> Vec<Wakeup> {
        self.messages().into_iter().map(|message| message.wakeup).collect()
    }

    pub async fn runs(&self) -> Vec<Run> {
        let mut runs = self.store.runs(&RunFilter::default()).await.unwrap();
        runs.retain(|run| !is_enrolment(run));
        runs.sort_by_key(|run| (run.tick, run.app.clone()));
        runs
    }

    /// The runs as text: tick and state or cause.
    pub async fn ticks(&self) -> Vec<String> {
        let told = |run: Run| {
            let tick = run.tick.map_or("-".to_owned(), |tick| tick.format("%H:%M").to_string());
            let what = match &run.state {
                holdfast_model::RunState::Ended { cause, .. } => {
                    cause.map_or("ended", |cause| cause.as_str())
                }
                _ if run.trigger == Trigger::CatchUp => "caught_up",
                state => state.code().as_str(),
            };
            format!("{tick} {what}")
        };
        self.runs().await.into_iter().map(told).collect()
    }

    /// Commits a step with these events. The next step is due after `due_in`.
    pub async fn commit(&self, wakeup: Wakeup, events: Vec<RunEvent>, due_in: Duration) -> Committed {
        let loaded = self.store.load(wakeup.run_id).await.unwrap().unwrap();
        let mut run = events.iter().fold(loaded.run, |run, event| run.after(event, loaded.now).unwrap());
        run.due_at = loaded.now + due_in;
        self.store.commit(&Change { from: wakeup.version, run, events, at: loaded.now }).await.unwrap()
    }

    /// Commits the start of an attempt.
    pub async fn begin(&self, wakeup: Wakeup) {
        let sas = SasFacts { fingerprint: "f".into(), window: SasWindow { start: None, expiry: None } };
        let name = BackupName::new("hf-1");
        let attempt = Attempt {
            number: 1,
            name,
            begun_at: at("00:00"),
            sas: "f".into(),
            sas_expiry: None,
            restored_before: None,
        };
        let started = RunEvent::AttemptStarted { attempt, sas: Some(sas) };
        let committed = self.commit(wakeup, vec![started], Duration::from_hours(10)).await;
        assert!(matches!(committed, Committed::Done(_)));
    }

    /// Ends a run that has no attempt.
    pub async fn end(&self, wakeup: Wakeup) {
        let ended = RunEvent::Ended {
            outcome: holdfast_model::Outcome::Failed,
            cause: Some(holdfast_model::Cause::Rejected),
            backup: None,
            verification: None,
        };
        assert!(matches!(self.commit(wakeup, vec![ended], Duration::ZERO).await, Committed::Done(_)));
    }
}

/// Whether it records an enrolment, or a change of one.
fn is_enrolment(run: &Run) -> bool {
    use OperatorAction as A;
    let Task::OperatorAction { action } = &run.task else { return false };
    matches!(
        action,
        A::Enrolled { .. }
            | A::PolicyChanged { .. }
            | A::TagsChanged { .. }
            | A::Paused
            | A::Resumed
            | A::PausedUntil { .. }
            | A::PauseEnded { .. }
    )
}
