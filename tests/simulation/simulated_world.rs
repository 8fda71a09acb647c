//! One simulated world: a fleet, Azure, a store, a queue and processes, with the faults of one seed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;
use holdfast_arm::{Arm, PUBLIC_ENDPOINT};
use holdfast_model::{
    AppId, BackupFacts, Budget, CatalogEntry, Clock, Limits, Run, RunEvent, RunId, Task, Timestamp,
    parse_timestamp,
};
use holdfast_queue::{MemoryQueue, Queue};
use holdfast_scheduler::FleetSnapshot;
use holdfast_simulator::{Azure, Config, Faults, InProcess, Pace};
use holdfast_storage::{Container, Storage};
use holdfast_store::{AuditEvent, GroupCommit, GroupLoad, MemoryStore, RunFilter, Store};
use holdfast_worker::{Environment, Settings};
use secrecy::ExposeSecret;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::checkers;
use crate::counts::SeedCounts;
use crate::doubles::{SimClock, SimProbe, SimSecrets, SimStorage};
use crate::drawn_fleet::{CONNECTION, faults, fleet, rate};
use crate::faults::{FaultCounts, FaultRates, LONGEST_STALL, pause};
use crate::people::{People, Place};
use crate::process::{Parts, run_process};

/// How long faults happen, in simulated time.
const FAULT_PERIOD: Duration = Duration::from_hours(5);
/// Time between the catalog checks of an app, and time after the faults in which each app is checked: two rounds, and the
/// longest pause of a check that waits.
const CHECK_EVERY: Duration = Duration::from_hours(1);
const CHECKED_AFTER: Duration = Duration::from_hours(4);
/// How long after the last fault every run must have ended, in simulated time.
const RECOVERY_LIMIT: Duration = Duration::from_hours(48);

pub(crate) struct SimulatedWorld {
    pub seed: u64,
    rng: fastrand::Rng,
    pub clock: Arc<SimClock>,
    pub azure: Arc<Mutex<Azure>>,
    pub store: Arc<MemoryStore>,
    queue: MemoryQueue,
    pub storage: Arc<SimStorage>,
    pub fleet: FleetSnapshot,
    pub limits: Limits,
    pub fault_counts: Arc<FaultCounts>,
    pub faults_on: Arc<AtomicBool>,
    /// Whether the wall clock jumps.
    pub clock_jumps: bool,
    /// Whether the store loses its last commits once, and restores that fail answer 500.
    pub is_treacherous: bool,
    /// The events that were committed and then lost.
    pub lost_events: Vec<AuditEvent>,
    /// Whether it lost anything: leases and tokens make no events.
    pub has_failed_over: bool,
    pub secrets: Vec<String>,
    pub signatures: Arc<Mutex<Vec<String>>>,
    pub people: People,
    pub place: Place,
}

/// The start of the simulation: the night of the spring daylight saving change in Europe.
pub(crate) fn start() -> Timestamp {
    parse_timestamp("2026-03-28T22:00:00Z").unwrap()
}

