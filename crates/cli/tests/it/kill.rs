//! `holdfast run` is killed again and again while a fleet is backed up, and nothing is lost or doubled.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use holdfast_model::{AppId, Clock, Fold, Outcome, Run, RunEvent, RunId, RunState, SystemClock};
use holdfast_simulator::{Azure, Client, Config, Faults, Fleet, Pace, Server};
use holdfast_store::{ChainRow, Link, Mode, RunFilter, SqliteStore, Store, verify_chain};
use holdfast_tests::fleet_file::SimulatedAzure;
use secrecy::ExposeSecret;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

const APPS: usize = 100;
const KILLS: usize = 20;

/// The fleet file: due each minute, or never.
pub fn fleet_file(dir: &Path, server: &Server, fleet: &Fleet, schedule: &str) -> String {
    let (client, container) = (Client::default(), server.container_url(Fleet::ACCOUNT, Fleet::CONTAINER));
    let (tenant, client, url) = (&client.tenant, &client.id, &server.url());
    let azure = SimulatedAzure { tenant, client, url, container: &container, folder: dir }.tables();
    let mut text = format!(
        r#"{azure}[policy.gold]
schedule = "{schedule}"
catch_up = "1h"
storage = "sim"
deadline = "2m"
poll = {{ first = "500ms", max = "2s" }}
retry.timed_out = {{ attempts = 5, first = "1s", max = "2s" }}
retry.transient = {{ attempts = 5, first = "1s", max = "2s" }}
[limits]
per_plan = 10
per_account = 100
[engine]
lease = "8s"
settle = "2s"
call_timeout = "1s"
"#,
    );
    for app in fleet.apps() {
        writeln!(text, "[[app]]\nid = \"{app}\"\npolicy = \"gold\"").unwrap();
    }
    text
}

/// A world to run `holdfast` in.
struct World {
    dir: tempfile::TempDir,
    server: Server,
    azure: Arc<Mutex<Azure>>,
    fleet: Fleet,
}

