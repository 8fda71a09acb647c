//! How near a fleet whose backups are all due at once comes to what ARM accepts, in virtual time.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use holdfast_arm::{Arm, ArmClient, BackupBody, ErrorKind, PUBLIC_ENDPOINT, Settings as ArmSettings};
use holdfast_model::{AppId, BackupName, BackupStatus, Limits, StorageName};
use holdfast_simulator::{Azure, Config, Fleet, InProcess};
use holdfast_storage::{Need, Storage};
use secrecy::SecretString;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::doubles::SimClock;
use crate::faults::pause;
use crate::quiet_world::{QuietWorld, storage};
use crate::simulated_world::start;

/// Apps whose backups are due at once, over subscriptions.
#[derive(Clone, Copy)]
struct Due {
    apps: usize,
    subscriptions: usize,
}

/// What a fleet took.
#[derive(Debug)]
struct Figures {
    /// Until the last backup was accepted, and until it had ended, in seconds.
    started: f64,
    ended: f64,
    /// Requests, and those of them that ARM refused for its limits.
    calls: u64,
    throttled: u64,
}

impl Due {
    fn fleet(self) -> Fleet {
        Fleet::generate_across(self.apps, self.subscriptions, 7)
    }

    /// The least time in which ARM accepts the backups of the largest subscription, in seconds.
    fn limit(self) -> f64 {
        let writes = Limits::default().writes;
        let fleet = self.fleet();
        let of = |subscription| fleet.apps().filter(|app| *app.subscription() == subscription).count();
        let most = fleet.subscriptions().into_iter().map(of).max().unwrap();
        (f64::from(u32::try_from(most).unwrap()) - writes.capacity) / writes.per_second
    }

    /// Holdfast, without limits of its own on plans and accounts.
    async fn by_holdfast(self) -> Figures {
        let most = u32::try_from(self.apps).unwrap();
        // Messages and steps as several workers would have them: fewer would hide ARM's limits.
        let outstanding = 256 * u32::try_from(self.subscriptions).unwrap();
        let limits = Limits { per_plan: most, per_account: most, outstanding, ..Limits::default() };
        let concurrency = 64 * self.subscriptions;
        let began = Instant::now();
        let world =
            QuietWorld::start(Config::new(self.fleet()), limits, concurrency, |azure| Arc::new(azure)).await;
        until_ended(&world.azure, self.apps).await;
        Figures::of(&world.azure, began)
    }

    /// A script that starts all backups in parallel, and repeats what ARM refuses after the wait that ARM asks for.
    async fn by_script(self) -> Figures {
        let fleet = self.fleet();
        let (apps, account) = (fleet.apps().cloned().collect::<Vec<_>>(), fleet.accounts[0].clone());
        let azure = Arc::new(Mutex::new(Azure::new(Config::new(fleet), 7).unwrap()));
        let clock = Arc::new(SimClock::new(start()));
        let in_process = InProcess::new(Arc::clone(&azure), Arc::clone(&clock) as _);
        let client = Arc::new(in_process.client(ArmSettings::new(PUBLIC_ENDPOINT.parse().unwrap())));
        let until = start() + Duration::from_hours(24);
        let need = Need { now: start(), until, replace: None, reason: None, probe: false };
        let url =
            storage(in_process, &account, clock).grant(&StorageName::new("sim"), &need).await.unwrap().url;
        let began = Instant::now();
        let mut tasks = JoinSet::new();
        for app in apps {
            tasks.spawn(back_up(Arc::clone(&client), app, url.clone()));
        }
        while tasks.join_next().await.transpose().unwrap().is_some() {}
        Figures::of(&azure, began)
    }
}

/// What the script does for an app: one request, and a look every 30 seconds.
async fn back_up(client: Arc<ArmClient>, app: AppId, url: SecretString) {
    let name = BackupName::new(format!("script-{}", app.site()));
    let body = BackupBody { name, storage_url: url, databases: Vec::new() };
    let id = loop {
        match client.backup(&app, &body).await {
            Ok(backup) => break backup.id,
            Err(error) => pause(asked_wait(&error)).await,
        }
    };
    loop {
        pause(Duration::from_secs(30)).await;
        match client.get_backup(&app, id).await {
            Ok(backup) if !matches!(backup.status, BackupStatus::Created | BackupStatus::InProgress) => {
                return;
            }
            Ok(_) => {}
            Err(error) => pause(asked_wait(&error)).await,
        }
    }
}

fn asked_wait(error: &holdfast_arm::Error) -> Duration {
    let ErrorKind::Throttled { retry_after, .. } = error.kind() else { panic!("{error}") };
    retry_after.unwrap_or_default().max(Duration::from_secs(1))
}

impl Figures {
    fn of(azure: &Mutex<Azure>, began: Instant) -> Self {
        let azure = azure.lock().unwrap_or_else(PoisonError::into_inner);
        let last = azure.accepted_posts().last().unwrap().at;
        let counters = azure.counters();
        Self {
            started: (last - start()).to_std().unwrap().as_secs_f64(),
            ended: began.elapsed().as_secs_f64(),
            calls: counters.calls.values().sum(),
            throttled: counters.throttled_by_arm,
        }
    }
}

async fn until_ended(azure: &Mutex<Azure>, apps: usize) {
    let ended = || azure.lock().unwrap().counters().ends.values().sum::<u64>();
    let began = Instant::now();
    while ended() < apps as u64 {
        assert!(began.elapsed() < Duration::from_hours(4), "only {} of {apps} ended", ended());
        pause(Duration::from_secs(5)).await;
    }
}

/// Both, beside ARM's limit.
struct Comparison {
    due: Due,
    ours: Figures,
    script: Figures,
}

impl Comparison {
    async fn of(due: Due) -> Self {
        Self { due, ours: due.by_holdfast().await, script: due.by_script().await }
    }

    fn starts_within(&self, share: f64) -> bool {
        self.ours.started <= self.due.limit() * share
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { due: Due { apps, subscriptions }, ours, script } = self;
        write!(f, "{apps} apps in {subscriptions} subscriptions: ARM's limit {:.0} s", self.due.limit())?;
        for (name, Figures { started, ended, calls, throttled }) in [("Holdfast", ours), ("script", script)] {
            write!(
                f,
                "; {name} started {started:.1} s, ended {ended:.0} s, {throttled} of {calls} throttled"
            )?;
        }
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_backups_start_as_fast_as_arm_accepts_them_and_none_is_throttled() {
    let comparison = Comparison::of(Due { apps: 1_000, subscriptions: 1 }).await;
    println!("{comparison}");
    assert!(comparison.starts_within(1.05), "{comparison}");
    assert!(comparison.ours.throttled * 1_000 <= comparison.ours.calls, "{comparison}");
}

/// For `docs/performance.md`: some minutes with optimizations.
#[tokio::test(start_paused = true)]
#[ignore = "a measurement"]
async fn five_thousand_backups_in_one_subscription_and_over_ten() {
    for subscriptions in [1, 10] {
        let comparison = Comparison::of(Due { apps: 5_000, subscriptions }).await;
        println!("{comparison}");
        assert!(comparison.starts_within(1.05), "{comparison}");
    }
}