impl SimulatedWorld {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let simulated = holdfast_simulator::fleet(rng.usize(3..14), seed);
        let account = simulated.accounts[0].clone();
        let place = Place { account: account.name.clone(), container: account.containers[0].clone() };
        let container = format!("https://{}.blob.core.windows.net/{}", account.name, account.containers[0]);
        let container: Container = container.parse().unwrap();
        let fleet = fleet(&simulated, &account.name, &mut rng);
        let start = start();
        let clock = Arc::new(SimClock::new(start));
        let mut config = Config::new(simulated);
        config.faults = faults(&mut rng);
        config.pace = Pace {
            backup_median: Duration::from_secs(rng.u64(5..600)),
            listing_lag_max: Duration::from_secs(rng.u64(0..80)),
            ..Pace::default()
        };
        let azure = Arc::new(Mutex::new(Azure::new(config, seed).unwrap()));
        // Azure's clock does not jump with ours.
        let azure_clock = Arc::new(SimClock::new(start));
        let store = Arc::new(MemoryStore::new(Arc::clone(&clock) as _));
        let signatures = Arc::default();
        let storage = Arc::new(SimStorage {
            azure: InProcess::new(Arc::clone(&azure), azure_clock).waiting(Settings::default().call_timeout),
            container,
            key: account.key.clone(),
            lifetime: Duration::from_secs(rng.u64(6_000..30_000)),
            clock: Arc::clone(&clock),
            current_sas: Mutex::default(),
            unreachable: Mutex::new((rate(&mut rng, 0.1), rng.fork())),
            signatures: Arc::clone(&signatures),
        });
        let limits = Limits {
            reads: Budget { capacity: 10.0, per_second: 1.0 },
            writes: Budget { capacity: 3.0, per_second: 0.2 },
            per_plan: rng.u32(1..4),
            per_account: rng.u32(2..10),
            outstanding: rng.u32(4..40),
            ..Limits::default()
        };
        Self {
            seed,
            clock_jumps: rng.u8(0..3) == 0,
            rng,
            clock,
            azure,
            store,
            queue: MemoryQueue::default(),
            storage,
            fleet,
            limits,
            fault_counts: Arc::default(),
            faults_on: Arc::new(AtomicBool::new(true)),
            is_treacherous: seed % 3 == 1,
            lost_events: Vec::new(),
            has_failed_over: false,
            secrets: vec![account.key.expose_secret().to_owned(), CONNECTION.to_owned()],
            signatures,
            people: People::default(),
            place,
        }
    }

    /// Injects faults, waits until every run has ended, then runs the checkers.
    pub(crate) async fn run(mut self) -> SeedCounts {
        let operator_fleet = Arc::new(self.fleet.clone());
        let (fleet_sender, fleet) = watch::channel(Arc::new(self.fleet.clone()));
        let stop = CancellationToken::new();
        let processes: Vec<_> = (0..self.rng.usize(1..4))
            .map(|_| {
                let parts = self.parts(fleet.clone(), Arc::clone(&operator_fleet));
                tokio::spawn(run_process(parts, self.rng.fork(), stop.clone()))
            })
            .collect();
        self.inject_faults().await;
        self.faults_on.store(false, Ordering::Relaxed);
        self.azure.lock().unwrap().set_faults(Faults::none());
        self.storage.unreachable.lock().unwrap().0 = 0.0;
        let apps: Vec<AppId> = self.fleet.apps.keys().cloned().collect();
        self.people.stop(&mut self.azure.lock().unwrap(), &apps);
        fleet_sender.send(Arc::new(self.paused())).unwrap();
        pause(CHECKED_AFTER).await;
        fleet_sender.send(Arc::new(self.without_policies())).unwrap();
        self.await_recovery().await;
        stop.cancel();
        for process in processes {
            process.await.unwrap();
        }
        self.check().await
    }

    pub(crate) fn parts(
        &mut self,
        fleet: watch::Receiver<Arc<FleetSnapshot>>,
        operator_fleet: Arc<FleetSnapshot>,
    ) -> Parts {
        let settings = holdfast_arm::Settings::new(PUBLIC_ENDPOINT.parse().unwrap());
        let arm: Arc<dyn Arm> = Arc::new(self.storage.azure.client(settings));
        let rates = FaultRates {
            crash: rate(&mut self.rng, 0.01),
            stall: rate(&mut self.rng, 0.005),
            store_error: rate(&mut self.rng, 0.01),
            message_lost: rate(&mut self.rng, 0.1),
            message_doubled: rate(&mut self.rng, 0.1),
            // Derived, not drawn.
            message_forged: if self.seed % 5 == 2 { 0.3 } else { 0.0 },
            read_refused: if self.seed % 4 == 1 { 0.03 } else { 0.0 },
            failure_as_500: if self.is_treacherous { 1.0 } else { 0.0 },
        };
        let storage: Arc<dyn Storage> = Arc::clone(&self.storage) as _;
        let queue: Arc<dyn Queue> = Arc::new(self.queue.clone());
        let store: Arc<dyn Store> = Arc::clone(&self.store) as _;
        let clock = Arc::clone(&self.clock) as _;
        let probe = SimProbe { azure: Arc::clone(&self.azure), clock: Arc::clone(&self.clock) };
        let secrets = Arc::new(SimSecrets { connection: CONNECTION.into() });
        let probe = Arc::new(probe);
        Parts {
            operator_fleet,
            env: Environment {
                commits: GroupCommit::new(Arc::clone(&store)),
                loads: GroupLoad::new(Arc::clone(&store)),
                store,
                queue,
                arm,
                storage,
                secrets,
                probe,
                clock,
                bell: Arc::new(Notify::new()),
            },
            settings: Settings::default(),
            limits: self.limits.clone(),
            lease: Duration::from_mins(2),
            fleet,
            rates,
            check_every: CHECK_EVERY,
            faults_on: Arc::clone(&self.faults_on),
            fault_counts: Arc::clone(&self.fault_counts),
        }
    }

    async fn inject_faults(&mut self) {
        let steps = 20;
        for step in 0..steps {
            pause(FAULT_PERIOD / steps).await;
            if self.is_treacherous && step == u32::try_from(self.seed % 17).unwrap() + 1 {
                self.lose_commits().await;
            }
            checkers::occupied_apps(self).await;
            if self.rng.u8(0..4) == 0 {
                self.queue.purge();
            }
            // Azure's time, which does not jump.
            let now = start() + self.clock.elapsed();
            let apps: Vec<AppId> = self.fleet.apps.keys().cloned().collect();
            let azure = &mut self.azure.lock().unwrap();
            self.people.act(azure, (&apps, &self.place), now, &mut self.rng);
            if self.clock_jumps && self.rng.bool() {
                self.clock.jump(TimeDelta::seconds(self.rng.i64(-900..900)));
            }
        }
    }

    /// The store fails over to a replica that lags by up to a minute: it loses what it confirmed since.
    async fn lose_commits(&mut self) {
        let copy = self.store.copy();
        let seq = self.events().await.len();
        pause(Duration::from_secs(1 + self.seed % 60)).await;
        self.lost_events = self.store.audit(i64::try_from(seq).unwrap(), u32::MAX).await.unwrap();
        self.store.go_back_to(copy);
        self.has_failed_over = true;
    }

    /// The same fleet with every app paused: no tick becomes due and nothing is deleted, but catalogs are checked.
    fn paused(&self) -> FleetSnapshot {
        let mut fleet = self.fleet.clone();
        fleet.apps.values_mut().for_each(|app| app.paused = true);
        fleet
    }

    /// The same fleet with no app in a policy, so that no tick becomes due and no maintenance is needed.
    fn without_policies(&self) -> FleetSnapshot {
        let mut fleet = self.fleet.clone();
        fleet.apps.values_mut().for_each(|app| app.policy = None);
        fleet
    }

    /// Whether Azure lists the backup under its blob's name, and both of its blobs exist.
    pub(crate) fn is_whole(&self, entry: &CatalogEntry) -> bool {
        let BackupFacts { id, blob, .. } = &entry.backup;
        let is_listed = self.azure.lock().unwrap().has_backup(&entry.app, *id, blob);
        is_listed && self.has_blob(&entry.backup.blob) && self.has_blob(&entry.backup.manifest())
    }

    /// Whether the blob is in the container.
    pub(crate) fn has_blob(&self, blob: &str) -> bool {
        let mut azure = self.azure.lock().unwrap();
        azure.blob(self.clock.now(), self.storage.container.url().as_str(), blob).is_some()
    }

    async fn await_recovery(&self) {
        let mut waited = Duration::ZERO;
        loop {
            pause(Duration::from_mins(5)).await;
            waited += Duration::from_mins(5);
            let unfinished: Vec<Run> =
                self.runs().await.into_iter().filter(|run| !run.state.is_ended()).collect();
            // A planner that stalled before the faults stopped still adds the runs of the pass it is in.
            if unfinished.is_empty() && waited > LONGEST_STALL {
                return;
            }
            assert!(
                waited < RECOVERY_LIMIT,
                "seed {}: these runs have not ended: {unfinished:#?}",
                self.seed
            );
        }
    }

    async fn check(self) -> SeedCounts {
        checkers::posts(&self).await;
        checkers::recorded(&self).await;
        checkers::ticks(&self).await;
        checkers::catalog(&self).await;
        checkers::restores(&self).await;
        checkers::budgets(&self);
        checkers::leases(&self).await;
        checkers::audit(&self).await;
        checkers::secrets(&self).await;
        self.counts().await
    }

    pub(crate) async fn runs(&self) -> Vec<Run> {
        self.store.runs(&RunFilter::default()).await.unwrap()
    }

    pub(crate) async fn events(&self) -> Vec<AuditEvent> {
        self.store.audit(0, u32::MAX).await.unwrap()
    }

    /// The tasks of runs that the store lost.
    pub(crate) fn lost_tasks(&self) -> impl Iterator<Item = (RunId, &AppId, &Task)> {
        self.lost_events.iter().filter_map(|lost| match &lost.event {
            RunEvent::Planned { task, .. } => Some((lost.run_id, &lost.app, task)),
            _ => None,
        })
    }

    /// The scheduled runs of each app, by tick.
    pub(crate) async fn ticks_by_app(&self) -> BTreeMap<AppId, Vec<Run>> {
        let mut by_app: BTreeMap<AppId, Vec<Run>> = BTreeMap::new();
        for run in self.runs().await.into_iter().filter(|run| run.tick.is_some()) {
            by_app.entry(run.app.clone()).or_default().push(run);
        }
        for runs in by_app.values_mut() {
            runs.sort_by_key(|run| run.tick);
        }
        by_app
    }
}