impl World {
    async fn new() -> Self {
        let fleet = Fleet::generate(APPS, 20);
        let faults = Faults { timed_out: 0.03, lost_post_answer: 0.05, ..Faults::none() };
        let config =
            Config { faults, pace: Pace::demo(), remembers_secrets: true, ..Config::new(fleet.clone()) };
        let azure = Arc::new(Mutex::new(Azure::new(config, 20).unwrap()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let clock = Arc::new(SystemClock::default());
        let server = Server::start(listener, Arc::clone(&azure), clock, std::future::pending()).unwrap();
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("secret"), Client::default().secret.expose_secret()).unwrap();
        std::fs::write(dir.path().join("key"), fleet.accounts[0].key.expose_secret()).unwrap();
        Self { dir, server, azure, fleet }
    }

    fn write_fleet(&self, schedule: &str) {
        let text = fleet_file(self.dir.path(), &self.server, &self.fleet, schedule);
        std::fs::write(self.dir.path().join("fleet.toml"), text).unwrap();
    }

    fn store_path(&self) -> PathBuf {
        self.dir.path().join("holdfast.sqlite")
    }

    fn holdfast_run(&self) -> Child {
        let log =
            std::fs::OpenOptions::new().create(true).append(true).open(self.dir.path().join("log")).unwrap();
        Command::new(env!("CARGO_BIN_EXE_holdfast"))
            .current_dir(self.dir.path())
            .args(["run", "--log", "warn"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .unwrap()
    }

    async fn store(&self, mode: Mode) -> SqliteStore {
        SqliteStore::open(&self.store_path(), Arc::new(SystemClock::default()), mode).await.unwrap()
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap()
    }
}

/// Lets real time pass, or notices that the process ended by itself.
async fn alive_for(child: &mut Child, time: Duration) -> bool {
    tokio::time::timeout(time, child.wait()).await.is_err()
}

async fn runs(store: &SqliteStore) -> Vec<Run> {
    store
        .runs(&RunFilter { kind: Some(holdfast_model::RunKind::Backup), ..RunFilter::default() })
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_twenty_times_every_tick_has_one_outcome_and_no_post_is_doubled() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let world = World::new().await;
    let clock = SystemClock::default();
    world.write_fleet("* * * * *");
    world.store(Mode::Own).await.close().await;
    let mut rng = fastrand::Rng::with_seed(20);
    let mut child = world.holdfast_run();
    // Kills begin once the first tick is planned: before that there is nothing to lose.
    let store = world.store(Mode::Read).await;
    while runs(&store).await.is_empty() {
        assert!(alive_for(&mut child, Duration::from_millis(100)).await, "{}", world.log());
    }
    let mut midst = 0;
    for kill in 1..=KILLS {
        let uptime = Duration::from_millis(rng.u64(200..4_000));
        assert!(
            alive_for(&mut child, uptime).await,
            "it ended by itself before kill {kill}: {}",
            world.log()
        );
        child.kill().await.unwrap();
        midst += runs(&store).await.iter().filter(|run| run.state.is_in_flight()).count();
        child = world.holdfast_run();
    }
    // No more ticks; what was begun is carried to its end.
    child.kill().await.unwrap();
    world.write_fleet("0 0 1 1 *");
    let mut child = world.holdfast_run();
    let began = clock.elapsed();
    while runs(&store).await.iter().any(|run| !run.state.is_ended()) {
        assert!(alive_for(&mut child, Duration::from_millis(250)).await, "{}", world.log());
        assert!(
            clock.elapsed().saturating_sub(began) < Duration::from_secs(150),
            "these runs never end: {:?}",
            runs(&store).await
        );
    }
    child.kill().await.unwrap();
    assert!(midst > 0, "no kill met a run in flight");
    hunt(&world);
    let (accepted, outcomes) = judge(&world, &store).await;
    println!("{KILLS} kills: {accepted} POSTs accepted, none doubled, outcomes {outcomes:?}");
}

/// Searches what killed processes left behind for every secret that passed by: the store, its write-ahead log, the log.
fn hunt(world: &World) {
    let seen = world.azure.lock().unwrap().secrets_seen();
    let mut secrets: Vec<String> = seen.iter().map(|secret| secret.expose_secret().to_owned()).collect();
    assert!(secrets.len() > 1, "signatures and tokens passed by");
    secrets
        .extend(["secret", "key"].map(|name| std::fs::read_to_string(world.dir.path().join(name)).unwrap()));
    secrets.push("sig=".to_owned());
    for (name, has_content) in [
        ("holdfast.sqlite", true),
        ("holdfast.sqlite-wal", true),
        ("holdfast.sqlite-shm", true),
        ("log", false),
    ] {
        let left = std::fs::read(world.dir.path().join(name)).unwrap();
        assert!(!has_content || !left.is_empty(), "{name} is empty");
        let left = String::from_utf8_lossy(&left);
        assert!(!secrets.iter().any(|secret| left.contains(secret.as_str())), "{name} holds a secret");
    }
}

/// Checks everything, and answers how many POSTs were accepted and how the runs ended.
async fn judge(world: &World, store: &SqliteStore) -> (u64, BTreeMap<&'static str, u64>) {
    let (duplicates, accepted) = {
        let azure = world.azure.lock().unwrap();
        (azure.counters().duplicate_posts, azure.counters().accepted_posts)
    };
    assert_eq!(duplicates, 0);
    let mut by_app: BTreeMap<AppId, Vec<Run>> = BTreeMap::new();
    for run in runs(store).await {
        by_app.entry(run.app.clone()).or_default().push(run);
    }
    assert_eq!(by_app.len(), APPS);
    let mut outcomes: BTreeMap<&'static str, u64> = BTreeMap::new();
    for runs in by_app.values_mut() {
        runs.sort_by_key(|run| run.tick);
        for pair in runs.windows(2) {
            let minute = chrono::TimeDelta::minutes(1);
            assert_eq!(
                pair[0].tick.unwrap() + minute,
                pair[1].tick.unwrap(),
                "a tick was doubled or left out"
            );
        }
        for run in runs {
            let RunState::Ended { outcome, .. } = run.state else { panic!("{run:?}") };
            assert!(matches!(outcome, Outcome::Succeeded | Outcome::Missed), "{run:?}");
            *outcomes.entry(outcome.as_str()).or_default() += 1;
        }
    }
    let events = store.audit(0, u32::MAX).await.unwrap();
    let rows: Vec<ChainRow> = events.iter().map(ChainRow::of).collect();
    verify_chain(&rows, Link::origin()).unwrap();
    let mut by_run: BTreeMap<RunId, Vec<&RunEvent>> = BTreeMap::new();
    for event in &events {
        by_run.entry(event.run_id).or_default().push(&event.event);
    }
    for run in by_app.values().flatten() {
        let fold = Fold::of(by_run[&run.id].iter().copied()).unwrap();
        assert_eq!((&fold.state, &fold.failure_counts), (&run.state, &run.failure_counts));
    }
    (accepted, outcomes)
}
